import FalconSchema
import FalconStorage
import Synchronization

enum IsolationLevel: String, Sendable {
    case readUncommitted = "read uncommitted"
    case readCommitted = "read committed"
    case repeatableRead = "repeatable read"
    case serializable = "serializable"

    /// One snapshot for the whole transaction.
    var keepsSnapshot: Bool { self == .repeatableRead || self == .serializable }
}

/// A session's current transaction: its private writes, locks, snapshot and DDL.
///
/// One object per session, used again by each transaction. Belongs to the session's thread; a commit
/// in flight belongs to the engine until its completion.
final class Transaction: @unchecked Sendable {
    struct Savepoint {
        var name: String
        var ordinal: UInt32
        var heldCount: Int
        var fastCount: Int
        var changeCount: Int
        var settings: SessionSettings.Saved
        var isReadOnly: Bool
        var isDeferrable: Bool
        /// Cursors with this number or a greater one were opened after it.
        var nextPortal: Int
        var constraintModes: ForeignKeyQueue.Modes
        var notifications: PendingNotifications.Mark
    }

    let engine: StorageEngine
    let locks: LockTable
    /// Another one after PREPARE TRANSACTION.
    @exclusivity(unchecked) var owner: LockOwner
    let database: DatabaseState
    let interrupt: Interrupt
    /// Names the session to whoever asks who keeps old versions; short enough to need no allocation.
    let snapshotOwner: String
    /// What it has done so far, for others to see.
    let progress = TransactionProgress()

    private(set) var batch = WriteBatch()
    /// The memory of ``batch``, and where its next check is due.
    private let writeMemory: MemoryMeter
    /// Of a serializable transaction's reads; brought up to date before a statement, since one adds a few
    /// hundred kilobytes a table at most.
    private let readMemory: MemoryMeter
    private var checkedBytes = Transaction.checkEvery
    private static let checkEvery = 16 << 10
    /// The memory of the session's queries.
    let queryMemory: MemoryMeter
    var isolation = IsolationLevel.readCommitted
    var isReadOnly = false
    var isDeferrable = false
    private(set) var isActive = false
    /// False while a statement runs on an event loop: reads then throw ``SQLError/diskWait`` in place of
    /// waiting for the disk.
    var mayWait = true
    /// now(), µs since 2000.
    private(set) var startMicros: Int64 = 0

    /// The transaction's snapshot under REPEATABLE READ, from its first statement on.
    var kept: Snapshot?
    /// What it has exported.
    var exports = OwnExports()
    let serializables: SerializableTracker
    /// What is tracked of it under SERIALIZABLE, from its first statement to its commit.
    var serializable: SerializableNode?
    /// The snapshot that READ ONLY DEFERRABLE may get once others have ended.
    var safeSnapshotCandidate: SerializableTracker.Candidate?
    /// The lock that the statement has to wait for, when it threw ``SQLError/lockWait``.
    var pendingWait: LockWait?
    /// What ``pendingWait`` is for, where PostgreSQL says so. It has the row's place, too, which a row has not here.
    @exclusivity(unchecked) var waitContext: String?

    /// Storage made by this transaction: nobody else can reach its rows, they need no locks.
    private(set) var createdStorage: Set<StorageID> = []
    private(set) var changes: [CatalogChange] = []
    /// Of databases and roles, each with the number of writes that there were after it.
    @exclusivity(unchecked) var databaseChanges: [(change: DatabaseChange, ordinal: UInt32)] = []
    /// Rows that got another primary key.
    private(set) var moves: [MovedRows.Move] = []
    /// Foreign key checks and actions to come.
    @exclusivity(unchecked) var foreignKeys = ForeignKeyQueue()
    /// LISTEN, UNLISTEN and NOTIFY so far.
    @exclusivity(unchecked) var notifications = PendingNotifications()
    private var working: (base: UInt64, changeCount: Int, snapshot: CatalogSnapshot)?
    /// Of working catalogs, also of earlier transactions.
    private var workingCount: UInt64 = 0
    var savepoints: [Savepoint] = []

    init(
        engine: StorageEngine, locks: LockTable, owner: LockOwner, database: DatabaseState,
        interrupt: Interrupt, serializables: SerializableTracker
    ) {
        self.serializables = serializables
        self.engine = engine
        self.locks = locks
        self.owner = owner
        self.database = database
        self.interrupt = interrupt
        snapshotOwner = Self.snapshotOwner(owner.processID)
        let budget = engine.options.memoryBudget
        writeMemory = MemoryMeter(budget, .transactions, user: "The transaction's writes")
        readMemory = MemoryMeter(
            budget, .transactions, user: "What the serializable transaction has read")
        queryMemory = MemoryMeter(
            budget, .queries, user: "The rows that the session's queries keep")
    }

    func begin(startMicros: Int64) {
        isActive = true
        self.startMicros = startMicros
        progress.restore(TransactionWork())
    }

    static func snapshotOwner(_ processID: Int32) -> String { "session \(processID)" }

    // MARK: Snapshots

    /// The snapshot for a statement that begins now.
    func statementSnapshot() throws(SQLError) -> Snapshot {
        hasRunQuery = true
        guard isolation.keepsSnapshot else { return engine.makeSnapshot(owner: snapshotOwner) }
        if let kept {
            if let serializable { try readMemory.set(serializable.reads.byteCount) }
            return kept
        }
        let snapshot =
            isolation == .serializable
            ? try serializableSnapshot() : engine.makeSnapshot(owner: snapshotOwner)
        kept = snapshot
        return snapshot
    }

    /// The kept snapshot's time, when there are indexes made after it: to that snapshot they are empty.
    var timestampBeforeIndexes: Timestamp? {
        guard let kept, kept.timestamp < database.newestIndexTimestamp else { return nil }
        return kept.timestamp
    }

    /// SET TRANSACTION ISOLATION LEVEL is refused once there is one.
    var hasSnapshot: Bool { hasRunQuery || kept != nil || !batch.isEmpty }
    private var hasRunQuery = false

    // MARK: Locks

    /// Takes the lock of `key`, or arranges to wait for it and throws ``SQLError/lockWait``.
    @inline(__always)
    func lock(_ key: UnsafeRawBufferPointer, _ mode: LockMode) throws(SQLError) {
        try lock(hash: Checksum.xxh3(key), mode)
    }

    /// The same; should the wait be broken off, the error says in its CONTEXT what it was for.
    @inline(__always)
    func lock(
        _ key: UnsafeRawBufferPointer, _ mode: LockMode, while purpose: @autoclosure () -> String
    ) throws(SQLError) {
        do throws(SQLError) { try lock(key, mode) } catch {
            if error.isLockWait { waitContext = "while " + purpose() }
            throw error
        }
    }

    func lock(hash: UInt64, _ mode: LockMode) throws(SQLError) {
        try note(locks.acquire(hash, mode, owner))
    }

    /// The same without waiting; false when it is not to be had.
    func tryLock(_ key: UnsafeRawBufferPointer, _ mode: LockMode) throws(SQLError) -> Bool {
        switch locks.acquire(Checksum.xxh3(key), mode, owner, mayWait: false) {
        case .granted: return true
        case .unavailable, .waiting: return false
        case .exhausted: throw outOfLocks
        }
    }

    func lockRelation(_ oid: OID, _ mode: LockMode, mayWait: Bool = true) throws(SQLError) {
        let key = LockTable.relationKey(database.id.rawValue, oid.rawValue)
        try note(
            locks.acquireRelation(
                key, mode, owner, mayWait: mayWait,
                subject: .relation(oid, database: database.oid.rawValue)))
    }

    /// The lock of a database as a whole.
    func lockDatabase(_ oid: OID, _ mode: LockMode) throws(SQLError) {
        try note(locks.acquireRelation(LockTable.relationKey(0, oid.rawValue), mode, owner))
    }

    private var outOfLocks: SQLError {
        let held = "The lock table, with \(locks.count) locks, would take more"
        return SQLError(
            .outOfMemory, "out of shared memory",
            detail: engine.options.memoryBudget.flatMap { MemoryMeter.exceeded($0, held).detail },
            hint: "You might need to increase max_locks, or memory_budget, or to lock fewer rows "
                + "at once.")
    }

    private func note(_ result: LockResult) throws(SQLError) {
        switch result {
        case .granted: return
        case .waiting(let wait):
            pendingWait = wait
            throw .lockWait
        case .unavailable:
            throw SQLError(.lockNotAvailable, "could not obtain lock")
        case .exhausted: throw outOfLocks
        }
    }

    // MARK: Memory

    /// To be called after each row written: charges what the private writes take by now, and moves them to files
    /// when that is too much. What was borrowed from them dies.
    @inline(__always)
    func chargeWrites() throws(SQLError) {
        if batch.byteCount > checkedBytes { try chargeGrowth() }
        if limits.keys != 0 || limits.bytes != 0 { try checkLimits() }
    }

    /// max_txn_write_keys and max_txn_write_bytes; 0: none.
    var limits = (keys: 0, bytes: 0)

    @inline(never)
    private func chargeGrowth() throws(SQLError) {
        _ = try spillWrites(isShort: false)
        do throws(SQLError) {
            try writeMemory.set(writeBytes)
        } catch {
            guard try spillWrites(isShort: true) else { throw error }
            try writeMemory.set(writeBytes)
        }
        checkedBytes = batch.byteCount &+ Self.checkEvery
    }

    private var writeBytes: Int {
        batch.memoryBytes &+ moves.count &* 160 &+ foreignKeys.memoryBytes
            &+ notifications.memoryBytes
    }

    /// Keeps a notification for the commit, or throws 53200.
    func notify(_ message: PendingNotifications.Message) throws(SQLError) {
        notifications.append(message)
        try chargeGrowth()
    }

    // MARK: Catalog

    /// The newest committed catalog with this transaction's own DDL over it.
    var catalog: CatalogSnapshot {
        if changes.isEmpty { return database.committed }
        let base = database.committed
        if let working, working.base == base.version, working.changeCount == changes.count {
            return working.snapshot
        }
        // A version that no other catalog of the session has: plans made with it are of use here alone.
        workingCount += 1
        let snapshot = base.applying(
            changes, version: CatalogSnapshot.firstUncommittedVersion + workingCount)
        working = (base.version, changes.count, snapshot)
        return snapshot
    }

    var hasCatalogChanges: Bool { !changes.isEmpty }

    func record(_ change: CatalogChange) throws(SQLError) {
        try dropComments(by: change)
        switch change {
        case .putTable(let table):
            try putCatalog(
                CatalogKeys.key(database.id, CatalogKeys.tables, table.oid), table.encoded(),
                version: table.version)
        case .dropTable(let oid):
            try deleteCatalog(CatalogKeys.key(database.id, CatalogKeys.tables, oid))
        case .putSchema(let schema):
            let row = CatalogStore.row(database.id, schema)
            try putCatalog(row.key, row.value, version: 0)
        case .dropSchema(let oid):
            try deleteCatalog(CatalogKeys.key(database.id, CatalogKeys.schemas, oid))
        case .putView(let view):
            let row = CatalogStore.row(database.id, view)
            try putCatalog(row.key, row.value, version: 0)
        case .dropView(let oid):
            try deleteCatalog(CatalogKeys.key(database.id, CatalogKeys.views, oid))
        case .putSequence(let sequence):
            let row = CatalogStore.row(database.id, sequence)
            try putCatalog(row.key, row.value, version: 0)
        case .dropSequence(let oid):
            if let sequence = catalog.sequences[oid] { try deleteState(of: sequence) }
            try deleteCatalog(CatalogKeys.key(database.id, CatalogKeys.sequences, oid))
        }
        changes.append(change)
        working = nil
    }

    /// Deletes what is stored of the sequence's running state.
    func deleteState(of sequence: SequenceEntry) throws(SQLError) {
        try deleteSystem(
            CatalogKeys.key(database.id, CatalogKeys.sequenceStates, sequence.state))
    }

    private func deleteSystem(_ key: [UInt8]) throws(SQLError) {
        try storage { () throws(StorageError) in
            try key.withRaw { key throws(StorageError) in
                try batch.delete(key: key, class: .system)
            }
        }
    }

    private func putCatalog(
        _ key: [UInt8], _ value: [UInt8], version: UInt32
    ) throws(SQLError) {
        try storage { () throws(StorageError) in
            try key.withRaw { key throws(StorageError) in
                try value.withRaw { value throws(StorageError) in
                    try batch.put(
                        key: key, value: value, class: .catalog, descriptorVersion: version)
                }
            }
        }
    }

    private func deleteCatalog(_ key: [UInt8]) throws(SQLError) {
        try storage { () throws(StorageError) in
            try key.withRaw { key throws(StorageError) in
                try batch.delete(key: key, class: .catalog)
            }
        }
    }

    func noteMoved(from: UnsafeRawBufferPointer, to: [UInt8]) {
        moves.append(
            MovedRows.Move(from: Array(from), to: to, ordinal: batch.nextOrdinal))
    }

    /// The row deleted at `key` has no successor: what is there now is another one.
    func noteReplaced(_ key: UnsafeRawBufferPointer) {
        moves.append(MovedRows.Move(from: Array(key), to: [], ordinal: batch.nextOrdinal))
    }

    func noteCreated(_ storage: StorageID) { createdStorage.insert(storage) }

    /// Deletes everything under `storage`: DROP, TRUNCATE and rewrites.
    func deleteStorage(_ storageID: StorageID, sql: SQLOperation = .none) throws(SQLError) {
        let range = KeyRange(prefix: CatalogKeys.prefix(database.id, storageID))
        guard let lower = range.lower, let upper = range.upper else { return }
        try storage { () throws(StorageError) in
            try lower.withRaw { lower throws(StorageError) in
                try upper.withRaw { upper throws(StorageError) in
                    try batch.deleteRange(lower: lower, upper: upper, class: .row, sql: sql)
                }
            }
        }
        if database.rowEstimates.statistics(of: storageID) != nil {
            try deleteSystem(TableStatistics.key(database.id, storageID))
        }
    }

    /// Keeps what was found of storage that the transaction has made.
    func put(_ statistics: TableStatistics, of storageID: StorageID) throws(SQLError) {
        try storage { () throws(StorageError) in
            try statistics.put(into: batch, database: database.id, storageID)
        }
    }

    // MARK: Undoing

    /// Takes a failed or waiting statement's writes back.
    func rollbackStatement(to ordinal: UInt32, changeCount: Int) {
        if batch.nextOrdinal != ordinal {
            batch.rollback(toOrdinal: ordinal)
            // Its memory stays taken: what comes next is on top of it.
            checkedBytes = Self.checkEvery
        }
        while let last = moves.last, last.ordinal > ordinal { moves.removeLast() }
        // DROP DATABASE, which nothing undoes but the transaction's end, notes its change before it writes.
        while let last = databaseChanges.last, last.ordinal > ordinal {
            databaseChanges.removeLast()
        }
        if !foreignKeys.isEmpty { foreignKeys.undo(to: ordinal) }
        if changes.count > changeCount {
            let undone = changes[changeCount...]
            changes.removeSubrange(changeCount...)
            working = nil
            database.forgetSequences(ofUndone: undone, now: catalog)
        }
    }

    func setSavepoint(_ name: String, settings: SessionSettings.Saved, nextPortal: Int) {
        savepoints.append(
            Savepoint(
                name: name, ordinal: batch.nextOrdinal, heldCount: owner.held.count,
                fastCount: owner.fast.withLock { $0.count }, changeCount: changes.count,
                settings: settings, isReadOnly: isReadOnly, isDeferrable: isDeferrable,
                nextPortal: nextPortal, constraintModes: foreignKeys.modes,
                notifications: notifications.mark))
    }

    func rollback(to savepoint: Savepoint) {
        rollbackStatement(to: savepoint.ordinal, changeCount: savepoint.changeCount)
        foreignKeys.reopen(savepoint.constraintModes)
        notifications.undo(to: savepoint.notifications)
        locks.release(owner, downTo: savepoint.heldCount, fast: savepoint.fastCount)
        isReadOnly = savepoint.isReadOnly
        isDeferrable = savepoint.isDeferrable
    }

    /// How many locks it holds.
    typealias LockMark = (held: Int, fast: Int)

    var lockMark: LockMark { (owner.held.count, owner.fast.withLock { $0.count }) }

    /// Gives back the locks taken since.
    func releaseLocks(to mark: LockMark) {
        locks.release(owner, downTo: mark.held, fast: mark.fast)
    }

    // MARK: Preparing

    /// Gives its writes away for PREPARE TRANSACTION and forgets them; locks stay as they are.
    func detach() -> (batch: WriteBatch, changes: [CatalogChange], moves: [MovedRows.Move]) {
        defer {
            batch = WriteBatch()
            checkedBytes = Self.checkEvery
            reset()
        }
        return (batch, changes, moves)
    }

    /// True when it has made, changed or used relations of `schema`, by its DDL and by the keys of its
    /// locks.
    func touches(schema: String, locks keys: Set<UInt64>) -> Bool {
        let catalog = catalog
        guard let oid = catalog.schemaNames[schema] else { return false }
        let isChanged = changes.contains { change in
            switch change {
            case .putTable(let table): table.schemaOID == oid
            case .putSchema(let entry): entry.oid == oid
            case .putView(let view): view.schemaOID == oid
            case .putSequence(let sequence): sequence.schemaOID == oid
            case .dropTable, .dropSchema, .dropView, .dropSequence: false
            }
        }
        if isChanged { return true }
        // What it has dropped is in the committed catalog only.
        let known = [catalog, database.committed]
        let relations = known.flatMap { snapshot in
            snapshot.tables.values.filter { $0.schemaOID == oid }.map(\.oid)
                + snapshot.views.values.filter { $0.schemaOID == oid }.map(\.oid)
                + snapshot.sequences.values.filter { $0.schemaOID == oid }.map(\.oid)
        }
        return relations.contains {
            keys.contains(LockTable.relationKey(database.id.rawValue, $0.rawValue))
        }
    }

    // MARK: Ending

    /// Forgets everything; locks are released. For rollback, and for a commit without writes.
    func end() {
        if !changes.isEmpty {
            database.forgetSequences(ofUndone: changes, now: database.committed)
        }
        locks.releaseAll(owner)
        abandonSerializable()
        reset()
    }

    /// After the end of a commit whose locks its completion has released.
    func reset() {
        if batch.nextOrdinal != 0 {
            // A large arena is given back, a small one used again.
            if batch.memoryBytes > 1 << 20 { batch = WriteBatch() } else { batch.removeAll() }
            checkedBytes = Self.checkEvery
        }
        // Also when the engine has taken the batch's memory over.
        if writeMemory.usedBytes > 0 { writeMemory.removeAll() }
        if readMemory.usedBytes > 0 { readMemory.removeAll() }
        kept = nil
        serializable = nil
        hasRunQuery = false
        pendingWait = nil
        waitContext = nil
        if !createdStorage.isEmpty { createdStorage.removeAll() }
        if !changes.isEmpty { changes.removeAll() }
        for case (.dropped(let database), _) in databaseChanges {
            // It stays if this was no commit.
            database.isLeaving.store(false, ordering: .releasing)
        }
        if !databaseChanges.isEmpty { databaseChanges.removeAll() }
        if !moves.isEmpty { moves.removeAll() }
        foreignKeys.removeAll()
        notifications.removeAll()
        working = nil
        if !savepoints.isEmpty { savepoints.removeAll() }
        isActive = false
        isReadOnly = false
        isDeferrable = false
        isolation = .readCommitted
    }
}
