import FalconSchema

/// How a request is worked on: from statement to statement until it is done or must wait.
extension Session {
    func startRequest(_ sql: String) {
        currentSQL = sql
        rewriting = nil
        activity.began(sql, now: Self.nowMicros())
        isOnWorker = false
        awaitsWorker = false
        if idle.isOn { idle.end() }
        if interrupt.isSet { interrupt.clearUnlessTerminated() }
    }

    /// Works on the current request until it is done or must wait.
    func drive(_ sink: any ResultSink) -> SessionProgress {
        do throws(SQLError) {
            switch work {
            case .none: return .finished
            case .parse(let prepared): return try driveParse(prepared)
            case .bind(let bind): return try driveBind(bind)
            case .simple(let simple): return try driveSimple(simple, sink)
            case .execute(let execute): return try driveExecute(execute, sink)
            case .sync:
                if block == .implicit, let blocked = try commit() { return blocked }
                return finish(sink)
            }
        } catch { return fail(error, sink) }
    }

    private func driveSimple(
        _ simple: SimpleWork, _ sink: any ResultSink
    ) throws(SQLError) -> SessionProgress {
        while true {
            if let tag = simple.pendingTag {
                simple.pendingTag = nil
                if let failureAfterCommit { throw failureAfterCommit }
                report(sink)
                sink.commandComplete(tag)
            }
            guard simple.index < simple.statements.count else {
                // A block of statements whose last was a transaction statement may still be open.
                if block == .implicit, let blocked = try commit() { return blocked }
                return finish(sink)
            }
            let parsed = simple.statements[simple.index]
            let run: StatementRun
            if let current = simple.run {
                run = current
            } else {
                try checkNotFailed(parsed.statement)
                try beginIfNeeded()
                if let shared = simple.shared {
                    run = StatementRun(
                        prepared: shared.prepared, parameters: shared.parameters)
                } else {
                    let prepared = PreparedStatement(
                        name: "", sql: simple.sql, parsed: parsed, declaredTypes: [])
                    run = StatementRun(prepared: prepared, parameters: [])
                    if simple.sql.utf8.count > Self.largeInput { run.needsWorker = true }
                }
                simple.run = run
                noteBegin(of: parsed.statement)
            }
            let step = try advance(run, maxRows: 0, describes: true, sink)
            switch step {
            case .blocked(let progress): return progress
            case .suspended: continue
            case .done(let tag, let end):
                stopStatement()
                noteStatement(run)
                run.finish()
                simple.run = nil
                simple.index += 1
                simple.pendingTag = tag
                if let blocked = try endTransaction(
                    end, isLast: simple.index == simple.statements.count)
                {
                    return blocked
                }
            }
        }
    }

    /// The run of a portal that has not run yet.
    func beginRun(of portal: Portal) -> StatementRun {
        let run = StatementRun(prepared: portal.prepared, parameters: portal.parameters)
        run.formats = portal.formats
        if portal.isLarge { run.needsWorker = true }
        run.keepsKeys = !portal.name.isEmpty
        portal.run = run
        return run
    }

    private func noteBegin(of statement: AST.Statement) {
        if case .transaction = statement {} else { lastStatement = currentSQL }
        startStatement()
    }

    private func driveExecute(
        _ execute: ExecuteWork, _ sink: any ResultSink
    ) throws(SQLError) -> SessionProgress {
        if let tag = execute.pendingTag {
            execute.pendingTag = nil
            if let failureAfterCommit { throw failureAfterCommit }
            report(sink)
            sink.commandComplete(tag)
            return finish(sink)
        }
        let portal = execute.portal
        if portal.isCursor { return try driveCursor(execute, sink) }
        guard let statement = portal.prepared.statement else {
            sink.emptyQuery()
            return finish(sink)
        }
        if portal.isDone {
            // PostgreSQL: a portal that has given its rows gives no more, and a tag of zero.
            if try resultColumns(portal.prepared) != nil {
                sink.commandComplete(Self.zeroed(portal.tag))
                return finish(sink)
            }
            throw SQLError(
                .objectNotInPrerequisiteState, "portal \"\(portal.name)\" cannot be run")
        }
        try checkNotFailed(statement)
        try beginIfNeeded()
        let run: StatementRun
        if let current = portal.run {
            run = current
        } else {
            run = beginRun(of: portal)
            noteBegin(of: statement)
        }
        switch try advance(run, maxRows: execute.maxRows, describes: false, sink) {
        case .blocked(let progress): return progress
        case .suspended:
            stopStatement()
            hasExecuted = true
            sink.portalSuspended()
            return finish(sink)
        case .done(let tag, let end):
            stopStatement()
            noteStatement(run)
            hasExecuted = true
            portal.isDone = true
            portal.tag = tag
            run.finish()
            if case .none = end, !execute.commitsAtOnce {
                report(sink)
                sink.commandComplete(tag)
                return finish(sink)
            }
            execute.pendingTag = tag
            if let blocked = try endTransaction(end, isLast: execute.commitsAtOnce) {
                return blocked
            }
            return try driveExecute(execute, sink)
        }
    }

    /// As in PostgreSQL, a statement is analysed under its relations' locks: whoever waits for an ALTER
    /// TABLE is told of the columns there are after it.
    private func driveParse(_ prepared: PreparedStatement) throws(SQLError) -> SessionProgress {
        try beginIfNeeded()
        do throws(SQLError) {
            if case .declareCursor(let declare) = prepared.statement {
                try inferParameters(of: declare, prepared)
            } else {
                try lockRelations(of: prepared)
            }
        } catch {
            guard error.isLockWait else { throw error }
            return beginAnalysisWait()
        }
        stopStatement()
        prepared.describedColumns = prepared.plan?.columns
        statements[prepared.name] = prepared
        work = .none
        return .finished
    }

    private func beginAnalysisWait() -> SessionProgress {
        if statementTimer == nil { startStatementTimer() }
        return beginLockWait()
    }

    /// A plan that is out of date is made again here, before the parameters are read.
    private func driveBind(_ bind: BindWork) throws(SQLError) -> SessionProgress {
        let prepared = bind.prepared
        if prepared.isPlanned {
            try beginIfNeeded()
            do throws(SQLError) { try ensurePlan(prepared) } catch {
                guard error.isLockWait else { throw error }
                activity.began(prepared.sql, now: Self.nowMicros())
                return beginAnalysisWait()
            }
            stopStatement()
        }
        try makePortal(bind)
        work = .none
        return .finished
    }
}
