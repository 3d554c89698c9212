/// A purpose that engine options are chosen for.
///
/// A profile sets several options that belong together; each can be changed afterwards. Sizes are the
/// engine's own memory and files; a ``MemoryBudget`` given later bounds them as it bounds any.
public enum EngineProfile: String, Sendable, CaseIterable {
    /// A mixed load on a small machine: 64 MiB memtables and cache.
    case standard
    /// Mostly reads of single keys: a large cache, few tables to look into (level 0 is compacted
    /// sooner, which writes more), filters with a fifth of the false positives.
    case pointReads = "point-reads"
    /// Much data at once: large memtables and files, compactions later and two at a time. Reads
    /// meanwhile look into many tables; ``StorageEngine/compact(_:)`` ends the load.
    case bulkLoad = "bulk-load"
    /// As little memory as is sensible, about 16 MiB: more and smaller flushes and files.
    case lowMemory = "low-memory"
    /// Values of half a kilobyte and more: they leave the tables for blob files sooner, and memtables
    /// and log segments hold many of them. Blob files are collected with less garbage.
    case largeValues = "large-values"
}

extension EngineOptions {
    /// The options of `profile`.
    public init(profile: EngineProfile) {
        self.init()
        switch profile {
        case .standard: break
        case .pointReads:
            blockCacheBytes = 512 << 20
            filterBitsPerKey = 14
            level0CompactionTrigger = 2
        case .bulkLoad:
            memtableBytes = 256 << 20
            maximumImmutableMemtables = 3
            level0CompactionTrigger = 8
            level0SlowdownTrigger = 48
            level0StopTrigger = 96
            targetFileBytes = 256 << 20
            levelBaseBytes = 1 << 30
            softDebtBytes = 64 << 30
            hardDebtBytes = 256 << 30
            compactionThreads = 2
            walSegmentBytes = 256 << 20
        case .lowMemory:
            memtableBytes = 4 << 20
            maximumImmutableMemtables = 1
            blockCacheBytes = 4 << 20
            targetFileBytes = 8 << 20
            levelBaseBytes = 32 << 20
            walSegmentBytes = 8 << 20
            batchPartBytes = 256 << 10
        case .largeValues:
            memtableBytes = 256 << 20
            blobThresholdBytes = 512
            blobGarbagePercent = 40
            walSegmentBytes = 256 << 20
        }
    }
}
