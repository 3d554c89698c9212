import FalconSchema

extension Binder {
    private func offset(_ location: Int) -> Int? { location >= 0 ? location : nil }

    /// An output column while its query is being bound.
    struct Target {
        var name: String
        var expression: BoundExpression
    }

    /// Binds a SELECT core with its query's ORDER BY, LIMIT and locking clauses.
    func bindCore(
        _ core: AST.SelectCore, _ select: AST.Select, _ outer: Scope?
    ) throws(SQLError) -> LogicalQuery {
        if let into = core.into {
            throw SQLError(
                .featureNotSupported, "SELECT … INTO is not supported; use CREATE TABLE AS",
                byteOffset: offset(into.location))
        }
        try refuseWindowLocks(core, select.locking)
        if !core.windows.isEmpty {
            throw SQLError(.featureNotSupported, "window functions are not supported")
        }
        let state = QueryState()
        let scope = Scope(parent: outer, query: state)
        let logical = LogicalSelect()
        try within(.from) { () throws(SQLError) in try bindFrom(core.from, scope, logical) }
        if let filter = core.filter {
            let condition = try within(.filter) { () throws(SQLError) in
                try bindCondition(filter, scope, "WHERE")
            }
            logical.conjuncts = LogicExpression.conjuncts(of: condition)
        }
        var targets = try bindTargets(core.items, scope, from: core.from)
        if targets.count > 1664 {
            throw SQLError(.tooManyColumns, "target lists can have at most 1664 entries")
        }
        if core.isDistinct {
            for index in targets.indices {
                targets[index].expression = try resolveUnknown(targets[index].expression)
            }
        }
        var keys = try bindGrouping(core.groupBy, targets, scope)
        var having: BoundExpression?
        if let condition = core.having {
            having = try within(.having) { () throws(SQLError) in
                try bindCondition(condition, scope, "HAVING")
            }
        }
        var order: [(key: SortKey, target: Int?)] = []
        for item in select.order {
            order.append(try bindOrder(item, targets, scope))
        }
        var distinctOn: [BoundExpression] = []
        for expression in core.distinctOn {
            distinctOn.append(try bindDistinctOn(expression, targets, scope))
        }
        logical.isGrouped = !core.groupBy.isEmpty || having != nil || !state.calls.isEmpty
        if logical.isGrouped {
            let grouping = Grouping(binder: self, state: state, keys: keys, relations: logical)
            for index in targets.indices {
                targets[index].expression = try grouping.rewrite(targets[index].expression)
            }
            having = try having.map { (e) throws(SQLError) in try grouping.rewrite(e) }
            for index in order.indices {
                order[index].key.expression = try grouping.rewrite(order[index].key.expression)
            }
            for index in distinctOn.indices {
                distinctOn[index] = try grouping.rewrite(distinctOn[index])
            }
            for index in state.setReturning.indices {
                state.setReturning[index] = try grouping.rewrite(state.setReturning[index])
            }
            keys = grouping.keys
            logical.groupKeys = keys
            logical.groupSlots = grouping.slots
            logical.calls = state.calls
            logical.having = having.map { LogicExpression.conjuncts(of: $0) } ?? []
        }
        logical.refusesLocks = Self.lockObstacle(core, logical, state)
        let query = LogicalQuery(body: .select(logical))
        assignOutputs(targets, query, logical, state)
        noteRecords(targets, query, keepsSlots: !core.isDistinct && !logical.isGrouped)
        logical.setReturning = state.setReturning
        try finishOrder(order, targets, query, core, distinctOn, logical)
        try bindLimits(select, query, outer, state, columns: scope)
        try bindLocking(select.locking, logical)
        query.outerSlots = state.outerSlots
        return query
    }

    /// - Parameter from: what the rows are of.
    private func bindTargets(
        _ items: [AST.SelectItem], _ scope: Scope, from: [AST.FromItem]
    ) throws(SQLError) -> [Target] {
        var targets: [Target] = []
        targets.reserveCapacity(items.count)
        for item in items {
            if case .column(let reference) = item.expression, reference.isStar {
                // The star of `TABLE t` is written nowhere.
                if reference.location <= 0, from.count == 1, case .table(let name)? = from.first {
                    noted?.noteTableCommand(
                        scope.columns.map { written($0, in: scope) }, at: name.location)
                }
                for column in try expandStar(reference, scope) {
                    targets.append(Target(name: column.name, expression: column.expression))
                }
                continue
            }
            let fields = try within(.select) { () throws(SQLError) in
                try expandFields(item.expression, scope)
            }
            if let fields {
                targets += fields.map { Target(name: $0.name, expression: $0.expression) }
                continue
            }
            if item.alias == nil, case .column(let reference) = item.expression {
                noted?.noteNamingItem(at: reference.location)
            }
            let expression = try within(.select) { () throws(SQLError) in
                try bind(item.expression, scope)
            }
            targets.append(
                Target(
                    name: item.alias ?? OutputNames.name(of: item.expression),
                    expression: expression))
        }
        return targets
    }

    // MARK: GROUP BY

    private func bindGrouping(
        _ items: [AST.Grouping], _ targets: [Target], _ scope: Scope
    ) throws(SQLError) -> [BoundExpression] {
        var keys: [BoundExpression] = []
        for item in items {
            switch item {
            case .empty: continue
            case .sets(_, let location):
                throw SQLError(
                    .featureNotSupported, "GROUPING SETS, ROLLUP and CUBE are not supported",
                    byteOffset: offset(location))
            case .expression(let expression):
                if case .row(let fields, _, _) = expression {
                    for field in fields { keys.append(try groupingKey(field, targets, scope)) }
                } else {
                    keys.append(try groupingKey(expression, targets, scope))
                }
            }
        }
        var unique: [BoundExpression] = []
        for key in keys where !unique.contains(where: { $0.matches(key) }) { unique.append(key) }
        return unique
    }

    private func groupingKey(
        _ expression: AST.Expression, _ targets: [Target], _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        let key: BoundExpression
        if case .constant(.integer(let number), let location) = expression {
            guard number >= 1, Int(number) <= targets.count else {
                throw SQLError(
                    .invalidColumnReference,
                    "GROUP BY position \(number) is not in select list",
                    byteOffset: offset(location))
            }
            key = targets[Int(number) - 1].expression
        } else if case .column(let reference) = expression, reference.parts.count == 1,
            !reference.isStar,
            !scope.columns.contains(where: { $0.name == reference.parts[0] }),
            let target = targets.first(where: { $0.name == reference.parts[0] })
        {
            key = target.expression
        } else {
            key = try within(.groupBy) { () throws(SQLError) in try bind(expression, scope) }
        }
        var containsAggregate = false
        key.walk { node in
            if let slot = (node as? SlotReference)?.slot,
                scope.query.aggregateSlots.contains(slot)
            {
                containsAggregate = true
            }
        }
        if containsAggregate {
            throw SQLError(
                .groupingError, "aggregate functions are not allowed in GROUP BY",
                byteOffset: offset(expression.location))
        }
        let resolved = try resolveUnknown(key)
        guard DatumOrder.isOrdered(resolved.type.oid) else {
            throw SQLError(
                .undefinedFunction,
                "could not identify an equality operator for type "
                    + TypeNames.text(resolved.type.oid), byteOffset: offset(expression.location))
        }
        return resolved
    }

    // MARK: ORDER BY and DISTINCT

    /// The select-list entry an ORDER BY or DISTINCT ON item names by position or alias.
    private func namedTarget(
        _ expression: AST.Expression, _ targets: [Target], _ construct: String
    ) throws(SQLError) -> Int? {
        if case .constant(let constant, let location) = expression {
            if case .integer(let number) = constant {
                guard number >= 1, Int(number) <= targets.count else {
                    throw SQLError(
                        .invalidColumnReference,
                        "\(construct) position \(number) is not in select list",
                        byteOffset: offset(location))
                }
                return Int(number) - 1
            }
            throw SQLError(
                .syntaxError, "non-integer constant in \(construct)", byteOffset: offset(location))
        }
        guard case .column(let reference) = expression, reference.parts.count == 1,
            !reference.isStar
        else { return nil }
        var found: Int?
        for index in targets.indices where targets[index].name == reference.parts[0] {
            if let found, !targets[found].expression.matches(targets[index].expression) {
                throw SQLError(
                    .ambiguousColumn, "\(construct) \"\(reference.parts[0])\" is ambiguous",
                    byteOffset: offset(reference.location))
            }
            if found == nil { found = index }
        }
        return found
    }

    private func bindOrder(
        _ item: AST.SortItem, _ targets: [Target], _ scope: Scope
    ) throws(SQLError) -> (key: SortKey, target: Int?) {
        if let index = try namedTarget(item.expression, targets, "ORDER BY") {
            let expression = try resolveUnknown(targets[index].expression)
            return (try sortKey(expression, item), index)
        }
        let bound = try within(.orderBy) { () throws(SQLError) in
            try resolveUnknown(try bind(item.expression, scope))
        }
        let same = targets.firstIndex { $0.expression.matches(bound) }
        return (try sortKey(bound, item), same)
    }

    private func bindDistinctOn(
        _ expression: AST.Expression, _ targets: [Target], _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        if let index = try namedTarget(expression, targets, "SELECT DISTINCT ON") {
            return targets[index].expression
        }
        return try within(.distinctOn) { () throws(SQLError) in
            try resolveUnknown(try bind(expression, scope))
        }
    }

    /// Gives each output its slot; expressions that are no plain slot are computed by a projection.
    private func assignOutputs(
        _ targets: [Target], _ query: LogicalQuery, _ logical: LogicalSelect, _ state: QueryState
    ) {
        query.outputs.reserveCapacity(targets.count)
        for target in targets {
            if let plain = target.expression as? SlotReference, owner(of: plain.slot) === state {
                query.outputs.append(
                    LogicalQuery.Output(
                        name: target.name, type: plain.type, slot: plain.slot,
                        tableOID: plain.tableOID, attribute: plain.attribute))
                continue
            }
            let slot = newSlot(owner: state)
            slotNames[slot] = target.name
            logical.projections.append((target.expression, slot))
            query.outputs.append(
                LogicalQuery.Output(
                    name: target.name, type: target.expression.type, slot: slot))
        }
    }

    private func finishOrder(
        _ order: [(key: SortKey, target: Int?)], _ targets: [Target], _ query: LogicalQuery,
        _ core: AST.SelectCore, _ distinctOn: [BoundExpression], _ logical: LogicalSelect
    ) throws(SQLError) {
        func slotOf(_ index: Int) -> SlotReference {
            let output = query.outputs[index]
            return SlotReference(
                slot: output.slot, name: output.name, type: output.type,
                location: targets[index].expression.location)
        }
        for (key, target) in order {
            var key = key
            if let target, query.outputs[target].type.oid != .unknown {
                key.expression = slotOf(target)
            } else if core.isDistinct, distinctOn.isEmpty {
                throw SQLError(
                    .invalidColumnReference,
                    "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                    byteOffset: offset(key.expression.location))
            }
            query.sort.append(key)
        }
        guard core.isDistinct else { return }
        if distinctOn.isEmpty {
            for output in query.outputs where !DatumOrder.isOrdered(output.type.oid) {
                throw SQLError(
                    .undefinedFunction,
                    "could not identify an equality operator for type "
                        + TypeNames.text(output.type.oid))
            }
            logical.distinct = .all
            return
        }
        var keys: [BoundExpression] = []
        for expression in distinctOn {
            if let index = targets.firstIndex(where: { $0.expression.matches(expression) }) {
                keys.append(slotOf(index))
            } else {
                keys.append(expression)
            }
        }
        for (index, key) in query.sort.enumerated() where index < keys.count {
            guard keys.contains(where: { $0.matches(key.expression) }) else {
                throw SQLError(
                    .invalidColumnReference,
                    "SELECT DISTINCT ON expressions must match initial ORDER BY expressions",
                    byteOffset: offset(
                        Self.firstUnmatched(keys, query.sort.prefix(index)) ?? keys[0].location))
            }
        }
        // Equal keys must be neighbours: sort by those ORDER BY does not mention, too.
        for key in keys where !query.sort.contains(where: { $0.expression.matches(key) }) {
            query.sort.append(SortKey(key, isDescending: false, nullsFirst: false))
        }
        logical.distinct = .on(keys)
    }

    /// Where the first key stands that none of `sort` orders by.
    private static func firstUnmatched(
        _ keys: [BoundExpression], _ sort: ArraySlice<SortKey>
    ) -> Int? {
        keys.first { key in !sort.contains { $0.expression.matches(key) } }?.location
    }
}
