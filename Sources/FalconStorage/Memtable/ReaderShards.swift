import CFalconPlatform

/// The words in which point reads count themselves in and out, one per shard of threads: what
/// ``ReadStateCell`` hands states out with, and what tells the writer of a memtable that whoever was
/// reading at some moment has left.
///
/// A word: the borrowed object's address in 48 bits, how many borrow it through this shard in 16.
final class ReaderShards: @unchecked Sendable {
    static let count = 16
    /// A line for each, and its neighbour, which the hardware fetches along.
    private static let stride = 128
    private static let countShift: UInt64 = 48

    private let words: UnsafeMutableRawPointer

    init() {
        words = .allocate(byteCount: Self.count * Self.stride, alignment: Self.stride)
        for shard in 0..<Self.count { falcon_store_release_u64(word(shard), 0) }
    }

    deinit { words.deallocate() }

    @inline(__always)
    func word(_ shard: Int) -> UnsafeMutableRawPointer { words + shard &* Self.stride }

    /// The shards of `unseen` in which nobody reads right now. A reader that comes later sees what the
    /// caller has stored before: both sides change the word, so one change is before the other.
    func idle(of unseen: UInt16) -> UInt16 {
        var idle: UInt16 = 0
        for shard in 0..<Self.count {
            let bit = UInt16(1) &<< UInt16(truncatingIfNeeded: shard)
            if unseen & bit != 0, falcon_fetch_add_u64(word(shard), 0) >> Self.countShift == 0 {
                idle |= bit
            }
        }
        return idle
    }
}
