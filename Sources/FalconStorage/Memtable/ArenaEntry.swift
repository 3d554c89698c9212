#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One entry in an arena. Written once, then only read (a batch may set its dead bit). Lengths that
/// do not fit in their byte lie before the entry, so that a key is always at the same place.
///
///     -8  u32  key length, when its byte is 255
///     -4  u32  value length, when its byte is 255; there, unused, when the key's is
///     0   u64  version: timestamp in a memtable, ordinal in a batch
///     8   u8   dead << 7 | kind
///     9   u8   key length, or 255
///     10  u8   value length, or 255
///     11  key bytes, value bytes
struct ArenaEntry {
    static let headerBytes = 11
    /// The most that a header may take, lengths before it included.
    static let maximumHeaderBytes = headerBytes + 8
    static let maximumKeyBytes = (1 << 24) - 1
    static let maximumValueBytes = 1 << 30

    /// What is told of a key or a value that is beyond them.
    @inline(never)
    static func tooLong(key: Int, value: Int = 0) -> StorageError {
        .invalidArgument(
            "A key has at most \(maximumKeyBytes) bytes, a value \(maximumValueBytes); here a "
                + (key > maximumKeyBytes ? "key has \(key)." : "value has \(value)."),
            hint: "Store it in pieces, or something that stands for it.")
    }

    private static let flagsOffset = 8
    private static let deadBit: UInt8 = 0x80
    private static let long = 255

    let pointer: UnsafeRawPointer

    @inline(__always) init(_ pointer: UnsafeRawPointer) { self.pointer = pointer }

    @inline(__always) var version: UInt64 { pointer.loadUnaligned(as: UInt64.self) }
    @inline(__always) private var flags: UInt8 {
        pointer.load(fromByteOffset: ArenaEntry.flagsOffset, as: UInt8.self)
    }
    @inline(__always) var valueLength: Int {
        let short = Int(pointer.load(fromByteOffset: 10, as: UInt8.self))
        if short < ArenaEntry.long { return short }
        return Int((pointer - 4).loadUnaligned(as: UInt32.self))
    }
    @inline(__always) var keyLength: Int {
        let short = Int(pointer.load(fromByteOffset: 9, as: UInt8.self))
        if short < ArenaEntry.long { return short }
        return Int((pointer - 8).loadUnaligned(as: UInt32.self))
    }
    @inline(__always) var isDead: Bool { flags & ArenaEntry.deadBit != 0 }
    @inline(__always) var kind: OperationKind {
        OperationKind(rawValue: flags & ~ArenaEntry.deadBit) ?? .put
    }
    @inline(__always) var keyStart: UnsafeRawPointer { pointer + ArenaEntry.headerBytes }
    @inline(__always) var key: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: keyStart, count: keyLength)
    }
    @inline(__always) var value: UnsafeRawBufferPointer {
        let keyLength = self.keyLength
        return UnsafeRawBufferPointer(start: keyStart + keyLength, count: valueLength)
    }

    /// Bytes before an entry: of lengths that do not fit in theirs.
    @inline(__always)
    static func leadBytes(key: Int, value: Int) -> Int {
        key >= long ? 8 : (value >= long ? 4 : 0)
    }
    @inline(__always) var leadBytes: Int {
        ArenaEntry.leadBytes(key: keyLength, value: valueLength)
    }

    /// Marks the entry at `pointer` as rolled back.
    static func markDead(_ pointer: UnsafeMutableRawPointer) {
        let flags = pointer.load(fromByteOffset: flagsOffset, as: UInt8.self)
        pointer.storeBytes(of: flags | deadBit, toByteOffset: flagsOffset, as: UInt8.self)
    }

    /// Writes an entry at `pointer`, which has ``leadBytes(key:value:)`` of room before it.
    @inline(__always)
    static func write(
        at pointer: UnsafeMutableRawPointer, version: UInt64, kind: OperationKind,
        key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
    ) {
        if key.count >= long {
            (pointer - 8).storeBytes(of: UInt32(truncatingIfNeeded: key.count), as: UInt32.self)
        }
        if value.count >= long {
            (pointer - 4).storeBytes(of: UInt32(truncatingIfNeeded: value.count), as: UInt32.self)
        }
        pointer.storeBytes(of: version, as: UInt64.self)
        pointer.storeBytes(of: kind.rawValue, toByteOffset: flagsOffset, as: UInt8.self)
        pointer.storeBytes(
            of: UInt8(truncatingIfNeeded: min(key.count, long)), toByteOffset: 9, as: UInt8.self)
        pointer.storeBytes(
            of: UInt8(truncatingIfNeeded: min(value.count, long)), toByteOffset: 10, as: UInt8.self)
        if let source = key.baseAddress { memcpy(pointer + headerBytes, source, key.count) }
        if let source = value.baseAddress {
            memcpy(pointer + headerBytes + key.count, source, value.count)
        }
    }

    /// Negative, zero or positive as the entry sorts before, at or after (`key`, `version`):
    /// key ascending, version descending.
    @inline(__always)
    func compare(_ key: UnsafeRawBufferPointer, _ version: UInt64) -> Int {
        let order = KeyOrder.compare(self.key, key)
        if order != 0 { return order }
        let own = self.version
        return own > version ? -1 : (own == version ? 0 : 1)
    }
}
