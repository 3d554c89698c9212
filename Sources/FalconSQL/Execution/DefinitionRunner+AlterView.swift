import FalconSchema

/// ALTER VIEW; as in PostgreSQL, ALTER TABLE does the same to views.
extension DefinitionRunner {
    /// Whether ALTER VIEW or ALTER TABLE of this name is about a view.
    func isOfView(_ name: AST.TableName, named kind: AST.ObjectKind) throws(SQLError) -> Bool {
        if kind == .view { return true }
        guard kind == .table,
            let found = try catalog.relation(schema: name.schema, name: name.name)
        else { return false }
        return found.kind == .view
    }

    /// The view under its lock, as it is then; nil: it is not there, and IF EXISTS was said.
    private func lockedView(
        _ name: AST.TableName, ifExists: Bool
    ) throws(SQLError) -> ViewEntry? {
        while let found = try catalog.relation(schema: name.schema, name: name.name) {
            guard found.kind == .view else {
                throw SQLError(.wrongObjectType, "\"\(name.name)\" is not a view")
            }
            try transaction.lockRelation(found.oid, .accessExclusive)
            // Until the lock was ours the name may have become another one's.
            let now = try catalog.relation(schema: name.schema, name: name.name)
            if now?.oid == found.oid, let view = transaction.catalog.views[found.oid] {
                return view
            }
        }
        guard ifExists else { throw Session.noRelation(name) }
        notice("relation \"\(name.name)\" does not exist, skipping")
        return nil
    }

    // MARK: RENAME

    func renameView(_ rename: AST.Rename, _ name: AST.TableName) throws(SQLError) {
        switch rename.kind {
        // As in PostgreSQL ALTER INDEX renames other relations, too.
        case .view, .table, .index, .column: break
        case .constraint:
            throw SQLError(
                .undefinedObject,
                "constraint \"\(rename.oldName ?? "")\" for table \"\(name.name)\" does not exist")
        default:
            throw SQLError(.wrongObjectType, "\"\(name.name)\" is not a sequence")
        }
        guard let view = try lockedView(name, ifExists: rename.ifExists) else { return }
        if rename.kind == .column {
            try renameColumn(rename.oldName ?? "", to: rename.newName, of: view)
        } else {
            try renameView(view, to: rename.newName)
        }
    }

    private func renameView(_ view: ViewEntry, to name: String) throws(SQLError) {
        try lockName(view.schemaOID, name)
        if transaction.catalog.relation(schema: view.schemaOID, name: name) != nil {
            throw Self.exists(name)
        }
        var renamed = view
        renamed.name = name
        try replace(view, with: renamed)
    }

    /// Gives a view another name or schema, in the views that read it, too.
    private func replace(_ old: ViewEntry, with new: ViewEntry) throws(SQLError) {
        let readers = try viewsNaming([old.oid])
        try transaction.record(.putView(new))
        let schema = transaction.catalog.schemas[new.schemaOID]?.name ?? ""
        try renameInViews(readers, paths: [old.oid: (schema: schema, name: new.name)])
    }

    private func renameColumn(
        _ old: String, to new: String, of view: ViewEntry
    ) throws(SQLError) {
        guard let place = view.columns.firstIndex(of: old) else {
            throw SQLError(.undefinedColumn, "column \"\(old)\" does not exist")
        }
        if view.columns.contains(new) {
            throw SQLError(
                .duplicateColumn,
                "column \"\(new)\" of relation \"\(view.name)\" already exists")
        }
        let readers = try viewsNaming([view.oid])
        var renamed = view
        renamed.columns[place] = new
        try transaction.record(.putView(renamed))
        try renameInViews(readers, columnOf: view.oid)
    }

    // MARK: SET SCHEMA, OWNER TO

    func moveView(_ move: AST.SetSchema) throws(SQLError) {
        guard let view = try lockedView(move.relation, ifExists: move.ifExists) else { return }
        guard let schema = try target(of: move, view.name, from: view.schemaOID) else { return }
        var moved = view
        moved.schemaOID = schema.oid
        try replace(view, with: moved)
    }

    func alterView(_ alter: AST.AlterTable) throws(SQLError) {
        guard let view = try lockedView(alter.table, ifExists: alter.ifExists) else { return }
        for action in alter.actions {
            switch action {
            case .owner(let role): try checkMayOwn(role)
            default:
                guard let name = Self.tableAction(action) else {
                    throw SQLError(
                        .featureNotSupported, "this ALTER VIEW is not supported yet")
                }
                throw SQLError(
                    .wrongObjectType,
                    "ALTER action \(name) cannot be performed on relation \"\(view.name)\"",
                    detail: "This operation is not supported for views.")
            }
        }
    }

    /// What only tables take, as PostgreSQL names it.
    private static func tableAction(_ action: AST.AlterTableAction) -> String? {
        switch action {
        case .addColumn: "ADD COLUMN"
        case .dropColumn: "DROP COLUMN"
        case .alterType: "ALTER COLUMN ... SET DATA TYPE"
        case .setNotNull: "ALTER COLUMN ... SET NOT NULL"
        case .dropNotNull: "ALTER COLUMN ... DROP NOT NULL"
        case .addConstraint: "ADD CONSTRAINT"
        case .dropConstraint: "DROP CONSTRAINT"
        case .validateConstraint: "VALIDATE CONSTRAINT"
        case .alterConstraint: "ALTER CONSTRAINT"
        case .clusterOn: "CLUSTER ON"
        default: nil
        }
    }
}
