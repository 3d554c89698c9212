import FalconSchema
import FalconStorage

/// Writes the JSON of one line straight into bytes: a stream has too many of them for a tree of values.
struct JSONLineWriter {
    var out = ByteWriter(capacity: 1024)

    @inline(__always) mutating func raw(_ text: StaticString) { out.append(ascii: text) }
    @inline(__always) mutating func raw(_ bytes: [UInt8]) { out.append(contentsOf: bytes) }
    /// Text that needs no escapes, without quotes.
    @inline(__always) mutating func plain(_ text: String) { out.append(utf8: text) }
    @inline(__always) mutating func number(_ value: UInt64) { out.appendDecimal(value) }
    @inline(__always) mutating func number(_ value: Int) { out.appendDecimal(Int64(value)) }

    mutating func quoted(_ text: String) { JSONValue.appendQuoted(text, to: &out.bytes) }

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
}
