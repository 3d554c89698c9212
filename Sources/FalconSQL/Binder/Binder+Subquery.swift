import FalconSchema

extension Binder {
    func bindSubquery(
        _ subquery: AST.SubqueryExpression, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        try refuseSubquery(subquery)
        let location = subquery.location
        let offset = location >= 0 ? location : nil
        let query = try within(.select) { () throws(SQLError) in
            try bindQuery(subquery.query, scope)
        }
        switch subquery.kind {
        case .exists:
            return SubqueryExpression(.exists, query: query, type: .bool, location: location)
        case .scalar, .array:
            guard query.outputs.count == 1 else {
                throw SQLError(
                    .syntaxError, "subquery must return only one column", byteOffset: offset)
            }
            var type = query.outputs[0].type
            if subquery.kind == .array {
                let array = TypeRegistry.arrayType(of: type.oid)
                guard array != .invalid else {
                    throw SQLError(
                        .undefinedObject,
                        "could not find array type for data type \(TypeNames.text(type.oid))",
                        byteOffset: offset)
                }
                type = SQLType(array)
            }
            return SubqueryExpression(
                subquery.kind, query: query, type: type, location: location)
        case .any, .all:
            guard let left = subquery.left else {
                throw SQLError(.internalError, "a comparison with a subquery lacks its left side")
            }
            var fields: [BoundExpression]
            if case .row(let parts, _, _) = left {
                fields = try bindAll(parts, scope)
            } else {
                fields = [try bind(left, scope)]
            }
            return try compareWithSubquery(
                subquery.kind, subquery.operatorName ?? AST.Name(["="]), fields, query, location)
        }
    }

    /// What is stored and evaluated without an executor has none to run a query with.
    private func refuseSubquery(_ subquery: AST.SubqueryExpression) throws(SQLError) {
        guard let place = clause.refusesSubqueries else { return }
        throw SQLError(
            .featureNotSupported, "cannot use subquery in \(place)",
            byteOffset: subquery.location >= 0 ? subquery.location : nil)
    }

    private func compareWithSubquery(
        _ kind: AST.SubqueryKind, _ name: AST.Name, _ fields: [BoundExpression],
        _ query: LogicalQuery, _ location: Int
    ) throws(SQLError) -> BoundExpression {
        guard fields.count <= query.outputs.count else {
            throw SQLError(
                .syntaxError, "subquery has too few columns", byteOffset: location)
        }
        guard fields.count == query.outputs.count else {
            throw SQLError(
                .syntaxError, "subquery has too many columns", byteOffset: location)
        }
        var lefts: [BoundExpression] = []
        var rights: [BoundExpression] = []
        var leftSlots: [Int] = []
        var converted: [BoundExpression] = []
        for (field, output) in zip(fields, query.outputs) {
            let right = SlotReference(
                slot: output.slot, name: output.name, type: output.type, location: location)
            // How the operator wants the left side; it is converted once per row.
            let trial = try makeOperatorUnfolded(name, field, right, location)
            let left = fields.count == 1 ? trial.children.first ?? field : field
            let value = try resolveUnknown(left)
            let slot = newSlot(owner: nil)
            leftSlots.append(slot)
            converted.append(value)
            lefts.append(
                SlotReference(slot: slot, name: "left", type: value.type, location: location))
            rights.append(right)
        }
        let comparison = try coerceToBool(
            fields.count == 1
                ? makeOperator(name, lefts[0], rights[0], location)
                : compareRows(name, lefts, rights, location), "ANY/ALL")
        var hashType: OID?
        if fields.count == 1, let equality = comparison as? ComparisonExpression,
            equality.comparison == .equal, equality.right is SlotReference
        {
            hashType = equality.operandType
        }
        return SubqueryExpression(
            kind, query: query, left: converted, leftSlots: leftSlots, comparison: comparison,
            hashType: hashType, type: .bool, location: location)
    }

    /// `(a, b) op (SELECT x, y)`: each field against its own scalar subquery.
    func bindRowSubquery(
        _ name: AST.Name, _ fields: [AST.Expression], _ subquery: AST.SubqueryExpression,
        _ location: Int, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let lefts = try bindAll(fields, scope)
        var rights: [BoundExpression] = []
        for index in fields.indices {
            rights.append(
                try bindColumnOfSubquery(subquery, index, of: fields.count, scope))
        }
        return try compareRows(name, lefts, rights, location)
    }

    /// Column `index` of a subquery of `count` columns, as a scalar subquery.
    func bindColumnOfSubquery(
        _ subquery: AST.SubqueryExpression, _ index: Int, of count: Int, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        try refuseSubquery(subquery)
        let query = try within(.select) { () throws(SQLError) in
            try bindQuery(subquery.query, scope)
        }
        guard query.outputs.count == count else {
            throw SQLError(
                .syntaxError,
                "number of columns does not match number of values",
                byteOffset: subquery.location >= 0 ? subquery.location : nil)
        }
        query.outputs = [query.outputs[index]]
        return SubqueryExpression(
            .scalar, query: query, type: query.outputs[0].type, location: subquery.location)
    }
}
