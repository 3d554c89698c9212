/// The keys of a cursor's rows.
extension Binder {
    /// Has the key of the table's row read when each row of `query` is one of a table.
    func keepRowKeys(of query: LogicalQuery) {
        guard case .select(let select) = query.body, !select.isGrouped,
            select.relations.count == 1, let relation = select.relations.first
        else { return }
        switch relation.source {
        case .table: if relation.rowKeySlot == nil { relation.rowKeySlot = newSlot(owner: nil) }
        case .query(let inner): keepRowKeys(of: inner)
        case .function, .commonTable, .empty: break
        }
    }
}
