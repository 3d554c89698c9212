import FalconSchema
import FalconStorage

extension Session {
    /// `SHOW falcon.name` shows a relation of that schema.
    private static func shownTable(_ name: String) -> TableDescriptor? {
        let parts = name.lowercased().split(separator: ".", maxSplits: 1)
        guard parts.count == 2, parts[0] == "falcon" else { return nil }
        return VirtualTables.descriptor(schema: "falcon", name: String(parts[1]), searchPath: [])
    }

    private static func textColumn(_ name: String) -> ResultColumn {
        ResultColumn(name: name, type: .text)
    }

    /// The columns of a statement without a plan; nil for no rows.
    func utilityColumns(_ statement: AST.Statement) throws(SQLError) -> [ResultColumn]? {
        switch statement {
        case .show(let name):
            if let table = Self.shownTable(name) {
                return table.columns.map { ResultColumn(name: $0.name, type: $0.type) }
            }
            return [Self.textColumn(SessionSettings.canonicalName(name))]
        case .showAll:
            return ["name", "setting", "description"].map { Self.textColumn($0) }
        case .explain(let explain):
            let isJSON = explain.options.last { $0.name.lowercased() == "format" }
                .map { $0.stringValue == "json" }
            return [
                ResultColumn(name: "QUERY PLAN", type: isJSON ?? false ? SQLType(.json) : .text)
            ]
        case .execute(let execute):
            guard let prepared = statements[execute.name], prepared.isPlanned else { return nil }
            try beginIfNeeded()
            try ensurePlan(prepared, mayWait: false)
            return try resultColumns(prepared)
        case .fetch(let fetch):
            guard !fetch.isMove, let portal = portals[fetch.name] else { return nil }
            if let run = portal.run, run.stage != .start { return run.columns }
            try ensurePlan(portal.prepared, mayWait: false)
            return try resultColumns(portal.prepared)
        default: return nil
        }
    }

    /// Statements that may take long and therefore run on a worker.
    private func isBounded(_ statement: AST.Statement) -> Bool {
        switch statement {
        case .transaction(.prepare), .transaction(.commitPrepared), .transaction(.rollbackPrepared):
            return false
        case .transaction, .set, .setTransaction, .setTransactionSnapshot, .setConstraints,
            .resetAll,
            .show, .showAll, .prepare, .deallocate, .discard, .declareCursor, .fetch, .closeCursor,
            .listen, .notify, .unlisten, .lockTable, .copy, .unsupported:
            return true
        case .execute(let execute):
            // Arguments are evaluated here: a call among them may take long.
            return execute.arguments.allSatisfy { argument in
                switch argument {
                case .constant, .parameter: true
                case .cast(.constant, _, _): true
                default: false
                }
            }
        default: return false
        }
    }

    func advanceUtility(
        _ run: StatementRun, maxRows: Int, describes: Bool, _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep {
        guard let statement = run.prepared.statement else { return .done(tag: "") }
        if run.stage != .emitting {
            if !isBounded(statement), !isOnWorker { return .blocked(needsWorker()) }
            run.firstOrdinal = transaction.batch.nextOrdinal
            run.changeCount = transaction.changes.count
            run.notifications = transaction.notifications.mark
            run.workBefore = transaction.progress.work
            refreshFunctions()
        }
        switch statement {
        case .transaction(let kind): return try runTransaction(kind, sink)
        case .set(let set):
            try runSet(set, sink)
            return .done(tag: set.isReset ? "RESET" : "SET")
        case .setTransaction(let modes, let isSession):
            if isSession {
                if let isolation = modes.isolation {
                    try settings.set(
                        "default_transaction_isolation", isolation, isLocal: false)
                }
                if let isReadOnly = modes.isReadOnly {
                    try settings.set(
                        "default_transaction_read_only", isReadOnly ? "on" : "off",
                        isLocal: false)
                }
                if let isDeferrable = modes.isDeferrable {
                    try settings.set(
                        "default_transaction_deferrable", isDeferrable ? "on" : "off",
                        isLocal: false)
                }
            } else {
                warnOutsideBlock("SET TRANSACTION", sink)
                try setModes(modes)
            }
            return .done(tag: "SET")
        case .setTransactionSnapshot(let identifier, let isLocal):
            if isLocal {
                throw SQLError(
                    .featureNotSupported, "SET LOCAL TRANSACTION SNAPSHOT is not implemented")
            }
            warnOutsideBlock("SET TRANSACTION", sink)
            try importSnapshot(identifier)
            return .done(tag: "SET")
        case .setConstraints(let names, let isDeferred):
            return try setConstraints(names, isDeferred: isDeferred, sink)
        case .resetAll:
            settings.resetAll()
            return .done(tag: "RESET")
        case .show(let name):
            if let table = Self.shownTable(name) {
                return try emit(run, describes, maxRows, sink, tag: "SHOW") {
                    () throws(SQLError) in
                    try VirtualTables.rows(table, self.transaction, session: self.functions.session)
                }
            }
            return try emit(run, describes, maxRows, sink, tag: "SHOW") { () throws(SQLError) in
                [[.text(try self.shown(name))]]
            }
        case .showAll:
            return try emit(run, describes, maxRows, sink, tag: "SHOW") { () throws(SQLError) in
                self.settings.all().map {
                    [.text($0.name), .text($0.value), .text($0.description)]
                }
            }
        case .prepare(let prepare):
            try runPrepare(prepare, sql: run.prepared.sql, depth: run.prepared.depth)
            return .done(tag: "PREPARE")
        case .execute(let execute):
            let inner = try makeInner(execute)
            inner.formats = run.formats
            run.inner = inner
            return try advance(inner, maxRows: maxRows, describes: describes, sink)
        case .deallocate(let name):
            guard let name else {
                statements = statements.filter { $0.key.isEmpty }
                return .done(tag: "DEALLOCATE ALL")
            }
            guard statements.removeValue(forKey: name) != nil else {
                throw SQLError(
                    .invalidSQLStatementName, "prepared statement \"\(name)\" does not exist")
            }
            return .done(tag: "DEALLOCATE")
        case .discard(let target):
            if target == .all { try forbidBlock("DISCARD ALL") }
            if target == .all || target == .temporary { try dropTemporary(sink) }
            if target == .all {
                dropAllPortals(evenKept: true)
                statements.removeAll()
                settings.resetAll()
                unlisten(nil)
                database.locks.releaseAll(advisoryOwner)
            }
            switch target {
            case .all: return .done(tag: "DISCARD ALL")
            case .plans: return .done(tag: "DISCARD PLANS")
            case .sequences: return .done(tag: "DISCARD SEQUENCES")
            case .temporary: return .done(tag: "DISCARD TEMP")
            }
        case .explain(let explain):
            return try emit(run, describes, maxRows, sink, tag: "EXPLAIN") {
                () throws(SQLError) in try self.explain(explain, run)
            }
        case .vacuum(let vacuum):
            try runVacuum(vacuum, run, sink)
            return .done(tag: vacuum.isVacuum ? "VACUUM" : "ANALYZE")
        case .checkpoint:
            let engine = database.engine
            try storage { () throws(StorageError) in try engine.flush() }
            return .done(tag: "CHECKPOINT")
        case .lockTable(let lock):
            try runLockTable(lock)
            return .done(tag: "LOCK TABLE")
        case .declareCursor(let declare):
            return try runDeclare(declare, run)
        case .fetch(let fetch):
            return
                try runFetch(fetch, run, maxRows: maxRows, describes: describes, sink)
        case .closeCursor(let name):
            if let name {
                guard portals[name] != nil else {
                    throw SQLError(
                        .invalidCursorName, "cursor \"\(name)\" does not exist")
                }
                dropPortal(name)
                return .done(tag: "CLOSE CURSOR")
            }
            for name in portals.keys where !name.isEmpty { dropPortal(name) }
            return .done(tag: "CLOSE CURSOR ALL")
        case .listen(let channel):
            listen(channel)
            return .done(tag: "LISTEN")
        case .notify(let channel, let payload):
            try notify(channel, payload ?? "")
            return .done(tag: "NOTIFY")
        case .unlisten(let channel):
            unlisten(channel)
            return .done(tag: "UNLISTEN")
        case .copy(let copy): return try advanceCopy(copy, run, sink)
        case .unsupported(let what):
            throw SQLError(.featureNotSupported, "\(what) is not supported yet")
        case .select, .insert, .update, .delete, .merge:
            throw SQLError(.internalError, "planned statement in the utility path")
        default:
            // It leaves every row as it is.
            var isAllowed = false
            if case .reindex = statement { isAllowed = true }
            if transaction.isReadOnly, !isAllowed {
                throw readOnlyRefusal(DefinitionRunner.tag(statement))
            }
            return .done(
                tag: try DefinitionRunner(
                    session: self, sql: run.prepared.text,
                    textOffset: run.prepared.parsed?.textOffset ?? 0, sink: sink
                ).run(statement))
        }
    }

    private func warnOutsideBlock(_ what: String, _ sink: any ResultSink) {
        if isInTransactionBlock { return }
        tell(
            SQLError(
                .noActiveSQLTransaction, "\(what) can only be used in transaction blocks",
                severity: .warning), sink)
    }

    /// Sends rows that were computed at once.
    private func emit(
        _ run: StatementRun, _ describes: Bool, _ maxRows: Int, _ sink: any ResultSink,
        tag: String, _ rows: () throws(SQLError) -> [[Datum]]
    ) throws(SQLError) -> StatementStep {
        if run.stage != .emitting {
            guard let statement = run.prepared.statement else { return .done(tag: tag) }
            run.columns = try utilityColumns(statement) ?? []
            run.formats = Self.expand(run.formats, run.columns.count)
            run.buffer = try rows()
            run.bufferPlace = 0
            run.stage = .emitting
            if describes { sink.rowDescription(run.columns) }
        }
        if let step = try emitBuffer(run, maxRows: maxRows, sink) { return step }
        return .done(tag: tag)
    }

    private func runSet(_ set: AST.SetVariable, _ sink: any ResultSink) throws(SQLError) {
        if set.isLocal { warnOutsideBlock("SET LOCAL", sink) }
        let lower = set.name.lowercased()
        switch set.value {
        case .toDefault:
            let ofTransaction = [
                "transaction_isolation", "transaction_read_only", "transaction_deferrable",
            ]
            if ofTransaction.contains(lower) { return }
            try settings.reset(set.name, isLocal: set.isLocal)
        case .fromCurrent: return
        case .values(let values):
            let text: String
            if lower == "search_path" {
                text = values.map { $0 == "$user" ? "\"$user\"" : Identifier.quoted($0) }
                    .joined(separator: ", ")
            } else {
                text = values.joined(separator: ", ")
            }
            switch lower {
            case "transaction_isolation":
                try setModes(.init(isolation: text))
            case "transaction_read_only":
                guard let flag = SessionSettings.parseBool(text) else {
                    throw SQLError(
                        .invalidParameterValue,
                        "parameter \"transaction_read_only\" requires a Boolean value")
                }
                try setModes(.init(isReadOnly: flag))
            case "transaction_deferrable":
                guard let flag = SessionSettings.parseBool(text) else {
                    throw SQLError(
                        .invalidParameterValue,
                        "parameter \"transaction_deferrable\" requires a Boolean value")
                }
                try setModes(.init(isDeferrable: flag))
            default: try setParameter(set.name, text, isLocal: set.isLocal)
            }
        }
    }

    /// SET and set_config().
    func setParameter(_ name: String, _ value: String, isLocal: Bool) throws(SQLError) {
        switch name.lowercased() {
        case "session_authorization": try checkMayBecome(value, settingRole: false)
        case "role":
            try checkMayBecome(value, settingRole: true)
            try settings.set(name, value, isLocal: isLocal)
        default: try settings.set(name, value, isLocal: isLocal)
        }
    }

    /// A session stays who it is; it may say so.
    private func checkMayBecome(_ name: String, settingRole: Bool) throws(SQLError) {
        if name == settings.user || (settingRole && name == "none") { return }
        let isRole = transaction.role(name, in: database) != nil || database.isSuperuser(name)
        guard isRole else {
            throw SQLError(.invalidParameterValue, "role \"\(name)\" does not exist")
        }
        guard database.isSuperuser(settings.user) else {
            throw SQLError(
                .insufficientPrivilege,
                settingRole
                    ? "permission denied to set role \"\(name)\""
                    : "permission denied to set session authorization")
        }
        let what = settingRole ? "SET ROLE" : "SET SESSION AUTHORIZATION"
        throw SQLError(
            .featureNotSupported, "\(what) to another role is not supported yet",
            hint: "Connect as the role.")
    }

    private func runPrepare(_ prepare: AST.Prepare, sql: String, depth: Int) throws(SQLError) {
        if statements[prepare.name] != nil {
            throw SQLError(
                .duplicatePreparedStatement,
                "prepared statement \"\(prepare.name)\" already exists")
        }
        let planner = StatementPlanner(catalog: catalog, context: functions)
        var types: [OID] = []
        for type in prepare.types { types.append(try planner.resolveType(type).oid) }
        let parsed = AST.ParsedStatement(
            statement: prepare.statement, textOffset: 0, textLength: sql.utf8.count, depth: depth)
        let prepared = PreparedStatement(
            name: prepare.name, sql: sql, parsed: parsed, declaredTypes: types, isFromSQL: true)
        guard prepared.isPlanned else {
            throw SQLError(.syntaxError, "this statement cannot be prepared")
        }
        try ensurePlan(prepared)
        prepared.describedColumns = prepared.plan?.columns
        statements[prepare.name] = prepared
    }

    func makeInner(_ execute: AST.Execute) throws(SQLError) -> StatementRun {
        guard let prepared = statements[execute.name] else {
            throw SQLError(
                .invalidSQLStatementName,
                "prepared statement \"\(execute.name)\" does not exist")
        }
        try ensurePlan(prepared)
        let types = prepared.plan?.parameterTypes ?? []
        guard types.count == execute.arguments.count else {
            throw SQLError(
                .syntaxError,
                "wrong number of parameters for prepared statement \"\(execute.name)\"",
                detail: "Expected \(types.count) parameters but got \(execute.arguments.count).")
        }
        let (expressions, slotCount) = try StatementPlanner(
            catalog: catalog, context: functions
        ).bindArguments(execute.arguments, types: types)
        let row = RowContext(slotCount: slotCount, parameters: [], functions: functions)
        var values: [Datum] = []
        for expression in expressions { values.append(try expression.evaluate(row)) }
        return StatementRun(prepared: prepared, parameters: values)
    }

    // MARK: Names

    /// As in PostgreSQL, the error says where only for what parse analysis looks up (`placed`).
    func resolveTable(
        _ name: AST.TableName, placed: Bool = false
    ) throws(SQLError) -> TableDescriptor {
        if let table = try catalog.table(schema: name.schema, name: name.name) { return table }
        throw Self.noRelation(name, placed: placed)
    }

    static func noRelation(_ name: AST.TableName, placed: Bool = false) -> SQLError {
        SQLError(
            .undefinedTable, "relation \"\(name.text)\" does not exist",
            byteOffset: placed && name.location >= 0 ? name.location : nil)
    }
}
