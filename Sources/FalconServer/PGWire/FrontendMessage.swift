import FalconSQL
import FalconSchema

/// What Describe and Close name.
enum WireTarget: Equatable, Sendable {
    case statement(String)
    case portal(String)
}

/// A message from the client, taken apart and checked.
enum FrontendMessage: Sendable {
    case query(String)
    case parse(name: String, sql: String, parameterTypes: [OID])
    case bind(
        portal: String, statement: String, parameters: [WireParameter], resultFormats: [Int16])
    case describe(WireTarget)
    case execute(portal: String, maxRows: Int)
    case close(WireTarget)
    case flush
    case sync
    case functionCall
    case copyData([UInt8])
    case copyDone
    case copyFail(String)
    case terminate
}

/// What a client says before the session exists.
enum StartupRequest: Sendable {
    case ssl
    case gssEncryption
    case cancel(processID: Int32, secret: Int32)
    case startup(StartupParameters)
}

/// The contents of a StartupMessage.
struct StartupParameters: Sendable {
    /// The protocol version asked for: major in the high, minor in the low 16 bits.
    var version: UInt32
    var user: String
    var database: String
    /// Run-time parameters, in the client's order, those of `options` last.
    var settings: [(String, String)]
    /// Protocol options (`_pq_.*`) that nobody here knows.
    var unknownOptions: [String]
    /// Where the client is, once the connection knows.
    var client: (address: String, port: Int)?
}
