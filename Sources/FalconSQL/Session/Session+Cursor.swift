import FalconSchema
import FalconStorage

/// DECLARE, FETCH and MOVE.
extension Session {
    func runDeclare(
        _ declare: AST.DeclareCursor, _ run: StatementRun
    ) throws(SQLError) -> StatementStep {
        if run.utilityState == nil {
            try open(declare, run.prepared, run.parameters)
            run.utilityState = Opened()
        }
        // Outside a block its transaction commits with the statement.
        if declare.isHold, block == .implicit, let blocked = try holdCursors() { return blocked }
        return .done(tag: "DECLARE CURSOR")
    }

    private final class Opened {}

    /// The cursor shows what there is now, whenever it is fetched from.
    private func open(
        _ declare: AST.DeclareCursor, _ statement: PreparedStatement, _ parameters: [Datum]
    ) throws(SQLError) {
        try refuseLocks(declare)
        if !declare.isHold { try requireBlock("DECLARE CURSOR") }
        let prepared = query(of: declare, statement)
        try lockRelations(of: prepared)
        guard let plan = prepared.plan else {
            throw SQLError(.internalError, "cursor has no plan")
        }
        if plan.relations.contains(where: { $0.lock > .rowShare }) {
            throw SQLError(
                .featureNotSupported,
                "DECLARE CURSOR must not contain data-modifying statements in WITH")
        }
        if portals[declare.name] != nil {
            throw SQLError(.duplicateCursor, "cursor \"\(declare.name)\" already exists")
        }
        if let failure = plan.foldingFailure { throw failure }
        let run = StatementRun(prepared: prepared, parameters: parameters)
        run.formats = declare.isBinary ? [1] : []
        run.keepsKeys = true
        try open(run, plan)
        let portal = Portal(
            name: declare.name, prepared: prepared, parameters: parameters, formats: run.formats,
            number: numberPortal())
        portal.run = run
        portal.isHold = declare.isHold
        portals[declare.name] = portal
    }

    private func query(
        of declare: AST.DeclareCursor, _ statement: PreparedStatement
    ) -> PreparedStatement {
        let prepared = PreparedStatement(
            name: "", sql: statement.sql,
            parsed: .init(
                statement: .select(declare.query), textOffset: 0,
                textLength: statement.sql.utf8.count, depth: statement.depth),
            declaredTypes: statement.declaredTypes)
        prepared.isCursor = true
        return prepared
    }

    /// A Parse message with DECLARE: its parameters are its query's.
    func inferParameters(
        of declare: AST.DeclareCursor, _ statement: PreparedStatement
    ) throws(SQLError) {
        let prepared = query(of: declare, statement)
        try ensurePlan(prepared)
        statement.declaredTypes = prepared.plan?.parameterTypes.map(\.oid) ?? []
    }

    private func refuseLocks(_ declare: AST.DeclareCursor) throws(SQLError) {
        guard let clause = declare.query.locking.first?.strength.clause else { return }
        if declare.isHold {
            throw SQLError(
                .featureNotSupported, "DECLARE CURSOR WITH HOLD ... \(clause) is not supported",
                detail: "Holdable cursors must be READ ONLY.")
        }
        if declare.isScroll {
            throw SQLError(
                .featureNotSupported, "DECLARE SCROLL CURSOR ... \(clause) is not supported",
                detail: "Scrollable cursors must be READ ONLY.")
        }
    }

    // MARK: WITH HOLD

    /// Before a commit: reads what is left of the transaction's cursors WITH HOLD. What fails then fails
    /// the transaction. Nil: done.
    func holdCursors() throws(SQLError) -> StatementStep? {
        let open = portals.values.filter { $0.isHold && $0.held == nil && !$0.hasFailed }
        for portal in open.sorted(by: { $0.number < $1.number }) {
            guard let run = portal.run else { continue }
            let rows = portal.collected ?? HeldRows(database.engine.options.memoryBudget)
            portal.collected = rows
            do throws(SQLError) {
                // One that was read to its end has no more.
                if !portal.isDone,
                    case .blocked(let progress) = try advance(
                        run, maxRows: 0, describes: false, rows)
                {
                    return .blocked(progress)
                }
            } catch {
                rollback(after: error)
                throw error
            }
            run.finish()
            portal.isDone = false
            portal.held = rows
        }
        return nil
    }

    /// Sends rows of a cursor whose transaction is over.
    private func send(
        _ held: HeldRows, _ run: StatementRun, atMost limit: Int, sent: inout Int,
        _ sink: any ResultSink
    ) throws(SQLError) -> HeldEnd {
        while sent < limit {
            guard let values = held.next() else { return .exhausted }
            try sink.row(values, run.columns, formats: run.formats)
            sent += 1
            if sent & 63 == 0 {
                try interrupt.check()
                if sink.wantsPause { return .paused }
            }
        }
        return .limit
    }

    private enum HeldEnd { case exhausted, limit, paused }

    /// Execute for a cursor WITH HOLD by its name.
    func driveHeld(
        _ held: HeldRows, _ execute: ExecuteWork, _ sink: any ResultSink
    ) throws(SQLError) -> SessionProgress {
        guard let run = execute.portal.run else { return finish(sink) }
        if block == .failed { throw Self.failedTransaction }
        let limit = execute.maxRows == 0 ? Int.max : execute.maxRows
        switch try send(held, run, atMost: limit, sent: &execute.sent, sink) {
        case .paused: return .paused
        case .limit: sink.portalSuspended()
        case .exhausted: sink.commandComplete("SELECT \(execute.sent)")
        }
        return finish(sink)
    }

    // MARK: DDL

    /// An open cursor reads or writes it.
    func isUsed(_ table: TableDescriptor) -> Bool {
        portals.values.contains { portal in
            portal.run?.executor?.plan.relations.contains { $0.table.oid == table.oid } ?? false
        }
    }

    /// An open cursor finds its rows by it.
    func isUsed(_ index: IndexDescriptor) -> Bool {
        portals.values.contains { $0.run?.executor?.plan.reads(index) ?? false }
    }

    /// A table may not be changed under a query of this session that has rows to give yet.
    func checkUnused(_ table: TableDescriptor, _ command: String) throws(SQLError) {
        if isUsed(table) {
            throw SQLError(
                SQLState("55006"),
                "cannot \(command) \"\(table.name)\" because it is being used by active queries in "
                    + "this session")
        }
    }

    // MARK: FETCH

    private final class FetchCount { var rows = 0 }

    func runFetch(
        _ fetch: AST.Fetch, _ run: StatementRun, describes: Bool, _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep {
        guard let portal = portals[fetch.name], let cursor = portal.run else {
            throw SQLError(.invalidCursorName, "cursor \"\(fetch.name)\" does not exist")
        }
        guard fetch.direction == .forward, fetch.count >= 0 else {
            throw SQLError(
                .featureNotSupported, "only forward cursor movement is supported yet",
                hint: "Declare it with SCROLL option to enable backward scan.")
        }
        let target = CountingSink(inner: fetch.isMove ? nil : sink)
        if describes, !fetch.isMove, !run.isDescribed {
            run.isDescribed = true
            sink.rowDescription(try utilityColumns(.fetch(fetch)) ?? [])
        }
        let word = fetch.isMove ? "MOVE" : "FETCH"
        if fetch.count == 0 || portal.isDone { return .done(tag: "\(word) 0") }
        if portal.hasFailed {
            throw SQLError(
                .objectNotInPrerequisiteState, "portal \"\(portal.name)\" cannot be run")
        }
        let count = run.utilityState as? FetchCount ?? FetchCount()
        run.utilityState = count
        let limit = fetch.count == .max ? 0 : Int(clamping: fetch.count)
        if let held = portal.held {
            let end = try send(
                held, cursor, atMost: limit == 0 ? .max : limit, sent: &count.rows, target)
            return end == .paused ? .blocked(.paused) : .done(tag: "\(word) \(count.rows)")
        }
        let step: StatementStep
        do throws(SQLError) {
            step = try advance(cursor, maxRows: limit, describes: false, target)
        } catch {
            portal.hasFailed = true
            throw error
        }
        count.rows += target.count
        switch step {
        case .blocked(let progress): return .blocked(progress)
        case .suspended: break
        case .done:
            portal.isDone = true
            cursor.finish()
        }
        return .done(tag: "\(word) \(count.rows)")
    }
}
