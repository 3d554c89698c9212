import FalconSchema

/// ALTER TABLE … REPLICA IDENTITY. Messages and SQLSTATEs are PostgreSQL 15's.
extension DefinitionRunner {
    /// Throws 42809 when something other than a table is asked for a replica identity.
    func checkTakesReplicaIdentity(_ alter: AST.AlterTable) throws(SQLError) {
        let asks = alter.actions.contains { action in
            if case .replicaIdentity = action { return true }
            return false
        }
        guard asks,
            let found = try catalog.relation(schema: alter.table.schema, name: alter.table.name)
        else { return }
        let kind: String
        switch found.kind {
        case .table: return
        case .index: kind = "indexes"
        case .view: kind = "views"
        case .sequence: kind = "sequences"
        }
        throw SQLError(
            .wrongObjectType,
            "ALTER action REPLICA IDENTITY cannot be performed on relation \"\(alter.table.name)\"",
            detail: "This operation is not supported for \(kind).")
    }

    /// False: it is so already.
    func setReplicaIdentity(
        _ requested: AST.RequestedIdentity, _ table: inout TableDescriptor
    ) throws(SQLError) -> Bool {
        let identity: ReplicaIdentity
        switch requested {
        case .primaryKey: identity = .primaryKey
        case .full: identity = .full
        case .nothing: identity = .nothing
        case .index(let name): identity = .index(try identityIndex(name, of: table).oid)
        }
        if identity == table.replicaIdentity { return false }
        table.replicaIdentity = identity
        return true
    }

    private func identityIndex(
        _ name: String, of table: TableDescriptor
    ) throws(SQLError) -> IndexDescriptor {
        guard let found = transaction.catalog.relation(schema: table.schemaOID, name: name) else {
            throw SQLError(
                .undefinedObject, "index \"\(name)\" for table \"\(table.name)\" does not exist")
        }
        guard found.kind == .index else {
            throw SQLError(.wrongObjectType, "\"\(name)\" is not an index")
        }
        guard let index = table.indexes.first(where: { $0.oid == found.oid }) else {
            throw SQLError(
                .wrongObjectType, "\"\(name)\" is not an index for table \"\(table.name)\"")
        }
        try checkNamesRows(index, of: table)
        return index
    }

    /// Throws unless each row of `table` has one entry of its own in `index`, at any time.
    private func checkNamesRows(
        _ index: IndexDescriptor, of table: TableDescriptor
    ) throws(SQLError) {
        guard index.enforcesUnique else {
            throw SQLError(
                .wrongObjectType,
                "cannot use non-unique index \"\(index.name)\" as replica identity")
        }
        guard index.deferral == nil else {
            throw SQLError(
                .featureNotSupported,
                "cannot use non-immediate index \"\(index.name)\" as replica identity")
        }
        guard index.predicate == nil else {
            throw SQLError(
                .featureNotSupported,
                "cannot use partial index \"\(index.name)\" as replica identity")
        }
        for key in index.columns where !table.column(key.attribute).isNotNull {
            throw SQLError(
                .wrongObjectType,
                "index \"\(index.name)\" cannot be used as replica identity because column "
                    + "\"\(table.column(key.attribute).name)\" is nullable")
        }
    }

    /// Throws 42P16 when NULL may not come to a column because rows are named by it in the log.
    func checkNotInIdentity(
        _ attribute: Int16, of table: TableDescriptor
    ) throws(SQLError) {
        guard let index = table.identityIndex,
            index.columns.contains(where: { $0.attribute == attribute })
        else { return }
        throw SQLError(
            .invalidTableDefinition,
            "column \"\(table.column(attribute).name)\" is in index used as replica identity")
    }
}
