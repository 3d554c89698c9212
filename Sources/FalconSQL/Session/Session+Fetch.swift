import FalconSchema
import FalconStorage

/// FETCH and MOVE, and Execute of a cursor.
extension Session {
    func runFetch(
        _ fetch: AST.Fetch, _ run: StatementRun, maxRows: Int, describes: Bool,
        _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep {
        let word = fetch.isMove ? "MOVE" : "FETCH"
        if run.stage == .emitting {
            if let step = try emitBuffer(run, maxRows: maxRows, sink) { return step }
            return .done(tag: "\(word) \(run.emitted)")
        }
        guard let portal = portals[fetch.name], portal.prepared.isPlanned else {
            throw SQLError(.invalidCursorName, "cursor \"\(fetch.name)\" does not exist")
        }
        let cursor = portal.run ?? beginRun(of: portal)
        if describes, !fetch.isMove, !run.isDescribed {
            run.isDescribed = true
            sink.rowDescription(try utilityColumns(.fetch(fetch)) ?? [])
        }
        let move =
            run.utilityState as? CursorMove ?? CursorMove(fetch, from: portal.position)
        run.utilityState = move
        var target = sink
        if maxRows > 0, !fetch.isMove {
            let buffer = move.buffer ?? CursorRows(database.engine.options.memoryBudget, of: nil)
            move.buffer = buffer
            target = buffer
        }
        // Bind says how the rows are sent; in a Query message DECLARE does.
        let columns =
            cursor.columns.isEmpty ? try resultColumns(portal.prepared) ?? [] : cursor.columns
        let formats = Self.expand(describes && portal.isBinary ? [1] : run.formats, columns.count)
        if let blocked = try perform(move, portal, cursor, formats, target) {
            return .blocked(blocked)
        }
        guard let buffer = move.buffer else { return .done(tag: "\(word) \(move.result)") }
        run.columns = cursor.columns
        run.formats = formats
        run.buffer = buffer.all
        run.bufferPlace = 0
        run.stage = .emitting
        if let step = try emitBuffer(run, maxRows: maxRows, sink) { return step }
        return .done(tag: "\(word) \(run.emitted)")
    }

    /// Execute for a cursor by its name: so many of its next rows.
    func driveCursor(
        _ execute: ExecuteWork, _ sink: any ResultSink
    ) throws(SQLError) -> SessionProgress {
        guard let cursor = execute.portal.run else { return finish(sink) }
        if block == .failed { throw Self.failedTransaction }
        try beginIfNeeded()
        let count = execute.maxRows == 0 ? CursorMove.all : execute.maxRows
        let move = execute.move ?? CursorMove([.forward(count, sends: true)])
        if execute.move == nil { startStatement() }
        execute.move = move
        let blocked = try perform(
            move, execute.portal, cursor, cursor.formats, sink)
        if let blocked { return blocked }
        stopStatement()
        if execute.portal.position.isAtEnd {
            sink.commandComplete("SELECT \(move.result)")
        } else {
            sink.portalSuspended()
        }
        return finish(sink)
    }

    /// Goes through the move's steps; non-nil: it must wait.
    private func perform(
        _ move: CursorMove, _ portal: Portal, _ cursor: StatementRun, _ formats: [Int16],
        _ sink: any ResultSink
    ) throws(SQLError) -> SessionProgress? {
        while let step = move.steps.first {
            do throws(SQLError) {
                try checkRunnable(portal)
                switch step {
                case .rewind: try rewind(portal, cursor)
                case .forward(let count, let sends):
                    let target = CountingSink(inner: sends ? sink : nil, formats: formats)
                    if let blocked = try forward(count, move, portal, cursor, target) {
                        return blocked
                    }
                    move.result = move.moved
                case .backward(let count, let sends):
                    let target = CountingSink(inner: sends ? sink : nil, formats: formats)
                    if let blocked = try backward(count, move, portal, cursor, target) {
                        return blocked
                    }
                    move.result = move.moved
                }
            } catch {
                portal.hasFailed = true
                throw error
            }
            move.moved = 0
            move.steps.removeFirst()
        }
        return nil
    }

    // MARK: Steps

    private func forward(
        _ count: Int, _ move: CursorMove, _ portal: Portal, _ cursor: StatementRun,
        _ sink: CountingSink
    ) throws(SQLError) -> SessionProgress? {
        if count == 0 || portal.position.isAtEnd || portal.isDone { return nil }
        guard let rows = portal.rows else {
            return try streamForward(count, move, portal, cursor, sink)
        }
        let target = count == CursorMove.all ? count : portal.position.row + count - move.moved
        if let blocked = try fill(rows, upTo: target, cursor) { return blocked }
        while move.moved < count, let values = rows[portal.position.row] {
            try sink.row(values, cursor.columns, formats: cursor.formats)
            if !portal.isScrollable { rows.forget(at: portal.position.row) }
            portal.position.row += 1
            portal.position.isAtStart = false
            move.moved += 1
            if move.moved & 63 == 0 {
                try interrupt.check()
                if sink.wantsPause { return .paused }
            }
        }
        if move.moved < count { portal.position.isAtEnd = true }
        return nil
    }

    /// Rows that nobody may go back to, as they come.
    private func streamForward(
        _ count: Int, _ move: CursorMove, _ portal: Portal, _ cursor: StatementRun,
        _ sink: CountingSink
    ) throws(SQLError) -> SessionProgress? {
        let step = try advance(
            cursor, maxRows: count == CursorMove.all ? 0 : count, describes: false, sink)
        move.moved += sink.count
        portal.position.row += sink.count
        if sink.count > 0 { portal.position.isAtStart = false }
        switch step {
        case .blocked(let progress): return progress
        case .suspended: break
        case .done:
            portal.position.isAtEnd = true
            // One that may go back reads it all again.
            if !portal.isScrollable {
                portal.isDone = true
                portal.tag = Self.tag(portal.prepared, affected: 0, emitted: 0)
                cursor.finish()
            }
        }
        return nil
    }

    private func backward(
        _ count: Int, _ move: CursorMove, _ portal: Portal, _ cursor: StatementRun,
        _ sink: CountingSink
    ) throws(SQLError) -> SessionProgress? {
        try requireScroll(portal)
        if count == 0 || portal.position.isAtStart { return nil }
        let rows = keptRows(portal, cursor)
        let known = portal.position.isAtEnd ? CursorMove.all : portal.position.row
        if let blocked = try fill(rows, upTo: known, cursor) { return blocked }
        while move.moved < count, portal.position.place > 1,
            let values = rows[portal.position.place - 2]
        {
            try sink.row(values, cursor.columns, formats: cursor.formats)
            portal.position.row = portal.position.place - 1
            portal.position.isAtEnd = false
            move.moved += 1
            if move.moved & 63 == 0 {
                try interrupt.check()
                if sink.wantsPause { return .paused }
            }
        }
        if move.moved < count {
            portal.position = CursorPosition(
                isAtStart: true, isAtEnd: rows.isComplete && rows.count == 0)
        }
        return nil
    }

    private func rewind(_ portal: Portal, _ cursor: StatementRun) throws(SQLError) {
        if portal.position.isAtStart, !portal.position.isAtEnd { return }
        try requireScroll(portal)
        _ = keptRows(portal, cursor)
        portal.position = CursorPosition()
    }

    // MARK: Rows that are kept

    /// Has the cursor keep its rows, from the first one on: what it has given already it reads again, from the
    /// same snapshot.
    func keptRows(_ portal: Portal, _ cursor: StatementRun) -> CursorRows {
        if let rows = portal.rows { return rows }
        let rows = CursorRows(
            database.engine.options.memoryBudget, of: cursor, isHold: portal.isHold)
        portal.rows = rows
        cursor.readAgain()
        return rows
    }

    /// Reads until so many rows are known, or all are.
    func fill(
        _ rows: CursorRows, upTo count: Int, _ cursor: StatementRun
    ) throws(SQLError) -> SessionProgress? {
        if rows.isComplete || rows.count >= count { return nil }
        let limit = rows.reading ?? (count == CursorMove.all ? 0 : count - rows.count)
        rows.reading = limit
        switch try advance(cursor, maxRows: limit, describes: false, rows) {
        case .blocked(let progress): return progress
        case .suspended: break
        case .done: rows.isComplete = true
        }
        rows.reading = nil
        return nil
    }

    private func checkRunnable(_ portal: Portal) throws(SQLError) {
        if portal.hasFailed {
            throw SQLError(
                .objectNotInPrerequisiteState, "portal \"\(portal.name)\" cannot be run")
        }
    }

    private func requireScroll(_ portal: Portal) throws(SQLError) {
        if !portal.isScrollable {
            throw SQLError(
                .objectNotInPrerequisiteState, "cursor can only scan forward",
                hint: "Declare it with SCROLL option to enable backward scan.")
        }
    }
}
