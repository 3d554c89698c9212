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
    /// Most row locks held at once over all transactions; 53200 beyond.
    public var maxLocks: Int = 8_000_000
    public init() {}
}

/// A SQL database cluster on one engine: its catalog, lock table, plan cache and sessions.
public final class SQLDatabase: Sendable {
    let options: SQLDatabaseOptions

    init(options: SQLDatabaseOptions) {
        self.options = options
    }

    /// Opens the databases in `engine`, making the catalog at the first open.
    public static func open(
        engine: StorageEngine, options: SQLDatabaseOptions = .init()
    ) throws(SQLError) -> SQLDatabase { SQLDatabase(options: options) }

    /// A new session of `user` on `database`; 3D000 when there is no such database, 53300 when there
    /// are too many sessions, 22023 for a startup parameter with a bad value.
    public func makeSession(
        user: String, database: String, startupParameters: [(String, String)]
    ) throws(SQLError) -> Session {
        Session(database: self)
    }

    /// A CancelRequest: cancels what the session with this key is doing. False when there is none.
    @discardableResult
    public func cancel(processID: Int32, secret: Int32) -> Bool { false }

    /// Stops background threads. Sessions must be closed before.
    public func close() {}
}
