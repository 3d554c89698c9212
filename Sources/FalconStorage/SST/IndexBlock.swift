/// An index block: for each block below it the separator, a key at or after the block's last entry
/// and before the next block's first, the block's handle, and how old its entries are.
///
///     0   u32  count n, at least 1
///     4   u32  p: bytes that all separators share
///     8   u32  bytes of keys
///     12  u8   1: there is the last column
///     13  u8   s: a step of time is 2^s
///     14  u16  bytes of one child in all columns
///     16  u64  the oldest timestamp below: where the steps begin
///     24  u64 x n      separator bytes p..<p+8, big-endian, zero-padded, stored as a number
///         u64 x n      block offsets
///         u32 x n      payload bytes
///         u32 x n      where each separator ends in the keys
///         u16 x n      the step of each block's oldest timestamp
///         u16 x n      the step of its newest
///         u64 x n      separator timestamps (0: after every version of the key); absent: all 0
///         keys
///
/// Columns and not entries: a search touches the first column and, on ties alone, the keys.
struct IndexBlock {
    let base: UnsafeRawPointer
    let count: Int
    private let prefixLength: Int

    static let headerBytes = 24
    static let fixedColumnBytes = 28
    static let timestampFlag: UInt8 = 1

    static func columnBytes(_ flags: UInt8) -> Int {
        fixedColumnBytes + (flags & timestampFlag != 0 ? 8 : 0)
    }

    /// Views bytes that ``validate(_:)`` has accepted. They may lie anywhere: those at a table's end are
    /// checked where they were read.
    @inline(__always)
    init(validated bytes: UnsafeRawBufferPointer) {
        self.init(validatedBase: bytes.baseAddress ?? IndexBlock.nothing)
    }

    @inline(__always)
    init(validatedBase base: UnsafeRawPointer) {
        self.base = base
        count = Int(base.loadUnaligned(as: UInt32.self))
        prefixLength = Int(base.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    }

    /// Zero bytes: a block without separators.
    nonisolated(unsafe) private static let nothing: UnsafeRawPointer = {
        let words = headerBytes / 8
        let zero = UnsafeMutableRawPointer.allocate(byteCount: headerBytes, alignment: 8)
        zero.initializeMemory(as: UInt64.self, repeating: 0, count: words)
        return UnsafeRawPointer(zero)
    }()

    // MARK: - Columns

    private var flags: UInt8 { base.load(fromByteOffset: 12, as: UInt8.self) }

    @inline(__always) private func head(_ i: Int) -> UInt64 {
        base.loadUnaligned(fromByteOffset: 24 &+ 8 &* i, as: UInt64.self)
    }
    @inline(__always) func handle(_ i: Int) -> BlockHandle {
        BlockHandle(
            offset: base.loadUnaligned(fromByteOffset: 24 &+ 8 &* (count &+ i), as: UInt64.self),
            payloadBytes: base.loadUnaligned(
                fromByteOffset: 24 &+ 16 &* count &+ 4 &* i, as: UInt32.self))
    }
    @inline(__always) private func keyEnd(_ i: Int) -> Int {
        Int(base.loadUnaligned(fromByteOffset: 24 &+ 20 &* count &+ 4 &* i, as: UInt32.self))
    }
    /// Zero: after every version of the key.
    @inline(__always) func timestamp(_ i: Int) -> UInt64 {
        guard flags & IndexBlock.timestampFlag != 0 else { return 0 }
        return (base + (24 &+ 28 &* count &+ 8 &* i)).loadUnaligned(as: UInt64.self)
    }
    @inline(__always) func key(_ i: Int) -> UnsafeRawBufferPointer {
        let start = i == 0 ? 0 : keyEnd(i &- 1)
        let width = Int(base.loadUnaligned(fromByteOffset: 14, as: UInt16.self))
        return UnsafeRawBufferPointer(
            start: base + (24 &+ width &* count &+ start), count: keyEnd(i) &- start)
    }

    var scale: TimestampScale {
        TimestampScale(
            origin: base.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            shift: base.load(fromByteOffset: 13, as: UInt8.self))
    }
    private func step(_ column: Int, _ i: Int) -> UInt16 {
        base.loadUnaligned(
            fromByteOffset: 24 &+ (24 &+ 2 &* column) &* count &+ 2 &* i, as: UInt16.self)
    }
    /// No entry of the child is older.
    func oldest(_ i: Int) -> UInt64 { scale.first(step(0, i)) }
    /// No entry of the child is newer.
    func newest(_ i: Int) -> UInt64 { scale.last(step(1, i)) }

    // MARK: - Search

    /// The first block whose separator is not before (`key`, `timestamp`); `count` when none is.
    @inline(__always)
    func search(_ key: UnsafeRawBufferPointer, _ timestamp: UInt64) -> Int {
        if prefixLength > 0 {
            let prefix = UnsafeRawBufferPointer(start: self.key(0).baseAddress, count: prefixLength)
            let mine = UnsafeRawBufferPointer(
                start: key.baseAddress, count: min(key.count, prefixLength))
            let order = KeyOrder.compare(mine, prefix)
            if order != 0 { return order < 0 ? 0 : count }
        }
        let wanted = EntryTree.window(key, prefixLength)
        var low = 0
        var size = count
        // Branchless halving over the first column.
        while size > 0 {
            let half = size &>> 1
            let middle = low &+ half
            let below = head(middle) < wanted
            low = below ? middle &+ 1 : low
            size = below ? size &- half &- 1 : half
        }
        guard low < count, head(low) == wanted else { return low }
        // Ties: compare whole keys. Usually one; many when one key's versions fill blocks.
        var high = low &+ 1
        var step = 1
        while high < count, head(high) == wanted {
            high = min(high &+ step, count)
            step &*= 2
        }
        while low < high {
            let middle = (low &+ high) &>> 1
            let order = head(middle) > wanted ? 1 : KeyOrder.compare(self.key(middle), key)
            if order > 0 || (order == 0 && self.timestamp(middle) <= timestamp) {
                high = middle
            } else {
                low = middle &+ 1
            }
        }
        return low
    }

    // MARK: - Validation

    /// Why these bytes are no index block; nil: they are one.
    static func validate(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.count >= headerBytes, let base = bytes.baseAddress else {
            return "is too short"
        }
        let count = Int(base.loadUnaligned(as: UInt32.self))
        let prefix = Int(base.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let keyBytes = Int(base.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        let flags = bytes[12]
        guard flags & ~timestampFlag == 0 else { return "has unknown columns \(flags)" }
        let width = Int(base.loadUnaligned(fromByteOffset: 14, as: UInt16.self))
        guard bytes[13] <= 48, width == columnBytes(flags) else { return "has a wrong header" }
        guard count >= 1, bytes.count - headerBytes == count * width + keyBytes else {
            return "has a wrong size for \(count) separators"
        }
        let index = IndexBlock(validatedBase: base)
        var start = 0
        for i in 0..<count {
            let end = index.keyEnd(i)
            guard end >= start + prefix, end <= keyBytes else {
                return "has a wrong key length at separator \(i)"
            }
            start = end
        }
        return start == keyBytes ? nil : "has bytes that belong to no separator"
    }
}
