/// Values that compress to a given share, cut from one megabyte of text as `db_bench` does.
struct BenchValues {
    private let pool: UnsafeMutableRawBufferPointer
    private var position = 0

    /// Every 100 bytes repeat their first `ratio` share.
    init(ratio: Double, valueBytes: Int) {
        let size = max(1 << 20, valueBytes)
        pool = .allocate(byteCount: size + 100, alignment: 16)
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
    }

    /// `count` bytes, good until ``free()``.
    mutating func next(_ count: Int) -> UnsafeRawBufferPointer {
        if position + count > pool.count { position = 0 }
        let slice = pool[position..<(position + count)]
        position += count
        return UnsafeRawBufferPointer(rebasing: slice)
    }

    func free() { pool.deallocate() }
}
