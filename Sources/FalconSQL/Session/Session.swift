import FalconSchema
import FalconStorage
import Synchronization

/// One client's session: its transaction, settings, prepared statements and portals.
///
/// One request runs at a time, on any thread. No call blocks: a lock wait or a commit comes back as
/// ``SessionProgress/waiting(_:)`` and continues in ``resume(_:)``.
public final class Session: @unchecked Sendable {
    /// What BackendKeyData tells the client.
    public let processID: Int32
    public let secretKey: Int32
    /// ReadyForQuery's status.
    public private(set) var transactionStatus: TransactionStatus = .idle
    /// The ParameterStatus messages of startup.
    public var reportedParameters: [(String, String)] { [] }

    /// How result values are written now. The server's sink reads it while this session runs, for each
    /// value that has no fast path.
    public var displaySettings: DisplaySettings { DisplaySettings() }

    let database: SQLDatabase

    init(database: SQLDatabase) {
        self.database = database
        processID = 1
        secretKey = 1
    }

    /// A Query message: every statement of `sql`. The sink gets rows and command tags.
    public func simpleQuery(_ sql: String, _ sink: any ResultSink) -> SessionProgress { .finished }

    /// A Parse message. `parameterTypes` may be shorter than the parameters, and hold 0 for unknown.
    public func parse(
        name: String, sql: String, parameterTypes: [OID], _ sink: any ResultSink
    ) -> SessionProgress { .finished }

    public func describeStatement(_ name: String) throws(SQLError) -> StatementDescription {
        StatementDescription(parameterTypes: [], columns: nil)
    }

    public func describePortal(
        _ name: String
    ) throws(SQLError) -> (columns: [ResultColumn]?, formats: [Int16]) { (nil, []) }

    public func bind(
        portal: String, statement: String, parameters: [WireParameter], resultFormats: [Int16],
        _ sink: any ResultSink
    ) -> SessionProgress { .finished }

    /// An Execute message; `maxRows` 0 means all.
    public func execute(
        portal: String, maxRows: Int, _ sink: any ResultSink
    ) -> SessionProgress { .finished }

    public func closeStatement(_ name: String) {}
    public func closePortal(_ name: String) {}

    /// A Sync message: ends the implicit transaction (its commit may wait).
    public func sync(_ sink: any ResultSink) -> SessionProgress { .finished }

    /// The server itself raised an error inside an extended batch: fails the transaction.
    public func protocolError() {}

    /// One CopyData message of COPY FROM STDIN; boundaries may be anywhere.
    public func copyData(_ bytes: [UInt8], _ sink: any ResultSink) -> SessionProgress { .finished }
    public func copyDone(_ sink: any ResultSink) -> SessionProgress { .finished }
    public func copyFail(_ message: String, _ sink: any ResultSink) -> SessionProgress { .finished }

    /// Continues after `waiting`, `paused` or `needsWorker`; may return any progress again.
    public func resume(_ sink: any ResultSink) -> SessionProgress { .finished }

    /// Cancels what the session is doing. Thread-safe.
    public func requestCancel() {}

    /// Rolls back, releases locks, forgets the session. Not while a request is running.
    public func close() {}
}
