import FalconSchema
import FalconStorage

/// The row a cursor stands on, for WHERE CURRENT OF.
struct CursorRow {
    var key: [UInt8]
    /// What the cursor sees: the row may have gone elsewhere since.
    var readTimestamp: Timestamp
    var readOrdinal: UInt32
    /// FOR UPDATE and its kin: nobody else can have moved it.
    var isLocked: Bool
}

extension Session {
    /// Nil: it stands on a row that has no part in `table`: an outer join's empty side.
    func currentRow(of cursor: String, in table: TableDescriptor) throws(SQLError) -> CursorRow? {
        guard let portal = portals[cursor] else {
            throw SQLError(.invalidCursorName, "cursor \"\(cursor)\" does not exist")
        }
        guard case .select = portal.prepared.statement else {
            throw Self.cursorState(cursor, "is not a SELECT query")
        }
        if portal.isHeld {
            throw Self.cursorState(cursor, "is held from a previous transaction")
        }
        let mark: PlanRowMark
        switch (portal.run?.executor?.plan ?? portal.prepared.plan)?.rowMark(of: table.oid) {
        case .marked(let found)?: mark = found
        case .several?:
            throw Self.cursorState(
                cursor, "has multiple FOR UPDATE/SHARE references to table \"\(table.name)\"")
        case .unmarked?:
            throw Self.cursorState(
                cursor, "does not have a FOR UPDATE/SHARE reference to table \"\(table.name)\"")
        case .unknown?, nil:
            throw Self.cursorState(
                cursor, "is not a simply updatable scan of table \"\(table.name)\"")
        }
        guard !portal.isDone, !portal.isCursor || portal.position.isOnRow,
            let run = portal.run, let executor = run.executor,
            let value = portal.rows.map({ $0.key(at: portal.position.row - 1) })
                ?? run.currentValue(ofSlot: mark.slot, executor)
        else {
            throw Self.cursorState(cursor, "is not positioned on a row")
        }
        guard case .bytes(let key) = value else { return nil }
        return CursorRow(
            key: key, readTimestamp: executor.readTimestamp, readOrdinal: run.readOrdinal,
            isLocked: mark.isLocked)
    }

    private static func cursorState(_ cursor: String, _ what: String) -> SQLError {
        SQLError(SQLState("24000"), "cursor \"\(cursor)\" \(what)")
    }
}

extension StatementRun {
    /// What was in `slot` at the row sent last; nil: none was, or not to the client.
    fileprivate func currentValue(ofSlot slot: Int, _ executor: PlanExecutor) -> Datum? {
        guard !executor.plan.isPureRead else {
            return streamed > 0 ? executor.row.slots[slot] : nil
        }
        guard let column = keySlots.firstIndex(of: slot), bufferPlace > 0,
            bufferPlace <= rowKeys.count
        else { return nil }
        return rowKeys[bufferPlace - 1][column]
    }
}
