import FalconSchema

/// min and max of a column: where an index gives its order, the first row answers.
extension QueryPlanner {
    static let oneRow = ConstantExpression(.int(1), type: SQLType(.int8))

    /// The order whose first row has the answer; nil where one row does not answer the query. NULLs, which min and max pass over,
    /// come last: of a column that may have them an index that is read backwards seldom does so.
    static func extremeOrder(_ select: LogicalSelect) -> [SortKey]? {
        guard select.groupKeys.isEmpty, select.calls.count == 1, let call = select.calls.first,
            call.function.name == "min" || call.function.name == "max", call.filter == nil,
            call.arguments.count == 1, select.relations.count == 1,
            let relation = select.relations.first
        else { return nil }
        var argument = call.arguments[0]
        while let relabel = argument as? RelabelExpression { argument = relabel.operand }
        guard let column = argument as? SlotReference,
            relation.columns.contains(where: { $0.slot == column.slot })
        else { return nil }
        return [
            SortKey(call.arguments[0], isDescending: call.function.name == "max", nullsFirst: false)
        ]
    }
}
