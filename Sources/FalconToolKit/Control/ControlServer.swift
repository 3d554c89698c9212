/// A connection to a running server, as falconctl's commands need it.
public protocol ControlServer: AnyObject {
    /// Runs one statement with `$1`… bound to `parameters`, nil for NULL.
    func query(_ sql: String, _ parameters: [String?]) throws(ControlFailure) -> ControlRows
    /// Ends the connection.
    func close()
}

/// What connects to servers: libpq in the program, a script of answers in a test.
public protocol ControlConnector {
    /// - Parameter settings: libpq's keywords and their values; what is absent comes from the environment, as psql's.
    func connect(
        _ settings: [(String, String)], _ watch: ControlWatch
    ) throws(ControlFailure) -> any ControlServer
}

/// What a connection tells, and asks, while it works.
public struct ControlWatch {
    /// A notice or warning of the server arrived.
    public let notice: (String) -> Void
    /// True when the user wants the running statement cancelled.
    public let isInterrupted: () -> Bool

    public init(notice: @escaping (String) -> Void, isInterrupted: @escaping () -> Bool) {
        self.notice = notice
        self.isInterrupted = isInterrupted
    }
}
