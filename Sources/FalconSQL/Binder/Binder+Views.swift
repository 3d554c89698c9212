import FalconSchema

extension Binder {
    private func offset(_ location: Int) -> Int? { location >= 0 ? location : nil }

    /// What `name` stands for as the target of a modification.
    func writeTarget(_ name: AST.TableName, _ verb: WriteVerb) throws(SQLError) -> WriteTarget {
        if let table = try catalog.table(schema: name.schema, name: name.name) {
            if VirtualTables.isVirtual(table) { throw Self.notWritable(table, verb) }
            use(table, lock: .rowExclusive)
            return WriteTarget(table: table)
        }
        guard let view = try catalog.viewDefinition(schema: name.schema, name: name.name) else {
            if try catalog.sequence(schema: name.schema, name: name.name) != nil {
                throw SQLError(.wrongObjectType, "cannot change sequence \"\(name.name)\"")
            }
            throw missingRelation(name)
        }
        use(view, lock: .rowExclusive)
        return try readingStoredText { () throws(SQLError) in
            try descending { () throws(SQLError) in try writeTarget(view, verb) }
        }
    }

    private static let notOneTable =
        "Views that do not select from a single table or view are not automatically updatable."

    /// Rows of the system's relations are made when they are read.
    private static func notWritable(_ table: TableDescriptor, _ verb: WriteVerb) -> SQLError {
        // PostgreSQL's catalogs have smaller numbers than its views.
        if table.oid.rawValue < 10_000 {
            return SQLError(
                .insufficientPrivilege,
                "permission denied: \"\(table.name)\" is a system catalog")
        }
        return SQLError(
            .objectNotInPrerequisiteState, "\(verb.refusal) view \"\(table.name)\"",
            detail: notOneTable, hint: verb.hint)
    }

    private func writeTarget(
        _ view: ViewDefinition, _ verb: WriteVerb
    ) throws(SQLError) -> WriteTarget {
        if let obstacle = try updateObstacle(view.query) {
            throw SQLError(
                .objectNotInPrerequisiteState, "\(verb.refusal) view \"\(view.name)\"",
                detail: obstacle, hint: verb.hint)
        }
        guard case .core(let core) = view.query.body, case .table(let source)? = core.from.first
        else { throw SQLError(.internalError, "updatable view without a table") }
        let inner = try writeTarget(source, verb)
        let layer = WriteTarget.Layer(
            view: view, core: core, source: source, sourceSchema: inner.schema)
        let target = WriteTarget(view, layer, over: inner)
        let state = QueryState()
        let scratch = rangeColumns(of: inner.table, alias: inner.table.name)
        for column in scratch { _ = reference(column, in: state, location: -1) }
        target.columns = try viewColumns(target, over: scratch, alias: view.name, state).columns
            .map { WriteTarget.Column(name: $0.name, attribute: $0.attribute) }
        return target
    }

    /// Why PostgreSQL does not update through a view of this query; nil when it does.
    func updateObstacle(_ query: AST.Select) throws(SQLError) -> String? {
        func containing(_ what: String) -> String {
            "Views containing \(what) are not automatically updatable."
        }
        func returning(_ what: String) -> String {
            "Views that return \(what) are not automatically updatable."
        }
        let single = Self.notOneTable
        guard case .core(let core) = query.body else {
            if case .setOperation = query.body {
                return containing("UNION, INTERSECT, or EXCEPT")
            }
            return single
        }
        if core.isDistinct { return containing("DISTINCT") }
        if !core.groupBy.isEmpty { return containing("GROUP BY") }
        if core.having != nil { return containing("HAVING") }
        if query.with != nil { return containing("WITH") }
        if query.limit != nil || query.offset != nil { return containing("LIMIT or OFFSET") }
        let scratch = Binder(catalog: catalog, context: context, parameterTypes: [])
        if case .select(let select) = try scratch.bindQuery(query, nil).body {
            if !select.calls.isEmpty { return returning("aggregate functions") }
            if !select.setReturning.isEmpty { return returning("set-returning functions") }
        }
        guard core.from.count == 1, case .table? = core.from.first else { return single }
        return nil
    }

    /// The target's columns as its name shows them, over the table's columns `base`; and each layer's
    /// condition.
    func viewColumns(
        _ target: WriteTarget, over base: [RangeColumn], alias: String, _ state: QueryState
    ) throws(SQLError) -> (columns: [RangeColumn], filters: [BoundExpression?]) {
        var columns = base
        var filters: [BoundExpression?] = []
        for (index, layer) in target.layers.enumerated() {
            let qualifier = index == target.layers.count - 1 ? alias : layer.view.name
            let result = try readingStoredText { () throws(SQLError) in
                try bindLayer(layer, over: columns, qualifier: qualifier, state)
            }
            columns = result.columns
            filters.append(result.filter)
        }
        return (columns, filters)
    }

    private func bindLayer(
        _ layer: WriteTarget.Layer, over base: [RangeColumn], qualifier: String,
        _ state: QueryState
    ) throws(SQLError) -> (columns: [RangeColumn], filter: BoundExpression?) {
        let scope = Scope(parent: nil, query: state)
        var below = base
        for (index, name) in (layer.source.alias?.columns ?? []).enumerated()
        where index < below.count { below[index] = renamed(below[index], name, qualifier) }
        scope.columns = below
        scope.entries = [
            RangeEntry(
                name: layer.source.alias?.name ?? layer.source.name,
                schema: layer.source.alias == nil ? layer.sourceSchema : nil, columns: below,
                relation: nil)
        ]
        var filter: BoundExpression?
        if let condition = layer.core.filter {
            filter = try within(.filter) { () throws(SQLError) in
                try bindCondition(condition, scope, "WHERE")
            }
        }
        var columns: [RangeColumn] = []
        func add(_ name: String, _ expression: BoundExpression) throws(SQLError) {
            let given = layer.view.columns
            let name = columns.count < given.count ? given[columns.count] : name
            if let plain = expression as? SlotReference {
                columns.append(
                    RangeColumn(
                        name: name, qualifier: qualifier, type: plain.type, slot: plain.slot,
                        tableOID: plain.tableOID, attribute: plain.attribute))
            } else {
                let value = try resolveUnknown(expression)
                columns.append(
                    RangeColumn(
                        name: name, qualifier: qualifier, type: value.type, expression: value))
            }
        }
        for item in layer.core.items {
            if case .column(let reference) = item.expression, reference.isStar {
                for column in try expandStar(reference, scope) {
                    try add(column.name, column.expression)
                }
                continue
            }
            let expression = try within(.select) { () throws(SQLError) in
                try bind(item.expression, scope)
            }
            try add(item.alias ?? OutputNames.name(of: item.expression), expression)
        }
        return (columns, filter)
    }

    private func renamed(
        _ column: RangeColumn, _ name: String, _ qualifier: String
    ) -> RangeColumn {
        RangeColumn(
            name: name, qualifier: qualifier, type: column.type, slot: column.slot,
            tableOID: column.tableOID, attribute: column.attribute, expression: column.expression)
    }

    /// The table's column behind a target's column that is to be written.
    func column(
        _ name: String, of target: WriteTarget, _ location: Int, _ verb: WriteVerb
    ) throws(SQLError) -> ColumnDescriptor {
        guard let found = target.columns.first(where: { $0.name == name }) else {
            throw SQLError(
                .undefinedColumn,
                "column \"\(name)\" of relation \"\(target.name)\" does not exist",
                byteOffset: offset(location))
        }
        guard let column = target.table.columns.first(where: { $0.attribute == found.attribute })
        else { throw notWritable(found, target, verb) }
        return column
    }

    func notWritable(
        _ column: WriteTarget.Column, _ target: WriteTarget, _ verb: WriteVerb
    ) -> SQLError {
        SQLError(
            .featureNotSupported,
            "\(verb.refusal) column \"\(column.name)\" of view \"\(target.name)\"",
            detail: "View columns that are not columns of their base relation are not updatable.")
    }

    /// WITH CHECK OPTION's conditions over the new row.
    func bindViewChecks(
        _ target: WriteTarget, _ newColumns: [RangeColumn]
    ) throws(SQLError) -> [BoundCheck] {
        let checked = target.checkedLayers
        if checked.isEmpty { return [] }
        let filters = try viewColumns(
            target, over: newColumns, alias: target.name, QueryState()
        ).filters
        return checked.compactMap { index in
            filters[index].map {
                BoundCheck(name: target.layers[index].view.name, condition: $0, isOfView: true)
            }
        }
    }
}
