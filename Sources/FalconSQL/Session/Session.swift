import FalconSchema
import FalconStorage
import Synchronization

/// One client's session: its transaction, settings, prepared statements and portals.
///
/// One request runs at a time, on any thread. No call blocks: a lock wait or a commit comes back as
/// ``SessionProgress/waiting(_:)`` and continues in ``resume(_:)``.
public final class Session: @unchecked Sendable {
    /// Where the session is between BEGIN and its end.
    enum BlockState {
        case none
        /// Begun by a statement outside a block; ends with its message (or Sync).
        case implicit
        case inBlock
        /// Failed: only ROLLBACK, COMMIT and ROLLBACK TO are accepted.
        case failed
    }

    /// The request being worked on.
    enum Work {
        case none
        /// A Parse message that waits for its relations' locks.
        case parse(PreparedStatement)
        case simple(SimpleWork)
        case execute(ExecuteWork)
        case sync
    }

    /// A Query message on its way.
    final class SimpleWork {
        let sql: String
        let statements: [AST.ParsedStatement]
        var index = 0
        var run: StatementRun?
        /// The tag to send once the commit in flight is published.
        var pendingTag: String?
        /// The statement as an instance of a shared one.
        var shared: (prepared: PreparedStatement, parameters: [Datum])?
        init(sql: String, statements: [AST.ParsedStatement]) {
            self.sql = sql
            self.statements = statements
        }
    }

    /// An Execute message on its way.
    final class ExecuteWork {
        let portal: Portal
        let maxRows: Int
        var pendingTag: String?
        /// Rows sent of what a cursor holds.
        var sent = 0
        init(portal: Portal, maxRows: Int) {
            self.portal = portal
            self.maxRows = maxRows
        }
    }

    /// What BackendKeyData tells the client.
    public let processID: Int32
    public let secretKey: Int32

    let database: SQLDatabase
    let state: DatabaseState
    let interrupt: Interrupt
    /// Holds the transaction's locks; another one after PREPARE TRANSACTION.
    @exclusivity(unchecked) var owner: LockOwner
    /// Holds session-level advisory locks, which outlive transactions.
    let advisoryOwner: LockOwner
    var advisoryLog = AdvisoryLog()
    /// What functions have to tell the client, until it is sent.
    var functionNotices: [SQLError] = []
    let idle: IdleTimeout
    let transaction: Transaction
    let functions: FunctionContext
    let activity: SessionActivity
    private let bridge: SessionBridge
    var settings: SessionSettings
    var settingsAtBegin: SessionSettings.Saved?
    /// How the transaction began, before BEGIN's own modes.
    var modesAtBegin: Transaction.Modes?
    var block = BlockState.none
    var work = Work.none
    var statements: [String: PreparedStatement] = [:]
    var portals: [String: Portal] = [:]
    /// Orders portals and savepoints.
    var nextPortalNumber = 0
    var pendingCommit: CommitWait?
    var chainAfterCommit: Transaction.Modes?
    /// The end of the transaction that waits for deferred checks.
    var pendingEnd: TransactionEnd?
    /// What foreign keys need, by constraint.
    var foreignKeyProbes: [OID: ForeignKeyProbe] = [:]
    var foreignKeyQueries: [ForeignKeyQuery.Identity: ForeignKeyQuery] = [:]
    var copyIn: CopyInState?
    var simplePlans = SimplePlanCache()
    /// The text that error positions count in.
    var currentSQL = ""
    /// How `currentSQL` differs from what the client sent, if it does.
    var rewriting: EscapedStrings?
    var escapes: (generation: UInt64, mode: EscapedStrings.Mode) = (.max, EscapedStrings.Mode())
    var sleep = SleepState()
    private var lockTimer: TimerService.Timer?
    var statementTimer: TimerService.Timer?
    var transactionTimer: TimerService.Timer?
    /// The caller has brought us to a worker thread.
    var isOnWorker = false
    private var awaitsWorker = false
    private var reportedValues: [String]
    private var reportedGeneration: UInt64
    private var functionsGeneration: UInt64 = .max
    private var isClosed = false
    /// The current transaction's, once anybody has asked for it: a deadlock report may.
    var transactionNumber: UInt64? { owner.transactionNumber.withLock { $0 } }
    /// It has made a temporary relation at some time.
    var usesTemporary = false
    /// The SQLSTATE that the transaction now fails with, for the statistics.
    var failure: SQLState?
    /// What commits do with its temporary tables.
    var temporaryActions: [OID: OnCommitAction] = [:]

    init(
        database: SQLDatabase, state: DatabaseState, processID: Int32, secretKey: Int32,
        settings: SessionSettings, interrupt: Interrupt,
        client: (address: String, port: Int)? = nil
    ) {
        self.database = database
        self.state = state
        self.processID = processID
        self.secretKey = secretKey
        self.settings = settings
        self.interrupt = interrupt
        owner = LockOwner(processID: processID)
        advisoryOwner = LockOwner(besides: owner)
        idle = IdleTimeout(timers: database.timers) { interrupt.expired($0) }
        transaction = Transaction(
            engine: database.engine, locks: database.locks, owner: owner, database: state,
            interrupt: interrupt, serializables: database.serializables)
        activity = SessionActivity(
            owner: owner, progress: transaction.progress, database: state, user: settings.user,
            client: client, now: Self.nowMicros())
        let bridge = SessionBridge()
        self.bridge = bridge
        functions = FunctionContext(
            settings: settings.display, transactionTimestamp: 0, statementTimestamp: 0,
            session: bridge)
        reportedValues = settings.reported().map(\.1)
        reportedGeneration = settings.generation
        database.locks.register(owner)
        database.locks.register(advisoryOwner)
        bridge.session = self
        self.settings.setNames(bridge)
        functions.settings = self.settings.display
        activity.renamed(self.settings.value("application_name") ?? "")
        beginIdle(inTransaction: false)
    }

    /// ReadyForQuery's status.
    public var transactionStatus: TransactionStatus {
        switch block {
        case .none, .implicit: .idle
        case .inBlock: .inTransaction
        case .failed: .failed
        }
    }

    /// The ParameterStatus messages of startup.
    public var reportedParameters: [(String, String)] { settings.reported() }

    /// How result values are written now. The server's sink reads it while this session runs, for each
    /// value that has no fast path.
    public var displaySettings: DisplaySettings { settings.display }

    // MARK: Requests

    /// A Query message: every statement of `sql`. The sink gets rows and command tags.
    public func simpleQuery(_ sql: String, _ sink: any ResultSink) -> SessionProgress {
        startRequest(sql)
        statements[""] = nil
        do throws(SQLError) {
            if interrupt.isEnding { throw interrupt.error }
            if block != .failed, let shared = sharedStatement(for: sql),
                let parsed = shared.prepared.parsed
            {
                let simple = SimpleWork(sql: sql, statements: [parsed])
                simple.shared = shared
                work = .simple(simple)
                return drive(sink)
            }
            let sql = try parserText(sql, sink)
            let parsed = try SQLParser.parse(sql)
            if parsed.isEmpty {
                sink.emptyQuery()
                return finish(sink)
            }
            noticeLongIdentifiers(parsed, sink)
            work = .simple(SimpleWork(sql: sql, statements: parsed))
        } catch { return fail(error, sink) }
        return drive(sink)
    }

    /// A Parse message. `parameterTypes` may be shorter than the parameters, and hold 0 for unknown.
    public func parse(
        name: String, sql: String, parameterTypes: [OID], _ sink: any ResultSink
    ) -> SessionProgress {
        startRequest(sql)
        do throws(SQLError) {
            if !name.isEmpty, statements[name] != nil {
                throw SQLError(
                    .duplicatePreparedStatement,
                    "prepared statement \"\(name)\" already exists")
            }
            for type in parameterTypes
            where type != .invalid && TypeRegistry.descriptor(type) == nil {
                throw SQLError(
                    .internalError, "cache lookup failed for type \(type.rawValue)")
            }
            // A repeated text under the unnamed statement keeps its plan.
            if name.isEmpty, let old = statements[""], old.sql == sql,
                old.declaredTypes == parameterTypes, block != .failed, isCurrent(old),
                !(old.plan?.readsSurroundings ?? false)
            {
                try beginIfNeeded()
                return .finished
            }
            let sql = try parserText(sql, sink)
            let parsed = try SQLParser.parse(sql)
            if parsed.count > 1 {
                throw SQLError(
                    .syntaxError,
                    "cannot insert multiple commands into a prepared statement")
            }
            noticeLongIdentifiers(parsed, sink)
            if let statement = parsed.first { try checkNotFailed(statement.statement) }
            let prepared = PreparedStatement(
                name: name, sql: sql, parsed: parsed.first, declaredTypes: parameterTypes)
            guard prepared.isPlanned else {
                if case .declareCursor(let declare) = prepared.statement {
                    try beginIfNeeded()
                    try inferParameters(of: declare, prepared)
                }
                statements[name] = prepared
                return .finished
            }
            work = .parse(prepared)
        } catch { return fail(error, sink) }
        return drive(sink)
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

    public func describeStatement(_ name: String) throws(SQLError) -> StatementDescription {
        let prepared = try statement(named: name)
        if prepared.isPlanned, block != .failed {
            try beginIfNeeded()
            try ensurePlan(prepared)
        } else if prepared.isPlanned, !(prepared.plan?.columns.isEmpty ?? true) {
            throw Self.failedTransaction
        }
        return StatementDescription(
            parameterTypes: prepared.plan.map { $0.parameterTypes.map(\.oid) }
                ?? prepared.declaredTypes,
            columns: try resultColumns(prepared))
    }

    public func describePortal(
        _ name: String
    ) throws(SQLError) -> (columns: [ResultColumn]?, formats: [Int16]) {
        guard let portal = portals[name] else { throw Self.noPortal(name) }
        guard let columns = try resultColumns(portal.prepared) else { return (nil, []) }
        return (columns, Self.expand(portal.formats, columns.count))
    }

    public func bind(
        portal: String, statement: String, parameters: [WireParameter], resultFormats: [Int16],
        _ sink: any ResultSink
    ) -> SessionProgress {
        if idle.isOn { idle.end() }
        do throws(SQLError) {
            let prepared = try self.statement(named: statement)
            currentSQL = prepared.sql
            if let statement = prepared.statement { try checkNotFailed(statement) }
            if !portal.isEmpty, portals[portal] != nil {
                throw SQLError(.duplicateCursor, "cursor \"\(portal)\" already exists")
            }
            if prepared.isPlanned {
                try beginIfNeeded()
                try ensurePlan(prepared)
            }
            let values = try decode(parameters, for: prepared, portal: portal)
            let columnCount = try resultColumns(prepared)?.count ?? 0
            if resultFormats.count > 1, resultFormats.count != columnCount {
                throw SQLError(
                    .protocolViolation,
                    "bind message has \(resultFormats.count) result formats but query has "
                        + "\(columnCount) columns")
            }
            dropPortal(portal)
            let bound = Portal(
                name: portal, prepared: prepared, parameters: values, formats: resultFormats,
                number: numberPortal())
            bound.isLarge =
                parameters.contains { ($0.bytes?.count ?? 0) > Self.largeInput }
                || prepared.sql.utf8.count > Self.largeInput
            portals[portal] = bound
            return .finished
        } catch { return fail(error, sink) }
    }

    /// An Execute message; `maxRows` 0 means all.
    public func execute(
        portal: String, maxRows: Int, _ sink: any ResultSink
    ) -> SessionProgress {
        guard let found = portals[portal] else { return fail(Self.noPortal(portal), sink) }
        startRequest(found.prepared.sql)
        if interrupt.isEnding { return fail(interrupt.error, sink) }
        work = .execute(ExecuteWork(portal: found, maxRows: max(0, maxRows)))
        return drive(sink)
    }

    public func closeStatement(_ name: String) { statements[name] = nil }
    public func closePortal(_ name: String) { dropPortal(name) }

    /// A Sync message: ends the implicit transaction (its commit may wait).
    public func sync(_ sink: any ResultSink) -> SessionProgress {
        guard block == .implicit else {
            noteEnd()
            return .finished
        }
        work = .sync
        return drive(sink)
    }

    /// The server itself raised an error inside an extended batch: fails the transaction.
    public func protocolError() { abortAfterError() }

    /// Continues after `waiting`, `paused` or `needsWorker`; may return any progress again.
    public func resume(_ sink: any ResultSink) -> SessionProgress {
        isOnWorker = awaitsWorker
        awaitsWorker = false
        do throws(SQLError) {
            if let commit = pendingCommit {
                guard let result = commit.result else { return waiting(commit) }
                pendingCommit = nil
                try finishCommit(result)
            }
            if let wait = transaction.pendingWait {
                guard wait.outcome != nil else { return waiting(wait) }
                try finishLockWait(wait)
            }
            if let blocked = try resumeEnd() { return blocked }
        } catch {
            abandonEnd()
            return fail(error, sink)
        }
        if copyIn != nil { return continueCopy(sink) }
        return drive(sink)
    }

    /// Cancels what the session is doing. Thread-safe.
    public func requestCancel() { interrupt.raise(.user) }

    /// Ends the session as soon as its statement notices: 57P01. Thread-safe.
    public func terminate() { interrupt.raise(.terminated) }

    /// The same when it does nothing but sleep: there is no work to let end. Thread-safe.
    public func terminateIfSleeping() { interrupt.terminateIfSleeping() }

    /// Rolls back, releases locks, forgets the session. Not while a request is running.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        statementTimer?.cancel()
        stopTransactionTimer()
        idle.stop()
        if let wait = transaction.pendingWait {
            database.locks.cancel(wait, .cancelled)
            _ = database.locks.finishWait(wait)
            transaction.pendingWait = nil
        }
        if let commit = pendingCommit {
            // The engine still owns the batch; its completion releases the locks.
            pendingCommit = nil
            let locks = database.locks
            let owner = owner
            let temporary = temporaryCleanup()
            commit.onReady {
                locks.unregister(owner)
                temporary?()
            }
        } else {
            dropAllPortals(evenKept: true)
            noteTransaction(.aborted)
            transaction.end()
            database.locks.releaseAll(owner)
            database.locks.unregister(owner)
            temporaryCleanup()?()
        }
        database.locks.releaseAll(advisoryOwner)
        database.locks.unregister(advisoryOwner)
        work = .none
        statements.removeAll()
        database.forget(processID)
    }

    deinit {
        if !isClosed { close() }
        bridge.session = nil
    }

    // MARK: Driving

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

    /// The request is complete.
    func finish(_ sink: any ResultSink) -> SessionProgress {
        let isExecute = isExecuting
        work = .none
        report(sink)
        noteEnd(isReady: !isExecute)
        return .finished
    }

    private var isExecuting: Bool {
        if case .execute = work { return true }
        return false
    }

    /// For pg_stat_activity: between requests now. Before Sync the extended protocol's work goes on, and
    /// the session is not idle (`isReady` false).
    private func noteEnd(isReady: Bool = true) {
        switch block {
        case .none: activity.ended(.idle, now: Self.nowMicros())
        case .inBlock: activity.ended(.idleInTransaction, now: Self.nowMicros())
        case .failed: activity.ended(.failed, now: Self.nowMicros())
        case .implicit: return
        }
        if isReady { beginIdle(inTransaction: block != .none) }
    }

    /// The request failed: the transaction's state follows PostgreSQL's.
    func fail(_ error: SQLError, _ sink: any ResultSink) -> SessionProgress {
        var error = error
        if error.position == nil, let offset = error.byteOffset, offset >= 0 {
            error.position = requestPosition(ofByte: offset)
        } else if let position = error.position, let rewriting, error.state == .syntaxError {
            let offset = currentSQL.unicodeScalars.prefix(position - 1).reduce(0) {
                $0 + String($1).utf8.count
            }
            error.position = Self.position(
                ofByte: rewriting.originalOffset(offset), in: rewriting.original)
        }
        if case .simple(let simple) = work { simple.run?.finish() }
        if case .execute(let execute) = work {
            execute.portal.run?.finish()
            execute.portal.isDone = true
        }
        let isExecute = isExecuting
        work = .none
        copyIn = nil
        stopStatement()
        failure = error.state
        abortAfterError()
        report(sink)
        noteEnd(isReady: !isExecute)
        return .failed(error)
    }

    private func noticeLongIdentifiers(
        _ statements: [AST.ParsedStatement], _ sink: any ResultSink
    ) {
        guard let names = statements.first?.longIdentifiers else { return }
        for name in names {
            sink.notice(
                SQLError(
                    SQLState("42622"),
                    "identifier \"\(name)\" will be truncated to \"\(TypeIO.clippedName(name))\"",
                    severity: .notice))
        }
    }

    static func position(ofByte offset: Int, in sql: String) -> Int {
        var characters = 1
        for byte in sql.utf8.prefix(offset) where byte & 0xC0 != 0x80 { characters += 1 }
        return characters
    }

    /// Announces reported parameters that changed.
    func report(_ sink: any ResultSink) {
        if !functionNotices.isEmpty { sendFunctionNotices(sink) }
        guard settings.generation != reportedGeneration else { return }
        reportedGeneration = settings.generation
        activity.renamed(settings.value("application_name") ?? "")
        for (index, (name, value)) in settings.reported().enumerated()
        where reportedValues[index] != value {
            reportedValues[index] = value
            sink.parameterStatus(name, value)
        }
    }

    // MARK: Waiting

    func waiting(_ commit: CommitWait) -> SessionProgress {
        .waiting(SessionWait { commit.onReady($0) })
    }

    func waiting(_ wait: LockWait) -> SessionProgress {
        .waiting(SessionWait { wait.onReady($0) })
    }

    /// Begins waiting for the lock that the statement ran into.
    func beginLockWait() -> SessionProgress {
        guard let wait = transaction.pendingWait else { return .finished }
        interrupt.beginWait(wait)
        // A lock's is there already: the lock table needs it to find deadlocks.
        if !wait.isQueued { wait.owner.waiting.withLock { $0 = wait } }
        if settings.lockTimeoutMS > 0, wait.isQueued {
            let locks = database.locks
            lockTimer = database.timers.schedule(afterMilliseconds: settings.lockTimeoutMS) {
                locks.cancel(wait, .timedOut)
            }
        }
        return waiting(wait)
    }

    func finishLockWait(_ wait: LockWait) throws(SQLError) {
        lockTimer?.cancel()
        lockTimer = nil
        interrupt.endWait()
        transaction.pendingWait = nil
        switch database.locks.finishWait(wait) {
        case .granted: if wait.isTimer { sleep.finished += 1 }
        case .timedOut:
            throw SQLError(.lockNotAvailable, "canceling statement due to lock timeout")
        case .cancelled: throw interrupt.error
        case .deadlock(let detail):
            throw SQLError(
                .deadlockDetected, "deadlock detected", detail: detail,
                hint: "See server log for query details.")
        }
    }

    /// The rest is for a worker thread.
    func needsWorker() -> SessionProgress {
        awaitsWorker = true
        return .needsWorker
    }

    func startStatement() {
        sleep = SleepState()
        activity.modes = (transaction.isolation, transaction.isReadOnly)
        transaction.limits = (settings.maxWriteKeys, settings.maxWriteBytes)
        owner.setPriority(settings.transactionPriority)
        startTransactionTimer()
        if !advisoryLog.isEmpty { advisoryLog = AdvisoryLog() }
        startStatementTimer()
    }

    /// Also for a commit that is held back, which the statement's own timer does not cover.
    func startStatementTimer() {
        if settings.statementTimeoutMS > 0 {
            let interrupt = interrupt
            statementTimer = database.timers.schedule(
                afterMilliseconds: settings.statementTimeoutMS
            ) { interrupt.raise(.statementTimeout) }
        }
    }

    func stopStatement() {
        guard let timer = statementTimer else { return }
        timer.cancel()
        statementTimer = nil
    }

    /// Bytes of a statement or parameter from which work on it is for a worker.
    static let largeInput = 256 << 10

    /// Brings what functions see up to date for a statement.
    func refreshFunctions() {
        refreshSettings()
        functions.transactionTimestamp = transaction.startMicros
        functions.statementTimestamp = Self.nowMicros()
    }

    func refreshSettings() {
        if functionsGeneration != settings.generation {
            functionsGeneration = settings.generation
            functions.settings = settings.display
        }
        functions.settings.transactionTimestamp = transaction.startMicros
    }

    // MARK: Lookups

    static let failedTransaction = SQLError(
        .inFailedSQLTransaction,
        "current transaction is aborted, commands ignored until end of transaction block")

    static func noPortal(_ name: String) -> SQLError {
        SQLError(.invalidCursorName, "portal \"\(name)\" does not exist")
    }

    func statement(named name: String) throws(SQLError) -> PreparedStatement {
        guard let prepared = statements[name] else {
            throw name.isEmpty
                ? SQLError(
                    .invalidSQLStatementName, "unnamed prepared statement does not exist")
                : SQLError(
                    .invalidSQLStatementName, "prepared statement \"\(name)\" does not exist")
        }
        return prepared
    }

    func numberPortal() -> Int {
        nextPortalNumber &+= 1
        return nextPortalNumber &- 1
    }

    func dropPortal(_ name: String) {
        if let portal = portals.removeValue(forKey: name) { portal.run?.finish() }
    }

    /// Those that an earlier transaction has left WITH HOLD stay, but for the session's end.
    func dropAllPortals(evenKept: Bool = false) {
        guard !portals.isEmpty else { return }
        for (name, portal) in portals where evenKept || !portal.isKept { dropPortal(name) }
    }

    /// One format code per column from what Bind said: none, one for all, or one each.
    static func expand(_ formats: [Int16], _ count: Int) -> [Int16] {
        if formats.count == count { return formats }
        return Array(repeating: formats.first ?? 0, count: count)
    }

    private func decode(
        _ parameters: [WireParameter], for prepared: PreparedStatement, portal: String
    ) throws(SQLError) -> [Datum] {
        let types =
            prepared.plan?.parameterTypes ?? prepared.declaredTypes.map { SQLType($0) }
        guard parameters.count == types.count else {
            throw SQLError(
                .protocolViolation,
                "bind message supplies \(parameters.count) parameters, but prepared statement "
                    + "\"\(prepared.name)\" requires \(types.count)")
        }
        var values: [Datum] = []
        values.reserveCapacity(types.count)
        for (index, parameter) in parameters.enumerated() {
            guard let bytes = parameter.bytes else {
                values.append(.null)
                continue
            }
            let type = types[index]
            let display = settings.display
            do throws(SQLError) {
                values.append(
                    try bytes.withRaw { raw throws(SQLError) in
                        switch parameter.format {
                        case 0: try TypeIO.parseText(raw, type: type, settings: display)
                        case 1: try TypeIO.decodeBinary(raw, type: type, settings: display)
                        default:
                            throw SQLError(
                                .invalidParameterValue,
                                "unsupported format code: \(parameter.format)")
                        }
                    })
            } catch {
                var error = error
                error.context =
                    (portal.isEmpty ? "unnamed portal" : "portal \"\(portal)\"")
                    + " parameter $\(index + 1)"
                    + (parameter.format == 0 && error.state != .characterNotInRepertoire
                        ? " = '...'" : "")
                throw error
            }
        }
        return values
    }
}
