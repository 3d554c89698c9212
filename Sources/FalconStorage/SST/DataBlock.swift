#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A data block, decompressed:
///
///     entries, in internal order:
///         varint  bytes of the key shared with the entry before (0 at a restart point)
///         varint  bytes of the key that follow
///         varint  value length
///         u8      kind
///         u64     timestamp, its counter (the low 12 bits) moved to the top, big-endian: what is
///                 equal in neighbours, the mostly zero counter and the high bits of the time,
///                 follows the equal lengths and kinds, so that a codec finds one match for it all
///         key suffix, value
///     u32 x n  for each restart point: bytes p..<p+4 of its key, big-endian, zero-padded, as a number
///     u32 x n  offsets of the restart points; the first is 0
///     u32      p: bytes that all keys of the block share
///     u32      n
///
/// ``validate(_:)`` proves once, when a block comes from its file, that every length in it stays
/// inside; all else here relies on that.
struct DataBlock {
    let base: UnsafeRawPointer
    /// Where the entries end.
    let end: Int
    let restartCount: Int
    private let prefixLength: Int

    /// One decoded entry. The key is `shared` bytes of the one before and `suffix`.
    struct Entry {
        var shared: Int
        var suffixLength: Int
        var valueLength: Int
        var kind: UInt8
        var timestamp: UInt64
        var suffix: UnsafeRawPointer
        @inline(__always) var value: UnsafeRawPointer { suffix + suffixLength }
    }

    /// Views bytes that ``validate(_:)`` has accepted.
    @inline(__always)
    init(validated bytes: UnsafeRawBufferPointer) {
        let bytes = bytes.count >= DataBlock.tailBytes ? bytes : DataBlock.nothing
        // trap-ok: neither a validated block nor `nothing` is empty
        base = bytes.baseAddress.unsafelyUnwrapped
        let count = bytes.count
        restartCount = Int((base + (count &- 4)).loadUnaligned(as: UInt32.self))
        prefixLength = Int((base + (count &- 8)).loadUnaligned(as: UInt32.self))
        end = count &- DataBlock.tailBytes &- 8 &* restartCount
    }

    /// Entries that are being built: only ``entry(at:)`` may be used.
    init(building base: UnsafeRawPointer, end: Int) {
        self.base = base
        self.end = end
        restartCount = 0
        prefixLength = 0
    }

    /// The two numbers that end a block.
    static let tailBytes = 8

    /// Eight zero bytes: a block without entries.
    nonisolated(unsafe) private static let nothing: UnsafeRawBufferPointer = {
        let zero = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        zero.storeBytes(of: 0, as: UInt64.self)
        return UnsafeRawBufferPointer(start: zero, count: 8)
    }()

    @inline(__always)
    func restart(_ index: Int) -> Int {
        Int((base + (end &+ 4 &* (restartCount &+ index))).loadUnaligned(as: UInt32.self))
    }
    @inline(__always)
    private func head(_ index: Int) -> UInt32 {
        (base + (end &+ 4 &* index)).loadUnaligned(as: UInt32.self)
    }

    /// What ``head(_:)`` holds for `key`.
    @inline(__always)
    static func head(_ key: UnsafeRawBufferPointer, _ prefixLength: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: EntryTree.window(key, prefixLength) &>> 32)
    }

    @inline(__always)
    func entry(at offset: Int) -> Entry {
        var p = base + offset
        let a = p.load(as: UInt8.self)
        let b = p.load(fromByteOffset: 1, as: UInt8.self)
        let c = p.load(fromByteOffset: 2, as: UInt8.self)
        var shared = Int(a)
        var suffixLength = Int(b)
        var valueLength = Int(c)
        if a | b | c < 0x80 {
            p += 3
        } else {
            shared = DataBlock.varint(&p)
            suffixLength = DataBlock.varint(&p)
            valueLength = DataBlock.varint(&p)
        }
        return Entry(
            shared: shared, suffixLength: suffixLength, valueLength: valueLength,
            kind: p.load(as: UInt8.self),
            timestamp: DataBlock.timestamp(stored: (p + 1).loadUnaligned(as: UInt64.self)),
            suffix: p + 9)
    }

    /// A timestamp as it lies in an entry, and back.
    @inline(__always)
    static func stored(_ timestamp: UInt64) -> UInt64 {
        (timestamp &>> 12 | timestamp &<< 52).bigEndian
    }

    @inline(__always)
    static func timestamp(stored: UInt64) -> UInt64 {
        let value = UInt64(bigEndian: stored)
        return value &<< 12 | value &>> 52
    }

    @inline(__always)
    private static func varint(_ p: inout UnsafeRawPointer) -> Int {
        var result = 0
        var shift = 0
        while true {
            let byte = p.load(as: UInt8.self)
            p += 1
            result |= Int(byte & 0x7F) &<< shift
            if byte < 0x80 { return result }
            shift &+= 7
        }
    }

    @inline(__always)
    func offset(after entry: Entry) -> Int { (entry.value + entry.valueLength) - base }

    // MARK: - Search

    /// Where the scan for (`key`, `timestamp`) begins: the last restart point before it, or the first.
    @inline(__always)
    func restartIndex(before key: UnsafeRawBufferPointer, _ timestamp: UInt64) -> Int {
        if prefixLength > 0 {
            let first = entry(at: 0).suffix
            let shared = min(key.count, prefixLength)
            let order = key.baseAddress.map { memoryCompare($0, first, shared) } ?? 0
            if order < 0 || (order == 0 && key.count < prefixLength) { return 0 }
            if order > 0 { return restartCount &- 1 }
        }
        let wanted = DataBlock.head(key, prefixLength)
        var low = 0
        var size = restartCount
        while size > 0 {
            let half = size &>> 1
            let isBelow = head(low &+ half) < wanted
            low = isBelow ? low &+ half &+ 1 : low
            size = isBelow ? size &- half &- 1 : half
        }
        // Restart points whose heads tie: compare whole keys.
        while low < restartCount, head(low) == wanted {
            let entry = self.entry(at: restart(low))
            let order = KeyOrder.compare(
                UnsafeRawBufferPointer(start: entry.suffix, count: entry.suffixLength), key)
            if order > 0 || (order == 0 && entry.timestamp <= timestamp) { break }
            low &+= 1
        }
        return max(low &- 1, 0)
    }

    enum Found {
        /// This is the newest version of the key not above the timestamp.
        case entry(Entry)
        /// The first entry at or after the target belongs to another key.
        case otherKey
        /// All entries are before the target.
        case end
    }

    /// Finds `key`'s newest version not above `timestamp` without building keys: what the entry
    /// before had in common with the target tells how the next one compares.
    @inline(__always)
    func find(_ key: UnsafeRawBufferPointer, _ timestamp: UInt64) -> Found {
        guard end > 0, let target = key.baseAddress ?? Optional(base) else { return .end }
        var offset = restart(restartIndex(before: key, timestamp))
        var matched = 0
        var sameKey = false
        while offset < end {
            let entry = self.entry(at: offset)
            offset = self.offset(after: entry)
            if sameKey {
                let isSame =
                    entry.shared == key.count
                    ? entry.suffixLength == 0
                    : entry.shared == 0 && entry.suffixLength == key.count
                        && memcmp(entry.suffix, target, key.count) == 0
                guard isSame else { return .otherKey }
            } else {
                if entry.shared > matched { continue }
                if entry.shared < matched {
                    // A restart point shares nothing on paper.
                    if entry.shared > 0 { return .otherKey }
                    matched = 0
                }
                let rest = key.count &- matched
                let common = DataBlock.commonPrefix(
                    entry.suffix, target + matched, min(entry.suffixLength, rest))
                if common == rest {
                    if common < entry.suffixLength { return .otherKey }
                    matched = key.count
                    sameKey = true
                } else {
                    if common < entry.suffixLength,
                        entry.suffix.load(fromByteOffset: common, as: UInt8.self)
                            > target.load(fromByteOffset: matched &+ common, as: UInt8.self)
                    {
                        return .otherKey
                    }
                    matched &+= common
                    continue
                }
            }
            if entry.timestamp <= timestamp { return .entry(entry) }
        }
        return .end
    }

    @inline(__always)
    static func commonPrefix(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ limit: Int) -> Int {
        var length = 0
        while length &+ 8 <= limit {
            let difference =
                (a + length).loadUnaligned(as: UInt64.self)
                ^ (b + length).loadUnaligned(as: UInt64.self)
            if difference != 0 { return length &+ difference.trailingZeroBitCount &>> 3 }
            length &+= 8
        }
        while length < limit,
            a.load(fromByteOffset: length, as: UInt8.self)
                == b.load(fromByteOffset: length, as: UInt8.self)
        { length &+= 1 }
        return length
    }

    // MARK: - Validation

    /// Why these bytes are no data block; nil: they are one, and every view of it stays inside.
    static func validate(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.count >= tailBytes, let base = bytes.baseAddress else { return "is too short" }
        let restarts = Int((base + (bytes.count - 4)).loadUnaligned(as: UInt32.self))
        let prefix = Int((base + (bytes.count - 8)).loadUnaligned(as: UInt32.self))
        guard restarts >= 1, restarts <= (bytes.count - tailBytes) / 8 else {
            return "names \(restarts) restart points"
        }
        let end = bytes.count - tailBytes - 8 * restarts
        guard end >= 12 else { return "has no entries" }
        var reader = ByteReader(UnsafeRawBufferPointer(start: base, count: end))
        var keyLength = 0
        var nextRestart = 0
        while !reader.isAtEnd {
            let at = reader.offset
            var atRestart = false
            if nextRestart < restarts {
                let offset = (base + (end + 4 * (restarts + nextRestart))).loadUnaligned(
                    as: UInt32.self)
                if Int(offset) == at {
                    atRestart = true
                    nextRestart += 1
                }
            }
            guard let shared = reader.readVarint(), let suffix = reader.readVarint(),
                let value = reader.readVarint(), let kind = reader.readByte(),
                reader.readFixed(UInt64.self) != nil
            else { return "has a cut entry at \(at)" }
            guard OperationKind(rawValue: kind) != nil else { return "has kind \(kind) at \(at)" }
            guard shared <= UInt64(keyLength), !atRestart || shared == 0,
                suffix <= UInt64(reader.remaining), reader.skip(Int(suffix)),
                value <= UInt64(reader.remaining), reader.skip(Int(value))
            else { return "has a wrong length at \(at)" }
            keyLength = Int(shared) + Int(suffix)
            if at == 0 && !atRestart { return "does not begin with a restart point" }
            // Every key has the prefix: those that share less with their predecessor would not.
            if atRestart ? keyLength < prefix : shared < UInt64(prefix) {
                return "has a key without the block's prefix at \(at)"
            }
        }
        return nextRestart == restarts ? nil : "has a restart point that is no entry"
    }
}
