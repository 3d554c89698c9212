import FalconSchema
import Synchronization

/// What other sessions may see of one: its part of pg_stat_activity. The session writes it as its
/// requests begin and end, any thread reads it.
final class SessionActivity: Sendable {
    enum Phase: String, Sendable {
        case active
        case idle
        case idleInTransaction = "idle in transaction"
        case failed = "idle in transaction (aborted)"
    }

    struct State: Sendable {
        var applicationName = ""
        var phase = Phase.idle
        /// The text of the current request, or of the last.
        var query = ""
        /// µs since 2000; nil outside a transaction and before the first request.
        var transactionStart: Int64?
        var queryStart: Int64?
        var stateChange: Int64
        var isolation = IsolationLevel.readCommitted
        var isReadOnly = false
    }

    private let currentOwner: Mutex<LockOwner>
    /// The holder of the session's locks: another one after PREPARE TRANSACTION.
    var owner: LockOwner { currentOwner.withLock { $0 } }
    func replaceOwner(_ owner: LockOwner) { currentOwner.withLock { $0 = owner } }
    /// What the session's transaction has done.
    let progress: TransactionProgress
    let database: DatabaseState
    let user: String
    /// Nil for a session inside the process.
    let client: (address: String, port: Int)?
    let start: Int64
    private let state: Mutex<State>

    init(
        owner: LockOwner, progress: TransactionProgress, database: DatabaseState, user: String,
        client: (address: String, port: Int)?, now: Int64
    ) {
        currentOwner = Mutex(owner)
        self.progress = progress
        self.database = database
        self.user = user
        self.client = client
        start = now
        state = Mutex(State(stateChange: now))
    }

    var current: State { state.withLock { $0 } }

    func began(_ query: String, now: Int64) {
        state.withLock {
            $0.phase = .active
            $0.query = query
            $0.queryStart = now
            $0.stateChange = now
        }
    }

    func ended(_ phase: Phase, now: Int64) {
        state.withLock {
            $0.phase = phase
            $0.stateChange = now
            if phase == .idle { $0.transactionStart = nil }
        }
    }

    func beganTransaction(now: Int64) { state.withLock { $0.transactionStart = now } }

    /// The current transaction's.
    var modes: (isolation: IsolationLevel, isReadOnly: Bool) {
        get { state.withLock { ($0.isolation, $0.isReadOnly) } }
        set { state.withLock { ($0.isolation, $0.isReadOnly) = newValue } }
    }

    var applicationName: String { state.withLock { $0.applicationName } }

    func renamed(_ application: String) { state.withLock { $0.applicationName = application } }
}
