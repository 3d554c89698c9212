import FalconSchema
import FalconStorage

/// What INSERT, UPDATE and DELETE share: the target's row values and its writer.
class ModifyOperator: Operator {
    let target: ModifyTarget
    let child: Operator
    @exclusivity(unchecked) private var cachedWriter: RowWriter?
    @exclusivity(unchecked) fileprivate var newValues: [Datum]
    @exclusivity(unchecked) private var isDone = false

    init(_ executor: PlanExecutor, _ target: ModifyTarget, child: Operator) {
        self.target = target
        self.child = child
        newValues = Array(repeating: .null, count: target.table.columns.count)
        super.init(executor)
    }

    var writer: RowWriter {
        get throws(SQLError) {
            if let cachedWriter { return cachedWriter }
            let made = RowWriter(
                table: target.table, transaction: executor.transaction, firesForeignKeys: true)
            cachedWriter = made
            return made
        }
    }

    override func open() throws(SQLError) {
        // Which storage needs locks may differ from one transaction to the next.
        if let writer = cachedWriter,
            !writer.isForSharedStorage || !executor.transaction.createdStorage.isEmpty
        {
            cachedWriter = nil
        }
        isDone = false
        try child.open()
    }

    override func close() { child.close() }

    /// Handles the child's current row; true when it was written.
    func process() throws(SQLError) -> Bool { false }

    override func next() throws(SQLError) -> Bool {
        while !isDone {
            try executor.checkInterrupts()
            guard try child.next() else {
                isDone = true
                break
            }
            if try process() {
                executor.affectedRows += 1
                if target.emitsRows { return true }
            }
        }
        return false
    }

    /// Collects the new row from its slots into `newValues`.
    fileprivate func gatherNew() {
        for (index, slot) in target.newSlots.enumerated() {
            newValues[index] = slot.map { row.slots[$0] } ?? .null
        }
    }

    fileprivate func checkConstraints() throws(SQLError) {
        let writer = try writer
        try writer.checkNotNull(newValues)
        for check in target.checks {
            if check.isOfView {
                if try check.condition.isTrue(row) { continue }
                throw writer.viewCheckViolation(check.name, newValues)
            }
            if case .bool(false) = try check.condition.evaluate(row) {
                throw writer.checkViolation(check.name, newValues)
            }
        }
    }
}

final class InsertOperator: ModifyOperator {
    private let node: InsertNode
    private let conflictLoader: RowProjection?
    /// Rows that DO UPDATE changed in this statement: a second time is an error.
    private var updatedKeys: Set<[UInt8]> = []

    /// As in PostgreSQL, DO UPDATE locks a row's key when it assigns to it, be it the same.
    private let updateMode: LockMode

    init(_ executor: PlanExecutor, _ node: InsertNode, child: Operator) {
        self.node = node
        let assignments = node.onConflict?.update?.assignments ?? []
        updateMode = node.target.table.hasKey(among: assignments) ? .forUpdate : .forNoKeyUpdate
        conflictLoader = node.onConflict?.update.map { update in
            RowProjection(
                columnsToSlots: update.existingSlots.enumerated().compactMap { index, slot in
                    slot.map { (index, $0) }
                }, of: node.target.table)
        }
        super.init(executor, node.target, child: child)
    }

    override func open() throws(SQLError) {
        updatedKeys.removeAll()
        releaseHeld()
        try super.open()
    }

    override func close() {
        updatedKeys.removeAll()
        releaseHeld()
        super.close()
    }

    override func process() throws(SQLError) -> Bool {
        for (index, expression) in node.values.enumerated() {
            newValues[index] = try expression?.evaluate(row) ?? .null
        }
        return try insertNew()
    }

    /// Inserts `newValues`, as COPY does too.
    private func insertNew() throws(SQLError) -> Bool {
        for (index, slot) in target.newSlots.enumerated() {
            if let slot { row.slots[slot] = newValues[index] }
        }
        try checkConstraints()
        let writer = try writer
        guard let action = node.onConflict else {
            _ = try writer.insert(newValues)
            return true
        }
        while true {
            let transaction = executor.transaction
            let heldBefore = transaction.owner.held.count
            guard
                let conflict = try writer.insert(
                    newValues, arbiters: action.arbiters, looksFirst: action.update != nil)
            else { return true }
            guard let update = action.update else {
                try checkVisible(conflict.rowKey)
                // It leaves the row alone: nobody has to wait for its end.
                transaction.locks.release(transaction.owner, downTo: heldBefore)
                return false
            }
            if let done = try updateExisting(conflict, update, writer) { return done }
        }
    }

    /// A row that the transaction's one snapshot does not show may not decide what it does.
    private func checkVisible(_ key: [UInt8]) throws(SQLError) {
        try key.withRaw { key throws(SQLError) in try self.checkVisible(key) }
    }

    private func checkVisible(_ key: UnsafeRawBufferPointer) throws(SQLError) {
        let transaction = executor.transaction
        transaction.serializable?.reads.note(key)
        guard transaction.isolation.keepsSnapshot else { return }
        if case .value = transaction.batch.lookup(key) { return }
        let engine = executor.engine
        let newest = try storage { () throws(StorageError) in try engine.newestCommit(of: key) }
        if let newest, newest > executor.readTimestamp {
            throw SQLError(
                .serializationFailure, "could not serialize access due to concurrent update")
        }
    }

    /// Nil: the row went away, insert after all.
    private func updateExisting(
        _ conflict: RowWriter.Conflict, _ update: ConflictUpdate, _ writer: RowWriter
    ) throws(SQLError) -> Bool? {
        let transaction = executor.transaction
        let key = conflict.rowKey
        if writer.needsLocks {
            try key.withRaw { key throws(SQLError) in
                try transaction.lock(key, updateMode)
            }
        }
        // Written by this very statement?
        let isOwn = key.withRaw { key -> Bool in
            guard case .value = transaction.batch.lookup(key) else { return false }
            if case .value(let before) = transaction.batch.lookup(key, below: executor.ordinal),
                case .value(let now) = transaction.batch.lookup(key)
            {
                return before.baseAddress != now.baseAddress
            }
            return true
        }
        if isOwn || updatedKeys.contains(key) {
            throw SQLError(
                .cardinalityViolation,
                "ON CONFLICT DO UPDATE command cannot affect row a second time",
                hint: "Ensure that no rows proposed for insertion within the same command have "
                    + "duplicate constrained values.")
        }
        var old: [Datum] = []
        let codec = writer.codec
        let loader = conflictLoader
        let found = try key.withRaw { key throws(SQLError) -> Bool in
            let body = { (value: UnsafeRawBufferPointer) throws(SQLError) in
                old = try codec.decodeAll(value)
                if let loader { try codec.decode(value, loader, into: self.row.slots) }
            }
            if case .value(let own) = transaction.batch.lookup(key) {
                try body(own)
                return true
            }
            try self.checkVisible(key)
            return try executor.withCommitted(
                key, at: executor.engine.publishedTimestamp, body)
        }
        guard found else { return nil }
        while old.count < writer.table.columns.count { old.append(.null) }
        for condition in update.visibility where try !condition.isTrue(row) {
            throw SQLError(
                .objectNotInPrerequisiteState, "conflicting row is not visible through view")
        }
        if let condition = update.condition, try !condition.isTrue(row) { return false }
        var new = old
        for assignment in update.assignments {
            new[Int(assignment.attribute) - 1] = try assignment.value.evaluate(row)
        }
        for (index, slot) in target.newSlots.enumerated() {
            if let slot { row.slots[slot] = new[index] }
        }
        newValues = new
        try checkConstraints()
        try key.withRaw { key throws(SQLError) in
            try writer.update(key: key, old: old, new: new)
        }
        updatedKeys.insert(key)
        try hold(key.count &+ 96)
        return true
    }
}

/// Finds, locks and re-checks the row behind a child row: UPDATE, DELETE and FOR UPDATE.
struct RowLocker {
    enum Outcome {
        case current
        /// Its newest version was loaded and still satisfies the query.
        case reloaded
        /// The same, at another primary key, which is locked too.
        case moved([UInt8])
        /// It is gone, changed beyond the query, or locked and to be skipped.
        case skip
    }

    let target: RowTarget
    let mode: LockMode
    let wait: AST.LockWaitPolicy
    let codec: RowCodec
    let projection: RowProjection
    let isDelete: Bool
    /// FOR UPDATE and its kin: PostgreSQL calls a concurrent delete an update there.
    private let isClause: Bool

    init(
        _ target: RowTarget, mode: LockMode, wait: AST.LockWaitPolicy = .wait,
        isDelete: Bool = false, isClause: Bool = false
    ) {
        self.isClause = isClause
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
            case .wait: try transaction.lock(key, mode)
            case .noWait:
                guard try transaction.tryLock(key, mode) else {
                    throw SQLError(
                        .lockNotAvailable,
                        "could not obtain lock on row in relation \"\(target.table.name)\"")
                }
            case .skipLocked: guard try transaction.tryLock(key, mode) else { return .skip }
            }
        }
        let moved = transaction.database.movedRows
        if needsLocks, !moved.isEmpty,
            let hop = moved.next(
                from: key,
                after: place ?? .init(timestamp: executor.readTimestamp, ordinal: .max))
        {
            if transaction.isolation.keepsSnapshot { throw concurrent(hop.key.isEmpty) }
            if hop.key.isEmpty { return .skip }
            let outcome = try hop.key.withRaw { key throws(SQLError) in
                try lock(key, executor, needsLocks: true, after: hop.place)
            }
            if case .reloaded = outcome { return .moved(hop.key) }
            return outcome
        }
        if !transaction.batch.isEmpty {
            switch transaction.batch.lookup(key) {
            case .absent: break
            case .deleted: return .skip
            case .value(let now):
                // Own write: fine when an earlier statement made it, done already when this one did.
                if case .value(let before) = transaction.batch.lookup(
                    key, below: executor.ordinal), before.baseAddress == now.baseAddress,
                    place == nil
                {
                    return .current
                }
                return .skip
            }
        }
        guard needsLocks else { return .current }
        let engine = executor.engine
        let newest = try storage { () throws(StorageError) in try engine.newestCommit(of: key) }
        guard let newest, newest > executor.readTimestamp else { return .current }
        let since = max(executor.readTimestamp, place?.timestamp ?? .zero)
        let isDeleted = try wasDeleted(key, since: since, newest: newest, executor)
        if transaction.isolation.keepsSnapshot {
            // A key that is still the same is all that FOR KEY SHARE asks for.
            if mode == .forKeyShare, !isDeleted, try keepsKeys(key, executor) { return .current }
            throw concurrent(isDeleted)
        }
        if isDeleted { return .skip }
        let row = executor.row
        let found = try executor.withCommitted(key, at: engine.publishedTimestamp) {
            value throws(SQLError) in
            try codec.decode(value, projection, into: row.slots)
        }
        guard found else { return .skip }
        if place != nil { row.slots[target.rowKeySlot] = .bytes(Array(key)) }
        if let recheck = target.recheck, try !recheck.isTrue(row) { return .skip }
        return .reloaded
    }
}

extension RowLocker {
    /// 40001: the transaction's one snapshot has the row as it was.
    private func concurrent(_ isDelete: Bool) -> SQLError {
        let change = isDelete && !isClause ? "delete" : "update"
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
        let indexes = target.table.indexes.filter { $0.isUnique && !$0.isPrimary }
        if indexes.isEmpty { return true }
        var versions: [[Datum]] = []
        for timestamp in [executor.readTimestamp, executor.engine.publishedTimestamp] {
            _ = try executor.withCommitted(key, at: timestamp) { value throws(SQLError) in
                versions.append(try codec.decodeAll(value))
            }
        }
        guard versions.count == 2 else { return false }
        for index in indexes {
            for column in index.columns {
                let place = Int(column.attribute) - 1
                let (old, new) = (
                    place < versions[0].count ? versions[0][place] : .null,
                    place < versions[1].count ? versions[1][place] : .null
                )
                if !DatumOrder.isNotDistinct(
                    old, new, type: target.table.columns[place].type.oid)
                {
                    return false
                }
            }
        }
        return true
    }

    /// Runs `body` on the key at which the row is locked now; false when it is to be passed over.
    @inline(__always)
    func withLocked(
        _ key: [UInt8], _ executor: PlanExecutor, needsLocks: Bool,
        _ body: (UnsafeRawBufferPointer) throws(SQLError) -> Void
    ) throws(SQLError) -> Bool {
        try key.withRaw { key throws(SQLError) -> Bool in
            switch try lock(key, executor, needsLocks: needsLocks) {
            case .skip: return false
            case .moved(let newKey): try newKey.withRaw(body)
            case .current, .reloaded: try body(key)
            }
            return true
        }
    }
}

final class UpdateOperator: ModifyOperator {
    private let node: UpdateNode
    private let locker: RowLocker
    private let keyLocker: RowLocker
    /// It assigns to a column of a unique key, perhaps what is there already.
    private let touchesKey: Bool
    private var assigned: [Datum] = []
    private var oldValues: [Datum]

    init(_ executor: PlanExecutor, _ node: UpdateNode, child: Operator) {
        self.node = node
        touchesKey = node.target.table.hasKey(among: node.assignments)
        locker = RowLocker(node.row, mode: .forNoKeyUpdate)
        keyLocker = RowLocker(node.row, mode: .forUpdate)
        oldValues = Array(repeating: .null, count: node.target.table.columns.count)
        super.init(executor, node.target, child: child)
    }

    override func process() throws(SQLError) -> Bool {
        guard case .bytes(let key) = row.slots[node.row.rowKeySlot] else { return false }
        let writer = try writer
        // Which lock it takes depends on the new row. To lock weakly first and strongly after would meet
        // in a deadlock whoever locks the key meanwhile.
        var rowLocker = locker
        let isReady = touchesKey && writer.needsLocks
        if isReady {
            try makeNew()
            if try writer.changesKey(oldValues, newValues) { rowLocker = keyLocker }
        }
        let outcome = try key.withRaw { key throws(SQLError) in
            try rowLocker.lock(key, executor, needsLocks: writer.needsLocks)
        }
        switch outcome {
        case .skip: return false
        case .current:
            if !isReady { try makeNew() }
            try key.withRaw { key throws(SQLError) in try self.write(key, writer) }
        case .reloaded:
            try makeNew()
            try key.withRaw { key throws(SQLError) in try self.write(key, writer) }
        case .moved(let key):
            try makeNew()
            try key.withRaw { key throws(SQLError) in try self.write(key, writer) }
        }
        return true
    }

    /// The row as it is and as it shall be.
    private func makeNew() throws(SQLError) {
        for (index, slot) in node.row.columnSlots.enumerated() {
            oldValues[index] = slot.map { row.slots[$0] } ?? .null
        }
        assigned.removeAll(keepingCapacity: true)
        for assignment in node.assignments {
            assigned.append(try assignment.value.evaluate(row))
        }
        for (place, assignment) in node.assignments.enumerated() {
            if let slot = target.newSlots[Int(assignment.attribute) - 1] {
                row.slots[slot] = assigned[place]
            }
        }
        gatherNew()
    }

    private func write(
        _ key: UnsafeRawBufferPointer, _ writer: RowWriter
    ) throws(SQLError) {
        try checkConstraints()
        // Only a row that has changed meanwhile may need the stronger lock yet.
        if touchesKey, writer.needsLocks, try writer.changesKey(oldValues, newValues) {
            try executor.transaction.lock(key, .forUpdate)
        }
        try writer.update(key: key, old: oldValues, new: newValues)
    }
}

extension TableDescriptor {
    /// Whether a column of a unique key is assigned to.
    fileprivate func hasKey(among assignments: [ColumnAssignment]) -> Bool {
        indexes.contains { index in
            index.isUnique
                && index.columns.contains { column in
                    assignments.contains { $0.attribute == column.attribute }
                }
        }
    }
}

final class DeleteOperator: ModifyOperator {
    private let node: DeleteNode
    private let locker: RowLocker
    private var oldValues: [Datum]

    init(_ executor: PlanExecutor, _ node: DeleteNode, child: Operator) {
        self.node = node
        locker = RowLocker(node.row, mode: .forUpdate, isDelete: true)
        oldValues = Array(repeating: .null, count: node.target.table.columns.count)
        super.init(executor, node.target, child: child)
    }

    override func process() throws(SQLError) -> Bool {
        guard case .bytes(let key) = row.slots[node.row.rowKeySlot] else { return false }
        let writer = try writer
        return try locker.withLocked(key, executor, needsLocks: writer.needsLocks) {
            key throws(SQLError) in
            for (index, slot) in node.row.columnSlots.enumerated() {
                oldValues[index] = slot.map { row.slots[$0] } ?? .null
            }
            try writer.delete(key: key, old: oldValues)
        }
    }
}

/// SELECT … FOR UPDATE and its weaker kin.
final class LockRowsOperator: Operator {
    private let child: Operator
    private let lockers: [RowLocker]

    init(_ executor: PlanExecutor, _ node: LockRowsNode, child: Operator) {
        self.child = child
        lockers = node.targets.map { target in
            let mode: LockMode =
                switch target.strength {
                case .keyShare: .forKeyShare
                case .share: .forShare
                case .noKeyUpdate: .forNoKeyUpdate
                case .update: .forUpdate
                }
            return RowLocker(target.row, mode: mode, wait: target.wait, isClause: true)
        }
        super.init(executor)
    }

    override func open() throws(SQLError) { try child.open() }
    override func close() { child.close() }

    override func next() throws(SQLError) -> Bool {
        rows: while try child.next() {
            for locker in lockers {
                // A row of an outer join's empty side has no key.
                guard case .bytes(let key) = row.slots[locker.target.rowKeySlot] else { continue }
                let needsLocks = !executor.transaction.createdStorage.contains(
                    locker.target.table.storageID)
                let outcome = try key.withRaw { key throws(SQLError) in
                    try locker.lock(key, executor, needsLocks: needsLocks)
                }
                if case .skip = outcome { continue rows }
            }
            return true
        }
        return false
    }
}
