/// Appends fixed little-endian numbers, varints and byte strings to a growing buffer.
///
/// The encoding side of every format here; ``ByteReader`` is the decoding side.
public struct ByteWriter: Sendable {
    /// What was written so far; may be taken, replaced or cut.
    public var bytes: [UInt8]

    /// An empty writer with room for `capacity` bytes; it grows beyond them.
    @inlinable public init(capacity: Int = 0) {
        bytes = []
        if capacity > 0 { bytes.reserveCapacity(capacity) }
    }

    /// Bytes written so far.
    @inlinable public var count: Int { bytes.count }

    /// Appends one byte.
    @inlinable public mutating func append(_ value: UInt8) { bytes.append(value) }

    /// Appends `value` little-endian in its full width.
    @inlinable public mutating func appendFixed<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends `value` as LEB128: seven bits a byte, low first, ten bytes at most.
    @inlinable public mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends the bytes as they are, without a length.
    @inlinable public mutating func append(contentsOf other: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: other)
    }
    /// Appends the bytes as they are, without a length.
    @inlinable public mutating func append(contentsOf other: [UInt8]) {
        bytes.append(contentsOf: other)
    }

    /// Appends a varint length, then the bytes.
    @inlinable public mutating func appendLengthPrefixed(_ other: UnsafeRawBufferPointer) {
        appendVarint(UInt64(other.count))
        bytes.append(contentsOf: other)
    }
    /// Appends a varint length, then the bytes.
    @inlinable public mutating func appendLengthPrefixed(_ other: [UInt8]) {
        appendVarint(UInt64(other.count))
        bytes.append(contentsOf: other)
    }
    /// Appends a varint length, counted in bytes, then the UTF-8.
    @inlinable public mutating func appendLengthPrefixed(_ text: String) {
        var text = text
        text.withUTF8 { appendLengthPrefixed(UnsafeRawBufferPointer($0)) }
    }

    /// Appends 16 bytes: the high half, then the low one, each little-endian.
    @inlinable public mutating func append(_ uid: UID) {
        appendFixed(uid.high)
        appendFixed(uid.low)
    }
}

/// Reads what ``ByteWriter`` wrote, from bytes that may be damaged: every read is bounds-checked and
/// returns nil at the first byte that does not fit.
public struct ByteReader {
    /// The input; must outlive the reader and everything it returns borrowed.
    public let bytes: UnsafeRawBufferPointer
    /// Where the next read begins.
    public internal(set) var offset: Int

    /// Begins at the first byte.
    public init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        offset = 0
    }

    /// Bytes that are still to be read.
    @inlinable public var remaining: Int { bytes.count - offset }
    /// No byte is left.
    @inlinable public var isAtEnd: Bool { offset >= bytes.count }

    /// The next byte.
    public mutating func readByte() -> UInt8? {
        guard offset < bytes.count else { return nil }
        defer { offset += 1 }
        return bytes[offset]
    }

    /// The next number, little-endian in its full width.
    public mutating func readFixed<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? {
        let width = MemoryLayout<T>.size
        guard remaining >= width else { return nil }
        defer { offset += width }
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// The next LEB128 number; nil when it is cut, or has bits beyond 64. What was read of it stays read.
    public mutating func readVarint() -> UInt64? {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64, offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if shift == 63, byte > 1 { return nil }
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
            shift += 7
        }
        return nil
    }

    /// The next `count` bytes, borrowed from the input.
    public mutating func readBytes(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, remaining >= count else { return nil }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
    }

    /// A varint length and so many bytes, borrowed from the input.
    public mutating func readLengthPrefixed() -> UnsafeRawBufferPointer? {
        guard let length = readVarint(), length <= UInt64(remaining) else { return nil }
        return readBytes(Int(length))
    }

    /// A length-prefixed UTF-8 string; nil when it is not valid UTF-8.
    public mutating func readString() -> String? {
        guard let slice = readLengthPrefixed() else { return nil }
        return String(validating: slice, as: UTF8.self)
    }

    /// 16 bytes, as ``ByteWriter/append(_:)-(UID)`` wrote them.
    public mutating func readUID() -> UID? {
        guard let high = readFixed(UInt64.self), let low = readFixed(UInt64.self) else {
            return nil
        }
        return UID(high: high, low: low)
    }

    /// Passes over `count` bytes; false, and nowhere else, when fewer are left.
    public mutating func skip(_ count: Int) -> Bool { readBytes(count) != nil }
}
