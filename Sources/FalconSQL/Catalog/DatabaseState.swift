import FalconSchema
import FalconStorage
import Synchronization

/// One database of the cluster: its committed catalog, shared by its sessions.
final class DatabaseState: Sendable {
    let oid: OID
    let id: DatabaseID
    let name: String
    private let catalog: Mutex<CatalogSnapshot>
    /// Every database of the cluster, this one included.
    private let siblings = Mutex<[(oid: OID, name: String)]>([])
    /// The committed catalog's version: one load tells a session that its plans still hold.
    private let versionCell: Atomic<UInt64>
    /// Counters of hidden row ids by storage id.
    private let rowIDs = Mutex<[StorageID: RowIDCounter]>([:])
    /// Hidden row ids of prepared transactions, which are given out and not yet stored as rows.
    private let preparedRowIDs = Mutex<[StorageID: UInt64]>([:])
    /// Rows that committed transactions gave another primary key.
    let movedRows: MovedRows
    let statistics = TransactionStatistics()
    private let sequences = Mutex<[OID: SequenceState]>([:])

    init(
        oid: OID, id: DatabaseID, name: String, catalog: CatalogSnapshot, budget: MemoryBudget?
    ) {
        movedRows = MovedRows(budget: budget)
        self.oid = oid
        self.id = id
        self.name = name
        self.catalog = Mutex(catalog)
        versionCell = Atomic(catalog.version)
    }

    var cluster: [(oid: OID, name: String)] { siblings.withLock { $0 } }
    func setCluster(_ all: [(oid: OID, name: String)]) { siblings.withLock { $0 = all } }

    var catalogVersion: UInt64 { versionCell.load(ordering: .acquiring) }
    var committed: CatalogSnapshot { catalog.withLock { $0 } }

    /// Makes a committed transaction's DDL visible to every session.
    func publish(_ changes: [CatalogChange]) {
        catalog.withLock { snapshot in
            snapshot = snapshot.applying(changes, version: snapshot.version + 1)
            versionCell.store(snapshot.version, ordering: .releasing)
        }
    }

    /// The state of a sequence, read at its first use in this process.
    func sequenceState(
        _ sequence: SequenceEntry, engine: StorageEngine
    ) throws(SQLError) -> SequenceState {
        if let state = sequences.withLock({ $0[sequence.oid] }) { return state }
        let state = try SequenceState(sequence, database: id, engine: engine)
        return sequences.withLock { all in
            if let known = all[sequence.oid] { return known }
            all[sequence.oid] = state
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
        _ storage: StorageID, engine: StorageEngine
    ) throws(StorageError) -> RowIDCounter {
        if let counter = rowIDs.withLock({ $0[storage] }) { return counter }
        let range = KeyRange(prefix: CatalogKeys.prefix(id, storage))
        let iterator = try engine.makeIterator(range, at: engine.publishedTimestamp)
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
