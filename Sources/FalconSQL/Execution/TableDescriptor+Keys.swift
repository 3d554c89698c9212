import FalconSchema

/// What decides how strongly an UPDATE locks a row: whether another row could refer to what it changes.
extension TableDescriptor {
    /// Whether a column of a unique key is assigned to, be it what is there already.
    func hasKey(among assignments: [ColumnAssignment]) -> Bool {
        indexes.contains { index in
            index.isKey
                && index.columns.contains { column in
                    assignments.contains { $0.attribute == column.attribute }
                }
        }
    }

    /// Whether two versions of a row differ in some unique key.
    func changesKey(_ old: [Datum], _ new: [Datum]) -> Bool {
        indexes.contains { $0.isKey && differs($0.columns, old, new) }
    }

    /// Whether two versions of a row differ in `keyColumns`, as keys see them.
    func differs(_ keyColumns: [KeyColumn], _ old: [Datum], _ new: [Datum]) -> Bool {
        keyColumns.contains { column in
            let place = Int(column.attribute) - 1
            return !DatumOrder.isNotDistinct(old[place], new[place], type: columns[place].type.oid)
        }
    }
}
