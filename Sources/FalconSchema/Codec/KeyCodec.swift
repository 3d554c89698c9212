import FalconStorage

/// Keys. Unsigned byte order of the whole key is SQL order of its columns.
///
///     database u32 BE | storage id u32 BE | column …            (index or body by primary key)
///     database u32 BE | storage id u32 BE | row id u64 BE       (body by hidden row id)
///
/// A column is a marker byte, then the payload of a non-null value:
///
///     01 NULL, NULLS FIRST        02 value        03 NULL, NULLS LAST
///
///     bool, "char"       1 byte
///     int2 int4 int8     2, 4, 8 bytes big-endian, sign bit flipped (also date, time, timestamps)
///     oid, reg*          4 bytes big-endian
///     pg_lsn xid8        8 bytes big-endian
///     float4, float8     8 bytes: the bits of the Double, all flipped when negative, else the sign
///                        alone; -0 as 0, one NaN, greatest
///     text …             UTF-8, then 00 (text holds no NUL); char(n) without its trailing spaces
///     bytea              00 as 00 FF, then 00 01
///     uuid               16 bytes
///     numeric            see `appendNumeric`
///     interval           16 bytes: its span in µs, big-endian, sign flipped
///     array              each element as 02 payload or 03, then 00, dimension count u8 and
///                        per dimension length and lower bound i32 BE, sign flipped
///
/// DESC flips every payload byte, never the marker.
public enum KeyCodec {
    public static let prefixLength = 8
    static let nullFirstMarker: UInt8 = 1
    static let valueMarker: UInt8 = 2
    static let nullLastMarker: UInt8 = 3

    @inlinable
    public static func appendPrefix(
        database: DatabaseID, storage: StorageID, to writer: inout ByteWriter
    ) {
        writer.appendFixed(database.rawValue.bigEndian)
        writer.appendFixed(storage.rawValue.bigEndian)
    }

    public static func prefix(database: DatabaseID, storage: StorageID) -> [UInt8] {
        var writer = ByteWriter(capacity: prefixLength)
        appendPrefix(database: database, storage: storage, to: &writer)
        return writer.bytes
    }

    /// The database and storage id of a key; nil when it is too short.
    public static func parsePrefix(
        _ key: UnsafeRawBufferPointer
    ) -> (database: DatabaseID, storage: StorageID)? {
        guard key.count >= prefixLength else { return nil }
        return (
            DatabaseID(UInt32(bigEndian: key.loadUnaligned(fromByteOffset: 0, as: UInt32.self))),
            StorageID(UInt32(bigEndian: key.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        )
    }

    @inlinable
    public static func appendRowID(_ rowID: UInt64, to writer: inout ByteWriter) {
        writer.appendFixed(rowID.bigEndian)
    }

    /// The hidden row id at the end of a key.
    public static func rowID(endOf key: UnsafeRawBufferPointer) -> UInt64? {
        guard key.count >= 8 else { return nil }
        return UInt64(
            bigEndian: key.loadUnaligned(fromByteOffset: key.count - 8, as: UInt64.self))
    }

    /// Appends one column of `type`. A value that does not fit the type is a bug (XX000).
    public static func append(
        _ datum: Datum, type: OID, descending: Bool = false, nullsFirst: Bool = false,
        to writer: inout ByteWriter
    ) throws(SQLError) {
        if datum.isNull {
            writer.append(nullsFirst ? nullFirstMarker : nullLastMarker)
            return
        }
        writer.append(valueMarker)
        let start = writer.count
        try appendPayload(datum, type: type, to: &writer)
        if descending {
            for index in start..<writer.count { writer.bytes[index] = ~writer.bytes[index] }
        }
    }

    private static func appendPayload(
        _ datum: Datum, type: OID, to writer: inout ByteWriter
    ) throws(SQLError) {
        switch (TypeRegistry.physical(type), datum) {
        case (.int4, .int(let value)):
            writer.appendFixed(
                (UInt32(truncatingIfNeeded: value) ^ 0x8000_0000).bigEndian)
        case (.int8, .int(let value)):
            writer.appendFixed((UInt64(bitPattern: value) ^ signBit(type)).bigEndian)
        case (.text, .text(var value)):
            let isPadded = type == .bpchar
            let start = writer.count
            value.withUTF8 { utf8 in
                writer.append(
                    contentsOf: isPadded
                        ? DatumOrder.trimmed(utf8) : UnsafeRawBufferPointer(utf8))
            }
            for index in start..<writer.count where writer.bytes[index] == 0 {
                throw SQLError(
                    .characterNotInRepertoire,
                    "invalid byte sequence for encoding \"UTF8\": 0x00")
            }
            writer.append(0)
        case (.int2, .int(let value)):
            writer.appendFixed((UInt16(truncatingIfNeeded: value) ^ 0x8000).bigEndian)
        case (.oid, .int(let value)):
            writer.appendFixed(UInt32(truncatingIfNeeded: value).bigEndian)
        case (.bool, .bool(let value)): writer.append(value ? 1 : 0)
        case (.byte, .int(let value)): writer.append(UInt8(truncatingIfNeeded: value))
        case (.float8, .float(let value)), (.float4, .float(let value)):
            writer.appendFixed(orderedBits(value).bigEndian)
        case (.numeric, .numeric(let value)): appendNumeric(value, to: &writer)
        case (.uuid, .bytes(let value)) where value.count == 16: writer.append(contentsOf: value)
        case (.bytes, .bytes(let value)):
            for byte in value {
                writer.append(byte)
                if byte == 0 { writer.append(0xFF) }
            }
            writer.append(0)
            writer.append(1)
        case (.interval, .interval(let value)):
            let span = UInt128(bitPattern: value.span) ^ (1 << 127)
            writer.appendFixed(UInt64(truncatingIfNeeded: span >> 64).bigEndian)
            writer.appendFixed(UInt64(truncatingIfNeeded: span).bigEndian)
        case (.array, .array(let value)):
            for element in value.elements {
                if element.isNull {
                    writer.append(nullLastMarker)
                } else {
                    writer.append(valueMarker)
                    try appendPayload(element, type: value.elementType, to: &writer)
                }
            }
            writer.append(0)
            writer.append(UInt8(truncatingIfNeeded: value.dimensions.count))
            for dimension in value.dimensions {
                writer.appendFixed(
                    (UInt32(bitPattern: dimension.length) ^ 0x8000_0000).bigEndian)
                writer.appendFixed(
                    (UInt32(bitPattern: dimension.lowerBound) ^ 0x8000_0000).bigEndian)
            }
        default:
            throw SQLError(
                .internalError,
                "a value of another form cannot be a key of type \(TypeNames.format(type))")
        }
    }

    /// What is flipped of eight bytes, so that their order is the values'. Nothing where these have no sign.
    @inline(__always) private static func signBit(_ type: OID) -> UInt64 {
        type == .pgLSN || type == .xid8 ? 0 : 1 << 63
    }

    static func orderedBits(_ value: Double) -> UInt64 {
        if value.isNaN { return .max }
        let bits = (value == 0 ? 0.0 : value).bitPattern
        return bits >> 63 == 1 ? ~bits : bits ^ (1 << 63)
    }

    static func double(orderedBits bits: UInt64) -> Double {
        if bits == .max { return .nan }
        return Double(bitPattern: bits >> 63 == 1 ? bits ^ (1 << 63) : ~bits)
    }

    // MARK: Decoding

    /// Decodes one column. Exact but for what the encoding loses (numeric scale, -0.0, char
    /// padding, interval fields): see ``isLossless(_:)``. XX001 when the bytes are no such column.
    public static func decode(
        _ reader: inout ByteReader, type: OID, descending: Bool = false, nullsFirst: Bool = false
    ) throws(SQLError) -> Datum {
        guard let marker = reader.readByte() else { throw damaged }
        switch marker {
        case nullFirstMarker, nullLastMarker: return .null
        case valueMarker: break
        default: throw damaged
        }
        return try decodePayload(&reader, type: type, mask: descending ? 0xFF : 0)
    }

    /// Moves past one column.
    public static func skip(
        _ reader: inout ByteReader, type: OID, descending: Bool = false
    ) throws(SQLError) {
        _ = try decode(&reader, type: type, descending: descending)
    }

    static var damaged: SQLError { SQLError(.dataCorrupted, "index key is damaged") }

    private static func fixed<T: FixedWidthInteger>(
        _ reader: inout ByteReader, _ mask: UInt8, _ type: T.Type
    ) throws(SQLError) -> T {
        guard let value = reader.readFixed(T.self) else { throw damaged }
        let big = T(bigEndian: value)
        return mask == 0 ? big : ~big
    }

    private static func decodePayload(
        _ reader: inout ByteReader, type: OID, mask: UInt8
    ) throws(SQLError) -> Datum {
        switch TypeRegistry.physical(type) {
        case .bool: return .bool(try fixed(&reader, mask, UInt8.self) != 0)
        case .byte: return .int(Int64(try fixed(&reader, mask, UInt8.self)))
        case .int2:
            let bits = try fixed(&reader, mask, UInt16.self) ^ 0x8000
            return .int(Int64(Int16(bitPattern: bits)))
        case .int4:
            let bits = try fixed(&reader, mask, UInt32.self) ^ 0x8000_0000
            return .int(Int64(Int32(bitPattern: bits)))
        case .oid: return .int(Int64(try fixed(&reader, mask, UInt32.self)))
        case .int8:
            let bits = try fixed(&reader, mask, UInt64.self) ^ signBit(type)
            return .int(Int64(bitPattern: bits))
        case .float4, .float8:
            return .float(double(orderedBits: try fixed(&reader, mask, UInt64.self)))
        case .text:
            var bytes: [UInt8] = []
            while true {
                guard let raw = reader.readByte() else { throw damaged }
                let byte = raw ^ mask
                if byte == 0 { break }
                bytes.append(byte)
            }
            guard let text = String(validating: bytes, as: UTF8.self) else { throw damaged }
            return .text(text)
        case .bytes:
            var bytes: [UInt8] = []
            while true {
                guard let raw = reader.readByte() else { throw damaged }
                let byte = raw ^ mask
                if byte != 0 {
                    bytes.append(byte)
                    continue
                }
                guard let escape = reader.readByte() else { throw damaged }
                if escape ^ mask == 0xFF {
                    bytes.append(0)
                } else if escape ^ mask == 1 {
                    break
                } else {
                    throw damaged
                }
            }
            return .bytes(bytes)
        case .uuid:
            guard let slice = reader.readBytes(16) else { throw damaged }
            return .bytes(slice.map { $0 ^ mask })
        case .numeric: return .numeric(try decodeNumeric(&reader, mask: mask))
        case .interval:
            let high = try fixed(&reader, mask, UInt64.self)
            let low = try fixed(&reader, mask, UInt64.self)
            let span = Int128(
                bitPattern: (UInt128(high) << 64 | UInt128(low)) ^ (1 << 127))
            let days = span / 86_400_000_000
            guard let months = Int32(exactly: days / 30) else { throw damaged }
            return .interval(
                Interval(
                    months: months, days: Int32(truncatingIfNeeded: days % 30),
                    micros: Int64(truncatingIfNeeded: span % 86_400_000_000)))
        case .array:
            guard let element = TypeRegistry.elementType(of: type) else { throw damaged }
            var elements: [Datum] = []
            while true {
                guard let raw = reader.readByte() else { throw damaged }
                let marker = raw ^ mask
                if marker == 0 { break }
                if marker == nullLastMarker {
                    elements.append(.null)
                } else if marker == valueMarker {
                    elements.append(try decodePayload(&reader, type: element, mask: mask))
                } else {
                    throw damaged
                }
            }
            var dimensions: [(length: Int32, lowerBound: Int32)] = []
            for _ in 0..<(try fixed(&reader, mask, UInt8.self)) {
                let length = Int32(
                    bitPattern: try fixed(&reader, mask, UInt32.self) ^ 0x8000_0000)
                let lower = Int32(
                    bitPattern: try fixed(&reader, mask, UInt32.self) ^ 0x8000_0000)
                dimensions.append((length, lower))
            }
            return .array(
                ArrayValue(elementType: element, dimensions: dimensions, elements: elements))
        case .none: throw damaged
        }
    }

    /// True when ``decode`` gives back exactly what ``append`` was given: an index on such columns
    /// can answer a query without its table.
    public static func isLossless(_ type: OID) -> Bool {
        switch TypeRegistry.physical(type) {
        case .bool, .byte, .int2, .int4, .int8, .oid, .bytes, .uuid: true
        case .text: type != .bpchar
        case .float4, .float8, .numeric, .interval, .array, .none: false
        }
    }

    /// True when the type can be a key column.
    public static func isKeyable(_ type: OID) -> Bool {
        DatumOrder.isOrdered(type) && type != .jsonb
    }
}
