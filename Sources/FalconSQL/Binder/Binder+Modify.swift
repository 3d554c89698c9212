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
        default: throw SQLError(.internalError, "not a modification")
        }
    }

    private func target(_ name: AST.TableName) throws(SQLError) -> TableDescriptor {
        guard let table = try catalog.table(schema: name.schema, name: name.name) else {
            if try catalog.viewDefinition(schema: name.schema, name: name.name) != nil {
                throw SQLError(
                    .featureNotSupported, "cannot modify view \"\(name.name)\"",
                    byteOffset: offset(name.location))
            }
            throw missingRelation(name)
        }
        use(table, lock: .rowExclusive)
        return table
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
            try bindDefault(
                try SQLParser.parseExpression(text), type: column.type, column: column.name)
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

    /// The table's CHECKs over the new row in `newSlots`.
    private func bindChecks(
        _ table: TableDescriptor, _ newSlots: [Int?]
    ) throws(SQLError) -> [BoundCheck] {
        var checks: [BoundCheck] = []
        // PostgreSQL tests them in the order of their names.
        for check in table.checks.sorted(by: { $0.name < $1.name }) {
            let expression = try SQLError.unplaced { () throws(SQLError) in
                try bindCheck(try SQLParser.parseExpression(check.expression), table, newSlots)
            }
            checks.append(BoundCheck(name: check.name, condition: expression))
        }
        return checks
    }

    func bindCheck(
        _ expression: AST.Expression, _ table: TableDescriptor, _ newSlots: [Int?]
    ) throws(SQLError) -> BoundExpression {
        let scope = Scope(parent: nil, query: QueryState())
        let columns = newColumns(of: table, alias: table.name, newSlots)
        scope.columns = columns
        scope.entries = [RangeEntry(name: table.name, columns: columns, relation: nil)]
        return try within(.check) { () throws(SQLError) in
            try bindCondition(expression, scope, "CHECK")
        }
    }

    /// An expression over a table's columns, whose values are in `slots`.
    func bindOverTable(
        _ expression: AST.Expression, _ table: TableDescriptor, _ slots: [Int?]
    ) throws(SQLError) -> BoundExpression {
        let scope = Scope(parent: nil, query: QueryState())
        let columns = newColumns(of: table, alias: table.name, slots)
        scope.columns = columns
        scope.entries = [RangeEntry(name: table.name, columns: columns, relation: nil)]
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

    private func newColumns(
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
    private func bindReturning(
        _ items: [AST.SelectItem], _ table: TableDescriptor, _ alias: String, _ newSlots: [Int?],
        others: [RangeEntry], otherColumns: [RangeColumn], _ state: QueryState, _ parent: Scope?
    ) throws(SQLError) -> (
        outputs: [LogicalQuery.Output], projections: [(expression: BoundExpression, slot: Int)]
    ) {
        let scope = Scope(parent: parent, query: state)
        let columns = newColumns(of: table, alias: alias, newSlots)
        for column in columns { setOwner(of: column.slot, to: state) }
        let relation = Relation(source: .table(table), alias: alias, columns: columns)
        scope.entries =
            [RangeEntry(name: alias, schema: table.schema, columns: columns, relation: relation)]
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

    // MARK: INSERT

    /// One empty row.
    private func emptySource() -> LogicalQuery {
        LogicalQuery(body: .select(LogicalSelect()))
    }

    private func bindInsert(
        _ insert: AST.Insert, _ parent: Scope?
    ) throws(SQLError) -> LogicalQuery {
        var outer = parent
        if let with = insert.with { outer = try bindWith(with, parent) }
        let table = try target(insert.table)
        let state = QueryState()
        var columns: [ColumnDescriptor] = []
        if insert.columns.isEmpty {
            columns = table.columns.filter { !$0.isDropped }
        } else {
            for item in insert.columns {
                guard item.indirection.isEmpty else {
                    throw SQLError(
                        .featureNotSupported, "INSERT into part of a column is not supported",
                        byteOffset: offset(item.location))
                }
                let found = try column(item.name, of: table, item.location)
                if columns.contains(where: { $0.attribute == found.attribute }) {
                    throw SQLError(
                        .duplicateColumn, "column \"\(item.name)\" specified more than once",
                        byteOffset: offset(item.location))
                }
                columns.append(found)
            }
        }
        var values: [BoundExpression?] = Array(repeating: nil, count: table.columns.count)
        let source = try bindInsertSource(insert, columns, outer, state, &values)
        for (index, column) in table.columns.enumerated()
        where !column.isDropped && values[index] == nil {
            values[index] = try defaultValue(of: column)
        }
        let newSlots = table.columns.map { $0.isDropped ? nil : newSlot(owner: state) }
        let alias = insert.table.alias?.name ?? table.name
        var conflict: ConflictAction?
        if let clause = insert.onConflict {
            conflict = try bindOnConflict(clause, table, alias, newSlots, state, outer)
        }
        let (outputs, projections) = try bindReturning(
            insert.returning, table, alias, newSlots, others: [], otherColumns: [], state, outer)
        let query = LogicalQuery(
            body: .modify(
                LogicalModify(
                    kind: .insert(values: values, onConflict: conflict), table: table,
                    alias: alias, source: source, relation: nil, newSlots: newSlots,
                    checks: try bindChecks(table, newSlots), projections: projections,
                    isReturning: !insert.returning.isEmpty)))
        query.outputs = outputs
        query.outerSlots = state.outerSlots.union(source.outerSlots)
        return query
    }

    /// The rows to insert, and in `values` each given column's value over them.
    private func bindInsertSource(
        _ insert: AST.Insert, _ columns: [ColumnDescriptor], _ outer: Scope?, _ state: QueryState,
        _ values: inout [BoundExpression?]
    ) throws(SQLError) -> LogicalQuery {
        guard let select = insert.source else { return emptySource() }
        if case .values(let rows) = select.body, select.order.isEmpty, select.limit == nil,
            select.offset == nil, select.with == nil
        {
            return try bindInsertValues(rows, insert, columns, outer, state, &values)
        }
        let source = try bindQuery(select, outer, keepsUnknown: true)
        try checkInsertWidth(source.outputs.count, insert, columns, nil)
        for (index, column) in columns.enumerated() where index < source.outputs.count {
            if source.outputs[index].type.oid == .unknown {
                try convertOutput(source, index, to: column.type.oid, "INSERT")
            }
            let output = source.outputs[index]
            values[Int(column.attribute) - 1] = try coerceForAssignment(
                SlotReference(
                    slot: output.slot, name: output.name, type: output.type, location: -1),
                to: column.type, column: column.name)
        }
        return source
    }

    private func checkInsertWidth(
        _ count: Int, _ insert: AST.Insert, _ columns: [ColumnDescriptor], _ location: Int?
    ) throws(SQLError) {
        if count > columns.count {
            throw SQLError(
                .syntaxError, "INSERT has more expressions than target columns",
                byteOffset: location)
        }
        if count < columns.count, !insert.columns.isEmpty {
            throw SQLError(
                .syntaxError, "INSERT has more target columns than expressions",
                byteOffset: offset(insert.columns[count].location))
        }
    }

    private func bindInsertValues(
        _ rows: [[AST.Expression]], _ insert: AST.Insert, _ columns: [ColumnDescriptor],
        _ outer: Scope?, _ state: QueryState, _ values: inout [BoundExpression?]
    ) throws(SQLError) -> LogicalQuery {
        let scope = Scope(parent: outer, query: state)
        var bound: [[BoundExpression]] = []
        bound.reserveCapacity(rows.count)
        for row in rows {
            if let first = bound.first, first.count != row.count {
                throw SQLError(
                    .syntaxError, "VALUES lists must all be the same length",
                    byteOffset: row.first.flatMap { offset($0.location) })
            }
            let extra = row.count > columns.count ? offset(row[columns.count].location) : nil
            try checkInsertWidth(row.count, insert, columns, extra)
            var cells: [BoundExpression] = []
            cells.reserveCapacity(row.count)
            for (cell, column) in zip(row, columns) {
                if case .setToDefault = cell {
                    cells.append(try defaultValue(of: column))
                    continue
                }
                let expression = try within(.values) { () throws(SQLError) in
                    try bind(cell, scope)
                }
                cells.append(
                    try coerceForAssignment(expression, to: column.type, column: column.name))
            }
            bound.append(cells)
        }
        if bound.count == 1 {
            for (cell, column) in zip(bound[0], columns) {
                values[Int(column.attribute) - 1] = cell
            }
            return emptySource()
        }
        var slots: [Int] = []
        for column in columns.prefix(bound.first?.count ?? 0) {
            let slot = newSlot(owner: state)
            slots.append(slot)
            values[Int(column.attribute) - 1] = SlotReference(
                slot: slot, name: column.name, type: column.type, location: -1)
        }
        return LogicalQuery(body: .values(bound, slots: slots))
    }

    private func bindOnConflict(
        _ clause: AST.OnConflict, _ table: TableDescriptor, _ alias: String, _ newSlots: [Int?],
        _ state: QueryState, _ outer: Scope?
    ) throws(SQLError) -> ConflictAction {
        var arbiters: [OID] = []
        switch clause.target {
        case .none:
            if clause.isUpdate {
                throw SQLError(
                    .syntaxError,
                    "ON CONFLICT DO UPDATE requires inference specification or constraint name",
                    hint: "For example, ON CONFLICT (column_name).",
                    byteOffset: offset(clause.location))
            }
        case .constraint(let name, let location):
            guard
                let index = table.indexes.first(where: {
                    $0.name == name && $0.isUnique && $0.isConstraint
                })
            else {
                throw SQLError(
                    .undefinedObject,
                    "constraint \"\(name)\" for table \"\(table.name)\" does not exist",
                    byteOffset: offset(location))
            }
            arbiters = [index.oid]
        case .columns(let elements, _, let location):
            var wanted: Set<Int16> = []
            for element in elements {
                guard let name = element.column else {
                    throw SQLError(
                        .featureNotSupported, "ON CONFLICT on expressions is not supported",
                        byteOffset: offset(location))
                }
                wanted.insert(try column(name, of: table, location).attribute)
            }
            arbiters = table.indexes.filter {
                $0.isUnique && Set($0.columns.map(\.attribute)) == wanted
            }.map(\.oid)
            if arbiters.isEmpty {
                throw SQLError(
                    .invalidColumnReference,
                    "there is no unique or exclusion constraint matching the ON CONFLICT "
                        + "specification", byteOffset: offset(location))
            }
        }
        guard clause.isUpdate else { return ConflictAction(arbiters: arbiters, update: nil) }
        let existing = table.columns.map { $0.isDropped ? nil : newSlot(owner: state) }
        let scope = Scope(parent: outer, query: state)
        let columns = newColumns(of: table, alias: alias, existing)
        let excluded = newColumns(of: table, alias: "excluded", newSlots)
        scope.columns = columns
        scope.entries = [
            RangeEntry(name: alias, schema: table.schema, columns: columns, relation: nil),
            RangeEntry(name: "excluded", columns: excluded, relation: nil),
        ]
        let assignments = try bindAssignments(clause.assignments, table, scope)
        var condition: BoundExpression?
        if let filter = clause.filter {
            condition = try within(.filter) { () throws(SQLError) in
                try bindCondition(filter, scope, "WHERE")
            }
        }
        return ConflictAction(
            arbiters: arbiters,
            update: ConflictUpdate(
                existingSlots: existing, assignments: assignments, condition: condition))
    }

    // MARK: UPDATE and DELETE

    private func bindAssignments(
        _ items: [AST.Assignment], _ table: TableDescriptor, _ scope: Scope
    ) throws(SQLError) -> [ColumnAssignment] {
        var assignments: [ColumnAssignment] = []
        for item in items {
            guard item.indirection.isEmpty else {
                // Most likely a qualified name, which SET does not take.
                _ = try column(item.column, of: table, item.location)
                throw SQLError(
                    .featureNotSupported, "UPDATE of part of a column is not supported",
                    byteOffset: offset(item.location))
            }
            let column = try column(item.column, of: table, item.location)
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

    /// The rows to change: the target joined with the statement's other tables, filtered.
    private func bindChangedRows(
        _ table: TableDescriptor, _ name: AST.TableName, _ others: [AST.FromItem],
        _ filter: AST.Expression?, _ scope: Scope
    ) throws(SQLError) -> (logical: LogicalSelect, relation: Relation) {
        let logical = LogicalSelect()
        let alias = name.alias?.name ?? table.name
        let columns = rangeColumns(of: table, alias: alias)
        let relation = Relation(source: .table(table), alias: alias, columns: columns)
        relation.rowKeySlot = newSlot(owner: nil)
        // The whole old row is needed, whatever the statement names.
        for column in columns { _ = reference(column, in: scope.query, location: -1) }
        logical.relations.append(relation)
        logical.from = .relation(relation)
        scope.entries.append(
            RangeEntry(
                name: alias, schema: name.alias == nil ? table.schema : nil, columns: columns,
                relation: relation))
        scope.columns += columns
        try within(.from) { () throws(SQLError) in try bindFrom(others, scope, logical) }
        if let filter {
            let condition = try within(.filter) { () throws(SQLError) in
                try bindCondition(filter, scope, "WHERE")
            }
            logical.conjuncts = LogicExpression.conjuncts(of: condition)
        }
        return (logical, relation)
    }

    private func oldSlots(_ table: TableDescriptor, _ relation: Relation) -> [Int?] {
        var slots: [Int?] = Array(repeating: nil, count: table.columns.count)
        for column in relation.columns { slots[Int(column.attribute) - 1] = column.slot }
        return slots
    }

    private func bindUpdate(
        _ update: AST.Update, _ parent: Scope?
    ) throws(SQLError) -> LogicalQuery {
        var outer = parent
        if let with = update.with { outer = try bindWith(with, parent) }
        let table = try target(update.table)
        let state = QueryState()
        let scope = Scope(parent: outer, query: state)
        let (logical, relation) = try bindChangedRows(
            table, update.table, update.from, update.filter, scope)
        let assignments = try bindAssignments(update.assignments, table, scope)
        var newSlots = oldSlots(table, relation)
        for assignment in assignments {
            newSlots[Int(assignment.attribute) - 1] = newSlot(owner: state)
        }
        let source = LogicalQuery(body: .select(logical))
        source.outerSlots = state.outerSlots
        return try finishModification(
            .update(assignments), table, relation, source, newSlots, update.returning,
            checks: try bindChecks(table, newSlots), scope, outer)
    }

    private func bindDelete(
        _ delete: AST.Delete, _ parent: Scope?
    ) throws(SQLError) -> LogicalQuery {
        var outer = parent
        if let with = delete.with { outer = try bindWith(with, parent) }
        let table = try target(delete.table)
        let scope = Scope(parent: outer, query: QueryState())
        let (logical, relation) = try bindChangedRows(
            table, delete.table, delete.using, delete.filter, scope)
        let source = LogicalQuery(body: .select(logical))
        source.outerSlots = scope.query.outerSlots
        return try finishModification(
            .delete, table, relation, source, oldSlots(table, relation), delete.returning,
            checks: [], scope, outer)
    }

    private func finishModification(
        _ kind: LogicalModify.Kind, _ table: TableDescriptor, _ relation: Relation,
        _ source: LogicalQuery, _ newSlots: [Int?], _ returning: [AST.SelectItem],
        checks: [BoundCheck], _ scope: Scope, _ outer: Scope?
    ) throws(SQLError) -> LogicalQuery {
        let (outputs, projections) = try bindReturning(
            returning, table, relation.alias, newSlots, others: Array(scope.entries.dropFirst()),
            otherColumns: Array(scope.columns.dropFirst(relation.columns.count)), scope.query,
            outer)
        let query = LogicalQuery(
            body: .modify(
                LogicalModify(
                    kind: kind, table: table, alias: relation.alias, source: source,
                    relation: relation, newSlots: newSlots, checks: checks,
                    projections: projections, isReturning: !returning.isEmpty)))
        query.outputs = outputs
        query.outerSlots = scope.query.outerSlots
        return query
    }
}
