import FalconSchema
import FalconStorage

/// What a commit does with a temporary table.
enum OnCommitAction: Sendable { case deleteRows, drop }

/// Temporary relations live in a schema of their session, `pg_temp_` and its process number, which is
/// first in its search path. They are stored as others are; the end of the session drops them, and
/// opening the database drops what a crash has left.
extension Session {
    var temporarySchema: String { SessionCatalog.temporaryPrefix + String(processID) }

    var hasTemporarySchema: Bool {
        usesTemporary && transaction.catalog.schemaNames[temporarySchema] != nil
    }

    /// Where unqualified names are looked up.
    var searchPath: [String] {
        hasTemporarySchema ? [temporarySchema] + settings.searchPathNames : settings.searchPathNames
    }

    func isTemporary(_ table: TableDescriptor) -> Bool {
        usesTemporary && table.schema == temporarySchema
    }

    func noteTemporary(_ table: TableDescriptor, onCommit: String) {
        switch onCommit {
        case "ONCOMMIT_DELETE_ROWS": temporaryActions[table.oid] = .deleteRows
        case "ONCOMMIT_DROP": temporaryActions[table.oid] = .drop
        default: return
        }
    }

    /// ON COMMIT, as part of the transaction that commits. Rows of such a table are always of the
    /// current transaction: one that has written nothing leaves nothing to delete.
    func endTemporaryTables() throws(SQLError) {
        guard transaction.batch.operationCount > 0 else { return }
        for (oid, action) in temporaryActions {
            guard let table = transaction.catalog.tables[oid] else {
                temporaryActions[oid] = nil
                continue
            }
            try transaction.deleteStorage(table.storageID)
            for index in table.indexes where !index.isPrimary {
                try transaction.deleteStorage(index.storageID)
            }
            guard action == .drop else { continue }
            try transaction.record(.dropTable(oid))
            for sequence in transaction.catalog.sequences.values where sequence.ownerTable == oid {
                try transaction.record(.dropSequence(sequence.oid))
            }
        }
    }

    /// DISCARD TEMP.
    func dropTemporary(_ sink: any ResultSink) throws(SQLError) {
        guard hasTemporarySchema else { return }
        let drop = AST.Drop(
            kind: .schema, tag: "DROP SCHEMA", names: [AST.Name([temporarySchema])],
            isCascade: true, ifExists: true, isConcurrent: false)
        _ = try DefinitionRunner(session: self, sql: currentSQL, sink: sink).run(.drop(drop))
    }

    /// What drops the session's temporary relations once its last transaction is over; nil when it
    /// never had any.
    func temporaryCleanup() -> (@Sendable () -> Void)? {
        guard usesTemporary else { return nil }
        let state = state
        let engine = database.engine
        let name = temporarySchema
        let report = database.options.whenFailing
        return {
            TemporaryRelations.drop(schema: name, in: state, engine: engine) { error in
                var error = error
                error.message =
                    "cannot drop the temporary tables of a closed session: "
                    + error.message
                error.hint = "They stay in schema \"\(name)\" until the server starts again."
                report?(error)
            }
        }
    }
}

/// Dropping temporary schemas outside of a session.
enum TemporaryRelations {
    /// At open: what sessions of the last process have left.
    static func dropAll(in database: DatabaseState, engine: StorageEngine) throws(SQLError) {
        let names = database.committed.schemaNames.keys.filter {
            $0.hasPrefix(SessionCatalog.temporaryPrefix)
        }
        for name in names {
            guard let (batch, changes) = try removal(of: name, in: database, engine) else {
                continue
            }
            let receipt = try storage { () throws(StorageError) in
                try engine.commitAndWait(batch)
            }
            database.publish(changes, at: receipt.timestamp)
        }
    }

    /// At the end of a session, without waiting. Should it fail, which `report` is told, the next
    /// open does it.
    static func drop(
        schema: String, in database: DatabaseState, engine: StorageEngine,
        report: @escaping @Sendable (SQLError) -> Void
    ) {
        do throws(SQLError) {
            guard let removed = try removal(of: schema, in: database, engine) else { return }
            let options = CommitOptions(
                durability: .written, transactionID: nil, database: database.id)
            engine.commit(removed.batch, options) { result in
                switch result {
                case .success(let receipt):
                    database.publish(removed.changes, at: receipt.timestamp)
                case .failure(let error): report(SQLError(storage: error))
                }
            }
        } catch { report(error) }
    }

    /// The deletion of everything in `schema`, and of it; nil when there is no such schema.
    private static func removal(
        of schema: String, in database: DatabaseState, _ engine: StorageEngine
    ) throws(SQLError) -> (batch: WriteBatch, changes: [CatalogChange])? {
        let catalog = database.committed
        guard let oid = catalog.schemaNames[schema] else { return nil }
        let batch = WriteBatch()
        var changes: [CatalogChange] = []
        var keys: [[UInt8]] = []
        var storages: [StorageID] = []
        for table in catalog.tables.values where table.schemaOID == oid {
            keys.append(CatalogKeys.key(database.id, CatalogKeys.tables, table.oid))
            storages.append(table.storageID)
            storages += table.indexes.filter { !$0.isPrimary }.map(\.storageID)
            changes.append(.dropTable(table.oid))
        }
        for view in catalog.views.values where view.schemaOID == oid {
            keys.append(CatalogKeys.key(database.id, CatalogKeys.views, view.oid))
            changes.append(.dropView(view.oid))
        }
        for sequence in catalog.sequences.values where sequence.schemaOID == oid {
            keys.append(CatalogKeys.key(database.id, CatalogKeys.sequences, sequence.oid))
            changes.append(.dropSequence(sequence.oid))
        }
        keys.append(CatalogKeys.key(database.id, CatalogKeys.schemas, oid))
        changes.append(.dropSchema(oid))
        for object in changes.flatMap({ $0.droppedObjects(in: catalog) }) {
            let prefix = CommentKey.prefix(of: object, in: database.id)
            try CommentKey.forEach(prefix, in: engine) { comment, _ in
                keys.append(comment.encoded(in: database.id))
            }
        }
        do throws(StorageError) {
            for storage in storages {
                let range = KeyRange(prefix: CatalogKeys.prefix(database.id, storage))
                guard let lower = range.lower, let upper = range.upper else { continue }
                try lower.withRaw { lower throws(StorageError) in
                    try upper.withRaw { upper throws(StorageError) in
                        try batch.deleteRange(lower: lower, upper: upper, class: .row)
                    }
                }
            }
            for key in keys {
                try key.withRaw { key throws(StorageError) in
                    try batch.delete(key: key, class: .catalog)
                }
            }
        } catch { throw SQLError(storage: error) }
        return (batch, changes)
    }
}
