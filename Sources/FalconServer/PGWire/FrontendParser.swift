import FalconSQL
import FalconSchema

/// Turns message bodies into ``FrontendMessage``s and ``StartupRequest``s. No state, no I/O.
///
/// ```
/// Q  query\0
/// P  name\0 sql\0 Int16 n, n x UInt32 type
/// B  portal\0 statement\0 Int16 n, n x Int16 format, Int16 p, p x (Int32 length, bytes),
///    Int16 r, r x Int16 format            length -1 = NULL
/// D  'S'|'P' name\0        C  'S'|'P' name\0        E  portal\0 Int32 maxRows
/// F  UInt32 function, Int16 n, n x Int16 format, Int16 p, p x (Int32 length, bytes), Int16 format
/// d  bytes                 f  message\0             c, H, S, X: empty
/// startup  UInt32 version, (name\0 value\0)*, \0    cancel  UInt32 code, Int32 pid, Int32 secret
/// ```
enum FrontendParser {
    /// Whether a tag may carry a long body; nil when it is no message at all.
    static func allowsLongBody(_ tag: UInt8) -> Bool? {
        switch tag {
        case FrontendTag.query, FrontendTag.parse, FrontendTag.bind, FrontendTag.copyData,
            FrontendTag.functionCall:
            true
        case FrontendTag.describe, FrontendTag.close, FrontendTag.execute, FrontendTag.sync,
            FrontendTag.flush, FrontendTag.terminate, FrontendTag.copyDone, FrontendTag.copyFail:
            false
        default: nil
        }
    }

    /// `tag` must be one that ``allowsLongBody(_:)`` knows.
    static func parse(
        tag: UInt8, body: UnsafeRawBufferPointer
    ) throws(SQLError) -> FrontendMessage {
        var reader = MessageReader(body)
        let message: FrontendMessage
        switch tag {
        case FrontendTag.bind: message = try parseBind(&reader)
        case FrontendTag.execute:
            let portal = try reader.readString()
            message = .execute(portal: portal, maxRows: Int(try reader.readInt32()))
        case FrontendTag.sync: message = .sync
        case FrontendTag.describe: message = .describe(try parseTarget(&reader, "DESCRIBE"))
        case FrontendTag.query: message = .query(try reader.readString())
        case FrontendTag.parse: message = try parseParse(&reader)
        case FrontendTag.close: message = .close(try parseTarget(&reader, "CLOSE"))
        case FrontendTag.flush: message = .flush
        case FrontendTag.copyData: return .copyData([UInt8](body))
        case FrontendTag.copyDone: message = .copyDone
        case FrontendTag.copyFail: message = .copyFail(try reader.readString())
        // A client that leaves needs no lecture about trailing bytes.
        case FrontendTag.terminate: return .terminate
        case FrontendTag.functionCall: message = try parseFunctionCall(&reader)
        default: throw SQLError(.protocolViolation, "invalid frontend message type \(tag)")
        }
        try reader.expectEnd()
        return message
    }

    private static func parseTarget(
        _ reader: inout MessageReader, _ verb: String
    ) throws(SQLError) -> WireTarget {
        let kind = try reader.readByte()
        let name = try reader.readString()
        switch kind {
        case UInt8(ascii: "S"): return .statement(name)
        case UInt8(ascii: "P"): return .portal(name)
        default:
            throw SQLError(.protocolViolation, "invalid \(verb) message subtype \(kind)")
        }
    }

    private static func parseParse(
        _ reader: inout MessageReader
    ) throws(SQLError) -> FrontendMessage {
        let name = try reader.readString()
        let sql = try reader.readString()
        let count = Int(UInt16(bitPattern: try reader.readInt16()))
        var types: [OID] = []
        // Checked before the array grows: a count is only a claim.
        guard reader.remaining >= count * 4 else {
            throw SQLError(.protocolViolation, "insufficient data left in message")
        }
        types.reserveCapacity(count)
        for _ in 0..<count { types.append(OID(try reader.readUInt32())) }
        return .parse(name: name, sql: sql, parameterTypes: types)
    }

    private static func parseBind(
        _ reader: inout MessageReader
    ) throws(SQLError) -> FrontendMessage {
        let portal = try reader.readString()
        let statement = try reader.readString()
        let formats = try parseFormats(&reader)
        let count = Int(UInt16(bitPattern: try reader.readInt16()))
        guard formats.count <= 1 || formats.count == count else {
            throw SQLError(
                .protocolViolation,
                "bind message has \(formats.count) parameter formats but \(count) parameters")
        }
        let parameters = try parseParameters(count, formats, &reader)
        let resultFormats = try parseFormats(&reader)
        return .bind(
            portal: portal, statement: statement, parameters: parameters,
            resultFormats: resultFormats)
    }

    private static func parseFunctionCall(
        _ reader: inout MessageReader
    ) throws(SQLError) -> FrontendMessage {
        let function = OID(try reader.readUInt32())
        let formats = try parseFormats(&reader)
        let count = Int(UInt16(bitPattern: try reader.readInt16()))
        guard formats.count <= 1 || formats.count == count else {
            throw SQLError(
                .protocolViolation,
                "function call message contains \(formats.count) argument formats but \(count) "
                    + "arguments")
        }
        let arguments = try parseParameters(count, formats, &reader)
        return .functionCall(
            function, arguments: arguments, resultFormat: try parseFormat(&reader))
    }

    /// Values, of which the formats are known to be none, one, or as many.
    private static func parseParameters(
        _ count: Int, _ formats: [Int16], _ reader: inout MessageReader
    ) throws(SQLError) -> [WireParameter] {
        guard reader.remaining >= count * 4 else {
            throw SQLError(.protocolViolation, "insufficient data left in message")
        }
        var parameters: [WireParameter] = []
        parameters.reserveCapacity(count)
        for index in 0..<count {
            let format = formats.isEmpty ? 0 : formats.count == 1 ? formats[0] : formats[index]
            let length = try reader.readInt32()
            if length == -1 {
                parameters.append(WireParameter(bytes: nil, format: format))
            } else {
                let bytes = try reader.readBytes(Int(length))
                parameters.append(WireParameter(bytes: [UInt8](bytes), format: format))
            }
        }
        return parameters
    }

    private static func parseFormats(
        _ reader: inout MessageReader
    ) throws(SQLError) -> [Int16] {
        let count = Int(UInt16(bitPattern: try reader.readInt16()))
        guard count > 0 else { return [] }
        guard reader.remaining >= count * 2 else {
            throw SQLError(.protocolViolation, "insufficient data left in message")
        }
        var formats: [Int16] = []
        formats.reserveCapacity(count)
        for _ in 0..<count { formats.append(try parseFormat(&reader)) }
        return formats
    }

    private static func parseFormat(_ reader: inout MessageReader) throws(SQLError) -> Int16 {
        let format = try reader.readInt16()
        guard format == 0 || format == 1 else {
            throw SQLError(.invalidParameterValue, "unsupported format code: \(format)")
        }
        return format
    }
}
