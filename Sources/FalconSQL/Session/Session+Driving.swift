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
                startStatement()
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

    private func driveExecute(
        _ execute: ExecuteWork, _ sink: any ResultSink
    ) throws(SQLError) -> SessionProgress {
        if let tag = execute.pendingTag {
            execute.pendingTag = nil
            report(sink)
            sink.commandComplete(tag)
            return finish(sink)
        }
        let portal = execute.portal
        if let held = portal.held { return try driveHeld(held, execute, sink) }
        guard let statement = portal.prepared.statement else {
            sink.emptyQuery()
            return finish(sink)
        }
        if portal.isDone {
            // PostgreSQL: a completed portal gives no more rows and a tag of zero.
            if case .select = statement, portal.prepared.isPlanned {
                sink.commandComplete(Self.tag(portal.prepared, affected: 0, emitted: 0))
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
            run = StatementRun(prepared: portal.prepared, parameters: portal.parameters)
            run.formats = portal.formats
            if portal.isLarge { run.needsWorker = true }
            run.keepsKeys = !portal.name.isEmpty
            portal.run = run
            startStatement()
        }
        switch try advance(run, maxRows: execute.maxRows, describes: false, sink) {
        case .blocked(let progress): return progress
        case .suspended:
            stopStatement()
            sink.portalSuspended()
            return finish(sink)
        case .done(let tag, let end):
            stopStatement()
            noteStatement(run)
            portal.isDone = true
            run.finish()
            if case .none = end {
                report(sink)
                sink.commandComplete(tag)
                return finish(sink)
            }
            execute.pendingTag = tag
            if let blocked = try endTransaction(end, isLast: false) { return blocked }
            return try driveExecute(execute, sink)
        }
    }

    /// As in PostgreSQL, a statement is analysed under its relations' locks: whoever waits for an ALTER
    /// TABLE is told of the columns there are after it.
    private func driveParse(_ prepared: PreparedStatement) throws(SQLError) -> SessionProgress {
        try beginIfNeeded()
        do throws(SQLError) { try lockRelations(of: prepared) } catch {
            guard error.isLockWait else { throw error }
            if statementTimer == nil { startStatementTimer() }
            return beginLockWait()
        }
        stopStatement()
        prepared.describedColumns = prepared.plan?.columns
        statements[prepared.name] = prepared
        work = .none
        return .finished
    }
}
