import FalconSchema

/// Sequences, and the columns of views, as system relations show them.
extension SystemCatalog {
    @Sendable static func sequences(_ source: VirtualSource) -> [[Datum]] {
        source.catalog.sequences.values.sorted { $0.oid < $1.oid }.map { sequence in
            [
                oid(sequence.oid), oid(.int8), .int(sequence.start), .int(sequence.increment),
                .int(sequence.maximum), .int(sequence.minimum), .int(1),
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
        guard let session = (source.session as? SessionBridge)?.session,
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

    /// What depends on what: which column owns a sequence.
    @Sendable static func dependencies(_ source: VirtualSource) -> [[Datum]] {
        source.catalog.sequences.values.compactMap { sequence in
            guard sequence.ownerTable != .invalid else { return nil }
            return [
                oid(1259), oid(sequence.oid), .int(0), oid(1259), oid(sequence.ownerTable),
                .int(Int64(sequence.ownerAttribute)), letter("a"),
            ]
        }
    }
}
