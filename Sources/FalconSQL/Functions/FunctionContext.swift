import FalconSchema
import FalconStorage

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
    /// The same; nil when it has none: it has written nothing and nobody has asked.
    var assignedTransactionID: UInt64? { get }
    /// True once the statement should end with 57014.
    var isCanceled: Bool { get }
    /// Throws 57014 (or 57P01) when the statement is to stop: long loops ask now and then.
    func checkInterrupts() throws(SQLError)

    // What only the catalog knows; the defaults answer "nothing".

    /// What is known of the relation with this OID; nil when there is none.
    func relation(_ oid: OID) -> RelationFacts?
    /// Whether the relation's unqualified name finds it; nil when there is none.
    func isVisible(relation oid: OID) -> Bool?
    var databaseNames: [String] { get }
    func databaseExists(_ oid: OID) -> Bool
    /// pg_sleep: may throw to have the statement run again once the time is over.
    func sleep(seconds: Double) throws(SQLError)
    /// pg_get_indexdef: the whole CREATE INDEX for column 0, else one key column.
    func indexDefinition(_ oid: OID, column: Int) -> String?
    /// pg_get_constraintdef.
    func constraintDefinition(_ oid: OID) -> String?
    /// pg_get_viewdef.
    func viewDefinition(_ oid: OID) -> String?
    /// Bytes of a relation with what belongs to it; nil when there is none.
    func relationSize(_ oid: OID) -> Int64?
    func databaseSize() -> Int64
    func nextSequenceValue(_ oid: OID) throws(SQLError) -> Int64
    func currentSequenceValue(_ oid: OID) throws(SQLError) -> Int64
    func lastSequenceValue() throws(SQLError) -> Int64
    func setSequenceValue(_ oid: OID, to value: Int64, isCalled: Bool) throws(SQLError)
    /// pg_get_serial_sequence: the sequence a column owns.
    func serialSequence(table: String, column: String) throws(SQLError) -> String?
}

extension SessionFunctions {
    public var assignedTransactionID: UInt64? { nil }
    public func checkInterrupts() throws(SQLError) {}
    public func relation(_ oid: OID) -> RelationFacts? { nil }
    public func isVisible(relation oid: OID) -> Bool? { true }
    public var databaseNames: [String] { [databaseName] }
    public func databaseExists(_ oid: OID) -> Bool { false }
    public func sleep(seconds: Double) throws(SQLError) {
        throw SQLError(.featureNotSupported, "this session cannot sleep")
    }
    public func indexDefinition(_ oid: OID, column: Int) -> String? { nil }
    public func constraintDefinition(_ oid: OID) -> String? { nil }
    public func viewDefinition(_ oid: OID) -> String? { nil }
    public func relationSize(_ oid: OID) -> Int64? { 0 }
    public func databaseSize() -> Int64 { 0 }
    public func nextSequenceValue(_ oid: OID) throws(SQLError) -> Int64 { throw noSequences }
    public func currentSequenceValue(_ oid: OID) throws(SQLError) -> Int64 { throw noSequences }
    public func lastSequenceValue() throws(SQLError) -> Int64 {
        throw SQLError(
            .objectNotInPrerequisiteState, "lastval is not yet defined in this session")
    }
    public func setSequenceValue(
        _ oid: OID, to value: Int64, isCalled: Bool
    ) throws(SQLError) { throw noSequences }
    public func serialSequence(table: String, column: String) throws(SQLError) -> String? { nil }

    private var noSequences: SQLError {
        SQLError(.featureNotSupported, "sequences are not supported")
    }
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
    /// What the statement sees: what was committed by then.
    var readTimestamp: Timestamp?
    /// pg_current_snapshot() of what the statement sees, once somebody has asked.
    var shownSnapshot: TransactionSnapshot?

    public init(
        settings: DisplaySettings, transactionTimestamp: Int64, statementTimestamp: Int64,
        session: (any SessionFunctions)?
    ) {
        self.settings = settings
        self.transactionTimestamp = transactionTimestamp
        self.statementTimestamp = statementTimestamp
        self.session = session
    }
    /// Throws when the statement is to stop: long loops ask now and then.
    func checkInterrupts() throws(SQLError) { try session?.checkInterrupts() }
}
