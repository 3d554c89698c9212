import FalconSchema
import FalconStorage

/// MERGE. As in PostgreSQL, a row is locked only by the action that changes it; one that has changed
/// meanwhile is looked at anew, from the first WHEN MATCHED, and one that is gone or matches no more is
/// none to the source row.
final class MergeOperator: ModifyOperator {
    private let node: MergeNode
    private let locker: RowLocker
    private let keyLocker: RowLocker

    init(_ executor: PlanExecutor, _ node: MergeNode, child: Operator) {
        self.node = node
        locker = RowLocker(node.row, mode: .forNoKeyUpdate)
        keyLocker = RowLocker(node.row, mode: .forUpdate)
        super.init(executor, node.target, child: child)
    }

    override func process() throws(SQLError) -> Bool {
        guard case .bytes(let key) = row.slots[node.row.rowKeySlot] else {
            return try insertRow()
        }
        if let isChanged = try changeRow(key) { return isChanged }
        return try insertRow()
    }

    private func firstAction(isMatched: Bool) throws(SQLError) -> MergeAction.Kind? {
        for action in node.actions where action.isMatched == isMatched {
            guard let condition = action.condition else { return action.kind }
            if try condition.isTrue(row) { return action.kind }
        }
        return nil
    }

    // MARK: WHEN NOT MATCHED

    private func insertRow() throws(SQLError) -> Bool {
        guard case .insert(let values)? = try firstAction(isMatched: false) else { return false }
        for (place, value) in values.enumerated() {
            newValues[place] = try value?.evaluate(row) ?? .null
        }
        showNew()
        try checkConstraints()
        _ = try writer.insert(newValues)
        return true
    }

    // MARK: WHEN MATCHED

    /// Whether the row at `key` was changed; nil: it is no match any more.
    private func changeRow(_ key: [UInt8]) throws(SQLError) -> Bool? {
        let writer = try writer
        var key = key
        var isLocked = false
        while true {
            let action = try firstAction(isMatched: true)
            let changesKey: Bool
            switch action {
            case .update(let assignments)?:
                try makeNew(assignments)
                changesKey = writer.table.changesKey(oldValues, newValues)
            case .delete?:
                gatherOld(node.row)
                changesKey = true
            case .insert?, .nothing?, nil: return false
            }
            if !isLocked {
                let rowLocker = changesKey ? keyLocker : locker
                let outcome = try key.withRaw { key throws(SQLError) in
                    try rowLocker.lock(key, executor, needsLocks: writer.needsLocks)
                }
                switch outcome {
                case .repeated: throw Self.secondTime
                case .skipped: return nil
                case .current: isLocked = true
                case .reloaded:
                    isLocked = true
                    continue
                case .moved(let newKey):
                    key = newKey
                    isLocked = true
                    continue
                }
            } else if changesKey, writer.needsLocks {
                try key.withRaw { key throws(SQLError) in
                    try executor.transaction.lock(key, .forUpdate)
                }
            }
            try key.withRaw { key throws(SQLError) in
                guard case .update? = action else {
                    return try writer.delete(key: key, old: self.oldValues)
                }
                try self.checkConstraints()
                try writer.update(key: key, old: self.oldValues, new: self.newValues)
            }
            return true
        }
    }

    private static let secondTime = SQLError(
        .cardinalityViolation, "MERGE command cannot affect row a second time",
        hint: "Ensure that not more than one source row matches any one target row.")

    /// The row as it is and as it shall be.
    private func makeNew(_ assignments: [ColumnAssignment]) throws(SQLError) {
        gatherOld(node.row)
        newValues = oldValues
        for assignment in assignments {
            newValues[Int(assignment.attribute) - 1] = try assignment.value.evaluate(row)
        }
        showNew()
    }
}
