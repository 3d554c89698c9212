import FalconSchema

/// DROP SCHEMA and ALTER SCHEMA … RENAME.
extension DefinitionRunner {
    func dropSchema(_ name: String, _ drop: AST.Drop) throws(SQLError) {
        guard let oid = transaction.catalog.schemaNames[name] else {
            if drop.ifExists {
                notice("schema \"\(name)\" does not exist, skipping")
                return
            }
            throw SQLError(.invalidSchemaName, "schema \"\(name)\" does not exist")
        }
        if oid == CatalogSnapshot.pgCatalog || oid == CatalogSnapshot.informationSchema {
            throw SQLError(
                SQLState("2BP01"),
                "cannot drop schema \(name) because it is required by the database system")
        }
        let tables = transaction.catalog.tables.values.filter { $0.schemaOID == oid }
        let refused = try contents(of: oid, name)
        if !refused.isEmpty, !drop.isCascade {
            throw SQLError(
                .dependentObjectsStillExist,
                "cannot drop schema \(name) because other objects depend on it",
                detail: refused.map { "\($0.text) depends on \($0.on)" }.joined(separator: "\n"),
                hint: "Use DROP ... CASCADE to drop the dependent objects too.")
        }
        for table in tables {
            try transaction.lockRelation(table.oid, .accessExclusive)
            try checkNotInUse(table, "DROP TABLE")
        }
        let dropped = Set(tables.map(\.oid))
        _ = try lockSequences { $0.schemaOID == oid || dropped.contains($0.ownerTable) }
        let dependents = try contents(of: oid, name)
        if !name.hasPrefix(SessionCatalog.temporaryPrefix) {
            noticeCascade(dependents.map(\.text))
        }
        var altered: TableDescriptor?
        try self.drop(dependents.compactMap(\.outside), in: &altered)
        try removeTables(tables)
        for view in transaction.catalog.views.values where view.schemaOID == oid {
            try transaction.record(.dropView(view.oid))
        }
        try dropSequences { $0.schemaOID == oid }
        try transaction.record(.dropSchema(oid))
    }

    /// What goes with a schema, as DROP SCHEMA names it.
    private struct SchemaDependent {
        /// In this order.
        var place: (oid: OID, number: Int)
        var text: String
        var on: String
        /// It is not in the schema itself.
        var outside: DependentObject?
    }

    private func contents(of schema: OID, _ name: String) throws(SQLError) -> [SchemaDependent] {
        let catalog = transaction.catalog
        let tables = catalog.tables.values.filter { $0.schemaOID == schema }
        let sequences = catalog.sequences.values.filter { $0.schemaOID == schema }
        var found: [SchemaDependent] = []
        func add(_ oid: OID, _ kind: String, _ relation: String) {
            found.append(
                SchemaDependent(
                    place: (oid, 0), text: "\(kind) \(name).\(relation)", on: "schema \(name)"))
        }
        for table in tables { add(table.oid, "table", table.name) }
        for view in catalog.views.values where view.schemaOID == schema {
            add(view.oid, "view", view.name)
        }
        for sequence in sequences where sequence.ownerTable == .invalid {
            add(sequence.oid, "sequence", sequence.name)
        }
        for (reference, on) in outsideReferences(to: tables) {
            found.append(
                SchemaDependent(
                    place: (reference.constraint, 0), text: described(reference), on: on,
                    outside: .foreignKey(reference)))
        }
        let inside =
            tables.map(\.oid) + catalog.views.values.filter { $0.schemaOID == schema }.map(\.oid)
        var seen = Set(inside)
        for oid in inside.sorted(by: >) {
            let text = catalog.tables[oid].map { "table \(described($0))" } ?? describedView(oid)
            for (number, dependent) in dependents(of: [(oid, text, [])], seen: &seen).enumerated() {
                found.append(
                    SchemaDependent(
                        place: (oid, number + 1), text: described(dependent.object),
                        on: dependent.on, outside: dependent.object))
            }
        }
        let users = try users(of: sequences.map(\.oid).sorted(by: >), seen: &seen) {
            table, _ in catalog.tables[table]?.schemaOID == schema
        }
        for (number, user) in users.enumerated() {
            // Behind what the sequence goes with.
            let owner = catalog.sequences[user.sequence]?.ownerTable ?? .invalid
            let (object, on) = user.dependent
            found.append(
                SchemaDependent(
                    place: (owner == .invalid ? user.sequence : owner, number + 1),
                    text: described(object), on: on, outside: object))
        }
        return found.sorted { $0.place < $1.place }
    }

    /// Tables are stored with the schema's name, and defaults name its sequences with it.
    func renameSchema(_ rename: AST.Rename) throws(SQLError) {
        let (name, newName) = (rename.oldName ?? "", rename.newName)
        let catalog = transaction.catalog
        guard let oid = catalog.schemaNames[name], var schema = catalog.schemas[oid] else {
            throw SQLError(.invalidSchemaName, "schema \"\(name)\" does not exist")
        }
        if catalog.schemaNames[newName] != nil {
            throw SQLError(SQLState("42P06"), "schema \"\(newName)\" already exists")
        }
        // Nobody else may be changing a table: it would be stored with the old name.
        for table in catalog.tables.values.filter({ $0.schemaOID == oid }).map(\.oid).sorted() {
            try transaction.lockRelation(table, .shareRowExclusive)
        }
        try lockUsers(of: Set(catalog.sequences.values.filter { $0.schemaOID == oid }.map(\.oid)))
        var names: [OID: [String]] = [:]
        for sequence in try lockSequences(where: { $0.schemaOID == oid }) {
            names[sequence] = [newName, transaction.catalog.sequences[sequence]?.name ?? ""]
        }
        if !names.isEmpty { try renameInDefaults(names) }
        let relations =
            transaction.catalog.tables.values.filter { $0.schemaOID == oid }.map {
                (oid: $0.oid, name: $0.name)
            }
            + transaction.catalog.views.values.filter { $0.schemaOID == oid }.map {
                (oid: $0.oid, name: $0.name)
            }
            + transaction.catalog.sequences.values.filter { $0.schemaOID == oid }.map {
                (oid: $0.oid, name: $0.name)
            }
        let views = try viewsNaming(Set(relations.map(\.oid)))
        schema.name = newName
        try transaction.record(.putSchema(schema))
        for var table in transaction.catalog.tables.values where table.schemaOID == oid {
            table.schema = newName
            table.version += 1
            try transaction.record(.putTable(table))
        }
        var paths: [OID: (schema: String, name: String)] = [:]
        for relation in relations { paths[relation.oid] = (newName, relation.name) }
        try renameInViews(views, paths: paths)
    }
}
