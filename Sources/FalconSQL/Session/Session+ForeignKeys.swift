import FalconSchema

/// Deferred checks of foreign keys and unique constraints: SET CONSTRAINTS, and what a commit does first.
extension Session {
    /// So many checks of written rows are quick enough for an event loop.
    private static let quickChecks = 100

    /// The checks a commit (or PREPARE TRANSACTION) begins with. Non-nil: they wait, and `resume` goes on
    /// with `end`. What fails rolls the transaction back.
    func finishDeferredChecks(_ end: TransactionEnd) throws(SQLError) -> SessionProgress? {
        if transaction.batch.hasSpilled, !isOnWorker {
            // The commit reads and writes as much as the transaction wrote.
            pendingEnd = end
            return needsWorker()
        }
        let events = transaction.foreignKeys.deferred
        guard !events.isEmpty else { return nil }
        let isQuick =
            events.count <= Self.quickChecks && events.allSatisfy(\.isCheckOfRow)
        if !isQuick, !isOnWorker {
            pendingEnd = end
            return needsWorker()
        }
        do throws(SQLError) {
            refreshFunctions()
            transaction.mayWait = isOnWorker
            defer { transaction.mayWait = true }
            try ForeignKeyRunner(session: self).fireDeferred()
            return nil
        } catch {
            if error.isDiskWait {
                pendingEnd = end
                return needsWorker()
            }
            if error.isLockWait {
                pendingEnd = end
                if statementTimer == nil { startStatementTimer() }
                return beginLockWait()
            }
            rollback(after: error)
            throw error
        }
    }

    /// Goes on with the end of a transaction that had to wait for its checks.
    func resumeEnd() throws(SQLError) -> SessionProgress? {
        guard let end = pendingEnd else { return nil }
        pendingEnd = nil
        stopStatement()
        return try endTransaction(end, isLast: true)
    }

    /// The wait of a transaction's end has failed, be it for its checks or for a cursor that is to be
    /// held: nothing of the transaction is left.
    func abandonEnd(_ error: SQLError) {
        guard pendingEnd != nil || portals.values.contains(where: \.isBeingHeld) else { return }
        pendingEnd = nil
        rollback(after: error)
    }

    func setConstraints(
        _ names: [AST.TableName]?, isDeferred: Bool, _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep {
        if !isInTransactionBlock {
            tell(
                SQLError(
                    .noActiveSQLTransaction,
                    "SET CONSTRAINTS can only be used in transaction blocks", severity: .warning),
                sink)
        }
        var constraints: Set<OID>?
        if let names {
            var found: Set<OID> = []
            for name in names {
                found.formUnion(try deferrable(name, isDeferred: isDeferred))
            }
            constraints = found
        }
        if !isDeferred, transaction.foreignKeys.hasDeferred {
            if !isOnWorker { return .blocked(needsWorker()) }
            let runner = ForeignKeyRunner(session: self)
            try runner.fireDeferred(of: constraints)
        }
        if let constraints {
            for oid in constraints { transaction.foreignKeys.modes.named[oid] = isDeferred }
        } else {
            transaction.foreignKeys.modes = .init(all: isDeferred)
        }
        return .done(tag: "SET CONSTRAINTS")
    }

    /// The constraints of that name in the first schema of the path that has one.
    private func deferrable(
        _ name: AST.TableName, isDeferred: Bool
    ) throws(SQLError) -> Set<OID> {
        let snapshot = transaction.catalog
        if let schema = name.schema, snapshot.schemaNames[schema] == nil, schema != "pg_temp" {
            throw SQLError(.invalidSchemaName, "schema \"\(schema)\" does not exist")
        }
        let schemas = name.schema.map { [$0 == "pg_temp" ? temporarySchema : $0] } ?? searchPath
        for schema in schemas {
            var isKnown = false
            var isFixed = false
            var result: Set<OID> = []
            for table in snapshot.tables.values where table.schema == schema {
                for key in table.foreignKeys where key.name == name.name {
                    isKnown = true
                    if key.isDeferrable { result.insert(key.oid) } else { isFixed = true }
                }
                for index in table.indexes where index.isConstraint && index.name == name.name {
                    isKnown = true
                    if index.deferral != nil { result.insert(index.oid) } else { isFixed = true }
                }
                if table.checks.contains(where: { $0.name == name.name }) {
                    isKnown = true
                    isFixed = true
                }
            }
            if isFixed, isDeferred {
                throw SQLError(
                    .wrongObjectType, "constraint \"\(name.name)\" is not deferrable")
            }
            if isKnown { return result }
        }
        throw SQLError(.undefinedObject, "constraint \"\(name.text)\" does not exist")
    }
}
