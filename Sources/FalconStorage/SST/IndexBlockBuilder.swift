/// Gathers what an index says of the blocks below it, and encodes any run of it as a block.
final class IndexBlockBuilder {
    /// A block as the level above it knows it.
    struct Child {
        var handle: BlockHandle
        var bounds: TimestampBounds
        fileprivate var timestamp: UInt64 = 0
        fileprivate var keyEnd: UInt32 = 0

        init(handle: BlockHandle, bounds: TimestampBounds) {
            self.handle = handle
            self.bounds = bounds
        }
    }
    private var keyBytes: [UInt8] = []
    private var children: [Child] = []

    var count: Int { children.count }
    /// Bytes of all children as one block, or a little more.
    var byteCount: Int {
        IndexBlock.headerBytes + (IndexBlock.fixedColumnBytes + 8) * children.count
            + keyBytes.count
    }

    /// Adds the next child, which ends at or before the separator (`key`, `timestamp`).
    func add(_ key: UnsafeRawBufferPointer, _ timestamp: UInt64, _ child: Child) {
        keyBytes.append(contentsOf: key)
        var child = child
        child.timestamp = timestamp
        child.keyEnd = UInt32(truncatingIfNeeded: keyBytes.count)
        children.append(child)
    }

    /// Says where a child lies that was added before that was known.
    func setHandle(_ handle: BlockHandle, ofChild place: Int) { children[place].handle = handle }

    private func keyStart(_ place: Int) -> Int {
        place == 0 ? 0 : Int(children[place - 1].keyEnd)
    }
    private func keyRange(_ place: Int) -> Range<Int> {
        keyStart(place)..<Int(children[place].keyEnd)
    }
    func withKey<R>(_ place: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        keyBytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[keyRange(place)])) }
    }
    /// The separator's timestamp: above 0 when the key's versions go on in the next block.
    func timestamp(_ place: Int) -> UInt64 { children[place].timestamp }

    func bounds(_ range: Range<Int>) -> TimestampBounds {
        var bounds = TimestampBounds.none
        for child in children[range] { bounds.add(child.bounds) }
        return bounds
    }

    /// Where a partition that begins at `start` ends, to take about `bytes`; it has one child at least.
    func partitionEnd(from start: Int, bytes: Int) -> Int {
        var end = start
        var size = IndexBlock.headerBytes
        while end < count, size < bytes {
            size += IndexBlock.fixedColumnBytes + keyRange(end).count
            end += 1
        }
        return end
    }

    /// The children of `range`, which is not empty, as a block.
    func encode(_ range: Range<Int>) -> [UInt8] {
        let part = children[range]
        guard let last = part.last else { return [] }
        let firstByte = keyStart(range.lowerBound)
        let keyCount = Int(last.keyEnd) - firstByte
        let flags = part.contains { $0.timestamp > 0 } ? IndexBlock.timestampFlag : 0
        let width = IndexBlock.columnBytes(flags)
        let scale = TimestampScale(covering: bounds(range))
        var writer = ByteWriter(
            capacity: IndexBlock.headerBytes + width * part.count + keyCount)
        keyBytes.withUnsafeBytes { keys in
            func key(_ i: Int) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(rebasing: keys[keyRange(i)])
            }
            // Sorted: what the first and the last share, all share.
            let (least, greatest) = (key(range.lowerBound), key(range.upperBound - 1))
            var prefix = 0
            while prefix < min(least.count, greatest.count), least[prefix] == greatest[prefix] {
                prefix += 1
            }
            writer.appendFixed(UInt32(truncatingIfNeeded: part.count))
            writer.appendFixed(UInt32(truncatingIfNeeded: prefix))
            writer.appendFixed(UInt32(truncatingIfNeeded: keyCount))
            writer.appendFixed(flags)
            writer.appendFixed(scale.shift)
            writer.appendFixed(UInt16(truncatingIfNeeded: width))
            writer.appendFixed(scale.origin)
            for i in range { writer.appendFixed(EntryTree.window(key(i), prefix)) }
            for child in part { writer.appendFixed(child.handle.offset) }
            for child in part { writer.appendFixed(child.handle.payloadBytes) }
            for child in part {
                writer.appendFixed(child.keyEnd &- UInt32(truncatingIfNeeded: firstByte))
            }
            for child in part { writer.appendFixed(scale.step(child.bounds.oldest)) }
            for child in part { writer.appendFixed(scale.step(child.bounds.newest)) }
            if flags & IndexBlock.timestampFlag != 0 {
                for child in part { writer.appendFixed(child.timestamp) }
            }
            writer.append(
                contentsOf: UnsafeRawBufferPointer(
                    rebasing: keys[firstByte..<(firstByte + keyCount)]))
        }
        return writer.bytes
    }
}
