import CFalconPlatform

/// Charges seeks that look into a table in vain to that table, by samples: once its allowance is
/// spent, a compaction with the level below costs less than the seeks still to come.
///
/// A cursor looks into a table of every level its key falls in; Bloom filters spare only point reads
/// that. Each table may be sought in vain once per 16 KiB, as in LevelDB.
final class ReadSampler: @unchecked Sendable {
    /// One seek in so many is looked at, and counts for all.
    static let interval: UInt64 = 64
    private static let shardCount = 16
    private static let shardBytes = 128

    private let shards: UnsafeMutableRawPointer
    /// Called when a table's allowance is spent, on the reading thread.
    private let onSpent: @Sendable () -> Void

    init(onSpent: @escaping @Sendable () -> Void) {
        self.onSpent = onSpent
        shards = .allocate(
            byteCount: Self.shardCount * Self.shardBytes, alignment: Self.shardBytes)
        shards.initializeMemory(
            as: UInt8.self, repeating: 0, count: Self.shardCount * Self.shardBytes)
    }

    deinit { shards.deallocate() }

    @inline(__always)
    func noteSeek(_ key: UnsafeRawBufferPointer, _ version: Version) {
        let shard = Int(falcon_thread_ordinal()) & (Self.shardCount - 1)
        let seeks = falcon_fetch_add_u64(shards + shard &* Self.shardBytes, 1)
        if seeks & (Self.interval - 1) == 0 { sample(key, version) }
    }

    @inline(never)
    private func sample(_ key: UnsafeRawBufferPointer, _ version: Version) {
        guard let table = version.tableSoughtInVain(key) else { return }
        if table.chargeSeeks(Int(Self.interval)) { onSpent() }
    }
}

extension Version {
    /// The topmost table whose bounds hold `key`, when a deeper one's hold it too.
    func tableSoughtInVain(_ key: UnsafeRawBufferPointer) -> TableFile? {
        var first: TableFile?
        for file in level0.files where file.mayContain(key) {
            if let first { return first }
            first = file
        }
        for level in levels.dropFirst() where level.count > 0 {
            let place = level.firstEndingAtOrAfter(key)
            guard place < level.count, level.files[place].mayContain(key) else { continue }
            if let first { return first }
            first = level.files[place]
        }
        return nil
    }
}
