/// A prepared transaction whose fate its preparer has not told for some time.
public struct InDoubtTransaction: Sendable, Equatable {
    /// The name of PREPARE TRANSACTION.
    public var gid: String
    public var database: String
    public var user: String
    /// As pg_prepared_xacts and falcon.txn_status() know it.
    public var number: UInt64
    /// Since PREPARE.
    public var ageSeconds: Double

    public init(gid: String, database: String, user: String, number: UInt64, ageSeconds: Double) {
        self.gid = gid
        self.database = database
        self.user = user
        self.number = number
        self.ageSeconds = ageSeconds
    }
}

/// What the coordinator of a distributed transaction decided.
public enum InDoubtDecision: Sendable, Equatable {
    case commit, rollback
    /// Not yet, or the coordinator does not say: ask again later.
    case undecided
}

/// Whoever knows how distributed transactions were decided: the log of a transaction manager.
public protocol InDoubtSource: Sendable {
    /// Returns at once, and calls `answer` once, on any thread but the caller's. One question is asked
    /// at a time. A failure is reported, and counts as ``InDoubtDecision/undecided``; `commit` and
    /// `rollback` must be final.
    func ask(
        _ transaction: InDoubtTransaction,
        answer: @escaping @Sendable (Result<InDoubtDecision, any Error>) -> Void)
    /// Nothing more is asked, and no answer is listened to. Thread-safe.
    func stop()
}

/// When an ``InDoubtResolver`` asks.
public struct InDoubtOptions: Sendable {
    /// How old a prepared transaction is before anybody is asked about it.
    public var afterMilliseconds = 60_000
    /// Most questions per second, over all transactions.
    public var questionsPerSecond = 10
    /// An undecided transaction is asked about again after this, then twice as long each time, up to
    /// ``longestPauseMilliseconds``.
    var firstPauseMilliseconds = 1000
    public var longestPauseMilliseconds = 60_000
    public init() {}
}

/// What an ``InDoubtResolver`` has done since its start.
public struct InDoubtCounts: Sendable, Equatable {
    public var questions = 0
    public var committed = 0
    public var rolledBack = 0
    public var undecided = 0
    /// The source failed, or the decision could not be carried out.
    public var failures = 0
    public init() {}
}
