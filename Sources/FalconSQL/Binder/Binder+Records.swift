import FalconSchema

/// Calls outside FROM of functions with several columns: a record, or columns of it, also where a subquery gives it.
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

    /// Notes the records among a query's outputs, whose columns go along in slots of their own.
    /// - Parameter keepsSlots: false: only the outputs are left of each row.
    func noteRecords(
        _ targets: [Target], _ query: LogicalQuery, keepsSlots: Bool
    ) {
        for (place, (target, output)) in zip(targets, query.outputs).enumerated() {
            let columns = columns(ofRecord: target.expression)
            query.outputs[place].isRecord = columns != nil
            recordColumns[output.slot] = columns
            if !keepsSlots {
                recordFields[output.slot] = nil
            } else if let record = target.expression as? RecordExpression {
                let fields = record.fields.compactMap { field in
                    (field.expression as? SlotReference).map { (name: field.name, expression: $0) }
                }
                if fields.count == record.fields.count { recordFields[output.slot] = fields }
            }
        }
    }

    /// Nil: it is no record.
    private func columns(
        ofRecord expression: BoundExpression
    ) -> [(name: String, type: OID)]? {
        switch expression {
        case let record as RecordExpression:
            return record.fields.map { ($0.name, $0.expression.type.oid) }
        case let call as FunctionExpression:
            return call.function.resultColumns.count > 1 ? call.function.resultColumns : nil
        case let slot as SlotReference: return recordColumns[slot.slot]
        default: return nil
        }
    }

    /// One of WITH's columns is read under another slot: a record comes along as it is shown.
    func noteRecord(_ slot: Int, readAs other: Int) {
        recordFields[slot] = nil
        if let columns = recordColumns[slot] { recordColumns[other] = columns }
    }

    /// The columns of a record's text; nil when it is none.
    private func parsedFields(
        _ record: SlotReference
    ) -> [(name: String, expression: BoundExpression)]? {
        guard let columns = recordColumns[record.slot] else { return nil }
        return columns.enumerated().compactMap { place, column in
            FunctionExpression(
                FunctionDescriptor.recordField(place, of: columns), [record],
                type: SQLType(column.type), location: record.location
            ).map { (column.name, $0) }
        }
    }

    /// `(function(…)).name` and `(column).name`.
    func bindField(
        _ name: String, of base: AST.Expression, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let offset = base.location >= 0 ? base.location : nil
        guard base.mayBeRecord, let fields = try fields(of: base, scope) else {
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
            case .star? = path.first, base.mayBeRecord
        else { return nil }
        return try fields(of: base, scope)
    }

    private func fields(
        of base: AST.Expression, _ scope: Scope
    ) throws(SQLError) -> [(name: String, expression: BoundExpression)]? {
        let bound = try bind(base, scope)
        if let record = bound as? RecordExpression { return record.fields }
        if let record = bound as? SlotReference {
            guard let fields = recordFields[record.slot] else { return parsedFields(record) }
            for field in fields { notePassed(field.expression.slot, to: scope) }
            return fields.map { ($0.name, $0.expression) }
        }
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

    /// A slot of a query around `scope` is read there.
    private func notePassed(_ slot: Int, to scope: Scope) {
        var passed: Scope? = scope
        while let current = passed, current.query !== owner(of: slot) {
            current.query.outerSlots.insert(slot)
            passed = current.parent
        }
    }
}

extension AST.Expression {
    /// What `(…).name` may take a column of.
    fileprivate var mayBeRecord: Bool {
        switch self {
        case .function, .column: true
        default: false
        }
    }
}
