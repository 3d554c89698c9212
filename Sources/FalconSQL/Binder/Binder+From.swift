import FalconSchema

/// What one FROM item adds to the names in scope.
struct FromPart {
    var tree: JoinTree
    var entries: [RangeEntry]
    var columns: [RangeColumn]
}

extension Binder {
    private func offset(_ location: Int) -> Int? { location >= 0 ? location : nil }

    /// Binds FROM into `scope`, in order; later items may read earlier ones laterally.
    func bindFrom(
        _ items: [AST.FromItem], _ scope: Scope, _ select: LogicalSelect
    ) throws(SQLError) {
        for item in items {
            let part = try bindFromItem(item, scope, select)
            try add(part, to: scope)
            if let tree = select.from {
                select.from = .join(.inner, tree, part.tree, [])
            } else {
                select.from = part.tree
            }
        }
    }

    func add(_ part: FromPart, to scope: Scope) throws(SQLError) {
        for entry in part.entries {
            if scope.entries.contains(where: { $0.name == entry.name && $0.schema == entry.schema })
            {
                throw SQLError(
                    .duplicateAlias, "table name \"\(entry.name)\" specified more than once")
            }
        }
        scope.entries += part.entries
        scope.columns += part.columns
    }

    /// `scope` holds the items to the left (for LATERAL) and leads to the enclosing queries.
    private func bindFromItem(
        _ item: AST.FromItem, _ scope: Scope, _ select: LogicalSelect
    ) throws(SQLError) -> FromPart {
        switch item {
        case .table(let name): return try bindTable(name, scope, select)
        case .subquery(let query, let alias, let isLateral, let location):
            return try bindDerived(query, alias, isLateral: isLateral, location, scope, select)
        case .function(let source): return try bindFunctionSource(source, scope, select)
        case .join(let join): return try bindJoin(join, scope, select)
        }
    }

    private func relationPart(
        _ relation: Relation, schema: String? = nil, _ select: LogicalSelect
    ) -> FromPart {
        select.relations.append(relation)
        let entry = RangeEntry(
            name: relation.alias, schema: schema, columns: relation.columns, relation: relation)
        return FromPart(
            tree: .relation(relation), entries: [entry], columns: relation.columns)
    }

    func missingRelation(_ name: AST.TableName) -> SQLError {
        SQLError(
            .undefinedTable, "relation \"\(name.text)\" does not exist",
            byteOffset: offset(name.location))
    }

    private func checkAliasCount(
        _ alias: AST.Alias?, _ count: Int, _ table: String, _ location: Int?
    ) throws(SQLError) {
        if let alias, alias.columns.count > count {
            throw SQLError(
                .invalidColumnReference,
                "table \"\(table)\" has \(count) columns available but \(alias.columns.count) "
                    + "columns specified", byteOffset: location.flatMap { offset($0) })
        }
    }

    /// The columns of a table as names can reach them; slots come with the first reference.
    func rangeColumns(of table: TableDescriptor, alias: String, names: [String] = [])
        -> [RangeColumn]
    {
        var columns: [RangeColumn] = []
        columns.reserveCapacity(table.columns.count)
        for column in table.columns where !column.isDropped {
            let name = columns.count < names.count ? names[columns.count] : column.name
            columns.append(
                RangeColumn(
                    name: name, qualifier: alias, type: column.type, tableOID: table.oid,
                    attribute: column.attribute))
        }
        return columns
    }

    private func bindTable(
        _ name: AST.TableName, _ scope: Scope, _ select: LogicalSelect
    ) throws(SQLError) -> FromPart {
        if name.schema == nil, let entry = scope.commonTable(name.name) {
            return try bindCommonTable(entry, name, scope, select)
        }
        let alias = name.alias?.name ?? name.name
        if let table = try catalog.table(schema: name.schema, name: name.name) {
            use(table, lock: .accessShare)
            let columns = rangeColumns(of: table, alias: alias, names: name.alias?.columns ?? [])
            try checkAliasCount(name.alias, columns.count, alias, name.location)
            noted?.note(
                name, table.oid, schema: table.schema, isSystem: VirtualTables.isVirtual(table),
                columns: columns)
            return relationPart(
                Relation(source: .table(table), alias: alias, columns: columns),
                schema: name.alias == nil ? table.schema : nil, select)
        }
        if let view = try catalog.viewDefinition(schema: name.schema, name: name.name) {
            use(view, lock: .accessShare)
            let query = try within(.select) { () throws(SQLError) in
                try readingView(view) { () throws(SQLError) in try bindQuery(view.query, nil) }
            }
            let given = name.alias?.columns ?? []
            let names = given + view.columns.dropFirst(given.count)
            let part = try derivedPart(
                query, alias: alias, names: names, schema: name.alias == nil ? view.schema : nil,
                scope, select)
            part.entries.first?.relation?.view = view.oid
            noted?.note(
                view: name, view.oid, schema: view.schema, columns: part.columns.map(\.name))
            return part
        }
        if let sequence = try catalog.sequence(schema: name.schema, name: name.name) {
            return try bindSequence(sequence, name, select)
        }
        if let schema = name.schema, !(try catalog.schemaExists(schema)) {
            throw SQLError(
                .undefinedTable, "relation \"\(name.text)\" does not exist",
                byteOffset: offset(name.location))
        }
        throw missingRelation(name)
    }

    /// A sequence's one row.
    private func bindSequence(
        _ sequence: TableDescriptor, _ name: AST.TableName, _ select: LogicalSelect
    ) throws(SQLError) -> FromPart {
        use(
            viewLike: sequence.oid, schema: sequence.schema, name: sequence.name,
            lock: .accessShare)
        let alias = name.alias?.name ?? name.name
        let columns = rangeColumns(of: sequence, alias: alias, names: name.alias?.columns ?? [])
        try checkAliasCount(name.alias, columns.count, alias, name.location)
        noted?.note(name, sequence.oid, schema: sequence.schema, columns: columns)
        return relationPart(
            Relation(source: .table(sequence), alias: alias, columns: columns),
            schema: name.alias == nil ? sequence.schema : nil, select)
    }

    private func derivedPart(
        _ query: LogicalQuery, alias: String, names: [String], schema: String? = nil,
        _ scope: Scope, _ select: LogicalSelect
    ) throws(SQLError) -> FromPart {
        var columns: [RangeColumn] = []
        var fieldSlots: [Int] = []
        for (index, output) in query.outputs.enumerated() {
            setOwner(of: output.slot, to: scope.query)
            for field in recordFields[output.slot] ?? [] {
                setOwner(of: field.expression.slot, to: scope.query)
                fieldSlots.append(field.expression.slot)
            }
            let name = index < names.count ? names[index] : output.name
            if slotNames[output.slot] == nil { slotNames[output.slot] = alias + "." + name }
            columns.append(
                RangeColumn(
                    name: name, qualifier: alias, type: output.type, slot: output.slot,
                    tableOID: output.tableOID, attribute: output.attribute))
        }
        let relation = Relation(source: .query(query), alias: alias, columns: columns)
        relation.fieldSlots = fieldSlots
        for slot in query.outerSlots {
            if owner(of: slot) === scope.query {
                relation.lateralSlots.insert(slot)
            } else {
                scope.query.outerSlots.insert(slot)
            }
        }
        return relationPart(relation, schema: schema, select)
    }

    private func bindDerived(
        _ query: AST.Select, _ alias: AST.Alias?, isLateral: Bool, _ location: Int, _ scope: Scope,
        _ select: LogicalSelect
    ) throws(SQLError) -> FromPart {
        guard let alias else {
            throw SQLError(
                .syntaxError, "subquery in FROM must have an alias",
                hint: "For example, FROM (SELECT ...) [AS] foo.", byteOffset: offset(location))
        }
        let bound = try within(.select) { () throws(SQLError) in
            do throws(SQLError) {
                return try bindQuery(query, isLateral ? scope : scope.parent)
            } catch {
                throw isLateral ? error : Self.lateralReference(error, scope)
            }
        }
        try checkAliasCount(alias, bound.outputs.count, alias.name, location)
        return try derivedPart(bound, alias: alias.name, names: alias.columns, scope, select)
    }

    /// A table that is there, but that only a LATERAL query may refer to.
    private static func lateralReference(_ error: SQLError, _ scope: Scope) -> SQLError {
        guard error.state == .undefinedTable else { return error }
        for entry in scope.entries
        where error.message == "missing FROM-clause entry for table \"\(entry.name)\"" {
            var error = error
            error.message = "invalid reference to FROM-clause entry for table \"\(entry.name)\""
            error.hint =
                "There is an entry for table \"\(entry.name)\", but it cannot be referenced from "
                + "this part of the query."
            return error
        }
        return error
    }

    private func bindCommonTable(
        _ entry: CommonTableEntry, _ name: AST.TableName, _ scope: Scope, _ select: LogicalSelect
    ) throws(SQLError) -> FromPart {
        entry.references += 1
        let alias = name.alias?.name ?? name.name
        try checkAliasCount(name.alias, entry.columns.count, alias, name.location)
        let names = name.alias?.columns ?? []
        var columns: [RangeColumn] = []
        for (index, column) in entry.columns.enumerated() {
            // The first reader sees the query's own slots, so that a query read once is inlined.
            var slot = column.slot
            if entry.references > 1 { slot = newSlot(owner: scope.query) }
            noteRecord(column.slot, readAs: slot)
            setOwner(of: slot, to: scope.query)
            let name = index < names.count ? names[index] : column.name
            slotNames[slot] = alias + "." + name
            columns.append(
                RangeColumn(name: name, qualifier: alias, type: column.type, slot: slot))
        }
        if !entry.query.outerSlots.isEmpty {
            guard entry.references == 1 else {
                throw SQLError(
                    .featureNotSupported,
                    "a correlated WITH query can be referenced only once",
                    byteOffset: offset(name.location))
            }
            scope.query.outerSlots.formUnion(
                entry.query.outerSlots.filter { owner(of: $0) !== scope.query })
        }
        return relationPart(
            Relation(source: .commonTable(entry), alias: alias, columns: columns), select)
    }

    private func bindFunctionSource(
        _ source: AST.FunctionSource, _ scope: Scope, _ select: LogicalSelect
    ) throws(SQLError) -> FromPart {
        guard source.columnDefinitions.isEmpty else {
            throw SQLError(
                .featureNotSupported, "column definition lists are not supported",
                byteOffset: offset(source.location))
        }
        var calls: [SetReturningCall] = []
        var columns: [(name: String, type: SQLType, slot: Int)] = []
        var reads: Set<Int> = []
        var firstName = ""
        for expression in source.functions {
            let (call, names) = try bindCall(expression, scope)
            if firstName.isEmpty { firstName = names.function }
            for argument in call.arguments + (call.scalar.map { [$0] } ?? []) {
                argument.walk { node in
                    if let slot = (node as? SlotReference)?.slot { reads.insert(slot) }
                }
            }
            for (index, slot) in call.slots.enumerated() {
                columns.append((names.columns[index], call.types[index], slot))
            }
            calls.append(call)
        }
        let alias = source.alias?.name ?? firstName
        var ordinality: Int?
        if source.withOrdinality {
            let slot = newSlot(owner: scope.query)
            ordinality = slot
            columns.append(("ordinality", .int8, slot))
        }
        // A single unnamed column takes the alias's name.
        let isSingle =
            calls.count == 1 && calls[0].slots.count == 1
            && (calls[0].function?.resultColumns.first?.name.isEmpty ?? true)
        try checkAliasCount(source.alias, columns.count, alias, nil)
        var range: [RangeColumn] = []
        for (index, column) in columns.enumerated() {
            var name = column.name
            if isSingle, index == 0, source.alias != nil { name = alias }
            if let names = source.alias?.columns, index < names.count { name = names[index] }
            slotNames[column.slot] = alias + "." + name
            range.append(
                RangeColumn(name: name, qualifier: alias, type: column.type, slot: column.slot))
        }
        let relation = Relation(
            source: .function(calls, ordinality: ordinality), alias: alias, columns: range)
        relation.lateralSlots = reads.filter { owner(of: $0) === scope.query }
        return relationPart(relation, select)
    }

    private func bindCall(
        _ expression: AST.Expression, _ scope: Scope
    ) throws(SQLError) -> (SetReturningCall, (function: String, columns: [String])) {
        if case .function(let call) = expression, call.window == nil, !call.isStar {
            let arguments = try within(.from) { () throws(SQLError) in
                try bindAll(call.arguments, scope)
            }
            let resolved = try resolveFunction(call, arguments)
            if resolved.function.returnsSet {
                let converted = try convertArguments(arguments, for: resolved, call.location)
                var names: [String] = []
                var types: [SQLType] = []
                for column in resolved.resultColumns {
                    names.append(column.name.isEmpty ? call.name.last : column.name)
                    types.append(SQLType(column.type))
                }
                if types.isEmpty {
                    names = [call.name.last]
                    types = [SQLType(resolved.resultType)]
                }
                let slots = types.map { _ in newSlot(owner: scope.query) }
                return (
                    SetReturningCall(
                        function: resolved.function, arguments: converted, scalar: nil,
                        slots: slots, types: types), (call.name.last, names)
                )
            }
        }
        let scalar = try within(.from) { () throws(SQLError) in
            try resolveUnknown(try bind(expression, scope))
        }
        let name = OutputNames.name(of: expression)
        let slot = newSlot(owner: scope.query)
        return (
            SetReturningCall(
                function: nil, arguments: [], scalar: scalar, slots: [slot], types: [scalar.type]),
            (name, [name])
        )
    }

    // MARK: Joins

    private func bindJoin(
        _ join: AST.Join, _ scope: Scope, _ select: LogicalSelect
    ) throws(SQLError) -> FromPart {
        let left = try bindFromItem(join.left, scope, select)
        // The right side may read the left laterally.
        let rightScope = Scope(parent: scope.parent, query: scope.query)
        rightScope.commonTables = scope.commonTables
        rightScope.entries = scope.entries + left.entries
        rightScope.columns = scope.columns + left.columns
        let right = try bindFromItem(join.right, rightScope, select)
        for entry in right.entries
        where left.entries.contains(where: { $0.name == entry.name && $0.schema == entry.schema }) {
            throw SQLError(
                .duplicateAlias, "table name \"\(entry.name)\" specified more than once")
        }
        var names = join.using
        if join.isNatural {
            names = left.columns.map(\.name).filter { name in
                right.columns.contains { $0.name == name }
            }
        }
        var conditions: [BoundExpression] = []
        var columns = left.columns + right.columns
        if join.isNatural {
            noted?.noteJoined(left.columns + right.columns)
            noted?.noteNatural(names, with: join.right)
        }
        if !names.isEmpty {
            columns = try mergeColumns(names, left, right, join, scope, &conditions)
        }
        if let condition = join.condition {
            let both = Scope(parent: scope.parent, query: scope.query)
            both.commonTables = scope.commonTables
            both.entries = left.entries + right.entries
            both.columns = left.columns + right.columns
            let bound = try within(.join) { () throws(SQLError) in
                try bindCondition(condition, both, "JOIN/ON")
            }
            conditions += LogicExpression.conjuncts(of: bound)
        }
        var entries = left.entries + right.entries
        if let name = join.usingAlias {
            if entries.contains(where: { $0.name == name }) {
                throw SQLError(
                    .duplicateAlias, "table name \"\(name)\" specified more than once")
            }
            // The merged columns come first, and are all that it has.
            entries.append(
                RangeEntry(
                    name: name, columns: Array(columns.prefix(names.count)), relation: nil))
        }
        if let alias = join.alias {
            var renamed: [RangeColumn] = []
            for (index, column) in columns.enumerated() {
                let name = index < alias.columns.count ? alias.columns[index] : column.name
                let expression = reference(column, in: scope.query, location: -1)
                renamed.append(
                    RangeColumn(
                        name: name, qualifier: alias.name, type: column.type, slot: column.slot,
                        tableOID: column.tableOID, attribute: column.attribute,
                        expression: column.expression == nil ? nil : expression))
            }
            columns = renamed
            entries = [RangeEntry(name: alias.name, columns: renamed, relation: nil)]
        }
        return FromPart(
            tree: .join(join.kind, left.tree, right.tree, conditions), entries: entries,
            columns: columns)
    }

    /// USING and NATURAL: equalities, and the merged columns first.
    private func mergeColumns(
        _ names: [String], _ left: FromPart, _ right: FromPart, _ join: AST.Join, _ scope: Scope,
        _ conditions: inout [BoundExpression]
    ) throws(SQLError) -> [RangeColumn] {
        var merged: [RangeColumn] = []
        var used: Set<ObjectIdentifier> = []
        func find(_ name: String, in part: FromPart, _ side: String) throws(SQLError) -> RangeColumn
        {
            let found = part.columns.filter { $0.name == name }
            guard found.count <= 1 else {
                throw SQLError(
                    .ambiguousColumn,
                    "common column name \"\(name)\" appears more than once in \(side) table")
            }
            guard let column = found.first else {
                throw SQLError(
                    .undefinedColumn,
                    "column \"\(name)\" specified in USING clause does not exist in \(side) table")
            }
            return column
        }
        for name in names {
            let l = try find(name, in: left, "left")
            let r = try find(name, in: right, "right")
            let a = reference(l, in: scope.query, location: -1)
            let b = reference(r, in: scope.query, location: -1)
            let equality = try makeOperator(AST.Name(["="]), a, b, -1)
            conditions.append(equality)
            noted?.noteJoined([l, r])
            used.insert(ObjectIdentifier(l))
            used.insert(ObjectIdentifier(r))
            switch join.kind {
            case .inner, .left:
                merged.append(l)
            case .right:
                merged.append(r)
            case .full:
                let (pair, type) = try unify([a, b], "JOIN/USING")
                merged.append(
                    RangeColumn(
                        name: name, type: type,
                        expression: ChoiceExpression(.coalesce, pair, type: type, location: -1)))
            }
        }
        let rest = (left.columns + right.columns).filter { !used.contains(ObjectIdentifier($0)) }
        return merged + rest
    }
}
