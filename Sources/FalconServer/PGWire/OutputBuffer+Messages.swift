import FalconSQL
import FalconSchema

/// Messages to the client, as PostgreSQL 15 writes them.
///
/// ```
/// R  Int32 0 (AuthenticationOk)            K  Int32 process, Int32 secret
/// S  name\0 value\0                        Z  status byte: I, T or E
/// T  Int16 n, n x (name\0 UInt32 table, Int16 attribute, UInt32 type, Int16 length,
///    Int32 modifier, Int16 format)         t  Int16 n, n x UInt32 type
/// C  tag\0                                 E, N  (field byte, text\0)*, \0
/// G, H  Byte format, Int16 n, n x Int16    v  Int32 version, Int32 n, n x option\0
/// A  Int32 process, channel\0, payload\0
/// ```
extension OutputBuffer {
    mutating func appendAuthenticationOk() {
        let mark = beginMessage(BackendTag.authentication)
        append(integer: UInt32(0))
        endMessage(mark)
    }

    mutating func appendBackendKeyData(processID: Int32, secret: Int32) {
        let mark = beginMessage(BackendTag.backendKeyData)
        append(integer: processID)
        append(integer: secret)
        endMessage(mark)
    }

    mutating func appendNegotiateProtocolVersion(unknownOptions: [String]) {
        let mark = beginMessage(BackendTag.negotiateProtocolVersion)
        append(integer: WireProtocol.latestVersion)
        append(integer: UInt32(truncatingIfNeeded: unknownOptions.count))
        for option in unknownOptions { append(zeroTerminated: option) }
        endMessage(mark)
    }

    mutating func appendParameterStatus(_ name: String, _ value: String) {
        let mark = beginMessage(BackendTag.parameterStatus)
        append(zeroTerminated: name)
        append(zeroTerminated: value)
        endMessage(mark)
    }

    mutating func appendNotification(_ notification: SessionNotification) {
        let mark = beginMessage(BackendTag.notificationResponse)
        append(integer: notification.processID)
        append(zeroTerminated: notification.channel)
        append(zeroTerminated: notification.payload)
        endMessage(mark)
    }

    mutating func appendReadyForQuery(_ status: TransactionStatus) {
        let mark = beginMessage(BackendTag.readyForQuery)
        append(status.rawValue)
        endMessage(mark)
    }

    mutating func appendCommandComplete(_ tag: String) {
        let mark = beginMessage(BackendTag.commandComplete)
        append(zeroTerminated: tag)
        endMessage(mark)
    }

    mutating func appendParameterDescription(_ types: [OID]) {
        let mark = beginMessage(BackendTag.parameterDescription)
        append(integer: UInt16(truncatingIfNeeded: types.count))
        for type in types { append(integer: type.rawValue) }
        endMessage(mark)
    }

    /// `formats` as Bind has them: none for text, one for all columns, or one each.
    mutating func appendRowDescription(_ columns: [ResultColumn], formats: [Int16]) {
        let mark = beginMessage(BackendTag.rowDescription)
        append(integer: UInt16(truncatingIfNeeded: columns.count))
        for (index, column) in columns.enumerated() {
            append(zeroTerminated: column.name)
            append(integer: column.tableOID.rawValue)
            append(integer: column.attribute)
            append(integer: column.type.oid.rawValue)
            append(integer: Self.typeLength(column.type.oid))
            append(integer: column.type.modifier)
            append(integer: Self.format(formats, index))
        }
        endMessage(mark)
    }

    mutating func appendCopyResponse(_ tag: UInt8, _ format: CopyFormat, columnCount: Int) {
        let code: Int16 = format == .binary ? 1 : 0
        let mark = beginMessage(tag)
        append(UInt8(truncatingIfNeeded: code))
        append(integer: UInt16(truncatingIfNeeded: columnCount))
        for _ in 0..<columnCount { append(integer: code) }
        endMessage(mark)
    }

    mutating func appendCopyData(_ bytes: [UInt8]) {
        let mark = beginMessage(BackendTag.copyData)
        append(bytes: bytes)
        endMessage(mark)
    }

    /// An ErrorResponse or NoticeResponse. `sql` is the text a byte offset in the error points into.
    mutating func appendError(_ error: SQLError, isNotice: Bool = false, sql: String? = nil) {
        let mark = beginMessage(isNotice ? BackendTag.noticeResponse : BackendTag.errorResponse)
        appendField("S", error.severity.rawValue)
        appendField("V", error.severity.rawValue)
        appendField("C", error.state.rawValue)
        appendField("M", error.message)
        if let detail = error.detail { appendField("D", detail) }
        if let hint = error.hint { appendField("H", hint) }
        if let position = error.position ?? Self.position(of: error.byteOffset, in: sql) {
            appendField("P", String(position))
        }
        if let context = error.context { appendField("W", context) }
        if let schema = error.schema { appendField("s", schema) }
        if let table = error.table { appendField("t", table) }
        if let column = error.column { appendField("c", column) }
        if let dataType = error.dataType { appendField("d", dataType) }
        if let constraint = error.constraint { appendField("n", constraint) }
        if let routine = error.routine { appendField("R", routine) }
        append(0)
        endMessage(mark)
    }

    private mutating func appendField(_ code: Unicode.Scalar, _ text: String) {
        append(UInt8(truncatingIfNeeded: code.value))
        append(zeroTerminated: text)
    }

    /// Errors point at bytes, clients at characters, the first being 1.
    static func position(of byteOffset: Int?, in sql: String?) -> Int? {
        guard let byteOffset, byteOffset >= 0, let sql else { return nil }
        var position = 1
        for byte in sql.utf8.prefix(byteOffset) where byte & 0xC0 != 0x80 { position += 1 }
        return position
    }

    @inline(__always)
    static func format(_ formats: [Int16], _ index: Int) -> Int16 {
        switch formats.count {
        case 0: 0
        case 1: formats[0]
        default: index < formats.count ? formats[index] : 0
        }
    }

    private static func typeLength(_ oid: OID) -> Int16 {
        switch oid {
        case .int4, .date, .float4: 4
        case .int8, .float8, .timestamp, .timestamptz: 8
        case .text, .varchar, .bpchar, .numeric, .bytea: -1
        case .bool: 1
        case .int2: 2
        default: TypeRegistry.descriptor(oid)?.length ?? -1
        }
    }
}
