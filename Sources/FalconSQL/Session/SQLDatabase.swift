import FalconSchema
import FalconStorage
import Synchronization

/// How a SQL database opens.
public struct SQLDatabaseOptions: Sendable {
    /// The role that owns what bootstrap creates.
    public var superuser: String = "postgres"
    /// Databases made at first open, in this order.
    public var databases: [String] = ["postgres", "falcon"]
    /// Initial values of settings for every session (the server's configuration file).
    public var settings: [(String, String)] = []
    /// What `commit` waits for unless the session's synchronous_commit says less.
    public var durability: Durability = .synced
    /// Most concurrent sessions; beyond it makeSession fails with 53300.
    public var maxSessions: Int = 10_000
    /// Most row locks held at once over all transactions; 53200 beyond, or beyond the memory budget.
    public var maxLocks: Int = 8_000_000
    /// What notifications that nobody has taken yet may take; nil for a sixteenth of the memory budget, or
    /// 64 MiB without one.
    public var notificationQueueBytes: Int?
    /// Told when a statement begins (true) and ends (false) to keep its worker thread waiting.
    public var whenBlocking: (@Sendable (Bool) -> Void)?
    /// Told of failures behind the back of every client.
    public var whenFailing: (@Sendable (SQLError) -> Void)?
    /// Beyond so many bytes or transactions the tracker of serializable transactions knows the older half of
    /// the committed ones only together.
    var serializableLimit: (bytes: Int, count: Int) = (8 << 20, 4096)
    public init() {}

    /// Throws what a session would be refused with if `settings` held this entry: 42704 for a name
    /// that is not known, 22023 for a bad value.
    public static func check(setting name: String, value: String) throws(SQLError) {
        var settings = SessionSettings(user: "")
        try settings.setStartup(name, value)
    }
    /// max_prepared_transactions among the settings.
    var maxPrepared: Int {
        let given = settings.last { $0.0.lowercased() == "max_prepared_transactions" }
        return given.flatMap { Int($0.1) } ?? 100
    }
    /// The names of all settings.
    public static var settingNames: [String] { SettingDefinition.all.map(\.name) }
}

/// A SQL database cluster on one engine: its catalog, lock table and sessions.
public final class SQLDatabase: Sendable {
    private struct Registry {
        var sessions: [Int32: (session: WeakSession, secret: Int32)] = [:]
        var nextProcessID: Int32 = 1000
        var databases: [String: DatabaseState] = [:]

        /// The sessions on `database`, without one that asks.
        func sessions(on database: DatabaseState, except processID: Int32?) -> [WeakSession] {
            sessions.filter { $0.value.session.database === database && $0.key != processID }
                .map(\.value.session)
        }

        /// Tells every database of every other. Under the lock, so that an older list never comes last.
        func shareList() {
            let all = databases.values.sorted { $0.oid < $1.oid }
            for database in all { database.setCluster(all.map(\.entry)) }
        }
    }
    private final class WeakSession: Sendable {
        let database: DatabaseState
        let interrupt: Interrupt
        let activity = Mutex<SessionActivity?>(nil)
        /// Who waits for the session's end.
        let watchers = Mutex<[LockWait]>([])
        init(_ interrupt: Interrupt, _ database: DatabaseState) {
            self.interrupt = interrupt
            self.database = database
        }
    }

    public let engine: StorageEngine
    let options: SQLDatabaseOptions
    let locks: LockTable
    let serializables: SerializableTracker
    let exportedSnapshots = ExportedSnapshots()
    let timers = TimerService()
    let prepared: PreparedTransactions
    let notifications: NotificationQueue
    let outcomes: TransactionOutcomeStore
    let statuses: TransactionStatusStore
    let slots: ReplicationSlotStore
    let slotStatistics = SlotStatistics()
    /// When it was opened, in microseconds since 2000.
    let startMicros = FunctionLibrary.clock()
    /// Somebody looks after the slots.
    let isKeepingSlots = Atomic<Bool>(false)
    let commitsUnderWay = CommitsUnderWay()
    let statusCount = Atomic<Int>(0)
    /// Of databases that are dropped: counts never go down.
    let droppedCounts = Mutex(TransactionCounts())
    /// For what would hold up the timers.
    let housekeeping = TimerService()
    let store: CatalogStore
    private let registry = Mutex(Registry())
    /// Those that CREATE ROLE made; see ``RoleEntry``.
    /// By name; those that are dropped, too.
    let roles = Mutex<[String: RoleEntry]>([:])

    private init(
        engine: StorageEngine, options: SQLDatabaseOptions, store: CatalogStore,
        databases: [DatabaseState]
    ) {
        self.engine = engine
        self.options = options
        self.store = store
        prepared = PreparedTransactions(limit: options.maxPrepared)
        notifications = NotificationQueue(
            engine.options.memoryBudget, limitBytes: options.notificationQueueBytes)
        outcomes = TransactionOutcomeStore(engine)
        statuses = TransactionStatusStore(engine)
        slots = ReplicationSlotStore(engine)
        serializables = SerializableTracker(
            engine.options.memoryBudget, committedLimit: options.serializableLimit)
        locks = LockTable(
            maxLocks: options.maxLocks, budget: engine.options.memoryBudget,
            allocateTransaction: { engine.allocateTransactionID().rawValue })
        registry.withLock { registry in
            for database in databases { registry.databases[database.name] = database }
            registry.shareList()
        }
    }

    /// Nothing can be written: the engine was opened to be read.
    var isReadOnly: Bool { engine.options.isReadOnly }

    /// Reads the catalog of `engine`, making it at first open. The engine stays the caller's to close.
    public static func open(
        engine: StorageEngine, options: SQLDatabaseOptions = SQLDatabaseOptions()
    ) throws(SQLError) -> SQLDatabase {
        let store = try CatalogStore(engine: engine)
        let databases = try store.loadDatabases(creating: options.databases)
        let cluster = SQLDatabase(
            engine: engine, options: options, store: store, databases: databases)
        for role in try store.loadRoles() { cluster.apply(.putRole(role)) }
        if cluster.isReadOnly {
            try cluster.restorePrepared()
            return cluster
        }
        for database in databases { try TemporaryRelations.dropAll(in: database, engine: engine) }
        try cluster.restorePrepared()
        // Rows that cannot be read keep nobody out but the slots' users, who are told.
        if let slots = try? cluster.slots.list(), !slots.isEmpty {
            cluster.keepSlotsUp(afterMilliseconds: 0)
        }
        return cluster
    }

    /// A new session of `user` on `database`, of the client at an address, if any; 3D000 when there is no such database, 53300 when there
    /// are too many sessions, 22023 for a startup parameter with a bad value.
    public func makeSession(
        user: String, database: String, startupParameters: [(String, String)],
        client: (address: String, port: Int)? = nil
    ) throws(SQLError) -> Session {
        let known = registry.withLock { $0.databases[database] }
        guard let state = known else { throw Self.noDatabase(database) }
        try checkMayLogIn(user)
        var settings = SessionSettings(user: user)
        for (name, value) in options.settings { try settings.setStartup(name, value) }
        for (name, value) in startupParameters { try settings.setStartup(name, value) }
        settings.setServer("max_connections", String(options.maxSessions))
        let secret = Int32.random(in: Int32.min...Int32.max)
        let interrupt = Interrupt(locks: locks)
        let entry = WeakSession(interrupt, state)
        let processID = try registry.withLock { registry throws(SQLError) -> Int32 in
            guard registry.sessions.count < options.maxSessions else {
                var error = SQLError(.tooManyConnections, "sorry, too many clients already")
                error.severity = .fatal
                throw error
            }
            // It may have been dropped since it was looked up.
            guard registry.databases[database] === state,
                !state.isLeaving.load(ordering: .acquiring)
            else { throw Self.noDatabase(database) }
            try self.checkAccepts(state, user) {
                registry.sessions(on: state, except: nil).count
            }
            repeat {
                registry.nextProcessID =
                    registry.nextProcessID == .max ? 1000 : registry.nextProcessID + 1
            } while registry.sessions[registry.nextProcessID] != nil
            registry.sessions[registry.nextProcessID] = (entry, secret)
            return registry.nextProcessID
        }
        let session = Session(
            database: self, state: state, processID: processID, secretKey: secret,
            settings: settings, interrupt: interrupt, client: client)
        entry.activity.withLock { $0 = session.activity }
        return session
    }

    private static func noDatabase(_ name: String) -> SQLError {
        var error = SQLError(.invalidCatalogName, "database \"\(name)\" does not exist")
        error.severity = .fatal
        return error
    }

    /// Whether one more session of `user` may be on `database`.
    private func checkAccepts(
        _ database: DatabaseState, _ user: String, count: () -> Int
    ) throws(SQLError) {
        let entry = database.entry
        if !entry.allowsConnections {
            var error = SQLError(
                .objectNotInPrerequisiteState,
                "database \"\(entry.name)\" is not currently accepting connections")
            error.severity = .fatal
            throw error
        }
        if entry.connectionLimit >= 0, !isSuperuser(user), count() >= Int(entry.connectionLimit) {
            var error = SQLError(
                .tooManyConnections, "too many connections for database \"\(entry.name)\"")
            error.severity = .fatal
            throw error
        }
    }

    // MARK: Databases

    func database(named name: String) -> DatabaseState? {
        registry.withLock { $0.databases[name] }
    }

    /// How many sessions are on `database`, the one with `processID` aside.
    func sessionCount(on database: DatabaseState, except processID: Int32) -> Int {
        registry.withLock { $0.sessions(on: database, except: processID).count }
    }

    /// Ends every session on `database`.
    func terminateSessions(on database: DatabaseState) {
        let sessions = registry.withLock { $0.sessions(on: database, except: nil) }
        for session in sessions { session.interrupt.raise(.terminated) }
    }

    /// Keeps everybody out of `database` from now on; false: somebody is in it.
    func close(_ database: DatabaseState) -> Bool {
        registry.withLock { registry in
            guard registry.sessions(on: database, except: nil).isEmpty else { return false }
            database.isLeaving.store(true, ordering: .releasing)
            return true
        }
    }

    /// CREATE or DROP DATABASE has committed.
    func apply(_ change: DatabaseChange) {
        registry.withLock { registry in
            switch change {
            case .created(let database): registry.databases[database.name] = database
            case .dropped(let database):
                registry.databases[database.name] = nil
                droppedCounts.withLock { $0.add(database) }
            case .putRole(let role): roles.withLock { $0[role.name] = role }
            }
            registry.shareList()
        }
    }

    /// What databases that are dropped have counted, and those that are there: each is in one of both.
    var counted: (dropped: TransactionCounts, databases: [DatabaseState]) {
        registry.withLock { registry in
            (droppedCounts.withLock { $0 }, Array(registry.databases.values))
        }
    }

    /// What the open sessions do, by process number. Thread-safe.
    var activities: [SessionActivity] {
        let entries = registry.withLock { registry in
            registry.sessions.sorted { $0.key < $1.key }.map(\.value.session)
        }
        return entries.compactMap { $0.activity.withLock { $0 } }
    }

    func forget(_ processID: Int32) {
        let entry = registry.withLock { $0.sessions.removeValue(forKey: processID) }
        let watchers = entry?.session.watchers.withLock { $0 } ?? []
        for wait in watchers { wait.resolve(.granted)?() }
    }

    func isOpen(_ processID: Int32) -> Bool {
        registry.withLock { $0.sessions[processID] != nil }
    }

    /// Ends `wait` when the session is gone.
    func whenGone(_ processID: Int32, _ wait: LockWait) {
        // Registered under the lock: the session cannot go in between.
        let isOpen = registry.withLock { registry in
            registry.sessions[processID]?.session.watchers.withLock { $0.append(wait) } != nil
        }
        if !isOpen { wait.resolve(.granted)?() }
    }

    /// A CancelRequest: cancels what the session with this key is doing. False when there is none.
    @discardableResult
    public func cancel(processID: Int32, secret: Int32) -> Bool {
        let entry = registry.withLock { $0.sessions[processID] }
        guard let entry, entry.secret == secret else { return false }
        entry.session.interrupt.raise(.user)
        return true
    }

    /// Whose session this is; nil when there is none.
    func user(ofProcess processID: Int32) -> String? {
        let entry = registry.withLock { $0.sessions[processID] }
        return entry?.session.activity.withLock { $0?.user }
    }

    /// pg_cancel_backend and pg_terminate_backend.
    func interrupt(processID: Int32, _ reason: Interrupt.Reason) -> Bool {
        guard let entry = registry.withLock({ $0.sessions[processID] }) else { return false }
        entry.session.interrupt.raise(reason)
        return true
    }

    /// Names of the databases, with their OIDs.
    var databaseList: [DatabaseState] {
        registry.withLock { Array($0.databases.values) }.sorted { $0.oid < $1.oid }
    }

    /// Process numbers of the open sessions.
    public var sessionCount: Int { registry.withLock { $0.sessions.count } }

    /// Stops background threads. Sessions must be closed before.
    public func close() {
        timers.stop()
        housekeeping.stop()
    }
}
