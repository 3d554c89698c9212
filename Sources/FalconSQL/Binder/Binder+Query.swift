import FalconSchema

extension Binder {
    private func offset(_ location: Int) -> Int? { location >= 0 ? location : nil }

    /// Binds a query. `parent` is what its expressions may see beyond its own FROM. Unless
    /// `keepsUnknown`, untyped output columns become text.
    func bindQuery(
        _ select: AST.Select, _ parent: Scope?, keepsUnknown: Bool = false
    ) throws(SQLError) -> LogicalQuery {
        try descending { () throws(SQLError) in
            try bindQueryNode(select, parent, keepsUnknown: keepsUnknown)
        }
    }

    private func bindQueryNode(
        _ select: AST.Select, _ parent: Scope?, keepsUnknown: Bool
    ) throws(SQLError) -> LogicalQuery {
        var outer = parent
        if let with = select.with { outer = try bindWith(with, parent) }
        try refuseLocking(select.locking, select.body)
        let query: LogicalQuery
        switch select.body {
        case .core(let core): query = try bindCore(core, select, outer)
        case .values(let rows): query = try bindValues(rows, select, outer)
        case .setOperation(let operation, let all, let left, let right):
            query = try bindSetOperation(operation, all: all, left, right, select, outer)
        }
        if !keepsUnknown { try resolveOutputs(query) }
        return query
    }

    /// Untyped columns become text.
    func resolveOutputs(_ query: LogicalQuery) throws(SQLError) {
        for index in query.outputs.indices where query.outputs[index].type.oid == .unknown {
            try convertOutput(query, index, to: .text, "query")
        }
    }

    /// WITH: a scope in front of `parent` that knows the common tables.
    func bindWith(_ with: AST.With, _ parent: Scope?) throws(SQLError) -> Scope {
        let scope = Scope(parent: parent, query: parent?.query ?? QueryState())
        for table in with.tables {
            if scope.commonTables.contains(where: { $0.name == table.name }) {
                throw SQLError(
                    .duplicateAlias,
                    "WITH query name \"\(table.name)\" specified more than once",
                    byteOffset: offset(table.location))
            }
            let query: LogicalQuery
            switch table.query {
            case .select(let select):
                if with.isRecursive, Self.mentions(table.name, select) {
                    throw SQLError(
                        .featureNotSupported, "WITH RECURSIVE is not supported",
                        byteOffset: offset(table.location))
                }
                query = try within(.select) { () throws(SQLError) in
                    try bindQuery(select, scope)
                }
            case .insert, .update, .delete:
                query = try bindModification(table.query, scope)
            case .merge:
                throw SQLError(
                    .featureNotSupported, "MERGE not supported in WITH query",
                    byteOffset: offset(table.location))
            default:
                throw SQLError(
                    .featureNotSupported, "this statement is not supported in WITH",
                    byteOffset: offset(table.location))
            }
            if table.columns.count > query.outputs.count {
                throw SQLError(
                    .invalidColumnReference,
                    "WITH query \"\(table.name)\" has \(query.outputs.count) columns available but "
                        + "\(table.columns.count) columns specified",
                    byteOffset: offset(table.location))
            }
            var columns: [RangeColumn] = []
            for (index, output) in query.outputs.enumerated() {
                let name = index < table.columns.count ? table.columns[index] : output.name
                columns.append(
                    RangeColumn(
                        name: name, qualifier: table.name, type: output.type, slot: output.slot))
            }
            let entry = CommonTableEntry(
                name: table.name, query: query, isMaterialized: table.isMaterialized,
                columns: columns)
            commonTables.append(entry)
            scope.commonTables.append(entry)
        }
        return scope
    }

    /// Whether a query reads a table of this name anywhere in its FROM clauses (recursion).
    private static func mentions(_ name: String, _ select: AST.Select) -> Bool {
        func inItem(_ item: AST.FromItem) -> Bool {
            switch item {
            case .table(let table): return table.schema == nil && table.name == name
            case .subquery(let query, _, _, _): return mentions(name, query)
            case .function: return false
            case .join(let join): return inItem(join.left) || inItem(join.right)
            }
        }
        switch select.body {
        case .core(let core): return core.from.contains(where: inItem)
        case .values: return false
        case .setOperation(_, _, let left, let right):
            return mentions(name, left) || mentions(name, right)
        }
    }

    // MARK: LIMIT and ORDER BY of whole results

    func bindLimits(
        _ select: AST.Select, _ query: LogicalQuery, _ outer: Scope?, _ state: QueryState,
        columns: Scope? = nil
    ) throws(SQLError) {
        if select.limitWithTies {
            throw SQLError(.featureNotSupported, "FETCH … WITH TIES is not supported")
        }
        let scope = Scope(parent: outer, query: state)
        func bound(
            _ expression: AST.Expression?, _ clause: Clause
        ) throws(SQLError) -> BoundExpression? {
            guard let expression else { return nil }
            let value = try within(clause) { () throws(SQLError) in
                do throws(SQLError) {
                    return try bind(expression, scope)
                } catch {
                    // A column that is there, but not one for all rows.
                    if error.state == .undefinedColumn, let columns,
                        (try? bind(expression, columns)) != nil
                    {
                        throw SQLError(
                            .invalidColumnReference,
                            "argument of \(clause.rawValue) must not contain variables",
                            byteOffset: error.byteOffset)
                    }
                    throw error
                }
            }
            guard let result = try coerce(value, to: .int8, .assignment) else {
                throw SQLError(
                    .datatypeMismatch,
                    "argument of \(clause.rawValue) must be type bigint, not type "
                        + TypeNames.text(value.type.oid), byteOffset: offset(value.location))
            }
            return result
        }
        query.limit = try bound(select.limit, .limit)
        query.offset = try bound(select.offset, .offset)
    }

    func sortKey(
        _ expression: BoundExpression, _ item: AST.SortItem
    ) throws(SQLError) -> SortKey {
        var isDescending = item.isDescending
        if let using = item.usingOperator {
            switch using.last {
            case "<": isDescending = false
            case ">": isDescending = true
            default:
                throw SQLError(
                    .wrongObjectType, "operator \(using.last) is not a valid ordering operator",
                    byteOffset: offset(expression.location))
            }
        }
        guard DatumOrder.isOrdered(expression.type.oid) else {
            throw SQLError(
                .undefinedFunction,
                "could not identify an ordering operator for type "
                    + TypeNames.text(expression.type.oid),
                hint: "Use an explicit ordering operator or modify the query.",
                byteOffset: offset(expression.location))
        }
        return SortKey(
            expression, isDescending: isDescending, nullsFirst: item.nullsFirst ?? isDescending)
    }

    /// ORDER BY of VALUES and set operations: output columns only.
    private func bindOutputOrder(
        _ items: [AST.SortItem], _ query: LogicalQuery
    ) throws(SQLError) {
        for item in items {
            var index: Int?
            if case .constant(.integer(let number), let location) = item.expression {
                guard number >= 1, Int(number) <= query.outputs.count else {
                    throw SQLError(
                        .invalidColumnReference,
                        "ORDER BY position \(number) is not in select list",
                        byteOffset: offset(location))
                }
                index = Int(number) - 1
            } else if case .column(let reference) = item.expression, reference.parts.count == 1 {
                index = query.outputs.firstIndex { $0.name == reference.parts[0] }
                if index == nil {
                    throw SQLError(
                        .undefinedColumn, "column \"\(reference.parts[0])\" does not exist",
                        byteOffset: offset(reference.location))
                }
            }
            guard let index else {
                throw SQLError(
                    .featureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
                    detail: "Only result column names can be used, not expressions or functions.",
                    hint: "Add the expression/function to every SELECT, "
                        + "or move the UNION into a FROM clause.",
                    byteOffset: offset(item.expression.location))
            }
            let output = query.outputs[index]
            query.sort.append(
                try sortKey(
                    SlotReference(
                        slot: output.slot, name: output.name, type: output.type,
                        location: item.expression.location), item))
        }
    }

    // MARK: VALUES

    private func bindValues(
        _ rows: [[AST.Expression]], _ select: AST.Select, _ outer: Scope?
    ) throws(SQLError) -> LogicalQuery {
        let state = QueryState()
        let scope = Scope(parent: outer, query: state)
        var bound: [[BoundExpression]] = []
        for row in rows {
            if let first = bound.first, first.count != row.count {
                throw SQLError(
                    .syntaxError, "VALUES lists must all be the same length",
                    byteOffset: row.first.flatMap { offset($0.location) })
            }
            bound.append(
                try within(.values) { () throws(SQLError) in try bindAll(row, scope) })
        }
        let width = bound.first?.count ?? 0
        var outputs: [LogicalQuery.Output] = []
        for column in 0..<width {
            let expressions = bound.map { $0[column] }
            let isUntyped = expressions.allSatisfy { $0.type.oid == .unknown }
            var type = SQLType.unknown
            if !isUntyped {
                let (unified, common) = try unify(expressions, "VALUES")
                for index in bound.indices { bound[index][column] = unified[index] }
                type = common
            }
            outputs.append(
                LogicalQuery.Output(
                    name: "column\(column + 1)", type: type, slot: newSlot(owner: state)))
        }
        let query = LogicalQuery(body: .values(bound, slots: outputs.map(\.slot)))
        query.outputs = outputs
        try bindLimits(select, query, outer, state)
        try resolveOutputs(query)
        try bindOutputOrder(select.order, query)
        query.outerSlots = state.outerSlots
        return query
    }

    // MARK: UNION, INTERSECT, EXCEPT

    /// Where the first column of a query's list stands.
    private static func firstColumn(of select: AST.Select) -> Int? {
        switch select.body {
        case .core(let core): return core.items.first?.location
        case .values(let rows): return rows.first?.first?.location
        case .setOperation(_, _, let left, _): return firstColumn(of: left)
        }
    }

    private func bindSetOperation(
        _ operation: AST.SetOperation, all: Bool, _ left: AST.Select, _ right: AST.Select,
        _ select: AST.Select, _ outer: Scope?
    ) throws(SQLError) -> LogicalQuery {
        let name = operation == .union ? "UNION" : operation == .intersect ? "INTERSECT" : "EXCEPT"
        try refuseLocking(in: left, right)
        let a = try bindQuery(left, outer, keepsUnknown: true)
        let b = try bindQuery(right, outer, keepsUnknown: true)
        guard a.outputs.count == b.outputs.count else {
            throw SQLError(
                .syntaxError, "each \(name) query must have the same number of columns",
                byteOffset: Self.firstColumn(of: right).flatMap { offset($0) })
        }
        let state = QueryState()
        var outputs: [LogicalQuery.Output] = []
        for index in a.outputs.indices {
            let x = a.outputs[index]
            let y = b.outputs[index]
            let pair = [x, y].map { output in
                SlotReference(
                    slot: output.slot, name: output.name, type: output.type, location: -1)
            }
            let common = try commonType(pair, name)
            try convertOutput(a, index, to: common, name)
            try convertOutput(b, index, to: common, name)
            if !all, !DatumOrder.isOrdered(common) {
                throw SQLError(
                    .undefinedFunction,
                    "could not identify an equality operator for type \(TypeNames.text(common))")
            }
            let modifier =
                a.outputs[index].type == b.outputs[index].type
                ? a.outputs[index].type.modifier : -1
            outputs.append(
                LogicalQuery.Output(
                    name: x.name, type: SQLType(common, modifier: modifier),
                    slot: newSlot(owner: state)))
        }
        let query = LogicalQuery(
            body: .setOperation(operation, all: all, a, b, slots: outputs.map(\.slot)))
        query.outputs = outputs
        try bindOutputOrder(select.order, query)
        try bindLimits(select, query, outer, state)
        query.outerSlots = state.outerSlots.union(a.outerSlots).union(b.outerSlots)
        return query
    }

    /// Makes column `index` of a query's result have type `type`.
    func convertOutput(
        _ query: LogicalQuery, _ index: Int, to type: OID, _ construct: String
    ) throws(SQLError) {
        let output = query.outputs[index]
        guard output.type.oid != type else { return }
        func convert(_ expression: BoundExpression) throws(SQLError) -> BoundExpression {
            let target = SQLType(type)
            if let result = try coerce(expression, to: target, .implicit) { return result }
            throw SQLError(
                .datatypeMismatch,
                "\(construct) types \(TypeNames.text(expression.type.oid)) and "
                    + "\(TypeNames.text(type)) cannot be matched",
                byteOffset: offset(expression.location))
        }
        switch query.body {
        case .select(let select):
            if let place = select.projections.firstIndex(where: { $0.slot == output.slot }),
                select.projections[place].expression.type.oid == output.type.oid
            {
                let expression = try convert(select.projections[place].expression)
                select.projections[place].expression = expression
            } else {
                let expression = try convert(
                    SlotReference(
                        slot: output.slot, name: output.name, type: output.type, location: -1))
                let slot = newSlot(owner: owner(of: output.slot))
                slotNames[slot] = output.name
                select.projections.append((expression, slot))
                query.outputs[index].slot = slot
                query.outputs[index].tableOID = .invalid
                query.outputs[index].attribute = 0
            }
        case .values(var rows, let slots):
            for row in rows.indices {
                if let column = slots.firstIndex(of: output.slot) {
                    rows[row][column] = try convert(rows[row][column])
                }
            }
            query.body = .values(rows, slots: slots)
        case .setOperation(_, _, let left, let right, _):
            try convertOutput(left, index, to: type, construct)
            try convertOutput(right, index, to: type, construct)
        case .modify: break
        }
        query.outputs[index].type = SQLType(type)
    }
}
