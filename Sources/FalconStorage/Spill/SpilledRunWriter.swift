/// Writes a ``SpilledRun``; removes its file unless it is finished.
final class SpilledRunWriter {
    private let space: SpillSpace
    private let file: any File
    private let writer: TableWriter
    private var isOpen = true
    private var isFinished = false

    init(_ space: SpillSpace) throws(StorageError) {
        self.space = space
        var table = space.options.tableOptions
        table.isScratch = true
        file = try space.create(space.store.names.spilledRun)
        do throws(StorageError) {
            let uid = space.nextUID()
            writer = try TableWriter(
                file: file, uid: uid, options: table,
                cipher: try space.store.fileSystem.makeCipher(.table, .temporary, uid: uid))
        } catch {
            try? file.close()
            try? space.store.fileSystem.remove(file.path)
            throw error
        }
    }

    deinit {
        if isFinished { return }
        if isOpen { try? file.close() }
        try? space.store.fileSystem.remove(file.path)
    }

    @inline(__always)
    func add(
        _ key: UnsafeRawBufferPointer, _ ordinal: UInt32, _ kind: OperationKind,
        _ value: UnsafeRawBufferPointer
    ) throws(StorageError) {
        try writer.add(
            key: key, timestamp: SpilledRun.timestamp(of: ordinal), kind: kind, value: value)
    }

    /// Nil when nothing was added.
    func finish(
        ordinals: Range<UInt32>, tier: Int
    ) throws(StorageError) -> SpilledRun? {
        if writer.entryCount == 0 { return nil }
        let summary = try writer.finish()
        isOpen = false
        try file.close()
        // Runs may be many: the pool says how many are open.
        let pooled = try space.store.files.open(file.path)
        let run = try SpilledRun(space, pooled, summary, ordinals: ordinals, tier: tier)
        isFinished = true
        return run
    }
}
