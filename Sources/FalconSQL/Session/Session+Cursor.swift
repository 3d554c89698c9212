import FalconSchema

/// DECLARE CURSOR, and what WITH HOLD does at a commit.
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
        if !declare.isHold { try requireBlock("DECLARE CURSOR", orImplicit: true) }
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
        portal.isCursor = true
        portal.isBinary = declare.isBinary
        portal.isScrollable = declare.isScroll || !declare.isNoScroll && plan.mayRunBackward
        portal.creationTime = functions.statementTimestamp
        // PostgreSQL keeps rows above a plan that runs only forward: it is not to run twice.
        if declare.isScroll, !plan.mayRunBackward {
            portal.rows = CursorRows(
                database.engine.options.memoryBudget, of: run, isHold: declare.isHold)
        }
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
        let open = portals.values.filter { $0.isHold && !$0.isHeld && !$0.hasFailed }
        for portal in open.sorted(by: { $0.number < $1.number }) {
            guard let run = portal.run else { continue }
            portal.isBeingHeld = true
            if portal.isScrollable { _ = keptRows(portal, run) }
            let rows =
                portal.rows
                ?? CursorRows(
                    database.engine.options.memoryBudget, of: nil, forgotten: portal.position.row,
                    isHold: true)
            portal.rows = rows
            do throws(SQLError) {
                // One that was read to its end has no more.
                if !portal.isDone, let progress = try fill(rows, upTo: CursorMove.all, run) {
                    return .blocked(progress)
                }
            } catch {
                rollback(after: error)
                throw error
            }
            run.finish()
            rows.isComplete = true
            portal.isDone = false
            portal.isBeingHeld = false
            portal.isHeld = true
        }
        return nil
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
}
