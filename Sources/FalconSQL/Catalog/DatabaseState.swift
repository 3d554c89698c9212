import FalconSchema
import FalconStorage
import Synchronization

/// One database of the cluster: its committed catalog, shared by its sessions.
final class DatabaseState: Sendable {
    let entry: DatabaseEntry
    var oid: OID { entry.oid }
    var id: DatabaseID { entry.id }
    var name: String { entry.name }
    private let catalog: Mutex<CatalogSnapshot>
    /// Every database of the cluster, this one included.
    private let siblings = Mutex<[DatabaseEntry]>([])
    /// DROP DATABASE is about to commit: nobody may connect.
    let isLeaving = Atomic<Bool>(false)
    /// The committed catalog's version: one load tells a session that its plans still hold.
    private let versionCell: Atomic<UInt64>
    /// Counters of hidden row ids by storage id.
    private let rowIDs = Mutex<[StorageID: RowIDCounter]>([:])
    /// Hidden row ids of prepared transactions, which are given out and not yet stored as rows.
    private let preparedRowIDs = Mutex<[StorageID: UInt64]>([:])
    /// Rows that committed transactions gave another primary key.
    let movedRows: MovedRows
    let statistics = TransactionStatistics()
    let rowEstimates = RowEstimates()
    /// By the OIDs of the states.
    private let sequences = Mutex<[OID: SequenceState]>([:])
    /// When indexes were made over rows that there were: what reads as of before finds no entries.
    private let indexTimestamps = Mutex<[StorageID: Timestamp]>([:])
    private let newestIndex = Atomic<UInt64>(0)

    init(
        _ entry: DatabaseEntry, catalog: CatalogSnapshot, budget: MemoryBudget?
    ) {
        movedRows = MovedRows(budget: budget)
        self.entry = entry
        self.catalog = Mutex(catalog)
        versionCell = Atomic(catalog.version)
    }

    var cluster: [DatabaseEntry] { siblings.withLock { $0 } }
    func setCluster(_ all: [DatabaseEntry]) { siblings.withLock { $0 = all } }

    var catalogVersion: UInt64 { versionCell.load(ordering: .acquiring) }
    var committed: CatalogSnapshot { catalog.withLock { $0 } }

    /// Makes the DDL of a transaction that committed at `timestamp` visible to every session.
    func publish(_ changes: [CatalogChange], at timestamp: Timestamp) {
        catalog.withLock { snapshot in
            let old = snapshot
            snapshot = old.applying(changes, version: old.version + 1)
            noteIndexes(of: changes, over: old, at: timestamp, now: snapshot)
            forgetSequences(of: changes, over: old, now: snapshot)
            forgetStatistics(of: changes, over: old, now: snapshot)
            versionCell.store(snapshot.version, ordering: .releasing)
        }
    }

    // MARK: The age of indexes

    /// No index was made over rows later.
    var newestIndexTimestamp: Timestamp { Timestamp(newestIndex.load(ordering: .acquiring)) }

    /// Whether the index has entries of all rows that are read as of `timestamp`.
    func isComplete(_ index: StorageID, at timestamp: Timestamp) -> Bool {
        indexTimestamps.withLock { $0[index].map { $0 <= timestamp } ?? true }
    }

    private func noteIndexes(
        of changes: [CatalogChange], over old: CatalogSnapshot, at timestamp: Timestamp,
        now: CatalogSnapshot
    ) {
        var isNew = false
        for case .putTable(let table) in changes {
            // A body that is new, too, looks empty to old snapshots in any case.
            guard let before = old.tables[table.oid], before.storageID == table.storageID else {
                continue
            }
            let known = Set(before.indexes.map(\.storageID))
            for index in table.indexes where !known.contains(index.storageID) {
                indexTimestamps.withLock { $0[index.storageID] = timestamp }
                isNew = true
            }
        }
        guard isNew else { return }
        newestIndex.store(timestamp.rawValue, ordering: .releasing)
        indexTimestamps.withLock { all in
            guard all.count > 1024 else { return }
            // Of indexes that are gone nobody asks any more.
            let known = Set(now.tables.values.flatMap { $0.indexes.map(\.storageID) })
            all = all.filter { known.contains($0.key) }
        }
    }

    /// Lets go of the states that are replaced, also by the transaction's own later changes.
    private func forgetSequences(
        of changes: [CatalogChange], over old: CatalogSnapshot, now: CatalogSnapshot
    ) {
        for change in changes {
            let (oid, made): (OID, OID?) =
                switch change {
                case .putSequence(let new): (new.oid, new.state)
                case .dropSequence(let oid): (oid, nil)
                default: (.invalid, nil)
                }
            for state in [old.sequences[oid]?.state, made] {
                guard let state, state != now.sequences[oid]?.state else { continue }
                sequences.withLock { $0[state] = nil }
            }
        }
    }

    /// Of storage that tables and indexes have left.
    private func forgetStatistics(
        of changes: [CatalogChange], over old: CatalogSnapshot, now: CatalogSnapshot
    ) {
        for change in changes {
            let oid: OID
            switch change {
            case .putTable(let table): oid = table.oid
            case .dropTable(let dropped): oid = dropped
            default: continue
            }
            guard let before = old.tables[oid] else { continue }
            let left = before.storages.subtracting(now.tables[oid]?.storages ?? [])
            if !left.isEmpty { rowEstimates.forget(left) }
        }
    }

    /// How many states of sequences are kept in memory.
    var sequenceStateCount: Int { sequences.withLock { $0.count } }

    /// `changes` are undone. The states of sequences made by them, which no other session has seen, are
    /// forgotten, and what of them is stored, outside transactions, is deleted.
    /// - Parameter catalog: as it is without them.
    func forgetSequences(
        ofUndone changes: some Sequence<CatalogChange>,
        now catalog: @autoclosure () -> CatalogSnapshot
    ) {
        for case .putSequence(let entry) in changes
        where catalog().sequences[entry.oid]?.state != entry.state {
            sequences.withLock { $0.removeValue(forKey: entry.state) }?.delete()
        }
    }

    /// The state of a sequence, read at its first use in this process.
    func sequenceState(
        _ sequence: SequenceEntry, engine: StorageEngine, mayWait: Bool = true
    ) throws(SQLError) -> SequenceState {
        if let state = sequences.withLock({ $0[sequence.state] }) { return state }
        let state = try SequenceState(
            sequence, database: id, engine: engine, mayWait: mayWait)
        return sequences.withLock { all in
            if let known = all[sequence.state] { return known }
            all[sequence.state] = state
            return state
        }
    }

    /// Counters begun from now on are above the ids that rows in `batch` have. (Those of tables with a
    /// primary key look the same and are never asked for.) A batch that is prepared has not spilled.
    func noteRowIDs(in batch: WriteBatch) {
        preparedRowIDs.withLock { ids in
            for ordinal in 0..<batch.nextOrdinal {
                guard let operation = batch.memoryOperation(at: ordinal), operation.kind == .put,
                    operation.class == .row, operation.key.count >= 16
                else { continue }
                let key = operation.key
                let storage = StorageID(
                    UInt32(bigEndian: key.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
                let id = UInt64(
                    bigEndian: key.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                ids[storage] = max(ids[storage] ?? 0, id)
            }
        }
    }

    /// The counter of hidden row ids of `storage`, begun above the newest stored row.
    func rowIDCounter(
        _ storage: StorageID, engine: StorageEngine, mayWait: Bool
    ) throws(StorageError) -> RowIDCounter {
        if let counter = rowIDs.withLock({ $0[storage] }) { return counter }
        let range = KeyRange(prefix: CatalogKeys.prefix(id, storage))
        var options = ReadOptions()
        options.mayWait = mayWait
        let iterator = try engine.makeIterator(
            range, at: engine.publishedTimestamp, options: options)
        try iterator.seekToLast()
        var last: UInt64 = 0
        if iterator.isValid, iterator.key.count >= 16 {
            last = UInt64(
                bigEndian: iterator.key.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        last = max(last, preparedRowIDs.withLock { $0[storage] } ?? 0)
        return rowIDs.withLock { counters in
            // Whoever came first has given ids out from the same stored maximum or above.
            if let counter = counters[storage] { return counter }
            let counter = RowIDCounter(last)
            counters[storage] = counter
            return counter
        }
    }
}

/// Gives out the hidden row ids of one table. An id is never given twice while the process lives,
/// and begins above what is stored when it starts.
final class RowIDCounter: Sendable {
    private let last: Atomic<UInt64>
    init(_ last: UInt64) { self.last = Atomic(last) }
    func next() -> UInt64 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
