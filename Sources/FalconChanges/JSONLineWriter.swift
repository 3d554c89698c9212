import FalconSchema
import FalconStorage

/// Writes the JSON of one line straight into bytes: a stream has too many of them for a tree of values.
package struct JSONLineWriter {
    var out = ByteWriter(capacity: 1024)

    @inline(__always) mutating func raw(_ text: StaticString) { out.append(ascii: text) }
    @inline(__always) mutating func raw(_ bytes: [UInt8]) { out.append(contentsOf: bytes) }
    /// Text that needs no escapes, without quotes.
    @inline(__always) mutating func plain(_ text: String) { out.append(utf8: text) }
    @inline(__always) mutating func number(_ value: UInt64) { out.appendDecimal(value) }
    @inline(__always) mutating func number(_ value: Int) { out.appendDecimal(Int64(value)) }

    mutating func quoted(_ text: String) { Self.appendQuoted(text, to: &out.bytes) }

    mutating func hex(_ bytes: UnsafeRawBufferPointer) {
        out.append(UInt8(ascii: "\""))
        for byte in bytes {
            out.append(Self.digit(byte >> 4))
            out.append(Self.digit(byte & 15))
        }
        out.append(UInt8(ascii: "\""))
    }

    @inline(__always) static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? value &+ 48 : value &+ 87
    }

    mutating func clear() { out.bytes.removeAll(keepingCapacity: true) }

    /// A string as JSON writes it, quotes included.
    package static func appendQuoted(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            var start = 0
            for index in utf8.indices where needsEscape(utf8[index]) {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<index]))
                appendEscaped(utf8[index], to: &bytes)
                start = index + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start...]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    @inline(__always) private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F || byte == 0x22 || byte == 0x5C
    }

    private static func appendEscaped(_ byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
        case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
        case 0x0A: bytes.append(contentsOf: "\\n".utf8)
        case 0x0D: bytes.append(contentsOf: "\\r".utf8)
        case 0x09: bytes.append(contentsOf: "\\t".utf8)
        default:
            let hex = String(byte, radix: 16)
            bytes.append(contentsOf: "\\u00".utf8)
            if hex.utf8.count == 1 { bytes.append(UInt8(ascii: "0")) }
            bytes.append(contentsOf: hex.utf8)
        }
    }
}
