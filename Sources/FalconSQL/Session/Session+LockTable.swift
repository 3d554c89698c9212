import FalconSchema

/// LOCK TABLE.
extension Session {
    func runLockTable(_ lock: AST.LockTable) throws(SQLError) {
        try requireBlock("LOCK TABLE", orImplicit: true)
        guard let strength = RelationLock(rawValue: lock.mode) else {
            throw SQLError(.syntaxError, "unrecognized lock mode")
        }
        let mode = Self.lockMode(strength)
        for name in lock.tables {
            let found = try catalog.relation(schema: name.schema, name: name.name)
            switch found?.kind {
            case .view:
                try lockView(found?.oid ?? .invalid, name, mode, mayWait: !lock.noWait)
            case .table, nil:
                let table = try resolveTable(name)
                try hold(table.oid, table.name, mode, mayWait: !lock.noWait)
            case .index: throw Self.notLockable(name, "indexes")
            case .sequence: throw Self.notLockable(name, "sequences")
            }
        }
    }

    /// A view is locked with all that it reads but sequences, in the same mode.
    private func lockView(
        _ oid: OID, _ name: AST.TableName, _ mode: LockMode, mayWait: Bool
    ) throws(SQLError) {
        if !mayWait { try hold(oid, name.name, mode, mayWait: false) }
        guard let view = try catalog.viewDefinition(schema: name.schema, name: name.name) else {
            throw Self.noRelation(name)
        }
        let planner = StatementPlanner(catalog: catalog, context: functions)
        // Views after what they read, as statements take them.
        let relations = try planner.planView(.select(view.query)).plan.relations
        for relation in relations.filter({ !$0.isView }) + relations.filter(\.isView)
        where !VirtualTables.isVirtual(relation.table)
            && transaction.catalog.sequences[relation.table.oid] == nil
        {
            try hold(relation.table.oid, relation.table.name, mode, mayWait: mayWait)
        }
        if mayWait { try hold(oid, name.name, mode, mayWait: true) }
    }

    private func hold(
        _ oid: OID, _ name: String, _ mode: LockMode, mayWait: Bool
    ) throws(SQLError) {
        do throws(SQLError) {
            try transaction.lockRelation(oid, mode, mayWait: mayWait)
        } catch {
            guard error.state == .lockNotAvailable else { throw error }
            throw SQLError(
                .lockNotAvailable, "could not obtain lock on relation \"\(name)\"")
        }
    }

    private static func notLockable(_ name: AST.TableName, _ kind: String) -> SQLError {
        SQLError(
            .wrongObjectType, "cannot lock relation \"\(name.name)\"",
            detail: "This operation is not supported for \(kind).")
    }
}
