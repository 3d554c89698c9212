import FalconSchema
import FalconStorage

/// SELECT … FOR UPDATE and its weaker kin.
final class LockRowsOperator: Operator {
    private let child: Operator
    private let lockers: [RowLocker]
    private let undo = SlotUndo()

    init(_ executor: PlanExecutor, _ node: LockRowsNode, child: Operator) {
        self.child = child
        let undo = undo
        lockers = node.targets.map { target in
            let mode: LockMode =
                switch target.strength {
                case .keyShare: .forKeyShare
                case .share: .forShare
                case .noKeyUpdate: .forNoKeyUpdate
                case .update: .forUpdate
                }
            return RowLocker(target.row, mode: mode, wait: target.wait, undo: undo)
        }
        super.init(executor)
    }

    override func open() throws(SQLError) {
        undo.removeAll()
        try child.open()
    }

    override func close() { child.close() }

    override func next() throws(SQLError) -> Bool {
        undo.restore(row)
        while try child.next() {
            if try lockRow() { return true }
            undo.restore(row)
        }
        return false
    }

    /// False: it is passed over.
    private func lockRow() throws(SQLError) -> Bool {
        var changed: RowLocker?
        for locker in lockers {
            // A row of an outer join's empty side has no key.
            guard case .bytes(let key) = row.slots[locker.target.rowKeySlot] else { continue }
            let needsLocks = !executor.transaction.createdStorage.contains(
                locker.target.table.storageID)
            let outcome = try key.withRaw { key throws(SQLError) in
                try locker.lock(key, executor, needsLocks: needsLocks)
            }
            switch outcome {
            case .skipped, .repeated: return false
            case .reloaded, .moved: changed = locker
            case .current: continue
            }
        }
        // All have the same conditions, of the newest versions of all that is locked.
        return try changed?.stillHolds(row) ?? true
    }
}
