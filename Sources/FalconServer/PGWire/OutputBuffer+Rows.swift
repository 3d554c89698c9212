import FalconSQL
import FalconSchema
import FalconStorage

/// ```
/// D  Int16 n, n x (Int32 length, bytes)      length -1 = NULL
/// ```
extension OutputBuffer {
    /// Appends a DataRow. Numbers, text and booleans go straight into the buffer; other values go
    /// through `scratch`, with `settings` asked for only then.
    mutating func appendDataRow(
        _ values: [Datum], _ columns: [ResultColumn], formats: [Int16],
        scratch: inout ByteWriter, settings: () -> DisplaySettings
    ) {
        let mark = beginMessage(BackendTag.dataRow)
        append(integer: UInt16(truncatingIfNeeded: values.count))
        for index in 0..<values.count {
            // A row has its columns; a shorter list would be a bug upstream, shown as text.
            let type = index < columns.count ? columns[index].type.oid : .text
            let isBinary = Self.format(formats, index) != 0
            switch values[index] {
            case .null:
                append(integer: Int32(-1))
            case .int(let value):
                if !isBinary, Self.isPlainInteger(type) {
                    appendColumn(decimal: value)
                } else if isBinary, appendBinaryInteger(value, type) {
                } else {
                    appendOther(
                        values[index], type, isBinary, scratch: &scratch, settings: settings)
                }
            case .text(let text):
                appendColumn(text: text)
            case .bool(let value):
                append(integer: UInt32(1))
                append(
                    isBinary ? (value ? 1 : 0) : (value ? UInt8(ascii: "t") : UInt8(ascii: "f")))
            default:
                appendOther(values[index], type, isBinary, scratch: &scratch, settings: settings)
            }
        }
        endMessage(mark)
    }

    @inline(__always)
    private static func isPlainInteger(_ type: OID) -> Bool {
        type == .int4 || type == .int8 || type == .int2 || type == .oid
    }

    private mutating func appendBinaryInteger(_ value: Int64, _ type: OID) -> Bool {
        switch type {
        case .int4:
            append(integer: UInt32(4))
            append(integer: Int32(truncatingIfNeeded: value))
        case .int8:
            append(integer: UInt32(8))
            append(integer: value)
        case .int2:
            append(integer: UInt32(2))
            append(integer: Int16(truncatingIfNeeded: value))
        default: return false
        }
        return true
    }

    @inline(never)
    private mutating func appendOther(
        _ value: Datum, _ type: OID, _ isBinary: Bool, scratch: inout ByteWriter,
        settings: () -> DisplaySettings
    ) {
        scratch.bytes.removeAll(keepingCapacity: scratch.bytes.capacity <= 1 << 16)
        if isBinary {
            TypeIO.appendBinary(value, type: type, to: &scratch)
        } else {
            TypeIO.appendText(value, type: type, settings: settings(), to: &scratch)
        }
        append(integer: UInt32(truncatingIfNeeded: scratch.count))
        append(bytes: scratch.bytes)
    }
}
