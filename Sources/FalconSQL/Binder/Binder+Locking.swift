import FalconSchema

/// FOR UPDATE and its weaker kin.
extension Binder {
    private func offset(_ location: Int) -> Int? { location >= 0 ? location : nil }

    /// What keeps a SELECT's rows from being locked.
    static func lockObstacle(
        _ core: AST.SelectCore, _ logical: LogicalSelect, _ state: QueryState
    ) -> String? {
        if core.isDistinct || !core.distinctOn.isEmpty { return "DISTINCT clause" }
        if !core.groupBy.isEmpty { return "GROUP BY clause" }
        if core.having != nil { return "HAVING clause" }
        if !state.calls.isEmpty { return "aggregate functions" }
        if !state.setReturning.isEmpty { return "set-returning functions in the target list" }
        return nil
    }

    private static func refused(_ clause: AST.LockingClause, _ what: String) -> SQLError {
        SQLError(
            .featureNotSupported, "\(clause.strength.clause) is not allowed with \(what)")
    }

    /// Window functions are refused in any case; PostgreSQL's reason comes first.
    func refuseWindowLocks(
        _ core: AST.SelectCore, _ clauses: [AST.LockingClause]
    ) throws(SQLError) {
        guard let clause = clauses.first else { return }
        for item in core.items {
            if case .function(let call) = item.expression, call.window != nil {
                throw Self.refused(clause, "window functions")
            }
        }
    }

    /// Of VALUES and set operations nothing can be locked.
    func refuseLocking(_ clauses: [AST.LockingClause], _ body: AST.SelectBody) throws(SQLError) {
        guard let clause = clauses.first else { return }
        switch body {
        case .core: return
        case .values:
            throw SQLError(
                .featureNotSupported, "\(clause.strength.clause) cannot be applied to VALUES")
        case .setOperation: throw Self.refused(clause, "UNION/INTERSECT/EXCEPT")
        }
    }

    /// Nor in what a set operation is of.
    func refuseLocking(in arms: AST.Select...) throws(SQLError) {
        for arm in arms {
            if let clause = arm.locking.first {
                throw Self.refused(clause, "UNION/INTERSECT/EXCEPT")
            }
        }
    }

    func bindLocking(
        _ clauses: [AST.LockingClause], _ logical: LogicalSelect
    ) throws(SQLError) {
        if clauses.isEmpty { return }
        // Where WHERE refuses NULLs, an outer join is an inner one.
        let from = logical.from?.reduced(logical.conjuncts)
        for clause in clauses {
            if let obstacle = logical.refusesLocks { throw Self.refused(clause, obstacle) }
            var chosen: [Relation] = []
            if clause.tables.isEmpty {
                chosen = logical.relations
            } else {
                for table in clause.tables { chosen.append(try named(table, clause, logical)) }
            }
            for relation in chosen {
                // What is wrong in a subquery comes first.
                try lock(relation, clause, in: logical)
                if relation.isLockable, from?.isNullable(relation) ?? false {
                    throw SQLError(
                        .featureNotSupported,
                        "\(clause.strength.clause) cannot be applied to the nullable side of an "
                            + "outer join")
                }
            }
        }
    }

    private func named(
        _ table: AST.TableName, _ clause: AST.LockingClause, _ logical: LogicalSelect
    ) throws(SQLError) -> Relation {
        let name = clause.strength.clause
        if table.schema != nil {
            throw SQLError(
                .syntaxError, "\(name) must specify unqualified relation names",
                byteOffset: offset(table.location))
        }
        guard let relation = logical.relations.first(where: { $0.alias == table.name }) else {
            throw SQLError(
                .undefinedTable,
                "relation \"\(table.name)\" in \(name) clause not found in FROM clause",
                byteOffset: offset(table.location))
        }
        let what: String
        switch relation.source {
        case .table, .query: return relation
        case .function: what = "a function"
        case .commonTable: what = "a WITH query"
        case .empty: return relation
        }
        throw SQLError(
            .featureNotSupported, "\(name) cannot be applied to \(what)",
            byteOffset: offset(table.location))
    }

    /// A subquery's rows are locked where they are read: in the subquery.
    private func lock(
        _ relation: Relation, _ clause: AST.LockingClause, in logical: LogicalSelect
    ) throws(SQLError) {
        switch relation.source {
        case .function, .commonTable, .empty: return
        case .query(let query):
            if let view = relation.view { strengthen(.rowShare, of: view) }
            var inner = clause
            inner.tables = []
            switch query.body {
            case .select(let select): try bindLocking([inner], select)
            case .setOperation: throw Self.refused(clause, "UNION/INTERSECT/EXCEPT")
            case .values, .modify: return
            }
        case .table(let table):
            if VirtualTables.isSequence(table) {
                throw SQLError(
                    .wrongObjectType, "cannot lock rows in sequence \"\(table.name)\"")
            }
            use(table, lock: .rowShare)
            if relation.rowKeySlot == nil { relation.rowKeySlot = newSlot(owner: nil) }
            guard let index = logical.locks.firstIndex(where: { $0.relation === relation }) else {
                logical.locks.append(
                    LogicalSelect.LockRequest(
                        relation: relation, strength: clause.strength, wait: clause.wait))
                return
            }
            if logical.locks[index].strength.rawValue < clause.strength.rawValue {
                logical.locks[index].strength = clause.strength
            }
            // NOWAIT wins over SKIP LOCKED, whichever comes first.
            if clause.wait != .wait, logical.locks[index].wait != .noWait {
                logical.locks[index].wait = clause.wait
            }
        }
    }
}

extension Relation {
    /// Whether a locking clause locks rows of it.
    fileprivate var isLockable: Bool {
        switch source {
        case .table: return true
        case .query(let query):
            guard case .select(let select) = query.body else { return false }
            return select.relations.contains { $0.isLockable }
        case .function, .commonTable, .empty: return false
        }
    }
}
