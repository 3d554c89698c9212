/// Numbers of PostgreSQL's frontend/backend protocol, version 3.0.
///
/// A start-up packet is `Int32 length, Int32 code, body`; every later message is
/// `Byte1 type, Int32 length, body`. Lengths count themselves but not the type byte. All integers
/// are big-endian.
enum WireProtocol {
    /// Code words that may stand where a start-up packet has its protocol version.
    static let sslRequestCode: UInt32 = 80_877_103
    static let gssEncryptionRequestCode: UInt32 = 80_877_104
    static let cancelRequestCode: UInt32 = 80_877_102
    /// The newest version spoken here: 3.0.
    static let latestVersion: UInt32 = 3 << 16
    /// PostgreSQL's bounds on a start-up packet, its length word included.
    static let minimumStartupLength = 8
    static let maximumStartupLength = 10_000
    /// Bound on messages that never need to be long (Describe, Close, Execute, Sync...).
    static let maximumShortMessageLength = 10_000
}

/// The first byte of a message from the client.
enum FrontendTag {
    static let bind = UInt8(ascii: "B")
    static let close = UInt8(ascii: "C")
    static let copyData = UInt8(ascii: "d")
    static let copyDone = UInt8(ascii: "c")
    static let copyFail = UInt8(ascii: "f")
    static let describe = UInt8(ascii: "D")
    static let execute = UInt8(ascii: "E")
    static let flush = UInt8(ascii: "H")
    static let functionCall = UInt8(ascii: "F")
    static let parse = UInt8(ascii: "P")
    static let query = UInt8(ascii: "Q")
    static let sync = UInt8(ascii: "S")
    static let terminate = UInt8(ascii: "X")
}

/// The first byte of a message to the client.
enum BackendTag {
    static let authentication = UInt8(ascii: "R")
    static let backendKeyData = UInt8(ascii: "K")
    static let bindComplete = UInt8(ascii: "2")
    static let closeComplete = UInt8(ascii: "3")
    static let commandComplete = UInt8(ascii: "C")
    static let copyData = UInt8(ascii: "d")
    static let copyDone = UInt8(ascii: "c")
    static let copyInResponse = UInt8(ascii: "G")
    static let copyOutResponse = UInt8(ascii: "H")
    static let dataRow = UInt8(ascii: "D")
    static let emptyQueryResponse = UInt8(ascii: "I")
    static let errorResponse = UInt8(ascii: "E")
    static let functionCallResponse = UInt8(ascii: "V")
    static let negotiateProtocolVersion = UInt8(ascii: "v")
    static let noData = UInt8(ascii: "n")
    static let noticeResponse = UInt8(ascii: "N")
    static let notificationResponse = UInt8(ascii: "A")
    static let parameterDescription = UInt8(ascii: "t")
    static let parameterStatus = UInt8(ascii: "S")
    static let parseComplete = UInt8(ascii: "1")
    static let portalSuspended = UInt8(ascii: "s")
    static let readyForQuery = UInt8(ascii: "Z")
    static let rowDescription = UInt8(ascii: "T")
}
