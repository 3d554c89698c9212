import FalconSchema

/// Reads the big-endian fields of one message body; every read is checked and fails as PostgreSQL's
/// `pq_getmsg*` do.
struct MessageReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var remaining: Int { bytes.count - offset }

    mutating func readByte() throws(SQLError) -> UInt8 {
        guard offset < bytes.count else { throw Self.insufficientData }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func readInt16() throws(SQLError) -> Int16 {
        guard remaining >= 2 else { throw Self.insufficientData }
        defer { offset += 2 }
        return Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int16.self))
    }

    mutating func readInt32() throws(SQLError) -> Int32 {
        guard remaining >= 4 else { throw Self.insufficientData }
        defer { offset += 4 }
        return Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    }

    mutating func readUInt32() throws(SQLError) -> UInt32 {
        UInt32(bitPattern: try readInt32())
    }

    mutating func readBytes(_ count: Int) throws(SQLError) -> UnsafeRawBufferPointer {
        guard count >= 0, remaining >= count else { throw Self.insufficientData }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
    }

    /// A zero-terminated string of valid UTF-8.
    mutating func readString() throws(SQLError) -> String {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
        guard let end = rest.firstIndex(of: 0) else {
            throw SQLError(.protocolViolation, "invalid string in message")
        }
        let slice = UnsafeRawBufferPointer(rebasing: rest[..<end])
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw Self.invalidEncoding(slice)
        }
        offset += end + 1
        return text
    }

    /// The message has to end here.
    func expectEnd() throws(SQLError) {
        guard remaining == 0 else {
            throw SQLError(.protocolViolation, "invalid message format")
        }
    }

    private static var insufficientData: SQLError {
        SQLError(.protocolViolation, "insufficient data left in message")
    }

    /// PostgreSQL's message for bytes that are not UTF-8: it shows the first bad sequence.
    static func invalidEncoding(_ bytes: UnsafeRawBufferPointer) -> SQLError {
        var start = 0
        while start < bytes.count {
            let lead = bytes[start]
            let length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
            let end = Swift.min(start + length, bytes.count)
            let sequence = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            if String(validating: sequence, as: UTF8.self) == nil { break }
            start = end
        }
        let end = Swift.min(start + 4, bytes.count)
        let lead = start < bytes.count ? bytes[start] : 0
        let shown = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        let sequence = bytes[start..<Swift.min(start + shown, end)]
        let digits = sequence.map { byte in
            let hex = String(byte, radix: 16)
            return "0x" + (hex.count == 1 ? "0" + hex : hex)
        }
        return SQLError(
            .characterNotInRepertoire,
            "invalid byte sequence for encoding \"UTF8\": " + digits.joined(separator: " "))
    }
}
