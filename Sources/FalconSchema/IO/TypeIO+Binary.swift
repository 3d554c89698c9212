import FalconStorage

/// The binary forms of the wire protocol and COPY: big-endian, fixed widths.
extension TypeIO {
    /// Reads the binary form of `type` (22P03 when it is malformed), modifier not applied.
    public static func decodeBinary(
        _ bytes: UnsafeRawBufferPointer, type: SQLType, settings: DisplaySettings
    ) throws(SQLError) -> Datum {
        switch TypeRegistry.physical(type.oid) {
        case .bool: return .bool(try fixed(bytes, UInt8.self) != 0)
        case .byte: return .int(Int64(try fixed(bytes, UInt8.self)))
        case .int2: return .int(Int64(try fixed(bytes, Int16.self)))
        case .int4:
            let value = Int64(try fixed(bytes, Int32.self))
            if type.oid == .date, !Calendar.isInfiniteDate(value), !Calendar.isValidDate(value) {
                throw SQLError(.datetimeFieldOverflow, "date out of range")
            }
            return .int(value)
        case .oid: return .int(Int64(try fixed(bytes, UInt32.self)))
        case .int8:
            let value = try fixed(bytes, Int64.self)
            switch type.oid {
            case .timestamp, .timestamptz:
                if !Calendar.isInfinite(value), !Calendar.isValidTimestamp(value) {
                    throw SQLError(.datetimeFieldOverflow, "timestamp out of range")
                }
            case .time:
                if value < 0 || value > Calendar.microsPerDay {
                    throw SQLError(.datetimeFieldOverflow, "time out of range")
                }
            default: break
            }
            return .int(value)
        case .float4: return .float(Double(Float(bitPattern: try fixed(bytes, UInt32.self))))
        case .float8: return .float(Double(bitPattern: try fixed(bytes, UInt64.self)))
        case .numeric: return .numeric(try NumericValue(decodingBinary: bytes))
        case .text:
            switch type.oid {
            case .json: return .text(try JSONText.validate(bytes))
            case .jsonb:
                guard bytes.first == 1 else {
                    throw SQLError(
                        .internalError,
                        "unsupported jsonb version number \(bytes.first.map { Int($0) } ?? 0)")
                }
                return .text(
                    try JSONText.normalize(UnsafeRawBufferPointer(rebasing: bytes[1...])))
            case .name: return .text(clippedName(try validated(bytes)))
            case .pgSnapshot, .txidSnapshot:
                guard let snapshot = TransactionSnapshot(binary: bytes) else {
                    throw SQLError(
                        .invalidBinaryRepresentation, "invalid external pg_snapshot data")
                }
                return .text(snapshot.text)
            default: return .text(try validated(bytes))
            }
        case .bytes: return .bytes(Array(bytes))
        case .uuid:
            guard bytes.count == 16 else { throw lengthError(bytes, 16) }
            return .bytes(Array(bytes))
        case .interval:
            var reader = ByteReader(bytes)
            guard let micros = reader.readFixed(Int64.self),
                let days = reader.readFixed(Int32.self),
                let months = reader.readFixed(Int32.self), reader.isAtEnd
            else { throw lengthError(bytes, 16) }
            return .interval(
                Interval(
                    months: Int32(bigEndian: months), days: Int32(bigEndian: days),
                    micros: Int64(bigEndian: micros)))
        case .array: return .array(try decodeArray(bytes, type: type, settings: settings))
        case .none:
            throw SQLError(
                .undefinedFunction,
                "no binary input function available for type \(TypeNames.format(type.oid))")
        }
    }

    private static func fixed<T: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer, _ type: T.Type
    ) throws(SQLError) -> T {
        guard bytes.count == MemoryLayout<T>.size else {
            throw lengthError(bytes, MemoryLayout<T>.size)
        }
        return T(bigEndian: bytes.loadUnaligned(as: T.self))
    }

    private static func lengthError(_ bytes: UnsafeRawBufferPointer, _ width: Int) -> SQLError {
        bytes.count < width ? .insufficientBinaryData : .badBinaryFormat
    }

    /// Appends the binary form of a non-null value.
    public static func appendBinary(_ datum: Datum, type: OID, to writer: inout ByteWriter) {
        switch datum {
        case .null: return
        case .bool(let value): writer.append(value ? 1 : 0)
        case .int(let value):
            switch TypeRegistry.physical(type) {
            case .int4, .oid: writer.appendFixed(UInt32(truncatingIfNeeded: value).bigEndian)
            case .int2: writer.appendFixed(UInt16(truncatingIfNeeded: value).bigEndian)
            case .byte: writer.append(UInt8(truncatingIfNeeded: value))
            default: writer.appendFixed(value.bigEndian)
            }
        case .float(let value):
            if type == .float4 {
                writer.appendFixed(Float(value).bitPattern.bigEndian)
            } else {
                writer.appendFixed(value.bitPattern.bigEndian)
            }
        case .numeric(let value): value.appendBinary(to: &writer)
        case .text(let value):
            switch type {
            case .pgSnapshot, .txidSnapshot:
                TransactionSnapshot(value)?.appendBinary(to: &writer)
            default:
                if type == .jsonb { writer.append(1) }
                writer.append(utf8: value)
            }
        case .bytes(let value): writer.append(contentsOf: value)
        case .interval(let value):
            writer.appendFixed(value.micros.bigEndian)
            writer.appendFixed(value.days.bigEndian)
            writer.appendFixed(value.months.bigEndian)
        case .array(let value):
            // A relabelled array (varchar[] as text[]) says what it is now.
            appendArray(
                value, element: TypeRegistry.elementType(of: type) ?? value.elementType, to: &writer
            )
        }
    }

    // MARK: Arrays: ndim i32, has-null flag i32, element OID, (length i32, lower bound i32) per
    // dimension, then each element as length i32 (-1 NULL) and its binary form.

    private static func appendArray(
        _ array: ArrayValue, element: OID, to writer: inout ByteWriter
    ) {
        writer.appendFixed(Int32(truncatingIfNeeded: array.dimensions.count).bigEndian)
        let hasNull = array.elements.contains { $0.isNull }
        writer.appendFixed(Int32(hasNull ? 1 : 0).bigEndian)
        writer.appendFixed(element.rawValue.bigEndian)
        for dimension in array.dimensions {
            writer.appendFixed(dimension.length.bigEndian)
            writer.appendFixed(dimension.lowerBound.bigEndian)
        }
        for value in array.elements {
            if value.isNull {
                writer.appendFixed(Int32(-1).bigEndian)
                continue
            }
            let lengthAt = writer.count
            writer.appendFixed(Int32(0))
            appendBinary(value, type: element, to: &writer)
            let length = UInt32(truncatingIfNeeded: writer.count - lengthAt - 4)
            for shift in 0..<4 {
                writer.bytes[lengthAt + shift] = UInt8(
                    truncatingIfNeeded: length >> UInt32(24 - shift * 8))
            }
        }
    }

    private static func decodeArray(
        _ bytes: UnsafeRawBufferPointer, type: SQLType, settings: DisplaySettings
    ) throws(SQLError) -> ArrayValue {
        var reader = ByteReader(bytes)
        func int32() throws(SQLError) -> Int32 {
            guard let value = reader.readFixed(Int32.self) else { throw .insufficientBinaryData }
            return Int32(bigEndian: value)
        }
        let count = try int32()
        guard count >= 0, count <= 6 else {
            throw SQLError(
                SQLState("54000"),
                "number of array dimensions (\(count)) exceeds the maximum allowed (6)")
        }
        let flags = try int32()
        guard flags == 0 || flags == 1 else {
            throw SQLError(.invalidBinaryRepresentation, "invalid array flags")
        }
        let element = OID(UInt32(bitPattern: try int32()))
        guard element == TypeRegistry.elementType(of: type.oid) else {
            throw SQLError(.datatypeMismatch, "wrong element type")
        }
        var dimensions: [(length: Int32, lowerBound: Int32)] = []
        var total: Int64 = count == 0 ? 0 : 1
        for _ in 0..<count {
            let length = try int32()
            let lower = try int32()
            guard length >= 0, !lower.addingReportingOverflow(length).overflow else {
                throw SQLError(
                    SQLState("54000"), "array size exceeds the maximum allowed (134217727)")
            }
            dimensions.append((length, lower))
            total *= Int64(length)
            guard total <= 134_217_727 else {
                throw SQLError(
                    SQLState("54000"), "array size exceeds the maximum allowed (134217727)")
            }
        }
        // Each element takes four bytes at least: a lie about the count stops here.
        guard total * 4 <= Int64(reader.remaining) else { throw .insufficientBinaryData }
        var elements: [Datum] = []
        elements.reserveCapacity(Int(total))
        for _ in 0..<total {
            let length = try int32()
            if length == -1 {
                elements.append(.null)
                continue
            }
            guard length >= 0, let slice = reader.readBytes(Int(length)) else {
                throw .insufficientBinaryData
            }
            elements.append(try decodeBinary(slice, type: SQLType(element), settings: settings))
        }
        guard reader.isAtEnd else { throw .badBinaryFormat }
        return ArrayValue(
            elementType: element, dimensions: total == 0 ? [] : dimensions, elements: elements)
    }
}
