import FalconSchema

/// Sequences, and the columns of views, as system relations show them.
extension SystemCatalog {
    @Sendable static func sequences(_ source: VirtualSource) -> [[Datum]] {
        source.catalog.sequences.values.sorted { $0.oid < $1.oid }.map { sequence in
            [
                oid(sequence.oid), oid(sequence.type), .int(sequence.start),
                .int(sequence.increment),
                .int(sequence.maximum), .int(sequence.minimum), .int(sequence.cache),
                .bool(sequence.isCycled),
            ]
        }
    }

    static let sequenceColumns: [ColumnDescriptor] = [
        ("last_value", OID.int8), ("log_cnt", .int8), ("is_called", .bool),
    ].enumerated().map { place, column in
        var described = ColumnDescriptor(
            name: column.0, attribute: Int16(place + 1), type: SQLType(column.1))
        described.isNotNull = true
        return described
    }

    /// A view's columns as its query gives them now; none when it cannot be bound any more.
    static func columns(of view: ViewEntry, _ source: VirtualSource) -> [ColumnDescriptor] {
        guard let session = (source.session as? SessionBridge)?.session else { return [] }
        return columns(of: view, session)
    }

    static func columns(of view: ViewEntry, _ session: Session) -> [ColumnDescriptor] {
        guard
            let statement = try? SQLParser.parse(view.query).first?.statement,
            let plan = try? StatementPlanner(
                catalog: session.catalog, context: session.functions
            ).plan(statement, parameterTypes: [])
        else { return [] }
        return plan.columns.enumerated().map { place, column in
            let name = place < view.columns.count ? view.columns[place] : column.name
            return ColumnDescriptor(
                name: name, attribute: Int16(place + 1), type: column.type)
        }
    }

    /// pg_constraint's row of a foreign key.
    static func constraint(
        _ key: ForeignKeyDescriptor, _ table: TableDescriptor, _ catalog: CatalogSnapshot
    ) -> [Datum] {
        func attributes(_ list: [Int16]) -> Datum {
            .array(ArrayValue(elementType: .int2, list.map { .int(Int64($0)) }))
        }
        let parent = catalog.tables[key.referencedTable]
        func operators(_ type: (Int) -> (OID, OID)?) -> Datum {
            .array(
                ArrayValue(
                    elementType: .oid,
                    key.columns.indices.map { place in
                        guard let (left, right) = type(place) else { return oid(.invalid) }
                        return oid(equality(left, right))
                    }))
        }
        func own(_ place: Int) -> OID { table.column(key.columns[place]).type.oid }
        func other(_ place: Int) -> OID? {
            parent?.column(key.referencedColumns[place]).type.oid
        }
        return [
            oid(key.oid), name(key.name), oid(table.schemaOID), letter("f"),
            .bool(key.isDeferrable), .bool(key.isInitiallyDeferred), .bool(key.isValidated),
            oid(table.oid), .int(0), oid(key.referencedIndex), .int(0), oid(key.referencedTable),
            letter(key.onUpdate.letter), letter(key.onDelete.letter),
            letter(key.isMatchFull ? "f" : "s"), yes, .int(0), yes, attributes(key.columns),
            attributes(key.referencedColumns),
            operators { place in other(place).map { ($0, own(place)) } },
            operators { place in other(place).map { ($0, $0) } },
            operators { place in (own(place), own(place)) },
            key.deleteColumns.isEmpty ? .null : attributes(key.deleteColumns), .null, .null,
        ]
    }

    /// The operator `left = right`, or `left = left` where there is none of both.
    private static func equality(_ left: OID, _ right: OID) -> OID {
        let operators = FunctionTable.shared.operators
        func find(_ a: OID, _ b: OID) -> OID? {
            operators.first { $0.name == "=" && $0.left == a && $0.right == b }?.oid
        }
        let plain = left == .varchar ? OID.text : left
        let other = right == .varchar ? OID.text : right
        return find(plain, other) ?? find(plain, plain) ?? .invalid
    }

    /// What depends on what: which column owns a sequence, what foreign keys reference.
    @Sendable static func dependencies(_ source: VirtualSource) -> [[Datum]] {
        let keys = source.catalog.tables.values.flatMap { table in
            table.foreignKeys.flatMap { dependencies(of: $0, table) }
        }
        return keys + owners(source)
    }

    private static func dependencies(
        of key: ForeignKeyDescriptor, _ table: TableDescriptor
    ) -> [[Datum]] {
        func row(_ relation: OID, _ column: Int16, _ kind: Unicode.Scalar) -> [Datum] {
            [
                oid(2606), oid(key.oid), .int(0), oid(1259), oid(relation), .int(Int64(column)),
                letter(kind),
            ]
        }
        return key.columns.map { row(table.oid, $0, "a") }
            + key.referencedColumns.map { row(key.referencedTable, $0, "n") }
            + [row(key.referencedIndex, 0, "n")]
    }

    private static func owners(_ source: VirtualSource) -> [[Datum]] {
        source.catalog.sequences.values.compactMap { sequence in
            guard sequence.ownerTable != .invalid else { return nil }
            return [
                oid(1259), oid(sequence.oid), .int(0), oid(1259), oid(sequence.ownerTable),
                .int(Int64(sequence.ownerAttribute)), letter("a"),
            ]
        }
    }
}
