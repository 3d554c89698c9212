import FalconSchema

extension Binder {
    private func offset(_ location: Int) -> Int? { location >= 0 ? location : nil }

    /// INSERT, UPDATE or DELETE as a query whose rows are RETURNING's.
    func bindModification(
        _ statement: AST.Statement, _ parent: Scope?
    ) throws(SQLError) -> LogicalQuery {
        switch statement {
        case .insert(let insert): return try bindInsert(insert, parent)
        case .update(let update): return try bindUpdate(update, parent)
        case .delete(let delete): return try bindDelete(delete, parent)
        case .merge(let merge): return try bindMerge(merge, parent)
        default: throw SQLError(.internalError, "not a modification")
        }
    }

    private func column(
        _ name: String, of table: TableDescriptor, _ location: Int
    ) throws(SQLError) -> ColumnDescriptor {
        for column in table.columns where !column.isDropped && column.name == name { return column }
        throw SQLError(
            .undefinedColumn,
            "column \"\(name)\" of relation \"\(table.name)\" does not exist",
            byteOffset: offset(location))
    }

    /// The value a column gets when none is given.
    func defaultValue(of column: ColumnDescriptor) throws(SQLError) -> BoundExpression {
        guard let text = column.defaultExpression else {
            return ConstantExpression(.null, type: column.type)
        }
        return try SQLError.unplaced { () throws(SQLError) in
            try readingStoredText { () throws(SQLError) in
                try bindDefault(
                    try SQLParser.parseExpression(text), type: column.type, column: column.name)
            }
        }
    }

    func bindDefault(
        _ expression: AST.Expression, type: SQLType, column: String
    ) throws(SQLError) -> BoundExpression {
        let scope = Scope(parent: nil, query: QueryState())
        return try within(.defaultValue) { () throws(SQLError) in
            try coerceForAssignment(try bind(expression, scope), to: type, column: column)
        }
    }

    /// The target's CHECKs, and those of views on the way to it, over the new row in `newSlots`.
    func bindChecks(
        _ target: WriteTarget, _ newSlots: [Int?]
    ) throws(SQLError) -> [BoundCheck] {
        let checks = try bindChecks(target.table, newSlots)
        if !target.isView { return checks }
        let columns = newColumns(of: target.table, alias: target.table.name, newSlots)
        return checks + (try bindViewChecks(target, columns))
    }

    private func bindChecks(
        _ table: TableDescriptor, _ newSlots: [Int?]
    ) throws(SQLError) -> [BoundCheck] {
        var checks: [BoundCheck] = []
        // PostgreSQL tests them in the order of their names.
        for check in table.checks.sorted(by: { $0.name < $1.name }) {
            let expression = try SQLError.unplaced { () throws(SQLError) in
                try readingStoredText { () throws(SQLError) in
                    try bindCheck(try SQLParser.parseExpression(check.expression), table, newSlots)
                }
            }
            checks.append(BoundCheck(name: check.name, condition: expression))
        }
        return checks
    }

    /// Names of a table's columns, whose values are in `slots`.
    private func tableScope(
        _ table: TableDescriptor, _ slots: [Int?], schema: String? = nil
    ) -> Scope {
        let scope = Scope(parent: nil, query: QueryState())
        scope.columns = newColumns(of: table, alias: table.name, slots)
        scope.entries = [
            RangeEntry(name: table.name, schema: schema, columns: scope.columns, relation: nil)
        ]
        return scope
    }

    func bindCheck(
        _ expression: AST.Expression, _ table: TableDescriptor, _ newSlots: [Int?]
    ) throws(SQLError) -> BoundExpression {
        let scope = tableScope(table, newSlots)
        return try within(.check) { () throws(SQLError) in
            try bindCondition(expression, scope, "CHECK")
        }
    }

    /// WHERE of a partial index, over a row of `table` in `slots`.
    func bindIndexPredicate(
        _ expression: AST.Expression, _ table: TableDescriptor, _ slots: [Int?]
    ) throws(SQLError) -> BoundExpression {
        let scope = tableScope(table, slots, schema: table.schema)
        return try within(.indexPredicate) { () throws(SQLError) in
            try bindCondition(expression, scope, "WHERE")
        }
    }

    /// An expression over a table's columns, whose values are in `slots`.
    func bindOverTable(
        _ expression: AST.Expression, _ table: TableDescriptor, _ slots: [Int?]
    ) throws(SQLError) -> BoundExpression {
        let scope = tableScope(table, slots)
        return try within(.transform) { () throws(SQLError) in try bind(expression, scope) }
    }

    /// COPY FROM: an INSERT whose source row is in the slots it names.
    func bindCopy(_ table: TableDescriptor, _ names: [String]) throws(SQLError) -> CopyPlan {
        var columns: [ColumnDescriptor] = []
        if names.isEmpty {
            columns = table.columns.filter { !$0.isDropped }
        } else {
            for name in names {
                let found = try column(name, of: table, -1)
                if columns.contains(where: { $0.attribute == found.attribute }) {
                    throw SQLError(
                        .duplicateColumn, "column \"\(name)\" specified more than once")
                }
                columns.append(found)
            }
        }
        let state = QueryState()
        var values: [BoundExpression?] = Array(repeating: nil, count: table.columns.count)
        let newSlots = table.columns.map { $0.isDropped ? nil : newSlot(owner: state) }
        var sourceSlots: [Int] = []
        for column in columns {
            // The source value is the new value: no second slot, no copy.
            guard let slot = newSlots[Int(column.attribute) - 1] else { continue }
            sourceSlots.append(slot)
            values[Int(column.attribute) - 1] = SlotReference(
                slot: slot, name: column.name, type: column.type, location: -1)
        }
        for (index, column) in table.columns.enumerated()
        where !column.isDropped && values[index] == nil {
            values[index] = try defaultValue(of: column)
        }
        let target = ModifyTarget(
            table: table, alias: table.name, newSlots: newSlots,
            checks: try bindChecks(table, newSlots), emitsRows: false)
        let insert = InsertNode(
            target: target, child: PlanNode(.result(condition: nil), outputSlots: []),
            values: values, onConflict: nil)
        return CopyPlan(
            insert: insert, sourceSlots: sourceSlots, sourceTypes: columns.map(\.type),
            slotCount: slotCount)
    }

    func newColumns(
        of table: TableDescriptor, alias: String, _ newSlots: [Int?]
    ) -> [RangeColumn] {
        var columns: [RangeColumn] = []
        for (index, column) in table.columns.enumerated() where !column.isDropped {
            guard let slot = newSlots[index] else { continue }
            slotNames[slot] = alias + "." + column.name
            columns.append(
                RangeColumn(
                    name: column.name, qualifier: alias, type: column.type, slot: slot,
                    tableOID: table.oid, attribute: column.attribute))
        }
        return columns
    }

    /// RETURNING over the new row and the other tables of the statement.
    func bindReturning(
        _ items: [AST.SelectItem], _ target: WriteTarget, _ alias: String, _ newSlots: [Int?],
        others: [RangeEntry], otherColumns: [RangeColumn], _ state: QueryState, _ parent: Scope?
    ) throws(SQLError) -> (
        outputs: [LogicalQuery.Output], projections: [(expression: BoundExpression, slot: Int)]
    ) {
        let scope = Scope(parent: parent, query: state)
        var columns = newColumns(of: target.table, alias: alias, newSlots)
        for column in columns { setOwner(of: column.slot, to: state) }
        let relation = Relation(source: .table(target.table), alias: alias, columns: columns)
        if target.isView {
            columns = try viewColumns(target, over: columns, alias: alias, state).columns
        }
        scope.entries =
            [RangeEntry(name: alias, schema: target.schema, columns: columns, relation: relation)]
            + others
        scope.columns = columns + otherColumns
        var outputs: [LogicalQuery.Output] = []
        var projections: [(expression: BoundExpression, slot: Int)] = []
        func add(_ name: String, _ expression: BoundExpression) throws(SQLError) {
            if let plain = expression as? SlotReference {
                outputs.append(
                    LogicalQuery.Output(
                        name: name, type: plain.type, slot: plain.slot, tableOID: plain.tableOID,
                        attribute: plain.attribute))
            } else {
                let value = try resolveUnknown(expression)
                let slot = newSlot(owner: state)
                projections.append((value, slot))
                outputs.append(LogicalQuery.Output(name: name, type: value.type, slot: slot))
            }
        }
        for item in items {
            if case .column(let reference) = item.expression, reference.isStar {
                for column in try expandStar(reference, scope) {
                    try add(column.name, column.expression)
                }
                continue
            }
            let expression = try within(.returning) { () throws(SQLError) in
                try bind(item.expression, scope)
            }
            try add(item.alias ?? OutputNames.name(of: item.expression), expression)
        }
        return (outputs, projections)
    }

    // MARK: UPDATE and DELETE

    func bindAssignments(
        _ items: [AST.Assignment], _ target: WriteTarget, _ scope: Scope
    ) throws(SQLError) -> [ColumnAssignment] {
        var assignments: [ColumnAssignment] = []
        for item in items {
            guard item.indirection.isEmpty else {
                // Most likely a qualified name, which SET does not take.
                _ = try column(item.column, of: target, item.location, .update)
                throw SQLError(
                    .featureNotSupported, "UPDATE of part of a column is not supported",
                    byteOffset: offset(item.location))
            }
            let column = try column(item.column, of: target, item.location, .update)
            if assignments.contains(where: { $0.attribute == column.attribute }) {
                throw SQLError(
                    .syntaxError, "multiple assignments to same column \"\(item.column)\"")
            }
            let value: BoundExpression
            switch item.value {
            case .setToDefault:
                value = try defaultValue(of: column)
            case .multiAssign(let source, let number, let count):
                value = try coerceForAssignment(
                    try bindPart(source, number - 1, of: count, column, scope), to: column.type,
                    column: column.name)
            default:
                let expression = try within(.update) { () throws(SQLError) in
                    try bind(item.value, scope)
                }
                value = try coerceForAssignment(expression, to: column.type, column: column.name)
            }
            assignments.append(ColumnAssignment(attribute: column.attribute, value: value))
        }
        return assignments
    }

    /// One column's part of `(a, b) = …`.
    private func bindPart(
        _ source: AST.Expression, _ index: Int, of count: Int, _ column: ColumnDescriptor,
        _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        switch source {
        case .row(let fields, _, let location):
            guard fields.count == count, index < fields.count else {
                throw SQLError(
                    .syntaxError, "number of columns does not match number of values",
                    byteOffset: offset(location))
            }
            if case .setToDefault = fields[index] { return try defaultValue(of: column) }
            return try within(.update) { () throws(SQLError) in try bind(fields[index], scope) }
        case .subquery(let subquery):
            return try bindColumnOfSubquery(subquery, index, of: count, scope)
        default:
            throw SQLError(
                .featureNotSupported,
                "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression",
                byteOffset: offset(source.location))
        }
    }

    /// The rows to change: the target joined with the statement's other tables, filtered. Of the old row
    /// the columns that `needs` asks for, and those that the statement names, are read.
    private func bindChangedRows(
        _ target: WriteTarget, _ name: AST.TableName, _ others: [AST.FromItem],
        _ filter: AST.Expression?, _ scope: Scope, needs: (RangeColumn) -> Bool
    ) throws(SQLError) -> (logical: LogicalSelect, relation: Relation) {
        let logical = LogicalSelect()
        let table = target.table
        let shown = name.alias?.name ?? target.name
        let alias = target.isView ? table.name : shown
        let columns = rangeColumns(of: table, alias: alias)
        let relation = Relation(source: .table(table), alias: alias, columns: columns)
        relation.rowKeySlot = newSlot(owner: nil)
        // A view's rules may name any column.
        for column in columns where target.isView || needs(column) {
            _ = reference(column, in: scope.query, location: -1)
        }
        logical.relations.append(relation)
        logical.from = .relation(relation)
        var visible = columns
        if target.isView {
            let bound = try viewColumns(target, over: columns, alias: shown, scope.query)
            visible = bound.columns
            for condition in bound.filters {
                if let condition {
                    logical.conjuncts += LogicExpression.conjuncts(of: condition)
                }
            }
        }
        scope.entries.append(
            RangeEntry(
                name: shown, schema: name.alias == nil ? target.schema : nil, columns: visible,
                relation: relation))
        scope.columns += visible
        try within(.from) { () throws(SQLError) in try bindFrom(others, scope, logical) }
        if case .currentOf(let cursor)? = filter {
            if target.isView {
                throw SQLError(
                    .featureNotSupported, "WHERE CURRENT OF on a view is not implemented")
            }
            relation.cursor = cursor
        } else if let filter {
            let condition = try within(.filter) { () throws(SQLError) in
                try bindCondition(filter, scope, "WHERE")
            }
            logical.conjuncts += LogicExpression.conjuncts(of: condition)
        }
        return (logical, relation)
    }

    private func oldSlots(_ table: TableDescriptor, _ relation: Relation) -> [Int?] {
        var slots: [Int?] = Array(repeating: nil, count: table.columns.count)
        for column in relation.columns where column.slot >= 0 {
            slots[Int(column.attribute) - 1] = column.slot
        }
        return slots
    }

    /// Columns of which the old values are in index entries, the primary key's included.
    private func indexedColumns(_ table: TableDescriptor) -> Set<Int16> {
        var attributes = Set(table.primaryKey.map(\.attribute))
        for index in table.indexes { attributes.formUnion(index.attributes) }
        return attributes
    }

    private func bindUpdate(
        _ update: AST.Update, _ parent: Scope?
    ) throws(SQLError) -> LogicalQuery {
        var outer = parent
        if let with = update.with { outer = try bindWith(with, parent) }
        let target = try writeTarget(update.table, .update)
        let state = QueryState()
        let scope = Scope(parent: outer, query: state)
        // What is overwritten and in no index need not be known.
        let replaced = Set(update.assignments.map(\.column))
        var indexed = indexedColumns(target.table)
        // Whether a foreign key's values change is to be known, too.
        for key in target.table.foreignKeys { indexed.formUnion(key.columns) }
        let isWholeLogged = target.table.replicaIdentity == .full
        let (logical, relation) = try bindChangedRows(
            target, update.table, update.from, update.filter, scope
        ) { isWholeLogged || !replaced.contains($0.name) || indexed.contains($0.attribute) }
        let assignments = try bindAssignments(update.assignments, target, scope)
        var newSlots = oldSlots(target.table, relation)
        for assignment in assignments {
            newSlots[Int(assignment.attribute) - 1] = newSlot(owner: state)
        }
        let source = LogicalQuery(body: .select(logical))
        source.outerSlots = state.outerSlots
        return try finishModification(
            .update(assignments), target, relation, source, newSlots, update.returning,
            checks: try bindChecks(target, newSlots), scope, outer)
    }

    private func bindDelete(
        _ delete: AST.Delete, _ parent: Scope?
    ) throws(SQLError) -> LogicalQuery {
        var outer = parent
        if let with = delete.with { outer = try bindWith(with, parent) }
        let target = try writeTarget(delete.table, .delete)
        let scope = Scope(parent: outer, query: QueryState())
        let indexed = indexedColumns(target.table)
        let needsAll = !delete.returning.isEmpty || target.table.replicaIdentity == .full
        let (logical, relation) = try bindChangedRows(
            target, delete.table, delete.using, delete.filter, scope
        ) { needsAll || indexed.contains($0.attribute) }
        let source = LogicalQuery(body: .select(logical))
        source.outerSlots = scope.query.outerSlots
        return try finishModification(
            .delete, target, relation, source, oldSlots(target.table, relation), delete.returning,
            checks: [], scope, outer)
    }

    private func finishModification(
        _ kind: LogicalModify.Kind, _ target: WriteTarget, _ relation: Relation,
        _ source: LogicalQuery, _ newSlots: [Int?], _ returning: [AST.SelectItem],
        checks: [BoundCheck], _ scope: Scope, _ outer: Scope?
    ) throws(SQLError) -> LogicalQuery {
        let shown = scope.entries.first?.name ?? relation.alias
        let (outputs, projections) = try bindReturning(
            returning, target, shown, newSlots, others: Array(scope.entries.dropFirst()),
            otherColumns: Array(scope.columns.dropFirst(scope.entries.first?.columns.count ?? 0)),
            scope.query, outer)
        let query = LogicalQuery(
            body: .modify(
                LogicalModify(
                    kind: kind, table: target.table, alias: relation.alias, source: source,
                    relation: relation, newSlots: newSlots, checks: checks,
                    projections: projections, isReturning: !returning.isEmpty)))
        query.outputs = outputs
        query.outerSlots = scope.query.outerSlots
        return query
    }
}
