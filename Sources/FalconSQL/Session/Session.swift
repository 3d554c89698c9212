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
        /// A Bind message; it may have to wait for them, too.
        case bind(BindWork)
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

    /// A Bind message.
    struct BindWork {
        let portal: String
        let prepared: PreparedStatement
        let parameters: [WireParameter]
        let resultFormats: [Int16]
    }

    /// An Execute message on its way.
    final class ExecuteWork {
        let portal: Portal
        let maxRows: Int
        var pendingTag: String?
        /// Of a cursor.
        var move: CursorMove?
        /// Another Execute message since the last Sync is part of the same transaction.
        let followsOthers: Bool
        /// The statement may not share its transaction: it commits before its tag is sent, not at Sync.
        var commitsAtOnce = false
        init(portal: Portal, maxRows: Int, followsOthers: Bool) {
            self.portal = portal
            self.maxRows = maxRows
            self.followsOthers = followsOthers
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
    /// What the current statement has told the client.
    var told = ToldNotices()
    /// What functions have to tell the client, until it is sent.
    var functionNotices: [SQLError] = []
    /// From its first LISTEN on.
    var listener: NotificationListener?
    /// Tells whoever serves the session that a notification has come.
    var notified: @Sendable () -> Void = {}
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
    /// An Execute message has been answered in the transaction under way.
    var hasExecuted = false
    var work = Work.none
    var statements: [String: PreparedStatement] = [:]
    var portals: [String: Portal] = [:]
    /// Orders portals and savepoints.
    var nextPortalNumber = 0
    var pendingCommit: CommitWait?
    var chainAfterCommit: Transaction.Modes?
    /// What the client is told in place of the tag once the transaction, all that is left of the statement, is
    /// committed.
    var failureAfterCommit: SQLError?
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
    var lockTimer: TimerService.Timer?
    var statementTimer: TimerService.Timer?
    var transactionTimer: TimerService.Timer?
    /// The caller has brought us to a worker thread.
    var isOnWorker = false
    var awaitsWorker = false
    /// What the client knows of the parameters that are reported to it.
    var reportedValues: [String]
    var reportedGeneration: UInt64
    var functionsGeneration: UInt64 = .max
    private var isClosed = false
    /// The current transaction's, once anybody has asked for it: a deadlock report may.
    var transactionNumber: UInt64? { owner.transactionNumber.withLock { $0 } }
    /// It has made a temporary relation at some time.
    var usesTemporary = false
    /// The text of the transaction's last statement, its own end aside.
    var lastStatement = ""
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

    // MARK: Its end

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
            // What it was ended for, if anything.
            failure = endRequest?.state
            noteTransaction(.aborted)
            endExports()
            transaction.end()
            database.locks.releaseAll(owner)
            database.locks.unregister(owner)
            temporaryCleanup()?()
        }
        database.locks.releaseAll(advisoryOwner)
        database.locks.unregister(advisoryOwner)
        endListening()
        work = .none
        statements.removeAll()
        database.forget(processID)
    }

    deinit {
        if !isClosed { close() }
        bridge.session = nil
    }
}
