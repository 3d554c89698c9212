import FalconSchema
import FalconStorage

/// Finds, locks and re-checks the row behind a child row: UPDATE, DELETE and FOR UPDATE.
struct RowLocker {
    enum Outcome {
        case current
        /// Its newest version was loaded and, unless it is for a locking clause, satisfies the query.
        case reloaded
        /// The same, at another primary key, which is locked too.
        case moved([UInt8])
        /// It is gone, changed beyond the query, or not to be waited for.
        case skipped
        /// The statement itself has written it.
        case repeated
    }

    let target: RowTarget
    let mode: LockMode
    let wait: AST.LockWaitPolicy
    let codec: RowCodec
    let projection: RowProjection
    let isDelete: Bool
    /// Of FOR UPDATE and its kin, where PostgreSQL calls a concurrent delete an update. One row of the
    /// query may have several to lock: it is held against the query once all of them are.
    private let undo: SlotUndo?

    /// - Parameter undo: of a locking clause, keeps what the slots had before.
    init(
        _ target: RowTarget, mode: LockMode, wait: AST.LockWaitPolicy = .wait,
        isDelete: Bool = false, undo: SlotUndo? = nil
    ) {
        self.undo = undo
        self.target = target
        self.mode = mode
        self.wait = wait
        self.isDelete = isDelete
        codec = RowCodec(target.table)
        projection = RowProjection(
            columnsToSlots: target.columnSlots.enumerated().compactMap { index, slot in
                slot.map { (index, $0) }
            }, of: target.table)
    }

    /// `key` is the row's table key. `place` is where the row was followed from, when its key changed.
    func lock(
        _ key: UnsafeRawBufferPointer, _ executor: PlanExecutor, needsLocks: Bool,
        after place: MovedRows.Place? = nil
    ) throws(SQLError) -> Outcome {
        let transaction = executor.transaction
        if needsLocks {
            switch wait {
            case .wait: try transaction.lock(key, mode, while: purpose)
            case .noWait:
                guard try transaction.tryLock(key, mode) else {
                    throw SQLError(
                        .lockNotAvailable,
                        "could not obtain lock on row in relation \"\(target.table.name)\"")
                }
            case .skipLocked:
                guard try transaction.tryLock(key, mode) else { return .skipped }
            }
        }
        let moved = transaction.database.movedRows
        if needsLocks, !moved.isEmpty,
            let hop = moved.next(
                from: key,
                after: place ?? .init(timestamp: executor.readTimestamp, ordinal: .max))
        {
            if transaction.isolation.keepsSnapshot { throw concurrent(hop.key.isEmpty) }
            if hop.key.isEmpty { return .skipped }
            let outcome = try hop.key.withRaw { key throws(SQLError) in
                try lock(key, executor, needsLocks: true, after: hop.place)
            }
            if case .reloaded = outcome { return .moved(hop.key) }
            return outcome
        }
        if !transaction.batch.isEmpty {
            switch try transaction.written(key) {
            case .absent: break
            case .deleted: return .repeated
            case .value:
                // Own write: fine when an earlier statement made it, done already when this one did.
                if place == nil, try transaction.isUnchanged(key, since: executor.ordinal) {
                    return .current
                }
                return .repeated
            }
        }
        guard needsLocks else { return .current }
        let engine = executor.engine
        let newest = try storage { () throws(StorageError) in
            try engine.newestCommit(of: key, mayWait: transaction.mayWait)
        }
        guard let newest, newest > executor.readTimestamp else { return .current }
        let since = max(executor.readTimestamp, place?.timestamp ?? .zero)
        let isDeleted = try wasDeleted(key, since: since, newest: newest, executor)
        if transaction.isolation.keepsSnapshot {
            // A key that is still the same is all that FOR KEY SHARE asks for.
            if mode == .forKeyShare, !isDeleted, try keepsKeys(key, executor) { return .current }
            throw concurrent(isDeleted)
        }
        if isDeleted { return .skipped }
        let row = executor.row
        undo?.keep(target.slots, of: row)
        let found = try executor.withCommitted(key, at: engine.publishedTimestamp) {
            value throws(SQLError) in
            try codec.decode(value, projection, into: row.slots)
        }
        guard found else { return .skipped }
        if place != nil { row.slots[target.rowKeySlot] = .bytes(Array(key)) }
        if undo != nil { return .reloaded }
        return try stillHolds(row) ? .reloaded : .skipped
    }

    private var purpose: String {
        let verb = isDelete ? "deleting" : undo == nil ? "updating" : "locking"
        return "\(verb) tuple in relation \"\(target.table.name)\""
    }

    /// Whether the query's conditions hold for what the slots have now.
    func stillHolds(_ row: RowContext) throws(SQLError) -> Bool {
        for join in target.outerJoins where try !join.condition.isTrue(row) {
            undo?.keep(join.nullableSlots, of: row)
            for slot in join.nullableSlots { row.slots[slot] = .null }
        }
        return try target.recheck?.isTrue(row) ?? true
    }
}

/// What slots had before a row's newest version was put there. The query goes on from that: a join has
/// more rows for the one that it found, not for what has become of it.
final class SlotUndo {
    private var values: [(slot: Int, value: Datum)] = []

    func keep(_ slots: [Int], of row: RowContext) {
        for slot in slots { values.append((slot, row.slots[slot])) }
    }

    func restore(_ row: RowContext) {
        while let last = values.popLast() { row.slots[last.slot] = last.value }
    }

    func removeAll() { values.removeAll() }
}

extension RowLocker {
    /// 40001: the transaction's one snapshot has the row as it was.
    private func concurrent(_ isDelete: Bool) -> SQLError {
        let change = isDelete && undo == nil ? "delete" : "update"
        return SQLError(
            .serializationFailure, "could not serialize access due to concurrent \(change)")
    }

    /// Whether the row that was at `key` at `since` is gone: what is there now, if anything, was
    /// inserted later. The versions in between are kept for the statement's snapshot.
    private func wasDeleted(
        _ key: UnsafeRawBufferPointer, since: Timestamp, newest: Timestamp,
        _ executor: PlanExecutor
    ) throws(SQLError) -> Bool {
        let engine = executor.engine
        let mayWait = executor.transaction.mayWait
        var version = newest
        var at = newest
        while version > since {
            let commit = try storage { () throws(StorageError) in
                try engine.visibleCommit(of: key, at: at, mayWait: mayWait)
            }
            guard let commit else { return true }
            version = commit
            at = Timestamp(commit.rawValue &- 1)
        }
        return false
    }

    /// Whether every unique key of the row is what the statement's snapshot shows.
    private func keepsKeys(
        _ key: UnsafeRawBufferPointer, _ executor: PlanExecutor
    ) throws(SQLError) -> Bool {
        let table = target.table
        if !table.indexes.contains(where: { $0.isKey && !$0.isPrimary }) { return true }
        var versions: [[Datum]] = []
        for timestamp in [executor.readTimestamp, executor.engine.publishedTimestamp] {
            _ = try executor.withCommitted(key, at: timestamp) { value throws(SQLError) in
                versions.append(try codec.decodeAll(value))
            }
        }
        guard versions.count == 2 else { return false }
        return !table.changesKey(versions[0], versions[1])
    }

    /// Runs `body` on the key at which the row is locked now; false when it is to be passed over.
    @inline(__always)
    func withLocked(
        _ key: [UInt8], _ executor: PlanExecutor, needsLocks: Bool,
        _ body: (UnsafeRawBufferPointer) throws(SQLError) -> Void
    ) throws(SQLError) -> Bool {
        try key.withRaw { key throws(SQLError) -> Bool in
            switch try lock(key, executor, needsLocks: needsLocks) {
            case .skipped, .repeated: return false
            case .moved(let newKey): try newKey.withRaw(body)
            case .current, .reloaded: try body(key)
            }
            return true
        }
    }
}
