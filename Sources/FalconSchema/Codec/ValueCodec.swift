import BigInt
import FalconStorage

/// One non-null value as a row or descriptor stores it. Fixed-width kinds have no length; the rest
/// begin with a varint length.
///
///     bool, "char"         1 byte
///     int2 int4 int8 oid   2, 4, 8, 4 bytes little-endian
///     float4 float8        4, 8 bytes little-endian bits
///     uuid                 16 bytes
///     interval             micros i64, days i32, months i32
///     text, bytea          length, bytes
///     numeric              length, then kind: 0 small (zigzag mantissa varint, scale varint),
///                          1 positive / 2 negative big (scale varint, magnitude bytes, low first),
///                          3 NaN, 4 Infinity, 5 -Infinity
///     array                length, element type OID u32, dimension count u8, (length, lower bound
///                          i32) each, element count varint, null bitmap, elements in this encoding
enum ValueCodec {
    static func append(
        _ datum: Datum, kind: PhysicalKind, to writer: inout ByteWriter
    ) throws(SQLError) {
        switch (kind, datum) {
        case (.int4, .int(let value)): writer.appendFixed(Int32(truncatingIfNeeded: value))
        case (.int8, .int(let value)): writer.appendFixed(value)
        case (.text, .text(let value)): writer.appendLengthPrefixed(value)
        case (.int2, .int(let value)): writer.appendFixed(Int16(truncatingIfNeeded: value))
        case (.oid, .int(let value)): writer.appendFixed(UInt32(truncatingIfNeeded: value))
        case (.byte, .int(let value)): writer.append(UInt8(truncatingIfNeeded: value))
        case (.bool, .bool(let value)): writer.append(value ? 1 : 0)
        case (.float8, .float(let value)): writer.appendFixed(value.bitPattern)
        case (.float4, .float(let value)): writer.appendFixed(Float(value).bitPattern)
        case (.bytes, .bytes(let value)): writer.appendLengthPrefixed(value)
        case (.uuid, .bytes(let value)) where value.count == 16: writer.append(contentsOf: value)
        case (.interval, .interval(let value)):
            writer.appendFixed(value.micros)
            writer.appendFixed(value.days)
            writer.appendFixed(value.months)
        case (.numeric, .numeric(let value)): appendNumeric(value, to: &writer)
        case (.array, .array(let value)):
            var body = ByteWriter()
            let elementKind = TypeRegistry.physical(value.elementType)
            body.appendFixed(value.elementType.rawValue)
            body.append(UInt8(truncatingIfNeeded: value.dimensions.count))
            for dimension in value.dimensions {
                body.appendFixed(dimension.length)
                body.appendFixed(dimension.lowerBound)
            }
            body.appendVarint(UInt64(value.elements.count))
            let bitmapAt = body.count
            for _ in 0..<((value.elements.count + 7) / 8) { body.append(0) }
            for (index, element) in value.elements.enumerated() {
                if element.isNull {
                    body.bytes[bitmapAt + index / 8] |= 1 << UInt8(index % 8)
                } else {
                    try append(element, kind: elementKind, to: &body)
                }
            }
            writer.appendLengthPrefixed(body.bytes)
        default:
            throw SQLError(
                .internalError, "a value does not have the stored form of its column's type")
        }
    }

    private static func appendNumeric(_ value: NumericValue, to writer: inout ByteWriter) {
        let lengthAt = writer.count
        switch value.storage {
        case .small(let mantissa, let scale):
            // At most 1 + 10 + 3 bytes: the length is one byte, filled in after.
            writer.append(0)
            writer.append(0)
            writer.appendVarint(UInt64(bitPattern: (mantissa << 1) ^ (mantissa >> 63)))
            writer.appendVarint(UInt64(scale))
            writer.bytes[lengthAt] = UInt8(truncatingIfNeeded: writer.count - lengthAt - 1)
        case .big(let big):
            var body = ByteWriter()
            body.append(big.mantissa.sign == .minus ? 2 : 1)
            body.appendVarint(UInt64(big.scale))
            for word in big.mantissa.magnitude.words { body.appendFixed(UInt64(word)) }
            while body.bytes.last == 0 { body.bytes.removeLast() }
            writer.appendLengthPrefixed(body.bytes)
        case .nan:
            writer.append(1)
            writer.append(3)
        case .infinity:
            writer.append(1)
            writer.append(4)
        case .negativeInfinity:
            writer.append(1)
            writer.append(5)
        }
    }

    static func decode(_ reader: inout ByteReader, kind: PhysicalKind) -> Datum? {
        switch kind {
        case .int4:
            guard let value = reader.readFixed(Int32.self) else { return nil }
            return .int(Int64(value))
        case .int8:
            guard let value = reader.readFixed(Int64.self) else { return nil }
            return .int(value)
        case .text:
            guard let value = reader.readString() else { return nil }
            return .text(value)
        case .int2:
            guard let value = reader.readFixed(Int16.self) else { return nil }
            return .int(Int64(value))
        case .oid:
            guard let value = reader.readFixed(UInt32.self) else { return nil }
            return .int(Int64(value))
        case .byte:
            guard let value = reader.readByte() else { return nil }
            return .int(Int64(value))
        case .bool:
            guard let value = reader.readByte() else { return nil }
            return .bool(value != 0)
        case .float8:
            guard let bits = reader.readFixed(UInt64.self) else { return nil }
            return .float(Double(bitPattern: bits))
        case .float4:
            guard let bits = reader.readFixed(UInt32.self) else { return nil }
            return .float(Double(Float(bitPattern: bits)))
        case .bytes:
            guard let slice = reader.readLengthPrefixed() else { return nil }
            return .bytes(Array(slice))
        case .uuid:
            guard let slice = reader.readBytes(16) else { return nil }
            return .bytes(Array(slice))
        case .interval:
            guard let micros = reader.readFixed(Int64.self),
                let days = reader.readFixed(Int32.self),
                let months = reader.readFixed(Int32.self)
            else { return nil }
            return .interval(Interval(months: months, days: days, micros: micros))
        case .numeric:
            guard let slice = reader.readLengthPrefixed(), let value = decodeNumeric(slice) else {
                return nil
            }
            return .numeric(value)
        case .array:
            guard let slice = reader.readLengthPrefixed() else { return nil }
            return decodeArray(slice)
        case .none: return nil
        }
    }

    /// Moves past a value without building it.
    static func skip(_ reader: inout ByteReader, kind: PhysicalKind) -> Bool {
        switch kind {
        case .bool, .byte: return reader.skip(1)
        case .int2: return reader.skip(2)
        case .int4, .oid, .float4: return reader.skip(4)
        case .int8, .float8: return reader.skip(8)
        case .uuid, .interval: return reader.skip(16)
        case .text, .bytes, .numeric, .array: return reader.readLengthPrefixed() != nil
        case .none: return false
        }
    }

    private static func decodeNumeric(_ bytes: UnsafeRawBufferPointer) -> NumericValue? {
        var reader = ByteReader(bytes)
        guard let kind = reader.readByte() else { return nil }
        switch kind {
        case 0:
            guard let zigzag = reader.readVarint(), let scale = reader.readVarint(),
                scale <= NumericValue.maxScale
            else { return nil }
            let mantissa = Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
            return NumericValue(mantissa: mantissa, scale: Int(scale))
        case 1, 2:
            guard let scale = reader.readVarint(), scale <= NumericValue.maxScale,
                let rest = reader.readBytes(reader.remaining)
            else { return nil }
            var words: [UInt] = []
            var index = 0
            while index < rest.count {
                var word: UInt = 0
                for shift in 0..<8 where index + shift < rest.count {
                    word |= UInt(rest[index + shift]) << UInt(shift * 8)
                }
                words.append(word)
                index += 8
            }
            let mantissa = BigInt(
                sign: kind == 2 ? .minus : .plus, magnitude: BigUInt(words: words))
            return NumericValue(mantissa: mantissa, scale: Int(scale))
        case 3: return .nan
        case 4: return .infinity
        case 5: return .negativeInfinity
        default: return nil
        }
    }

    private static func decodeArray(_ bytes: UnsafeRawBufferPointer) -> Datum? {
        var reader = ByteReader(bytes)
        guard let element = reader.readFixed(UInt32.self), let count = reader.readByte(),
            count <= 6
        else { return nil }
        var dimensions: [(length: Int32, lowerBound: Int32)] = []
        for _ in 0..<count {
            guard let length = reader.readFixed(Int32.self),
                let lower = reader.readFixed(Int32.self)
            else { return nil }
            dimensions.append((length, lower))
        }
        let kind = TypeRegistry.physical(OID(element))
        guard kind != .array, let total = reader.readVarint(),
            total <= UInt64(bytes.count) * 8, let bitmap = reader.readBytes((Int(total) + 7) / 8)
        else { return nil }
        var elements: [Datum] = []
        for index in 0..<Int(total) {
            if bitmap[index / 8] & (1 << UInt8(index % 8)) != 0 {
                elements.append(.null)
            } else {
                guard let value = decode(&reader, kind: kind) else { return nil }
                elements.append(value)
            }
        }
        return .array(
            ArrayValue(elementType: OID(element), dimensions: dimensions, elements: elements))
    }
}
