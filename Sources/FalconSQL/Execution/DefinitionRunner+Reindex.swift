import FalconSchema
import FalconStorage

/// REINDEX: an index's entries are made anew from the rows, in new storage. Transactions with older
/// snapshots read the table without it (see ``DatabaseState/isComplete(_:at:)``).
extension DefinitionRunner {
    private struct ReindexOptions {
        var isConcurrent = false
        var isVerbose = false

        init(_ options: [AST.Option]) throws(SQLError) {
            for option in options {
                switch option.name {
                case "concurrently": isConcurrent = try option.flag()
                case "verbose": isVerbose = try option.flag()
                case "tablespace":
                    let name = option.stringValue ?? ""
                    guard ["", "pg_default"].contains(name) else {
                        throw SQLError(
                            .undefinedObject, "tablespace \"\(name)\" does not exist")
                    }
                default:
                    throw SQLError(
                        .syntaxError, "unrecognized REINDEX option \"\(option.name)\"",
                        byteOffset: option.location >= 0 ? option.location : nil)
                }
            }
        }
    }

    func reindex(_ reindex: AST.Reindex) throws(SQLError) {
        let options = try ReindexOptions(reindex.options)
        if options.isConcurrent { try session.forbidBlock("REINDEX CONCURRENTLY") }
        switch reindex.kind {
        case .index:
            if let relation = reindex.relation { try reindexIndex(relation, options) }
        case .table:
            if let relation = reindex.relation { try reindexTable(relation, options) }
        case .schema, .database, .system: try reindexMany(reindex, options)
        }
    }

    private func reindexIndex(
        _ name: AST.TableName, _ options: ReindexOptions
    ) throws(SQLError) {
        guard let found = try catalog.relation(schema: name.schema, name: name.name) else {
            throw Session.noRelation(name)
        }
        guard found.kind == .index, let owner = transaction.catalog.indexOwners[found.oid] else {
            throw SQLError(.wrongObjectType, "\"\(name.name)\" is not an index")
        }
        try transaction.lockRelation(owner, .accessExclusive)
        guard let table = transaction.catalog.tables[owner],
            let place = table.indexes.firstIndex(where: { $0.oid == found.oid })
        else { throw Session.noRelation(name) }
        try rebuild([place], of: table, options)
    }

    private func reindexTable(
        _ name: AST.TableName, _ options: ReindexOptions
    ) throws(SQLError) {
        if let found = try catalog.relation(schema: name.schema, name: name.name),
            found.kind != .table
        {
            throw SQLError(
                .wrongObjectType, "\"\(name.name)\" is not a table or materialized view")
        }
        let before = try session.resolveTable(name)
        if VirtualTables.isVirtual(before) {
            // They are made when they are read: there is nothing to repair.
            if options.isConcurrent { throw Self.concurrentOnSystem }
            return
        }
        let table = try lockedTable(name, .accessExclusive)
        if table.indexes.isEmpty {
            let what =
                options.isConcurrent
                ? "indexes that can be reindexed concurrently" : "indexes to reindex"
            return notice("table \"\(table.name)\" has no \(what)")
        }
        try rebuild(places(of: table, options), of: table, options)
    }

    /// CONCURRENTLY leaves out what is not valid unless it is named.
    private func places(of table: TableDescriptor, _ options: ReindexOptions) -> [Int] {
        table.indexes.indices.filter { place in
            let index = table.indexes[place]
            if index.isValid || !options.isConcurrent { return true }
            session.tell(
                SQLError(
                    .featureNotSupported,
                    "cannot reindex invalid index \"\(table.schema).\(index.name)\" concurrently, "
                        + "skipping", severity: .warning), sink)
            return false
        }
    }

    private static let concurrentOnSystem = SQLError(
        .featureNotSupported, "cannot reindex system catalogs concurrently")

    private func reindexMany(
        _ reindex: AST.Reindex, _ options: ReindexOptions
    ) throws(SQLError) {
        try session.forbidBlock("REINDEX \(reindex.kind.rawValue)")
        var schema: OID?
        if reindex.kind == .schema {
            let name = reindex.name ?? ""
            guard let oid = transaction.catalog.schemaNames[name] else {
                throw SQLError(.invalidSchemaName, "schema \"\(name)\" does not exist")
            }
            schema = oid
        } else {
            if reindex.kind == .system, options.isConcurrent { throw Self.concurrentOnSystem }
            if let name = reindex.name, name != session.state.name {
                throw SQLError(
                    .featureNotSupported, "can only reindex the currently open database")
            }
        }
        // The system's own relations have no indexes of ours.
        if reindex.kind == .system { return }
        let tables = transaction.catalog.tables.values.filter { table in
            let isOthers =
                table.schema.hasPrefix(SessionCatalog.temporaryPrefix)
                && table.schema != session.temporarySchema
            return !isOthers && (schema == nil || table.schemaOID == schema)
        }
        for oid in tables.map(\.oid).sorted() {
            try transaction.lockRelation(oid, .accessExclusive)
            // It may have been dropped meanwhile.
            guard let table = transaction.catalog.tables[oid] else { continue }
            try rebuild(places(of: table, options), of: table, options)
        }
    }

    /// Gives the indexes at `places` new storage with the entries that the rows ask for.
    private func rebuild(
        _ places: [Int], of old: TableDescriptor, _ options: ReindexOptions
    ) throws(SQLError) {
        var table = old
        for place in places {
            let index = old.indexes[place]
            try checkUnused(index)
            table.indexes[place].isValid = true
            // The table's body is the primary key's index.
            if !index.isPrimary {
                table.indexes[place].storageID = try store.allocateStorageID()
                transaction.noteCreated(table.indexes[place].storageID)
                try fillIndex(table.indexes[place], of: old)
                try transaction.deleteStorage(index.storageID)
            }
            if options.isVerbose {
                session.tell(
                    SQLError(
                        SQLState("00000"), "index \"\(index.name)\" was reindexed",
                        severity: .info), sink)
            }
        }
        if places.allSatisfy({ old.indexes[$0].isPrimary }) { return }
        table.version += 1
        try transaction.record(.putTable(table))
    }

    private func checkUnused(_ index: IndexDescriptor) throws(SQLError) {
        guard session.isUsed(index) else { return }
        throw SQLError(
            .objectInUse,
            "cannot REINDEX INDEX \"\(index.name)\" because it is being used by active queries "
                + "in this session")
    }
}
