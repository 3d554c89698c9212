import FalconSchema

/// What inquiry functions ask about the catalog.
extension SessionBridge {
    var databaseNames: [String] { session?.state.cluster.map(\.name) ?? [] }

    func databaseExists(_ oid: OID) -> Bool {
        session?.state.cluster.contains { $0.oid == oid } ?? false
    }

    func relation(_ oid: OID) -> RelationFacts? {
        guard let snapshot = session?.transaction.catalog else { return nil }
        if let table = snapshot.tables[oid] ?? VirtualTables.descriptor(oid: oid) {
            return RelationFacts(
                name: table.name, schema: table.schema, kind: .table,
                columns: table.columns.map { $0.isDropped ? nil : $0.name })
        }
        if let owner = snapshot.indexOwners[oid], let table = snapshot.tables[owner],
            let index = table.indexes.first(where: { $0.oid == oid })
        {
            return RelationFacts(
                name: index.name, schema: table.schema, kind: .index,
                columns: index.allAttributes.map { table.column($0).name })
        }
        if let view = snapshot.views[oid] {
            return RelationFacts(
                name: view.name, schema: snapshot.schemas[view.schemaOID]?.name ?? "",
                kind: .view, columns: view.columns)
        }
        if let sequence = snapshot.sequences[oid] {
            return RelationFacts(
                name: sequence.name, schema: snapshot.schemas[sequence.schemaOID]?.name ?? "",
                kind: .sequence, columns: ["last_value", "log_cnt", "is_called"])
        }
        return nil
    }

    /// Whether the unqualified name finds this relation; nil when there is none.
    func isVisible(relation oid: OID) -> Bool? {
        guard let session, let facts = relation(oid) else { return nil }
        let catalog = session.catalog
        for schema in schemas(includingImplicit: true) {
            if schema == facts.schema { return true }
            let hides = try? catalog.relation(schema: schema, name: facts.name)
            if hides != nil { return false }
        }
        return false
    }

    // MARK: Sleeping

    /// Parks the session when the statement can simply run again afterwards; otherwise keeps the
    /// worker thread waiting. Either way a cancel ends it at once.
    func sleep(seconds: Double) throws(SQLError) {
        guard let session, seconds > 0 else { return }
        let milliseconds = Int(max(1, min(seconds * 1000, 1e12).rounded()))
        if session.sleep.parks {
            session.sleep.calls += 1
            if session.sleep.calls <= session.sleep.finished { return }
            session.transaction.pendingWait = session.startTimer(milliseconds)
            throw .lockWait
        }
        try session.block(session.startTimer(milliseconds))
    }
}

extension SessionBridge {
    /// A view's query, with the relations that its reader's search path finds by their names alone.
    func viewDefinition(_ oid: OID) -> String? {
        guard let session, let view = session.transaction.catalog.views[oid] else { return nil }
        let catalog = session.catalog
        do throws(SQLError) {
            guard case .select(let query)? = try SQLParser.parse(view.query).first?.statement
            else { return view.query }
            let names = try StatementPlanner(catalog: catalog, context: session.functions)
                .references(in: query)
            let bytes = Array(view.query.utf8)
            let naming = ViewText.Naming(table: { table in
                catalog.relation(named: table.name.name)?.oid == table.oid
                    ? ExpressionDeparser.quoted(table.name.name) : ViewText.settled(table)
            })
            let edits = ViewText.edits(names, naming, in: bytes)
            return String(decoding: ViewText.applying(edits, to: bytes), as: UTF8.self)
        } catch {
            // Not to be bound any more; its text is still what it is.
            return view.query
        }
    }
}
