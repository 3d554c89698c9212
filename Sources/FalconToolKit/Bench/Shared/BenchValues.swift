/// One megabyte of text that compresses to a given share, as `db_bench` makes it. Threads share it: making
/// one for each took longer than a short workload.
final class BenchValuePool: Sendable {
    nonisolated(unsafe) fileprivate let bytes: UnsafeRawBufferPointer

    /// Every 100 bytes repeat their first `ratio` share.
    init(ratio: Double, valueBytes: Int) {
        let size = max(1 << 20, valueBytes)
        let pool = UnsafeMutableRawBufferPointer.allocate(byteCount: size + 100, alignment: 16)
        var random = MersenneTwister64(seed: 301)
        let unique = max(1, Int(100 * ratio))
        var at = 0
        while at < pool.count {
            let piece = min(100, pool.count - at)
            for i in 0..<piece {
                pool[at + i] =
                    i < unique ? UInt8(32 + random.next() % 95) : pool[at + i % unique]
            }
            at += piece
        }
        bytes = UnsafeRawBufferPointer(pool)
    }

    deinit { bytes.deallocate() }
}

/// One thread's values, cut from a pool one after the other.
struct BenchValues {
    private let pool: BenchValuePool
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ pool: BenchValuePool) {
        self.pool = pool
        bytes = pool.bytes
    }

    /// `count` bytes, good for as long as the pool is there.
    mutating func next(_ count: Int) -> UnsafeRawBufferPointer {
        if position + count > bytes.count { position = 0 }
        let slice = bytes[position..<(position + count)]
        position += count
        return UnsafeRawBufferPointer(rebasing: slice)
    }
}
