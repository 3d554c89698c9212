import FalconSchema
import FalconStorage

/// COMMENT ON.
extension DefinitionRunner {
    func comment(_ comment: AST.Comment) throws(SQLError) {
        guard let key = try commented(comment) else { return }
        let text = comment.text.flatMap { $0.isEmpty ? nil : $0 }
        if text == nil, try transaction.comment(key) == nil { return }
        try transaction.setComment(key, text)
    }

    /// What the comment is about, locked; nil: the client is warned, and nothing is done.
    private func commented(_ comment: AST.Comment) throws(SQLError) -> CommentKey? {
        let name = comment.name
        switch comment.kind {
        case .table: return try commentedRelation(name, .table, "a table")
        case .index: return try commentedRelation(name, .index, "an index")
        case .view: return try commentedRelation(name, .view, "a view")
        case .sequence: return try commentedRelation(name, .sequence, "a sequence")
        case .column: return try commentedColumn(name)
        case .constraint: return try commentedConstraint(name)
        case .schema: return try commentedSchema(name.last)
        case .database: return try commentedDatabase(name.last)
        case .role: return try commentedRole(name.last)
        default:
            throw SQLError(
                .featureNotSupported, "COMMENT ON \(comment.what) is not supported yet")
        }
    }

    // MARK: Relations

    /// The relation under the lock that keeps others from dropping it and from another comment.
    private func lockedForComment(
        _ name: AST.Name, _ mode: LockMode
    ) throws(SQLError) -> (kind: RelationKind, oid: OID) {
        while true {
            guard let found = try catalog.relation(schema: name.schema, name: name.last) else {
                if let schema = name.schema, try !catalog.schemaExists(schema) {
                    throw SQLError(.invalidSchemaName, "schema \"\(schema)\" does not exist")
                }
                if try catalog.table(schema: name.schema, name: name.last) != nil {
                    throw SQLError(
                        .featureNotSupported, "comments on system relations are not supported yet")
                }
                throw SQLError(
                    .undefinedTable,
                    "relation \"\(name.parts.suffix(2).joined(separator: "."))\" does not exist")
            }
            // Who drops an index locks its table.
            if let owner = transaction.catalog.indexOwners[found.oid] {
                try transaction.lockRelation(owner, .accessShare)
            }
            try transaction.lockRelation(found.oid, mode)
            let again = try catalog.relation(schema: name.schema, name: name.last)
            if again?.oid == found.oid { return found }
        }
    }

    private func commentedRelation(
        _ name: AST.Name, _ kind: RelationKind, _ wanted: String
    ) throws(SQLError) -> CommentKey {
        let found = try lockedForComment(name, .shareUpdateExclusive)
        guard found.kind == kind else {
            throw SQLError(.wrongObjectType, "\"\(name.last)\" is not \(wanted)")
        }
        return CommentKey(object: found.oid, catalog: CommentKey.relations)
    }

    private func commentedColumn(_ name: AST.Name) throws(SQLError) -> CommentKey {
        let relation = AST.Name(Array(name.parts.dropLast()))
        guard !relation.parts.isEmpty else {
            throw SQLError(.syntaxError, "column name must be qualified")
        }
        let found = try lockedForComment(relation, .shareUpdateExclusive)
        let columns = columns(of: found)
        guard let column = columns.first(where: { $0.name == name.last && !$0.isDropped }) else {
            throw SQLError(
                .undefinedColumn,
                "column \"\(name.last)\" of relation \"\(relation.last)\" does not exist")
        }
        try checkMayHaveComments(relation, found)
        return CommentKey(
            object: found.oid, catalog: CommentKey.relations, column: Int32(column.attribute))
    }

    private func columns(
        of relation: (kind: RelationKind, oid: OID)
    ) -> [ColumnDescriptor] {
        let catalog = transaction.catalog
        switch relation.kind {
        case .table: return catalog.tables[relation.oid]?.columns ?? []
        case .view:
            return catalog.views[relation.oid].map { SystemCatalog.columns(of: $0, session) } ?? []
        case .sequence: return SystemCatalog.sequenceColumns
        case .index:
            guard let table = catalog.indexOwners[relation.oid].flatMap({ catalog.tables[$0] }),
                let index = table.indexes.first(where: { $0.oid == relation.oid })
            else { return [] }
            return index.allAttributes.map { table.column($0) }
        }
    }

    /// Columns of indexes and sequences have no comments.
    private func checkMayHaveComments(
        _ name: AST.Name, _ relation: (kind: RelationKind, oid: OID)
    ) throws(SQLError) {
        let what: String
        switch relation.kind {
        case .table, .view: return
        case .index: what = "indexes"
        case .sequence: what = "sequences"
        }
        throw SQLError(
            .wrongObjectType, "cannot set comment on relation \"\(name.last)\"",
            detail: "This operation is not supported for \(what).")
    }

    private func commentedConstraint(_ name: AST.Name) throws(SQLError) -> CommentKey {
        let relation = AST.Name(Array(name.parts.dropLast()))
        let found = try lockedForComment(relation, .accessShare)
        let table = transaction.catalog.tables[found.oid]
        let constraint =
            table?.indexes.first { $0.isConstraint && $0.name == name.last }?.oid
            ?? table?.checks.first { $0.name == name.last }?.oid
            ?? table?.foreignKeys.first { $0.name == name.last }?.oid
        guard let constraint else {
            throw SQLError(
                .undefinedObject,
                "constraint \"\(name.last)\" for table \"\(relation.last)\" does not exist")
        }
        let key = CommentKey(object: constraint, catalog: CommentKey.constraints)
        try key.encoded(in: session.state.id).withRaw { bytes throws(SQLError) in
            try transaction.lock(bytes, .forUpdate)
        }
        return key
    }

    // MARK: What is no relation

    private func commentedSchema(_ name: String) throws(SQLError) -> CommentKey {
        try lockName(OID(0), name)
        guard let oid = transaction.catalog.schemaNames[name] else {
            throw SQLError(.invalidSchemaName, "schema \"\(name)\" does not exist")
        }
        return CommentKey(object: oid, catalog: CommentKey.schemas)
    }

    private func commentedDatabase(_ name: String) throws(SQLError) -> CommentKey? {
        let cluster = session.database
        guard let known = cluster.database(named: name) else { return warnNoDatabase(name) }
        try transaction.lockDatabase(known.oid, .shareUpdateExclusive)
        guard cluster.database(named: name) === known else { return warnNoDatabase(name) }
        return CommentKey(object: known.oid, catalog: CommentKey.databases)
    }

    /// As in PostgreSQL no error: a dump may be restored under another name.
    private func warnNoDatabase(_ name: String) -> CommentKey? {
        session.tell(
            SQLError(
                .invalidCatalogName, "database \"\(name)\" does not exist", severity: .warning),
            sink)
        return nil
    }

    private func commentedRole(_ name: String) throws(SQLError) -> CommentKey {
        try lockSharedName(name, in: CatalogKeys.roles)
        let oid = try existingRole(name)
        let cluster = session.database
        guard cluster.isSuperuser(session.settings.user) else {
            throw SQLError(
                .insufficientPrivilege,
                cluster.isSuperuser(name)
                    ? "must be superuser" : "must have CREATEROLE privilege")
        }
        return CommentKey(object: oid, catalog: CommentKey.roles)
    }
}
