import FalconSchema
import FalconStorage

/// What INSERT, UPDATE, DELETE and MERGE share: the target's row values and its writer.
class ModifyOperator: Operator {
    let target: ModifyTarget
    let child: Operator
    @exclusivity(unchecked) private var cachedWriter: RowWriter?
    @exclusivity(unchecked) var newValues: [Datum]
    /// Of the row that is changed.
    @exclusivity(unchecked) var oldValues: [Datum]
    @exclusivity(unchecked) private var isDone = false

    init(_ executor: PlanExecutor, _ target: ModifyTarget, child: Operator) {
        self.target = target
        self.child = child
        newValues = Array(repeating: .null, count: target.table.columns.count)
        oldValues = newValues
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
    func gatherNew() {
        for (index, slot) in target.newSlots.enumerated() {
            newValues[index] = slot.map { row.slots[$0] } ?? .null
        }
    }

    /// Puts `newValues` where checks and RETURNING look for them.
    func showNew() {
        for (index, slot) in target.newSlots.enumerated() {
            if let slot { row.slots[slot] = newValues[index] }
        }
    }

    /// Collects the row as it is into `oldValues`.
    func gatherOld(_ target: RowTarget) {
        for (index, slot) in target.columnSlots.enumerated() {
            oldValues[index] = slot.map { row.slots[$0] } ?? .null
        }
    }

    func checkConstraints() throws(SQLError) {
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
        showNew()
        try checkConstraints()
        let writer = try writer
        guard let action = node.onConflict else {
            _ = try writer.insert(newValues)
            return true
        }
        try writer.refuseDeferrable(action.arbiters)
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
        if case .value = try transaction.written(key) { return }
        let engine = executor.engine
        let newest = try storage { () throws(StorageError) in
            try engine.newestCommit(of: key, mayWait: transaction.mayWait)
        }
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
                try transaction.lock(
                    key, updateMode,
                    while: "inserting index tuple in relation \"\(writer.table.name)\"")
            }
        }
        // Written by this very statement?
        let ordinal = executor.ordinal
        let isOwn = try key.withRaw { key throws(SQLError) -> Bool in
            guard let now = try transaction.ordinalWritten(key) else { return false }
            return now >= ordinal
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
            if case .value(let own) = try transaction.written(key) {
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

final class UpdateOperator: ModifyOperator {
    private let node: UpdateNode
    private let locker: RowLocker
    private let keyLocker: RowLocker
    /// It assigns to a column of a unique key, perhaps what is there already.
    private let touchesKey: Bool
    private var assigned: [Datum] = []

    init(_ executor: PlanExecutor, _ node: UpdateNode, child: Operator) {
        self.node = node
        touchesKey = node.target.table.hasKey(among: node.assignments)
        locker = RowLocker(node.row, mode: .forNoKeyUpdate)
        keyLocker = RowLocker(node.row, mode: .forUpdate)
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
            if writer.table.changesKey(oldValues, newValues) { rowLocker = keyLocker }
        }
        let outcome = try key.withRaw { key throws(SQLError) in
            try rowLocker.lock(key, executor, needsLocks: writer.needsLocks)
        }
        switch outcome {
        case .skipped, .repeated: return false
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
        gatherOld(node.row)
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
        if touchesKey, writer.needsLocks, writer.table.changesKey(oldValues, newValues) {
            try executor.transaction.lock(key, .forUpdate)
        }
        try writer.update(key: key, old: oldValues, new: newValues)
    }
}

final class DeleteOperator: ModifyOperator {
    private let node: DeleteNode
    private let locker: RowLocker

    init(_ executor: PlanExecutor, _ node: DeleteNode, child: Operator) {
        self.node = node
        locker = RowLocker(node.row, mode: .forUpdate, isDelete: true)
        super.init(executor, node.target, child: child)
    }

    override func process() throws(SQLError) -> Bool {
        guard case .bytes(let key) = row.slots[node.row.rowKeySlot] else { return false }
        let writer = try writer
        return try locker.withLocked(key, executor, needsLocks: writer.needsLocks) {
            key throws(SQLError) in
            gatherOld(node.row)
            try writer.delete(key: key, old: oldValues)
        }
    }
}
