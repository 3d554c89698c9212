import FalconSchema

/// One column of a result, as RowDescription needs it.
public struct ResultColumn: Sendable {
    public var name: String
    public var type: SQLType
    /// The table's OID and attribute number when the column is a plain table column, else 0.
    public var tableOID: OID
    public var attribute: Int16
    public init(name: String, type: SQLType, tableOID: OID = .invalid, attribute: Int16 = 0) {
        self.name = name
        self.type = type
        self.tableOID = tableOID
        self.attribute = attribute
    }
}

/// The format of COPY data on the wire.
public enum CopyFormat: Sendable { case text, csv, binary }

/// Where a session's results go; the server turns them into messages. Called only on the thread that
/// is running the session.
public protocol ResultSink: AnyObject {
    /// Simple protocol only: announces the rows of a statement. (Extended: Describe answers.)
    func rowDescription(_ columns: [ResultColumn])
    /// One row. `formats` holds one format code per column (0 text, 1 binary). Throws 54000, having
    /// written nothing, when the row is larger than a message may be (``ValueLimit``).
    func row(_ values: [Datum], _ columns: [ResultColumn], formats: [Int16]) throws(SQLError)
    func commandComplete(_ tag: String)
    func emptyQuery()
    func portalSuspended()
    func notice(_ notice: SQLError)
    func parameterStatus(_ name: String, _ value: String)
    func copyInResponse(_ format: CopyFormat, columnCount: Int)
    func copyOutResponse(_ format: CopyFormat, columnCount: Int)
    func copyData(_ bytes: [UInt8])
    func copyDone()
    /// True when so much output is waiting that the session should pause; it then returns `.paused`.
    var wantsPause: Bool { get }
}

/// What a request came to.
public enum SessionProgress: Sendable {
    /// The request is complete; its output is in the sink.
    case finished
    /// It failed; the transaction state has been updated. The server sends the error (and in the
    /// extended protocol skips to Sync).
    case failed(SQLError)
    /// It waits (row lock, commit durability, backpressure). Call `onReady`, once, and when that fires
    /// call ``Session/resume(_:)`` from any thread.
    case waiting(SessionWait)
    /// The sink asked for a pause; call ``Session/resume(_:)`` when it has drained.
    case paused
    /// The rest is unbounded work: call ``Session/resume(_:)`` on a worker thread, not an event loop.
    case needsWorker
    /// COPY FROM STDIN has begun: feed ``Session/copyData(_:_:)`` until done or failed.
    case copyIn
}

/// A wait that ends by callback. Thread-safe; the callback may fire before `onReady` returns.
public final class SessionWait: Sendable {
    private let register: @Sendable (@escaping @Sendable () -> Void) -> Void
    public init(_ register: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void) {
        self.register = register
    }
    public func onReady(_ callback: @escaping @Sendable () -> Void) { register(callback) }
}

/// ReadyForQuery's status byte.
public enum TransactionStatus: UInt8, Sendable {
    case idle = 0x49  // I
    case inTransaction = 0x54  // T
    case failed = 0x45  // E
}

/// What Describe of a statement answers; `columns` nil means NoData.
public struct StatementDescription: Sendable {
    public var parameterTypes: [OID]
    public var columns: [ResultColumn]?
    public init(parameterTypes: [OID], columns: [ResultColumn]?) {
        self.parameterTypes = parameterTypes
        self.columns = columns
    }
}

/// A bound parameter as it came off the wire: nil for NULL; format 0 text, 1 binary.
public struct WireParameter: Sendable {
    public var bytes: [UInt8]?
    public var format: Int16
    public init(bytes: [UInt8]?, format: Int16) {
        self.bytes = bytes
        self.format = format
    }
}
