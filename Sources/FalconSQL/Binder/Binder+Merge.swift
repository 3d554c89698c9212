import FalconSchema

/// MERGE: the source joined with the target, and what is done to each row of the join.
extension Binder {
    private func offset(_ location: Int) -> Int? { location >= 0 ? location : nil }

    func bindMerge(_ merge: AST.Merge, _ parent: Scope?) throws(SQLError) -> LogicalQuery {
        var outer = parent
        if let with = merge.with {
            if with.isRecursive {
                throw SQLError(
                    .syntaxError, "WITH RECURSIVE is not supported for MERGE statement")
            }
            outer = try bindWith(with, parent)
        }
        try checkReachable(merge.clauses)
        let target = try mergeTarget(merge.table)
        let state = QueryState()
        let logical = LogicalSelect()
        let source = Scope(parent: outer, query: state)
        try within(.from) { () throws(SQLError) in
            try bindFrom([merge.source], source, logical)
        }
        let alias = merge.table.alias?.name ?? target.name
        if source.entries.contains(where: { $0.name == alias }) {
            throw SQLError(
                .duplicateAlias, "name \"\(alias)\" specified more than once",
                detail: "The name is used both as MERGE target table and data source.")
        }
        let (relation, both) = joinTarget(merge, target, alias, source, logical)
        let condition = try within(.join) { () throws(SQLError) in
            try bindCondition(merge.condition, both, "JOIN/ON")
        }
        let conditions = LogicExpression.conjuncts(of: condition)
        let isOuter = merge.clauses.contains { !$0.isMatched }
        if let tree = logical.from {
            logical.from = .join(
                isOuter ? .left : .inner, tree, .relation(relation), conditions)
        }
        var actions: [MergeAction] = []
        for clause in merge.clauses {
            actions.append(try bindClause(clause, target, alias, both, source))
        }
        let newSlots = target.table.columns.map { $0.isDropped ? nil : newSlot(owner: state) }
        let rows = LogicalQuery(body: .select(logical))
        rows.outerSlots = state.outerSlots
        let query = LogicalQuery(
            body: .modify(
                LogicalModify(
                    kind: .merge(actions, on: conditions), table: target.table, alias: alias,
                    source: rows, relation: relation, newSlots: newSlots,
                    checks: try bindChecks(target, newSlots), projections: [],
                    isReturning: false)))
        query.outerSlots = state.outerSlots
        return query
    }

    private func checkReachable(_ clauses: [AST.MergeClause]) throws(SQLError) {
        var isEnded = [true: false, false: false]
        for clause in clauses {
            if isEnded[clause.isMatched] ?? false {
                throw SQLError(
                    .syntaxError,
                    "unreachable WHEN clause specified after unconditional WHEN clause")
            }
            if clause.condition == nil { isEnded[clause.isMatched] = true }
        }
    }

    private func mergeTarget(_ name: AST.TableName) throws(SQLError) -> WriteTarget {
        if try catalog.table(schema: name.schema, name: name.name) == nil,
            try catalog.viewDefinition(schema: name.schema, name: name.name) != nil
        {
            throw SQLError(
                .featureNotSupported, "cannot execute MERGE on relation \"\(name.name)\"",
                detail: "This operation is not supported for views.")
        }
        return try writeTarget(name, .update)
    }

    /// Puts the target behind the source's relations; the scope that has both.
    private func joinTarget(
        _ merge: AST.Merge, _ target: WriteTarget, _ alias: String, _ source: Scope,
        _ logical: LogicalSelect
    ) -> (relation: Relation, both: Scope) {
        let table = target.table
        let columns = rangeColumns(
            of: table, alias: alias, names: merge.table.alias?.columns ?? [])
        let relation = Relation(source: .table(table), alias: alias, columns: columns)
        relation.rowKeySlot = newSlot(owner: nil)
        for column in columns { _ = reference(column, in: source.query, location: -1) }
        logical.relations.append(relation)
        let both = Scope(parent: source.parent, query: source.query)
        let schema = merge.table.alias == nil ? target.schema : nil
        both.entries =
            [RangeEntry(name: alias, schema: schema, columns: columns, relation: relation)]
            + source.entries
        both.columns = columns + source.columns
        return (relation, both)
    }

    // MARK: WHEN

    private func bindClause(
        _ clause: AST.MergeClause, _ target: WriteTarget, _ alias: String, _ both: Scope,
        _ source: Scope
    ) throws(SQLError) -> MergeAction {
        guard !clause.isMatched else {
            let condition = try bindWhen(clause.condition, both)
            switch clause.action {
            case .update(let items):
                return MergeAction(
                    isMatched: true, condition: condition,
                    kind: .update(try bindAssignments(items, target, both)))
            case .delete:
                return MergeAction(isMatched: true, condition: condition, kind: .delete)
            case .insert, .nothing:
                return MergeAction(isMatched: true, condition: condition, kind: .nothing)
            }
        }
        do throws(SQLError) {
            let condition = try bindWhen(clause.condition, source)
            var kind = MergeAction.Kind.nothing
            if case .insert(let columns, let values) = clause.action {
                kind = .insert(try bindMergeInsert(columns, values, target, source))
            }
            return MergeAction(isMatched: false, condition: condition, kind: kind)
        } catch { throw outOfReach(error, target, alias) }
    }

    private func bindWhen(
        _ condition: AST.Expression?, _ scope: Scope
    ) throws(SQLError) -> BoundExpression? {
        guard let condition else { return nil }
        return try within(.mergeWhen) { () throws(SQLError) in
            try bindCondition(condition, scope, "WHEN")
        }
    }

    /// PostgreSQL's way to say that WHEN NOT MATCHED has no row of the target.
    private func outOfReach(
        _ error: SQLError, _ target: WriteTarget, _ alias: String
    ) -> SQLError {
        var error = error
        let end = "but it cannot be referenced from this part of the query."
        if error.message == "missing FROM-clause entry for table \"\(alias)\"" {
            error.message = "invalid reference to FROM-clause entry for table \"\(alias)\""
            error.hint = "There is an entry for table \"\(alias)\", " + end
        } else if error.state == .undefinedColumn, error.hint == nil,
            let column = target.table.columns.first(where: {
                !$0.isDropped && error.message == "column \"\($0.name)\" does not exist"
            })
        {
            error.hint =
                "There is a column named \"\(column.name)\" in table \"\(alias)\", " + end
        }
        return error
    }

    private func bindMergeInsert(
        _ items: [AST.InsertColumn], _ given: [AST.Expression]?, _ target: WriteTarget,
        _ scope: Scope
    ) throws(SQLError) -> [BoundExpression?] {
        let table = target.table
        let columns =
            items.isEmpty
            ? table.columns.filter { !$0.isDropped } : try listedColumns(items, of: target)
        let expressions = given ?? []
        if expressions.count > columns.count {
            throw SQLError(
                .syntaxError, "INSERT has more expressions than target columns",
                byteOffset: offset(expressions[columns.count].location))
        }
        if expressions.count < items.count, given != nil {
            throw SQLError(
                .syntaxError, "INSERT has more target columns than expressions",
                byteOffset: offset(items[expressions.count].location))
        }
        var values: [BoundExpression?] = Array(repeating: nil, count: table.columns.count)
        for (column, expression) in zip(columns, expressions) {
            let place = Int(column.attribute) - 1
            if case .setToDefault = expression {
                values[place] = try defaultValue(of: column)
                continue
            }
            let bound = try within(.values) { () throws(SQLError) in try bind(expression, scope) }
            values[place] = try coerceForAssignment(bound, to: column.type, column: column.name)
        }
        for (place, column) in table.columns.enumerated()
        where !column.isDropped && values[place] == nil {
            values[place] = try defaultValue(of: column)
        }
        return values
    }
}
