import FalconSQL
import FalconSchema

/// What a connection asks of its session: ``Session``, seen from the wire. The protocol tests put a
/// scripted one in its place.
protocol WireSession: AnyObject, Sendable {
    var processID: Int32 { get }
    var secretKey: Int32 { get }
    var transactionStatus: TransactionStatus { get }
    var reportedParameters: [(String, String)] { get }
    var displaySettings: DisplaySettings { get }

    func simpleQuery(_ sql: String, _ sink: any ResultSink) -> SessionProgress
    func parse(
        name: String, sql: String, parameterTypes: [OID], _ sink: any ResultSink
    ) -> SessionProgress
    func describeStatement(_ name: String) throws(SQLError) -> StatementDescription
    func describePortal(
        _ name: String
    ) throws(SQLError) -> (columns: [ResultColumn]?, formats: [Int16])
    func bind(
        portal: String, statement: String, parameters: [WireParameter], resultFormats: [Int16],
        _ sink: any ResultSink
    ) -> SessionProgress
    func execute(portal: String, maxRows: Int, _ sink: any ResultSink) -> SessionProgress
    func closeStatement(_ name: String)
    func closePortal(_ name: String)
    func sync(_ sink: any ResultSink) -> SessionProgress
    func callFunction(
        _ oid: OID, _ arguments: [WireParameter], _ sink: any ResultSink
    ) -> SessionProgress
    func protocolError()
    func copyData(_ bytes: [UInt8], _ sink: any ResultSink) -> SessionProgress
    func copyDone(_ sink: any ResultSink) -> SessionProgress
    func copyFail(_ message: String, _ sink: any ResultSink) -> SessionProgress
    func resume(_ sink: any ResultSink) -> SessionProgress
    func requestCancel()
    func terminate()
    func terminateIfSleeping()
    func whenAskedToEnd(_ callback: @escaping @Sendable () -> Void)
    var endRequest: SQLError? { get }
    func whenNotified(_ callback: @escaping @Sendable () -> Void)
    var hasNotifications: Bool { get }
    func takeNotifications(maximumBytes: Int) -> [SessionNotification]
    func close()
}

extension WireSession {
    func callFunction(
        _ oid: OID, _ arguments: [WireParameter], _ sink: any ResultSink
    ) -> SessionProgress {
        .failed(SQLError(.featureNotSupported, "function calls are not supported"))
    }
    func terminate() { requestCancel() }
    func terminateIfSleeping() {}
    func whenAskedToEnd(_ callback: @escaping @Sendable () -> Void) {}
    var endRequest: SQLError? { nil }
    func whenNotified(_ callback: @escaping @Sendable () -> Void) {}
    var hasNotifications: Bool { false }
    func takeNotifications(maximumBytes: Int) -> [SessionNotification] { [] }
}

extension Session: WireSession {}

/// Where connections get their sessions and take their cancel requests.
protocol WireSessionSource: Sendable {
    func makeWireSession(_ startup: StartupParameters) throws(SQLError) -> any WireSession
    func cancel(processID: Int32, secret: Int32) -> Bool
}

extension SQLDatabase: WireSessionSource {
    func makeWireSession(_ startup: StartupParameters) throws(SQLError) -> any WireSession {
        try makeSession(
            user: startup.user, database: startup.database, startupParameters: startup.settings,
            client: startup.client)
    }
}
