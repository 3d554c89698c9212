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
    /// Of the result's format the session knows nothing.
    case functionCall(OID, arguments: [WireParameter], resultFormat: Int16)
    case copyData([UInt8])
    case copyDone
    case copyFail(String)
    case terminate

    /// Its type byte.
    var tag: UInt8 {
        switch self {
        case .query: FrontendTag.query
        case .parse: FrontendTag.parse
        case .bind: FrontendTag.bind
        case .describe: FrontendTag.describe
        case .execute: FrontendTag.execute
        case .close: FrontendTag.close
        case .flush: FrontendTag.flush
        case .sync: FrontendTag.sync
        case .functionCall: FrontendTag.functionCall
        case .copyData: FrontendTag.copyData
        case .copyDone: FrontendTag.copyDone
        case .copyFail: FrontendTag.copyFail
        case .terminate: FrontendTag.terminate
        }
    }
}

/// The ways a client may ask to have its connection encrypted.
enum EncryptionKind: Sendable { case ssl, gss }

/// What a client says before the session exists.
enum StartupRequest: Sendable {
    case encryption(EncryptionKind)
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
