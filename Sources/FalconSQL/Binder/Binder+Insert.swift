import FalconSchema

/// INSERT and its ON CONFLICT.
extension Binder {
    private func offset(_ location: Int) -> Int? { location >= 0 ? location : nil }

    /// One empty row.
    private func emptySource() -> LogicalQuery {
        LogicalQuery(body: .select(LogicalSelect()))
    }

    /// The columns that an INSERT lists.
    func listedColumns(
        _ items: [AST.InsertColumn], of target: WriteTarget
    ) throws(SQLError) -> [ColumnDescriptor] {
        var columns: [ColumnDescriptor] = []
        for item in items {
            guard item.indirection.isEmpty else {
                throw SQLError(
                    .featureNotSupported, "INSERT into part of a column is not supported",
                    byteOffset: offset(item.location))
            }
            let found = try column(item.name, of: target, item.location, .insert)
            if columns.contains(where: { $0.attribute == found.attribute }) {
                throw SQLError(
                    .duplicateColumn, "column \"\(item.name)\" specified more than once",
                    byteOffset: offset(item.location))
            }
            columns.append(found)
        }
        return columns
    }

    func bindInsert(
        _ insert: AST.Insert, _ parent: Scope?
    ) throws(SQLError) -> LogicalQuery {
        var outer = parent
        if let with = insert.with { outer = try bindWith(with, parent) }
        let target = try writeTarget(insert.table, .insert)
        let table = target.table
        let state = QueryState()
        let columns =
            insert.columns.isEmpty
            ? try implicitColumns(target) : try listedColumns(insert.columns, of: target)
        var values: [BoundExpression?] = Array(repeating: nil, count: table.columns.count)
        let source = try bindInsertSource(insert, target, columns, outer, state, &values)
        for (index, column) in table.columns.enumerated()
        where !column.isDropped && values[index] == nil {
            values[index] = try defaultValue(of: column)
        }
        let newSlots = table.columns.map { $0.isDropped ? nil : newSlot(owner: state) }
        let alias = insert.table.alias?.name ?? target.name
        var conflict: ConflictAction?
        if let clause = insert.onConflict {
            conflict = try bindOnConflict(clause, target, alias, newSlots, state, outer)
        }
        let (outputs, projections) = try bindReturning(
            insert.returning, target, alias, newSlots, others: [], otherColumns: [], state, outer)
        let query = LogicalQuery(
            body: .modify(
                LogicalModify(
                    kind: .insert(values: values, onConflict: conflict), table: table,
                    alias: target.isView ? table.name : alias, source: source, relation: nil,
                    newSlots: newSlots, checks: try bindChecks(target, newSlots),
                    projections: projections,
                    isReturning: !insert.returning.isEmpty)))
        query.outputs = outputs
        query.outerSlots = state.outerSlots.union(source.outerSlots)
        return query
    }

    /// The columns of an INSERT that names none; of a view, those before the first that cannot be
    /// written.
    private func implicitColumns(_ target: WriteTarget) throws(SQLError) -> [ColumnDescriptor] {
        if !target.isView { return target.table.columns.filter { !$0.isDropped } }
        var columns: [ColumnDescriptor] = []
        for shown in target.columns {
            guard
                let found = target.table.columns.first(where: { $0.attribute == shown.attribute }),
                !columns.contains(where: { $0.attribute == found.attribute })
            else { break }
            columns.append(found)
        }
        return columns
    }

    /// The rows to insert, and in `values` each given column's value over them.
    private func bindInsertSource(
        _ insert: AST.Insert, _ target: WriteTarget, _ columns: [ColumnDescriptor],
        _ outer: Scope?, _ state: QueryState, _ values: inout [BoundExpression?]
    ) throws(SQLError) -> LogicalQuery {
        guard let select = insert.source else { return emptySource() }
        if case .values(let rows) = select.body, select.order.isEmpty, select.limit == nil,
            select.offset == nil, select.with == nil
        {
            return try bindInsertValues(rows, insert, target, columns, outer, state, &values)
        }
        let source = try bindQuery(select, outer, keepsUnknown: true)
        try checkInsertWidth(source.outputs.count, insert, target, columns, nil)
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
        _ count: Int, _ insert: AST.Insert, _ target: WriteTarget,
        _ columns: [ColumnDescriptor], _ location: Int?
    ) throws(SQLError) {
        if count > columns.count {
            if insert.columns.isEmpty, target.isView, count <= target.columns.count {
                let refused = target.columns[columns.count]
                if let written = columns.first(where: { $0.attribute == refused.attribute }) {
                    throw SQLError(
                        .syntaxError, "multiple assignments to same column \"\(written.name)\"")
                }
                throw notWritable(refused, target, .insert)
            }
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
        _ rows: [[AST.Expression]], _ insert: AST.Insert, _ target: WriteTarget,
        _ columns: [ColumnDescriptor], _ outer: Scope?, _ state: QueryState,
        _ values: inout [BoundExpression?]
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
            try checkInsertWidth(row.count, insert, target, columns, extra)
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

    /// ON CONFLICT (…) WHERE, over the table's columns in slots attribute - 1, as a predicate has them.
    private func arbiterCondition(
        _ filter: AST.Expression, _ target: WriteTarget
    ) throws(SQLError) -> PredicateProof {
        let state = QueryState()
        let table = target.table
        let slots: [Int?] = table.columns.map { $0.isDropped ? nil : newSlot(owner: state) }
        var columns = newColumns(of: table, alias: target.name, slots)
        if target.isView {
            columns = try viewColumns(target, over: columns, alias: target.name, state).columns
        }
        let scope = Scope(parent: nil, query: state)
        scope.columns = columns
        scope.entries = [
            RangeEntry(
                name: target.name, schema: target.schema, columns: columns, relation: nil)
        ]
        let condition = try within(.indexPredicate) { () throws(SQLError) in
            try bindCondition(filter, scope, "WHERE")
        }
        var places: [Int: Int] = [:]
        for (place, slot) in slots.enumerated() { if let slot { places[slot] = place } }
        let placed = try condition.rewritten { node throws(SQLError) in
            guard let reference = node as? SlotReference, let place = places[reference.slot] else {
                return nil
            }
            return SlotReference(
                slot: place, name: reference.name, type: reference.type, location: -1)
        }
        return PredicateProof(LogicExpression.conjuncts(of: placed))
    }

    private func bindOnConflict(
        _ clause: AST.OnConflict, _ target: WriteTarget, _ alias: String, _ newSlots: [Int?],
        _ state: QueryState, _ outer: Scope?
    ) throws(SQLError) -> ConflictAction {
        let table = target.table
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
        case .constraint(let name, _):
            guard
                let index = table.indexes.first(where: {
                    $0.name == name && $0.enforcesUnique && $0.isConstraint
                })
            else {
                throw SQLError(
                    .undefinedObject,
                    "constraint \"\(name)\" for table \"\(table.name)\" does not exist")
            }
            arbiters = [index.oid]
        case .columns(let elements, let filter, let location):
            var wanted: Set<Int16> = []
            for element in elements {
                guard let name = element.column else {
                    throw SQLError(
                        .featureNotSupported, "ON CONFLICT on expressions is not supported",
                        byteOffset: offset(location))
                }
                guard let found = target.columns.first(where: { $0.name == name }) else {
                    throw SQLError(
                        .undefinedColumn, "column \"\(name)\" does not exist",
                        byteOffset: offset(location))
                }
                wanted.insert(found.attribute)
            }
            let holds = try filter.map { filter throws(SQLError) in
                try arbiterCondition(filter, target)
            }
            for index in table.indexes
            where index.enforcesUnique && index.isValid
                && Set(index.columns.map(\.attribute)) == wanted
            {
                if let predicate = index.predicate {
                    guard let holds else { continue }
                    let test = try IndexPredicateTest(predicate, of: table)
                    guard holds.implies(test.condition) else { continue }
                }
                arbiters.append(index.oid)
            }
            if arbiters.isEmpty {
                throw SQLError(
                    .invalidColumnReference,
                    "there is no unique or exclusion constraint matching the ON CONFLICT "
                        + "specification")
            }
        }
        guard clause.isUpdate else { return ConflictAction(arbiters: arbiters, update: nil) }
        let existing = table.columns.map { $0.isDropped ? nil : newSlot(owner: state) }
        let scope = Scope(parent: outer, query: state)
        var columns = newColumns(of: table, alias: alias, existing)
        var excluded = newColumns(of: table, alias: "excluded", newSlots)
        var visibility: [BoundExpression] = []
        if target.isView {
            let shown = try viewColumns(target, over: columns, alias: alias, state)
            columns = shown.columns
            visibility = shown.filters.compactMap { $0 }
            excluded = try viewColumns(target, over: excluded, alias: "excluded", state).columns
        }
        scope.columns = columns
        scope.entries = [
            RangeEntry(name: alias, schema: target.schema, columns: columns, relation: nil),
            RangeEntry(name: "excluded", columns: excluded, relation: nil),
        ]
        let assignments = try bindAssignments(clause.assignments, target, scope)
        var condition: BoundExpression?
        if let filter = clause.filter {
            condition = try within(.filter) { () throws(SQLError) in
                try bindCondition(filter, scope, "WHERE")
            }
        }
        return ConflictAction(
            arbiters: arbiters,
            update: ConflictUpdate(
                existingSlots: existing, assignments: assignments, condition: condition,
                visibility: visibility))
    }
}
