import FalconSchema

extension DefinitionRunner {
    /// The schema a new relation goes into: the session's own temporary one, made at its first use,
    /// for a temporary relation.
    func creationSchema(of name: AST.TableName) throws(SQLError) -> SchemaEntry {
        let own = session.temporarySchema
        let isInOwn = name.schema == "pg_temp" || name.schema == own
        if name.schema?.hasPrefix(SessionCatalog.temporaryPrefix) ?? false, !isInOwn {
            throw SQLError(
                .invalidTableDefinition,
                "cannot create relations in temporary schemas of other sessions")
        }
        guard name.isTemporary || isInOwn else { return try catalog.creationSchema(name.schema) }
        if name.schema != nil, !isInOwn {
            throw SQLError(
                .invalidTableDefinition,
                "cannot create temporary relation in non-temporary schema",
                byteOffset: name.location >= 0 ? name.location : nil)
        }
        session.usesTemporary = true
        if let oid = transaction.catalog.schemaNames[own],
            let schema = transaction.catalog.schemas[oid]
        {
            return schema
        }
        let schema = SchemaEntry(
            oid: try store.allocateOID(), name: own, ownerOID: RoleOID.superuser)
        try transaction.record(.putSchema(schema))
        return schema
    }

    /// ON COMMIT is for temporary tables alone.
    func checkOnCommit(_ action: String, _ schema: SchemaEntry) throws(SQLError) {
        guard !action.isEmpty, action != "ONCOMMIT_NOOP", schema.name != session.temporarySchema
        else { return }
        throw SQLError(
            .invalidTableDefinition, "ON COMMIT can only be used on temporary tables")
    }
}
