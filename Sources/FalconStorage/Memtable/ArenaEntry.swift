#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One entry in an arena. Written once, then only read (a batch may set its dead bit).
///
///     0   u64  version: timestamp in a memtable, ordinal in a batch
///     8   u32  value length
///     12  u32  key length << 8 | dead << 7 | kind
///     16  key bytes, value bytes
struct ArenaEntry {
    static let headerBytes = 16
    static let maximumKeyBytes = (1 << 24) - 1
    static let maximumValueBytes = 1 << 30
    static let deadBit: UInt32 = 0x80

    let pointer: UnsafeRawPointer

    @inline(__always) init(_ pointer: UnsafeRawPointer) { self.pointer = pointer }

    @inline(__always) var version: UInt64 { pointer.loadUnaligned(as: UInt64.self) }
    @inline(__always) var valueLength: Int {
        Int(pointer.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    }
    @inline(__always) var tag: UInt32 { pointer.loadUnaligned(fromByteOffset: 12, as: UInt32.self) }
    @inline(__always) var keyLength: Int { Int(tag >> 8) }
    @inline(__always) var isDead: Bool { tag & ArenaEntry.deadBit != 0 }
    @inline(__always) var kind: OperationKind {
        OperationKind(rawValue: UInt8(truncatingIfNeeded: tag & 0x7F)) ?? .put
    }
    @inline(__always) var keyStart: UnsafeRawPointer { pointer + ArenaEntry.headerBytes }
    @inline(__always) var key: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: keyStart, count: keyLength)
    }
    @inline(__always) var value: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: keyStart + keyLength, count: valueLength)
    }

    @inline(__always)
    static func write(
        at pointer: UnsafeMutableRawPointer, version: UInt64, kind: OperationKind,
        key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
    ) {
        pointer.storeBytes(of: version, as: UInt64.self)
        pointer.storeBytes(
            of: UInt32(truncatingIfNeeded: value.count), toByteOffset: 8, as: UInt32.self)
        pointer.storeBytes(
            of: UInt32(truncatingIfNeeded: key.count) << 8 | UInt32(kind.rawValue),
            toByteOffset: 12, as: UInt32.self)
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
