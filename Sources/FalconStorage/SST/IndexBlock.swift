/// An index block: for each block below it the separator, a key at or after the block's last entry
/// and before the next block's first, and the block's handle.
///
///     0   u32  count n, at least 1
///     4   u32  p: bytes that all separators share
///     8   u32  bytes of keys
///     12  u32  zero
///     16  u64 x n      separator bytes p..<p+8, big-endian, zero-padded, stored as a number
///         u64 x n      separator timestamps (0: after every version of the key)
///         u64 x n      block offsets
///         u32 x n      payload bytes
///         u32 x n      where each separator ends in the keys
///         keys
///
/// Columns and not entries: a search touches the first column and, on ties alone, the keys.
struct IndexBlock {
    let base: UnsafeRawPointer
    let count: Int
    private let prefixLength: Int

    /// Views bytes that ``validate(_:)`` has accepted; base is aligned to 8.
    @inline(__always)
    init(validated bytes: UnsafeRawBufferPointer) {
        base = bytes.baseAddress ?? IndexBlock.nothing
        count = Int(base.load(as: UInt32.self))
        prefixLength = Int(base.load(fromByteOffset: 4, as: UInt32.self))
    }

    /// Sixteen zero bytes: a block without separators.
    nonisolated(unsafe) private static let nothing: UnsafeRawPointer = {
        let zero = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 8)
        zero.initializeMemory(as: UInt64.self, repeating: 0, count: 2)
        return UnsafeRawPointer(zero)
    }()

    @inline(__always) private func head(_ i: Int) -> UInt64 {
        base.load(fromByteOffset: 16 &+ 8 &* i, as: UInt64.self)
    }
    @inline(__always) func timestamp(_ i: Int) -> UInt64 {
        base.load(fromByteOffset: 16 &+ 8 &* (count &+ i), as: UInt64.self)
    }
    @inline(__always) func handle(_ i: Int) -> BlockHandle {
        BlockHandle(
            offset: base.load(fromByteOffset: 16 &+ 8 &* (2 &* count &+ i), as: UInt64.self),
            payloadBytes: base.load(fromByteOffset: 16 &+ 24 &* count &+ 4 &* i, as: UInt32.self))
    }
    @inline(__always) private func keyEnd(_ i: Int) -> Int {
        Int(base.load(fromByteOffset: 16 &+ 28 &* count &+ 4 &* i, as: UInt32.self))
    }
    @inline(__always) func key(_ i: Int) -> UnsafeRawBufferPointer {
        let start = i == 0 ? 0 : keyEnd(i &- 1)
        return UnsafeRawBufferPointer(
            start: base + (16 &+ 32 &* count &+ start), count: keyEnd(i) &- start)
    }

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

    /// Why these bytes are no index block; nil: they are one.
    static func validate(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.count >= 16, let base = bytes.baseAddress else { return "is too short" }
        let count = Int(base.loadUnaligned(as: UInt32.self))
        let prefix = Int(base.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let keyBytes = Int(base.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        guard count >= 1, bytes.count - 16 == count * 32 + keyBytes else {
            return "has a wrong size for \(count) separators"
        }
        let index = IndexBlock(validated: bytes)
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

/// Builds an index block.
final class IndexBlockBuilder {
    private var keyBytes: [UInt8] = []
    private var ends: [UInt32] = []
    private var timestamps: [UInt64] = []
    private var handles: [BlockHandle] = []

    var count: Int { handles.count }
    var byteCount: Int { 16 + 32 * count + keyBytes.count }

    func add(_ key: UnsafeRawBufferPointer, _ timestamp: UInt64, _ handle: BlockHandle) {
        keyBytes.append(contentsOf: key)
        ends.append(UInt32(truncatingIfNeeded: keyBytes.count))
        timestamps.append(timestamp)
        handles.append(handle)
    }

    /// The separator of the last block added.
    var lastKey: [UInt8] {
        let start = ends.count > 1 ? Int(ends[ends.count - 2]) : 0
        return Array(keyBytes[start...])
    }
    var lastTimestamp: UInt64 { timestamps.last ?? 0 }

    /// The finished block; the builder is empty again.
    func finish() -> [UInt8] {
        var writer = ByteWriter(capacity: byteCount)
        keyBytes.withUnsafeBytes { keys in
            func key(_ i: Int) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(
                    rebasing: keys[(i == 0 ? 0 : Int(ends[i - 1]))..<Int(ends[i])])
            }
            // Sorted: what the first and the last share, all share.
            let first = key(0)
            let last = key(count - 1)
            var prefix = 0
            while prefix < min(first.count, last.count), first[prefix] == last[prefix] {
                prefix += 1
            }
            writer.appendFixed(UInt32(truncatingIfNeeded: count))
            writer.appendFixed(UInt32(truncatingIfNeeded: prefix))
            writer.appendFixed(UInt32(truncatingIfNeeded: keys.count))
            writer.appendFixed(UInt32(0))
            for i in 0..<count { writer.appendFixed(EntryTree.window(key(i), prefix)) }
            for timestamp in timestamps { writer.appendFixed(timestamp) }
            for handle in handles { writer.appendFixed(handle.offset) }
            for handle in handles { writer.appendFixed(handle.payloadBytes) }
            for end in ends { writer.appendFixed(end) }
            writer.append(contentsOf: keys)
        }
        keyBytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        timestamps.removeAll(keepingCapacity: true)
        handles.removeAll(keepingCapacity: true)
        return writer.bytes
    }
}
