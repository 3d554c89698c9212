/// The key of the entry that a walk stands at. Its bytes lie in one buffer: an entry says how much it shares
/// with the one before.
final class KeyCursor {
    @exclusivity(unchecked)
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 8)
    @exclusivity(unchecked)
    private(set) var count = 0
    /// The walk has seen an entry.
    @exclusivity(unchecked)
    private(set) var isSet = false
    /// Of the entry it stands at.
    @exclusivity(unchecked)
    private(set) var timestamp: UInt64 = 0

    deinit { buffer.deallocate() }

    @inline(__always)
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[0..<count]) }
    /// A copy of the key.
    var key: [UInt8] { Array(bytes) }

    /// How the key it stands at compares with the one of `entry`, the next.
    @inline(__always)
    func order(before entry: DataBlock.Entry) -> Int {
        KeyOrder.compare(
            UnsafeRawBufferPointer(rebasing: buffer[min(entry.shared, count)..<count]),
            UnsafeRawBufferPointer(start: entry.suffix, count: entry.suffixLength))
    }

    /// Moves to `entry`, the next.
    @inline(__always)
    func advance(to entry: DataBlock.Entry) {
        let size = entry.shared + entry.suffixLength
        if size > buffer.count { grow(to: size) }
        if entry.suffixLength > 0, let base = buffer.baseAddress {
            (base + entry.shared).copyMemory(from: entry.suffix, byteCount: entry.suffixLength)
        }
        count = size
        timestamp = entry.timestamp
        isSet = true
    }

    private func grow(to size: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(size, buffer.count * 2), alignment: 8)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
        buffer.deallocate()
        buffer = larger
    }
}
