import FalconSchema

/// What built-in functions may ask of the session that runs them.
public protocol SessionFunctions: AnyObject, Sendable {
    /// SHOW's value of a setting; nil when it is unknown.
    func setting(_ name: String) -> String?
    /// SET (LOCAL) of a setting, as set_config does it; the value it then has.
    func setSetting(_ name: String, to value: String, isLocal: Bool) throws(SQLError) -> String
    var userName: String { get }
    var sessionUserName: String { get }
    var databaseName: String { get }
    /// Effective search path, implicit schemas included when asked for.
    func schemas(includingImplicit: Bool) -> [String]
    var processID: Int32 { get }
    /// The session's transaction id, assigned on demand.
    var transactionID: UInt64 { get }
    /// True once the statement should end with 57014.
    var isCanceled: Bool { get }
}

/// The surroundings of one execution: what now() is, how values print, whose session it is.
public final class FunctionContext: @unchecked Sendable {
    /// For text conversions inside expressions.
    public var settings: DisplaySettings
    /// µs since 2000-01-01 UTC: now(), current_timestamp.
    public var transactionTimestamp: Int64
    public var statementTimestamp: Int64
    /// Nil when an expression is folded at bind time: functions that need it must fail softly
    /// (55000), they are never `immutable`.
    public let session: (any SessionFunctions)?

    public init(
        settings: DisplaySettings, transactionTimestamp: Int64, statementTimestamp: Int64,
        session: (any SessionFunctions)?
    ) {
        self.settings = settings
        self.transactionTimestamp = transactionTimestamp
        self.statementTimestamp = statementTimestamp
        self.session = session
    }
}
