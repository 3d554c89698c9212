@testable import FalconStorage

/// The options of one run; the answers must not depend on them.
struct MetamorphicConfiguration: CustomStringConvertible, Sendable {
    var description: String
    var options: EngineOptions

    /// `count` configurations: extremes first, then random ones.
    static func all(_ count: Int, seed: UInt64) -> [Self] {
        let fixed = extremes()
        return (0..<count).map { index in
            index < fixed.count ? fixed[index] : random(seed &+ UInt64(index))
        }
    }

    private static func extremes() -> [Self] {
        func make(_ name: String, _ change: (inout EngineOptions) -> Void) -> Self {
            var options = EngineOptions.small
            change(&options)
            return Self(description: name, options: options)
        }
        return [
            make("small") { _ in },
            make("all in memory") { $0.memtableBytes = 64 << 20 },
            make("tiny memtables") {
                $0.memtableBytes = 4 << 10
                $0.targetFileBytes = 4 << 10
            },
            make("tiny blocks") {
                $0.blockBytes = 64
                $0.compression = .none
            },
            make("everything in partitions") {
                $0.blockBytes = 128
                $0.partitioningBytes = 64
            },
            make("huge blocks") { $0.blockBytes = 1 << 20 },
            make("no filter, no cache") {
                $0.filterBitsPerKey = 0
                $0.blockCacheBytes = 0
            },
            make("dictionaries below") {
                $0.blockBytes = 256
                $0.bottomCompression = .zstd
                $0.bottomDictionaryBytes = 256
            },
            make("zstd above, nothing below") {
                $0.compression = .zstd
                $0.bottomCompression = .none
            },
            make("compacts at once") {
                $0.level0CompactionTrigger = 1
                $0.levelBaseBytes = 4096
                $0.levelMultiplier = 2
                $0.compactionThreads = 3
                $0.memtableBytes = 8 << 10
            },
            make("hardly compacts") {
                $0.level0CompactionTrigger = 200
                $0.level0SlowdownTrigger = 500
                $0.level0StopTrigger = 1000
                $0.memtableBytes = 8 << 10
            },
            make("everything in parts") {
                $0.batchPartBytes = 64
                $0.walRetainBytes = .max
            },
            make("keeps old versions") { $0.versionRetentionMicros = 1 << 50 },
            make("all values aside") {
                $0.blobThresholdBytes = 1
                $0.blobGarbagePercent = 20
                $0.memtableBytes = 8 << 10
                $0.targetFileBytes = 4 << 10
            },
            make("large values aside, kept with all garbage") {
                $0.blobThresholdBytes = 64
                $0.blobGarbagePercent = 100
                $0.memtableBytes = 8 << 10
            },
            make("files cut between scopes") {
                // "e/5" and a zero: among the keys' bytes 4 to 7.
                $0.catalogStorageLimit = 0x652F_3500
                $0.memtableBytes = 8 << 10
                $0.targetFileBytes = 4 << 10
            },
            make("encrypted") {
                $0.encryption = EncryptionOptions(masterKey: EncryptedFixture.key)
                $0.blobThresholdBytes = 64
                $0.partitioningBytes = 256
                $0.catalogStorageLimit = 0x652F_3500
                $0.memtableBytes = 8 << 10
            },
            make("defaults") { $0 = EngineOptions() },
        ]
    }

    private static func random(_ seed: UInt64) -> Self {
        var random = SplitMix64(seed: seed)
        var text: [String] = []
        func pick<T>(_ name: String, _ values: [T]) -> T {
            let value = values[Int(random.next() % UInt64(values.count))]
            text.append("\(name) \(value)")
            return value
        }
        var options = EngineOptions.small
        options.memtableBytes = pick("memtable", [4, 8, 16, 64, 256, 4096].map { $0 << 10 })
        options.maximumImmutableMemtables = pick("immutables", [1, 2, 4])
        options.blockBytes = pick("block", [64, 256, 1024, 4096, 16 << 10, 128 << 10])
        options.filterBitsPerKey = pick("filter", [0, 1, 5, 10, 20])
        options.partitioningBytes = pick("partitioning", [64, 1 << 10, 128 << 10])
        options.compression = pick("codec", [.none, .lz4, .zstd])
        options.bottomCompression = pick("bottom", [.none, .lz4, .zstd])
        options.bottomDictionaryBytes = pick("dictionary", [0, 256, 4 << 10])
        options.blockCacheBytes = pick("cache", [0, 16 << 10, 1 << 20])
        options.targetFileBytes = pick("file", [4, 16, 64, 1024].map { $0 << 10 })
        options.level0CompactionTrigger = pick("L0", [1, 2, 4, 8])
        options.level0SlowdownTrigger = 200
        options.level0StopTrigger = 400
        options.levelBaseBytes = pick("base", [4, 16, 64, 512].map { UInt64($0 << 10) })
        options.levelMultiplier = pick("multiplier", [2, 3, 4, 10])
        options.compactionThreads = pick("threads", [1, 2, 4])
        options.backgroundBytesPerSecond = pick("rate", [0, 0, 64 << 20])
        options.walSegmentBytes = pick("segment", [64 << 10, 256 << 10, 1 << 20])
        options.walRetainBytes = pick("retain", [0, 128 << 10, .max])
        options.batchPartBytes = pick("part", [64, 512, 1 << 20])
        options.closedTimestampMicros = pick("closing", [0, 200, 1_000_000])
        options.catalogStorageLimit = pick("scopes", [0, 0x652F_3500, 0x2F33_0000])
        if pick("encrypted", [false, false, true]) {
            options.encryption = EncryptionOptions(masterKey: EncryptedFixture.key)
        }
        options.versionRetentionMicros = pick("retention", [0, 0, 1 << 50])
        options.blobThresholdBytes = pick("blobs", [0, 16, 64, 1024])
        options.blobGarbagePercent = pick("garbage", [1, 25, 50, 100])
        return Self(description: text.joined(separator: ", "), options: options)
    }
}
