/// What has left a batch's memory: sorted runs for reads, newest last, and the operations in their order for the
/// log.
///
/// Each time the batch's memory is spilled its operations become one run. When eight runs of a tier follow one
/// another they are merged to one of the next, so that a read looks into few. Runs hold all operations
/// of their keys, since a statement does not see its own; what was rolled back lies beyond a run's limit.
final class BatchSpill: SpilledWrites, @unchecked Sendable {
    private struct Entry {
        var run: SpilledRun
        /// Operations from here on were rolled back.
        var limit: UInt32
    }

    static let mergedRuns = 8

    let space: SpillSpace
    /// Nil: nobody will ask for them.
    private let operations: SpilledOperations?
    private var runs: [Entry] = []
    @exclusivity(unchecked) private var pin = BlockPin()
    /// What the commit is to install.
    private var prepared: PreparedTables?

    private struct PreparedTables {
        var files: [FileMetadata]
        /// The batch was in this state.
        var nextOrdinal: UInt32
        var operationCount: Int
    }

    init(_ space: SpillSpace, keepsOperations: Bool) throws(StorageError) {
        self.space = space
        operations = keepsOperations ? try SpilledOperations(space) : nil
        super.init()
        space.noteTransaction()
    }

    deinit {
        // Before the store goes, which may be the last to hold the cache.
        pin.release()
        dropTables()
    }

    override var memoryBytes: Int {
        (operations?.memoryBytes ?? 0) &+ runs.count &* MemoryLayout<Entry>.stride
    }

    // MARK: - Writing

    /// What has spilled lies in files of one engine's directory.
    func checkBelongs(to space: SpillSpace) throws(StorageError) {
        guard space !== self.space else { return }
        throw .invalidArgument(
            "The batch has spilled to files of another engine's directory.",
            hint: "Commit it there, or fill a new batch.")
    }

    /// Takes in what `batch` has in memory; nothing of it when it throws.
    func append(_ batch: WriteBatch) throws(StorageError) {
        let run = try sorted(batch)
        try operations?.append(batch)
        guard let run else { return }
        runs.append(Entry(run: run, limit: run.endOrdinal))
        // Reads are right without it, and the next time may have more room.
        do throws(StorageError) { try mergeRuns() } catch {}
    }

    private func sorted(_ batch: WriteBatch) throws(StorageError) -> SpilledRun? {
        guard let tree = batch.tree else { return nil }
        let writer = try SpilledRunWriter(space)
        var cursor = tree.first()
        while cursor.isValid {
            let entry = cursor.entry
            if !entry.isDead {
                try writer.add(
                    entry.key, UInt32(truncatingIfNeeded: entry.version), entry.kind,
                    entry.kind == .delete ? BlockPin.none : entry.value)
            }
            cursor.moveNext()
        }
        return try writer.finish(ordinals: batch.firstOrdinal..<batch.nextOrdinal, tier: 0)
    }

    private func mergeRuns() throws(StorageError) {
        while let last = runs.last, runs.count >= Self.mergedRuns {
            let merged = runs.suffix(Self.mergedRuns)
            guard merged.allSatisfy({ $0.run.tier == last.run.tier }),
                let first = merged.first
            else { return }
            let fresh = try merge(
                Array(merged), first.run.firstOrdinal..<last.run.endOrdinal, last.run.tier + 1)
            runs.removeLast(Self.mergedRuns)
            if let fresh { runs.append(Entry(run: fresh, limit: fresh.endOrdinal)) }
        }
    }

    private func merge(
        _ entries: [Entry], _ ordinals: Range<UInt32>, _ tier: Int
    ) throws(StorageError) -> SpilledRun? {
        let source = MergingIterator(entries.map { $0.run.makeIterator(keepsBlocks: false) })
        let writer = try SpilledRunWriter(space)
        try source.seekToFirst()
        while source.isValid {
            let ordinal = SpilledRun.ordinal(of: source.timestamp)
            let limit = entries.last { $0.run.firstOrdinal <= ordinal }?.limit ?? 0
            if ordinal < limit {
                try writer.add(source.userKey, ordinal, source.kind, source.value)
            }
            try source.next()
        }
        return try writer.finish(ordinals: ordinals, tier: tier)
    }

    // MARK: - Reading

    override func newest(
        _ key: UnsafeRawBufferPointer, below ordinal: UInt32, mayWait: Bool
    ) throws(StorageError) -> Found? {
        if pin.mayWait != mayWait {
            pin.release()
            pin = BlockPin(mayWait: mayWait)
        }
        for entry in runs.reversed() {
            if let found = try entry.run.newest(key, below: min(ordinal, entry.limit), &pin) {
                return found
            }
        }
        return nil
    }

    override func makeIterators(
        below ordinal: UInt32, hiding: [BatchRangeDelete], keepsBlocks: Bool
    ) throws(StorageError) -> [InternalIterator] {
        runs.reversed().filter { $0.run.firstOrdinal < ordinal }.map {
            SpilledRunIterator(
                $0.run, below: min(ordinal, $0.limit), hiding: hiding, keepsBlocks: keepsBlocks)
        }
    }

    override func operation(at ordinal: UInt32) throws(StorageError) -> WriteBatch.Operation? {
        try operations?.operation(at: ordinal)
    }

    override func rollback(toOrdinal ordinal: UInt32) -> (operations: Int, bytes: Int) {
        while let last = runs.last, last.run.firstOrdinal >= ordinal { runs.removeLast() }
        if let last = runs.last, last.limit > ordinal { runs[runs.count - 1].limit = ordinal }
        return operations?.rollback(toOrdinal: ordinal) ?? (0, 0)
    }

    // MARK: - Committing

    /// Makes tables of each key's newest operation in `batch`, which this belongs to, and of its range deletes:
    /// durable, named by nothing yet, and gone with this object unless they are taken.
    func prepareTables(of batch: WriteBatch) throws(StorageError) {
        if let prepared, prepared.nextOrdinal == batch.nextOrdinal,
            prepared.operationCount == batch.operationCount
        {
            return
        }
        dropTables()
        let older = try batch.makeSpilledIterators(keepsBlocks: false)
        let files = try SpillMerge(space: space).write(
            MergingIterator.merging([batch.makeIterator()] + older),
            hiding: batch.copiedRangeDeletes())
        prepared = PreparedTables(
            files: files, nextOrdinal: batch.nextOrdinal, operationCount: batch.operationCount)
    }

    /// The files are the caller's from now on.
    func takeTables() -> [FileMetadata] {
        defer { prepared = nil }
        return prepared?.files ?? []
    }

    var hasTables: Bool { prepared != nil }

    private func dropTables() {
        for file in prepared?.files ?? [] {
            try? space.store.fileSystem.remove(space.store.names.table(file.number))
        }
        prepared = nil
    }
}

extension WriteBatch {
    /// Moves what is in memory to files of `space`. Nothing has changed when it throws, nor when there is
    /// little.
    /// - Parameter keepsOperations: ``operation(at:)`` finds what has spilled.
    func spill(to space: SpillSpace, keepsOperations: Bool = true) throws(StorageError) {
        guard tree != nil, nextOrdinal > firstOrdinal else { return }
        // Before anything is written: it may fail.
        let fresh = EntryTree(
            arena: try Arena(capacityBytes: Arena.maximumCapacity, hugePages: false))
        let spill: BatchSpill
        if let known = spilled as? BatchSpill {
            try known.checkBelongs(to: space)
            spill = known
        } else {
            spill = try BatchSpill(space, keepsOperations: keepsOperations)
        }
        try spill.append(self)
        goOn(in: fresh, after: spill)
    }
}
