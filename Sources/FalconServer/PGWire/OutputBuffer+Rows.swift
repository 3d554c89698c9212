import FalconSQL
import FalconSchema
import FalconStorage

/// ```
/// D  Int16 n, n x (Int32 length, bytes)      length -1 = NULL
/// V  Int32 length, bytes
/// ```
extension OutputBuffer {
    /// Appends a DataRow. Numbers, text and booleans go straight into the buffer; other values go
    /// through `scratch`, with `settings` asked for only then. Throws, with nothing appended, when
    /// the row is larger than a message may be.
    mutating func appendDataRow(
        _ values: [Datum], _ columns: [ResultColumn], formats: [Int16],
        scratch: inout ByteWriter, settings: () -> DisplaySettings
    ) throws(SQLError) {
        let mark = beginMessage(BackendTag.dataRow)
        append(integer: UInt16(truncatingIfNeeded: values.count))
        do throws(SQLError) {
            try appendValues(
                values, columns, formats: formats, mark: mark, scratch: &scratch,
                settings: settings)
        } catch {
            truncate(to: mark - 1)
            throw error
        }
        endMessage(mark)
    }

    /// Appends a FunctionCallResponse of the row's one value; throws as ``appendDataRow`` does.
    mutating func appendFunctionResult(
        _ values: [Datum], _ columns: [ResultColumn], format: Int16,
        scratch: inout ByteWriter, settings: () -> DisplaySettings
    ) throws(SQLError) {
        let mark = beginMessage(BackendTag.functionCallResponse)
        do throws(SQLError) {
            try appendValues(
                values, columns, formats: [format], mark: mark, scratch: &scratch,
                settings: settings)
        } catch {
            truncate(to: mark - 1)
            throw error
        }
        endMessage(mark)
    }

    @inline(__always)
    private mutating func appendValues(
        _ values: [Datum], _ columns: [ResultColumn], formats: [Int16], mark: Int,
        scratch: inout ByteWriter, settings: () -> DisplaySettings
    ) throws(SQLError) {
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
                    try appendOther(
                        values[index], type, isBinary, mark, scratch: &scratch, settings: settings)
                }
            case .text(let text):
                try checkRow(mark, adding: text.utf8.count)
                appendColumn(text: text)
            case .bool(let value):
                append(integer: UInt32(1))
                append(
                    isBinary ? (value ? 1 : 0) : (value ? UInt8(ascii: "t") : UInt8(ascii: "f")))
            default:
                try appendOther(
                    values[index], type, isBinary, mark, scratch: &scratch, settings: settings)
            }
            if count - mark > ValueLimit.maximumBytes { try checkRow(mark, adding: 0) }
        }
    }

    /// A value of `bytes` is to follow its length word.
    @inline(__always)
    private func checkRow(_ mark: Int, adding bytes: Int) throws(SQLError) {
        try ValueLimit.checkGrowth(count - mark, by: bytes)
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
        _ value: Datum, _ type: OID, _ isBinary: Bool, _ mark: Int, scratch: inout ByteWriter,
        settings: () -> DisplaySettings
    ) throws(SQLError) {
        scratch.bytes.removeAll(keepingCapacity: scratch.bytes.capacity <= 1 << 16)
        if !isBinary { try ValueLimit.checkText(of: value) }
        if isBinary {
            TypeIO.appendBinary(value, type: type, to: &scratch)
        } else {
            TypeIO.appendText(value, type: type, settings: settings(), to: &scratch)
        }
        try checkRow(mark, adding: scratch.count)
        append(integer: UInt32(truncatingIfNeeded: scratch.count))
        append(bytes: scratch.bytes)
    }
}
