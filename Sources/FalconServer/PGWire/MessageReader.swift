import FalconSchema
import Glibc

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
        guard let start = rest.baseAddress, let zero = memchr(start, 0, rest.count) else {
            throw SQLError(.protocolViolation, "invalid string in message")
        }
        let end = UnsafeRawPointer(zero) - start
        if end == 0 {
            offset += 1
            return ""
        }
        let slice = UnsafeRawBufferPointer(rebasing: rest[..<end])
        let text: String
        if Self.isASCII(slice) {
            // Decoding has a fast path that validating lacks.
            text = String(decoding: slice, as: UTF8.self)
        } else if let valid = String(validating: slice, as: UTF8.self) {
            text = valid
        } else {
            throw Self.invalidEncoding(slice)
        }
        offset += end + 1
        return text
    }

    private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if word & 0x8080_8080_8080_8080 != 0 { return false }
            index += 8
        }
        while index < bytes.count {
            if bytes[index] >= 0x80 { return false }
            index += 1
        }
        return true
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
        let shown = lead < 0xC0 || lead >= 0xF8 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
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
