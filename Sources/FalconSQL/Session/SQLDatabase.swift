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
    }
    private final class WeakSession: Sendable {
        let interrupt: Interrupt
        let activity = Mutex<SessionActivity?>(nil)
        /// Who waits for the session's end.
        let watchers = Mutex<[LockWait]>([])
        init(_ interrupt: Interrupt) { self.interrupt = interrupt }
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
    let commitsUnderWay = CommitsUnderWay()
    let statusCount = Atomic<Int>(0)
    /// For what would hold up the timers.
    let housekeeping = TimerService()
    let store: CatalogStore
    private let databases: [String: DatabaseState]
    private let registry = Mutex(Registry())

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
        serializables = SerializableTracker(
            engine.options.memoryBudget, committedLimit: options.serializableLimit)
        locks = LockTable(
            maxLocks: options.maxLocks, budget: engine.options.memoryBudget,
            allocateTransaction: { engine.allocateTransactionID().rawValue })
        var map: [String: DatabaseState] = [:]
        for database in databases { map[database.name] = database }
        self.databases = map
        let all = databases.map { (oid: $0.oid, name: $0.name) }.sorted { $0.oid < $1.oid }
        for database in databases { database.setCluster(all) }
    }

    /// Reads the catalog of `engine`, making it at first open. The engine stays the caller's to close.
    public static func open(
        engine: StorageEngine, options: SQLDatabaseOptions = SQLDatabaseOptions()
    ) throws(SQLError) -> SQLDatabase {
        let store = try CatalogStore(engine: engine)
        let databases = try store.loadDatabases(creating: options.databases)
        for database in databases { try TemporaryRelations.dropAll(in: database, engine: engine) }
        let cluster = SQLDatabase(
            engine: engine, options: options, store: store, databases: databases)
        try cluster.restorePrepared()
        return cluster
    }

    /// A new session of `user` on `database`, of the client at an address, if any; 3D000 when there is no such database, 53300 when there
    /// are too many sessions, 22023 for a startup parameter with a bad value.
    public func makeSession(
        user: String, database: String, startupParameters: [(String, String)],
        client: (address: String, port: Int)? = nil
    ) throws(SQLError) -> Session {
        guard let state = databases[database] else {
            var error = SQLError(
                .invalidCatalogName, "database \"\(database)\" does not exist")
            error.severity = .fatal
            throw error
        }
        var settings = SessionSettings(user: user)
        for (name, value) in options.settings { try settings.setStartup(name, value) }
        for (name, value) in startupParameters { try settings.setStartup(name, value) }
        settings.setServer("max_connections", String(options.maxSessions))
        let secret = Int32.random(in: Int32.min...Int32.max)
        let interrupt = Interrupt(locks: locks)
        let entry = WeakSession(interrupt)
        let processID = try registry.withLock { registry throws(SQLError) -> Int32 in
            guard registry.sessions.count < options.maxSessions else {
                var error = SQLError(.tooManyConnections, "sorry, too many clients already")
                error.severity = .fatal
                throw error
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
    var databaseList: [DatabaseState] { databases.values.sorted { $0.oid < $1.oid } }

    /// Process numbers of the open sessions.
    public var sessionCount: Int { registry.withLock { $0.sessions.count } }

    /// Stops background threads. Sessions must be closed before.
    public func close() {
        timers.stop()
        housekeeping.stop()
    }
}
