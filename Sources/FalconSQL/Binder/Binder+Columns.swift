import FalconSchema

extension Binder {
    /// A reference to `column`, which belongs to `scope`'s query or one around it.
    func reference(_ column: RangeColumn, in owner: QueryState, location: Int) -> BoundExpression {
        if let expression = column.expression { return expression }
        if column.slot < 0 {
            column.slot = newSlot(owner: owner)
            slotNames[column.slot] =
                column.qualifier.isEmpty ? column.name : column.qualifier + "." + column.name
        }
        return SlotReference(
            slot: column.slot, name: slotNames[column.slot] ?? column.name, type: column.type,
            location: location, tableOID: column.tableOID, attribute: column.attribute)
    }

    private func offset(_ location: Int) -> Int? { location >= 0 ? location : nil }

    /// Resolves `a`, `t.a`, `s.t.a`.
    func bindColumn(
        _ reference: AST.ColumnReference, _ scope: Scope
    ) throws(SQLError) -> BoundExpression {
        if clause == .defaultValue {
            throw SQLError(
                .featureNotSupported, "cannot use column reference in DEFAULT expression",
                byteOffset: offset(reference.location))
        }
        if reference.isStar {
            throw SQLError(
                .syntaxError, "row expansion via \"*\" is not supported here",
                byteOffset: offset(reference.location))
        }
        switch reference.parts.count {
        case 1: return try bindUnqualified(reference.parts[0], reference.location, scope)
        case 2:
            return try bindQualified(
                schema: nil, table: reference.parts[0], column: reference.parts[1],
                reference.location, scope)
        case 3:
            return try bindQualified(
                schema: reference.parts[0], table: reference.parts[1], column: reference.parts[2],
                reference.location, scope)
        case 4:
            return try bindQualified(
                schema: reference.parts[1], table: reference.parts[2], column: reference.parts[3],
                reference.location, scope)
        default:
            throw SQLError(
                .syntaxError,
                "improper qualified name (too many dotted names): "
                    + reference.parts.joined(separator: "."),
                byteOffset: offset(reference.location))
        }
    }

    private func found(
        _ column: RangeColumn, at owner: Scope, from scope: Scope, _ location: Int
    ) -> BoundExpression {
        let expression = reference(column, in: owner.query, location: location)
        if let noted { noted.note(written(column, in: scope), at: location) }
        if owner.query !== scope.query {
            var passed: Scope? = scope
            var slots: [Int] = []
            expression.walk { node in
                if let reference = node as? SlotReference { slots.append(reference.slot) }
            }
            while let current = passed, current.query !== owner.query {
                current.query.outerSlots.formUnion(slots)
                passed = current.parent
            }
        }
        return expression
    }

    /// The system column tableoid; nil when the entry is no table.
    private func tableOID(of entry: RangeEntry, _ location: Int) -> BoundExpression? {
        guard let table = entry.relation?.table else { return nil }
        return ConstantExpression(
            .int(Int64(table.oid.rawValue)), type: SQLType(.oid), location: location)
    }

    private func bindUnqualified(
        _ name: String, _ location: Int, _ start: Scope
    ) throws(SQLError) -> BoundExpression {
        var scope: Scope? = start
        while let current = scope {
            var match: RangeColumn?
            for column in current.columns where column.name == name {
                if match != nil {
                    throw SQLError(
                        .ambiguousColumn, "column reference \"\(name)\" is ambiguous",
                        byteOffset: offset(location))
                }
                match = column
            }
            if let match { return found(match, at: current, from: start, location) }
            scope = current.parent
        }
        if name == "tableoid", start.entries.count == 1, let entry = start.entries.first,
            let constant = tableOID(of: entry, location)
        {
            return constant
        }
        // A whole-row reference: the name of a table.
        scope = start
        while let current = scope {
            if let entry = current.entries.first(where: { $0.name == name }) {
                if entry.columns.count == 1, let column = entry.columns.first,
                    case .function? = entry.relation?.source
                {
                    return found(column, at: current, from: start, location)
                }
                throw SQLError(
                    .featureNotSupported, "whole-row references are not supported",
                    byteOffset: offset(location))
            }
            scope = current.parent
        }
        if SystemColumn.isUnsupported(name),
            start.entries.contains(where: { $0.relation?.table != nil })
        {
            throw SystemColumn.unsupported(name, offset(location))
        }
        throw SQLError(
            .undefinedColumn, "column \"\(name)\" does not exist", byteOffset: offset(location))
    }

    private func bindQualified(
        schema: String?, table: String, column name: String, _ location: Int, _ start: Scope
    ) throws(SQLError) -> BoundExpression {
        var scope: Scope? = start
        while let current = scope {
            let matches = current.entries.filter {
                $0.name == table && (schema == nil || $0.schema == schema)
            }
            if matches.count > 1 {
                throw SQLError(
                    SQLState("42P09"), "table reference \"\(table)\" is ambiguous",
                    byteOffset: offset(location))
            }
            if let entry = matches.first {
                if let column = entry.columns.first(where: { $0.name == name }) {
                    return found(column, at: current, from: start, location)
                }
                if name == "tableoid", let constant = tableOID(of: entry, location) {
                    return constant
                }
                if SystemColumn.isUnsupported(name), entry.relation?.table != nil {
                    throw SystemColumn.unsupported(name, offset(location))
                }
                throw SQLError(
                    .undefinedColumn, "column \(table).\(name) does not exist",
                    byteOffset: offset(location))
            }
            scope = current.parent
        }
        throw missingTable(schema.map { $0 + "." + table } ?? table, table, location, start)
    }

    /// 42P01, with PostgreSQL's hint when an alias hides the name.
    private func missingTable(
        _ text: String, _ table: String, _ location: Int, _ scope: Scope
    ) -> SQLError {
        for entry in scope.entries where entry.relation?.table?.name == table {
            return SQLError(
                .undefinedTable,
                "invalid reference to FROM-clause entry for table \"\(table)\"",
                hint: "Perhaps you meant to reference the table alias \"\(entry.name)\".",
                byteOffset: offset(location))
        }
        return SQLError(
            .undefinedTable, "missing FROM-clause entry for table \"\(text)\"",
            byteOffset: offset(location))
    }

    /// The columns `*` or `t.*` stands for, with their references.
    func expandStar(
        _ reference: AST.ColumnReference, _ scope: Scope
    ) throws(SQLError) -> [(name: String, expression: BoundExpression)] {
        if reference.parts.isEmpty {
            if scope.entries.isEmpty && scope.columns.isEmpty {
                throw SQLError(
                    .syntaxError, "SELECT * with no tables specified is not valid",
                    byteOffset: offset(reference.location))
            }
            noted?.noteStar(
                scope.columns.map { written($0, in: scope) }, at: reference.location)
            return scope.columns.map {
                ($0.name, self.reference($0, in: scope.query, location: reference.location))
            }
        }
        let table = reference.parts.last ?? ""
        let schema = reference.parts.count > 1 ? reference.parts[reference.parts.count - 2] : nil
        var current: Scope? = scope
        while let level = current {
            if let entry = level.entries.first(where: {
                $0.name == table && (schema == nil || $0.schema == schema)
            }) {
                noted?.noteStar(
                    entry.columns.map { written($0, in: scope) }, at: reference.location)
                return entry.columns.map {
                    ($0.name, found($0, at: level, from: scope, reference.location))
                }
            }
            current = level.parent
        }
        throw missingTable(
            reference.parts.joined(separator: "."), table, reference.location, scope)
    }
}
