import FalconSchema

/// Calls outside FROM of functions with several columns: a record, or columns of it.
extension Binder {
    /// A set-returning call's record, made of its columns' slots.
    func bindRecordSet(
        _ call: AST.FunctionCall, _ resolved: ResolvedFunction, _ arguments: [BoundExpression],
        _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let query = scope.query
        var columns: [BoundExpression] = []
        var slots: [Int] = []
        for column in resolved.resultColumns {
            let slot = newSlot(owner: query)
            slotNames[slot] = column.name
            query.setReturningSlots.insert(slot)
            slots.append(slot)
            columns.append(
                SlotReference(
                    slot: slot, name: column.name, type: SQLType(column.type),
                    location: call.location))
        }
        query.setReturning.append(
            SetReturningCall(
                function: resolved.function, arguments: arguments, scalar: nil, slots: slots,
                types: columns.map(\.type)))
        let text = FunctionDescriptor.recordText(of: columns.map(\.type.oid))
        guard
            let record = FunctionExpression(
                text, columns, type: SQLType(.text), location: call.location)
        else {
            throw SQLError(.internalError, "function \(call.name.last) has no record")
        }
        return RecordExpression(
            record, fields: zip(resolved.resultColumns, columns).map { ($0.name, $1) })
    }

    /// `(function(…)).name`.
    func bindField(
        _ name: String, of base: AST.Expression, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let offset = base.location >= 0 ? base.location : nil
        guard case .function = base, let fields = try fields(of: base, scope) else {
            throw SQLError(
                .wrongObjectType, "column notation .\(name) applied to a non-composite type",
                byteOffset: offset)
        }
        guard let field = fields.first(where: { $0.name == name }) else {
            throw SQLError(
                .undefinedColumn, "could not identify column \"\(name)\" in record data type",
                byteOffset: offset)
        }
        return field.expression
    }

    /// The columns of `(function(…)).*`; nil when `expression` is something else. A set is made once, as its columns
    /// are its rows'; other functions are called for each column, as in PostgreSQL.
    func expandFields(
        _ expression: AST.Expression, _ scope: Scope
    ) throws(SQLError) -> [(name: String, expression: BoundExpression)]? {
        guard case .indirection(let base, let path) = expression, path.count == 1,
            case .star? = path.first, case .function = base
        else { return nil }
        return try fields(of: base, scope)
    }

    private func fields(
        of base: AST.Expression, _ scope: Scope
    ) throws(SQLError) -> [(name: String, expression: BoundExpression)]? {
        let bound = try bind(base, scope)
        if let record = bound as? RecordExpression { return record.fields }
        guard let call = bound as? FunctionExpression, call.function.resultColumns.count > 1,
            let function = FunctionTable.shared.function(oid: call.function.oid)
        else { return nil }
        return call.function.resultColumns.enumerated().compactMap { index, column in
            function.asColumn(index).flatMap { one in
                FunctionExpression(
                    one, call.arguments, type: SQLType(column.type), location: call.location)
            }.map { (column.name, $0) }
        }
    }
}
