import Synchronization

/// Writes memtables that a replay has no memory for to tables, and gives transactions that are too large for a memtable
/// a place to spill to.
///
/// Nothing names the tables before the new manifest does; a crash leaves orphans and the log as it was.
final class ReplayOverflow: @unchecked Sendable {
    /// How many of the newest memtables stay in memory.
    let keptMemtables: Int
    private let store: TableStore
    private let random: any StorageRandom
    private let options: EngineOptions
    private let numbers = FileNumberCounter()
    let spills: SpillSpace
    /// Files with this number and those after it are this replay's.
    private var firstWritten: FileNumber?
    /// A slice stays in memory: so do those after it. Of the thread that takes them.
    private var isTurnMissed = false
    /// Nothing is written after a failure: MANIFEST's flushed LSN leaves no holes.
    private let hasGivenUp = Atomic<Bool>(false)

    init(store: TableStore, random: any StorageRandom, options: EngineOptions) {
        self.store = store
        self.random = random
        self.options = options
        // Who restores closes the engine again: what stayed in memory would be replayed once more to be read back, and
        // by the first server.
        keptMemtables = options.isBeingRestored ? 0 : options.maximumImmutableMemtables
        spills = SpillSpace(store: store, options: options, random: random) {
            [numbers] in numbers.allocate()
        }
    }

    /// Tables get numbers from that of `state` on, which ``end(_:)`` raises beyond those that were given.
    func begin(_ state: RecoveredState) {
        numbers.raise(to: state.nextFileNumber)
        firstWritten = numbers.next
    }

    func end(_ state: inout RecoveredState) {
        state.nextFileNumber = max(state.nextFileNumber, numbers.next)
    }

    /// The first of the newest slices whose layers stay in memory together: as many as memtables may wait,
    /// and no more bytes. A layer of one large transaction may be too large by itself.
    func firstKept(_ slices: [LogSlice]) -> Int {
        var left = keptMemtables * options.rotationBytes
        var first = slices.count
        while first > 0, slices.count - first < keptMemtables {
            left -= slices[first - 1].memtableBytes
            if left < 0 { break }
            first -= 1
        }
        return first
    }

    /// What the replay takes from the budget: layers that are kept and those under way. One large transaction
    /// spills what is beyond a memtable.
    func charge(_ slices: [LogSlice], underWay: Int) -> MemoryCharge {
        let largest = slices.map {
            let bytes = max($0.memtableBytes, options.rotationBytes)
            return $0.isOneBatch ? min(bytes, options.rotationBytes * 2) : bytes
        }
        .sorted(by: >).prefix(underWay)
        return MemoryCharge(
            options.memoryBudget, .memtables,
            bytes: keptMemtables * options.rotationBytes + largest.reduce(0, +))
    }

    /// Makes tables of what was replayed, before those ahead of it are named; may be called from several threads. Nil:
    /// they could not be written, for want of room perhaps, or have to wait for their turn: where files that came in
    /// from outside go depends on what is there by then.
    func makeTables(of layer: MemtableLayer, _ safepoint: Timestamp) -> VersionEdit? {
        layer.ingested.isEmpty ? write(layer, safepoint, ingestLevels: []) : nil
    }

    private func write(
        _ layer: MemtableLayer, _ safepoint: Timestamp, ingestLevels: [Int]
    ) -> VersionEdit? {
        if hasGivenUp.load(ordering: .relaxed) { return nil }
        do throws(StorageError) {
            return try FlushJob.write(
                layer, store: store, random: random, table: options.tableOptions,
                blobs: .init(options, codec: options.compression), safepoint: safepoint,
                ingestLevels: ingestLevels, catalogLimit: options.catalogStorageLimit,
                allocateNumber: numbers.allocate
            ).edit
        } catch {
            hasGivenUp.store(true, ordering: .relaxed)
            return nil
        }
    }

    /// Adds the tables of the next slice, oldest first, to `state`'s version. False: there are none; the slice and
    /// those after it stay in memory, for the engine to flush in its time.
    func take(
        _ replayed: LogReplay.Replayed, _ state: inout RecoveredState
    ) throws(StorageError) -> Bool {
        let layer = replayed.layer
        var edit = replayed.edit
        if isTurnMissed {
            // Made side by side with one that failed.
            if let edit { remove(edit) }
            return false
        }
        if !layer.ingested.isEmpty {
            edit = write(
                layer, state.version.safepoint,
                ingestLevels: IngestPlacement(state.version, busy: []).levels(of: layer.ingested))
        }
        guard let edit else {
            isTurnMissed = true
            return false
        }
        let known = layer.ingestedByNumber
        state.version = try state.version.applying(edit, store: store, known: known).version
        return true
    }

    private func remove(_ edit: VersionEdit) {
        for addition in edit.added {
            let number = addition.file.number
            let isBlob = addition.file.kind == .blob
            try? store.fileSystem.remove(
                isBlob ? store.names.blob(number) : store.names.table(number))
        }
    }

    /// A manifest is about to name the tables.
    func keep() { firstWritten = nil }

    /// Removes the tables unless a manifest may have come to name them.
    func abandon() {
        guard let firstWritten else { return }
        for number in firstWritten.rawValue..<numbers.next.rawValue {
            try? store.fileSystem.remove(store.names.table(FileNumber(number)))
            try? store.fileSystem.remove(store.names.blob(FileNumber(number)))
        }
        self.firstWritten = nil
    }
}
