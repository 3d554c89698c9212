/// Gathers the catalog's rows by ranges of keys; the engine knows no catalog. `rows` gives those of a
/// range, all at one timestamp. Called on a background thread.
public typealias CatalogRowReader =
    @Sendable (
        _ rows: (KeyRange) throws(StorageError) -> [CheckpointRecord.Entry]
    ) throws(StorageError) -> [CheckpointRecord.Entry]

/// How an engine is opened and how it shapes its files. Validated by ``StorageEngine/open(at:options:environment:)``.
public struct EngineOptions: Sendable {
    /// Nothing is written, no lock is taken: for tools, beside a dead writer or a live one. Then it shows what the log
    /// held when it was opened, for as long as it lives: it keeps its files, and does not follow.
    public var isReadOnly = false
    /// Makes the directory and its files when they are absent.
    public var createIfMissing = true
    /// The directory is a restore's, which is not whole before this engine has recovered it.
    var isBeingRestored = false

    /// A memtable is rotated when its arena reaches this size.
    public var memtableBytes = 64 << 20
    /// Immutable memtables that may wait for their flush before writers are held back.
    public var maximumImmutableMemtables = 2

    /// Uncompressed bytes of one data block.
    public var blockBytes = 4096
    /// Bloom filter bits per key; 0 writes no filter.
    public var filterBitsPerKey = 10
    /// See ``TableOptions/partitioningBytes``: tests make it small.
    var partitioningBytes = TableOptions().partitioningBytes
    /// Codec of the data blocks of every level but the last.
    public var compression: BlockCodec = .lz4
    /// Codec of the data blocks of the last level.
    public var bottomCompression: BlockCodec = .lz4
    /// Values of at least so many bytes leave the tables for blob files, where compactions do not
    /// rewrite them; 0: none does.
    public var blobThresholdBytes = 1024
    /// The part of a blob file that may be garbage, in percent, before its live values are moved
    /// elsewhere and the file is removed. Less saves room and costs more writing.
    public var blobGarbagePercent = 50
    /// With ``bottomCompression`` `zstd`: the greatest size of the dictionary of each table of the last
    /// level, trained from the table's own first blocks; 0: none. 16 KiB suit rows that are small and
    /// alike; each open table then holds about 45 KiB more.
    public var bottomDictionaryBytes = 0
    /// The cache this engine shares with others of the process; nil makes one of its own.
    public var blockCache: BlockCache?
    /// Capacity of the block cache this engine makes when it is given none. Index and filter of large
    /// tables go through it: reads at random want room for them, 4 % of the data, beside some blocks.
    public var blockCacheBytes = 64 << 20

    /// The memory this engine shares with others of the process; its cache is used, and
    /// ``blockCache`` and ``blockCacheBytes`` are not, and a memtable is rotated at a sixteenth of the
    /// budget if that is less than ``memtableBytes``. Nil: memtables and the cache are bounded each
    /// by its own option, table metadata by nothing.
    public var memoryBudget: MemoryBudget?

    /// Not 0: keys begin with a database and a storage id, u32 big-endian each, and those with storage ids
    /// below it, the catalog, lie in other tables than the rows: damage to rows leaves it whole. A table of
    /// nothing but a range tombstone may span both where the tombstone goes on over whole databases. 0: any
    /// key may lie beside any other.
    public var catalogStorageLimit: UInt32 = 0

    /// Bytes at which a compaction output is cut.
    public var targetFileBytes = 64 << 20
    /// Sublevels of level 0 (runs of tables that do not overlap) that make a compaction worthwhile.
    public var level0CompactionTrigger = 4
    /// Sublevels from which writers are delayed, more with each.
    public var level0SlowdownTrigger = 12
    /// Sublevels at which the delay reaches its ceiling.
    public var level0StopTrigger = 24
    /// Target size of the first level below level 0.
    public var levelBaseBytes: UInt64 = 256 << 20
    /// Size ratio of neighbouring levels.
    public var levelMultiplier = 10
    /// Compaction debt from which writers are delayed.
    public var softDebtBytes: UInt64 = 4 << 30
    /// Compaction debt at which the delay reaches its ceiling.
    public var hardDebtBytes: UInt64 = 16 << 30
    /// Threads that compact, each its own compaction or several the parts of a large one; flushes have
    /// their own.
    public var compactionThreads = 1
    /// Bytes a second that flushes and compactions write, flushes first; 0: as fast as they can. The
    /// limit is lifted while commits are held back by what it delays.
    public var backgroundBytesPerSecond: UInt64 = 0

    /// Bytes of one WAL segment.
    public var walSegmentBytes: UInt64 = 64 << 20
    /// A transaction with more bytes of operations is logged in parts of about this size, so that the
    /// log's buffer stays small.
    public var batchPartBytes = 1 << 20
    /// WAL kept after its memtables are flushed, for change capture and restore.
    public var walRetainBytes: UInt64 = 0

    /// Where the log is archived for restores to a point in time; nil: nowhere.
    public var archive: ArchiveOptions?
    /// What replication slots may hold of the log.
    public var slots = ReplicationSlotOptions()

    /// So long after a commit its timestamp is closed in the log; longer, and ever more rarely, while
    /// nothing is committed. 0: only on close.
    public var closedTimestampMicros: UInt64 = 1_000_000
    /// Reads what CHECKPOINT records say of the schema; nil writes none.
    public var catalogReader: CatalogRowReader?

    /// Hears of flushes, compactions, delays and failures; kept while the engine is open.
    public var eventListener: (any EngineEventListener)?

    /// How long a commit waits for room on a full disk before it is refused with `disk-full`, unharmed
    /// and to be retried. Commits that are in the log's buffer already cannot be refused any more: they
    /// wait on. Long enough for a compaction or a released log segment to make room, shorter than
    /// clients' own timeouts.
    public var diskFullWaitMicros: UInt64 = 30_000_000

    /// A read, write or sync of a file that lasts longer is reported while it lasts: by an event, in the
    /// statistics. It is left alone. 0: never.
    public var stallReportMicros: UInt64 = 10_000_000

    /// Memory that one transaction's private writes may take before the program above the engine should move
    /// them to files with ``StorageEngine/spill(_:)``; 0: a sixteenth of the memory budget, or 256 MiB without one.
    /// The engine spills none by itself.
    public var transactionMemoryBytes = 0

    /// Encrypts what is written from now on, and decrypts what was; nil: nothing is encrypted, and a directory that
    /// is, is refused with `key-missing`.
    public var encryption: EncryptionOptions?

    /// Old versions stay readable for this long, whether or not a snapshot holds them.
    public var versionRetentionMicros: UInt64 = 0

    /// The defaults that each option states.
    public init() {}

    /// Throws `invalid-argument` naming the first option out of range.
    func validate() throws(StorageError) {
        func check(_ holds: Bool, _ message: @autoclosure () -> String) throws(StorageError) {
            if !holds { throw .invalidArgument(message()) }
        }
        try check(
            (4096...(2 << 30)).contains(memtableBytes), "memtableBytes must be 4 KiB to 2 GiB.")
        try check(
            (1...64).contains(maximumImmutableMemtables),
            "maximumImmutableMemtables must be 1 to 64.")
        try check((64...(1 << 20)).contains(blockBytes), "blockBytes must be 64 B to 1 MiB.")
        try check((0...64).contains(filterBitsPerKey), "filterBitsPerKey must be 0 to 64.")
        try check(blobThresholdBytes >= 0, "blobThresholdBytes must not be negative.")
        try check((1...100).contains(blobGarbagePercent), "blobGarbagePercent must be 1 to 100.")
        try check(
            bottomDictionaryBytes == 0 || (256...(1 << 20)).contains(bottomDictionaryBytes),
            "bottomDictionaryBytes must be 0, or 256 B to 1 MiB.")
        try check(
            (0...BlockCache.largestBytes).contains(blockCacheBytes),
            "blockCacheBytes must be 0 to 1 TiB.")
        try check(
            (4096...(4 << 30)).contains(targetFileBytes), "targetFileBytes must be 4 KiB to 4 GiB.")
        try check(
            (1...1000).contains(level0CompactionTrigger),
            "level0CompactionTrigger must be 1 to 1000.")
        try check(
            level0SlowdownTrigger >= level0CompactionTrigger
                && level0StopTrigger > level0SlowdownTrigger,
            "Level-0 triggers must rise: compaction, slowdown, stop.")
        try check(levelBaseBytes >= 4096, "levelBaseBytes must be at least 4 KiB.")
        try check((2...100).contains(levelMultiplier), "levelMultiplier must be 2 to 100.")
        try check(hardDebtBytes > softDebtBytes, "hardDebtBytes must exceed softDebtBytes.")
        try check((1...16).contains(compactionThreads), "compactionThreads must be 1 to 16.")
        try check(
            (64...(64 << 20)).contains(batchPartBytes), "batchPartBytes must be 64 B to 64 MiB.")
        try check(transactionMemoryBytes >= 0, "transactionMemoryBytes must not be negative.")
        try check(walSegmentBytes >= 64 << 10, "walSegmentBytes must be at least 64 KiB.")
    }
}

extension EngineOptions {
    var tableOptions: TableOptions {
        var table = TableOptions()
        table.blockBytes = blockBytes
        table.filterBitsPerKey = filterBitsPerKey
        table.codec = compression
        table.partitioningBytes = partitioningBytes
        return table
    }
    /// Where a memtable is rotated: under a memory budget at a sixteenth of it at most.
    var rotationBytes: Int {
        memoryBudget.map { min(memtableBytes, $0.totalBytes / 16) } ?? memtableBytes
    }
    /// See ``transactionMemoryBytes``: what its default comes to.
    public var transactionSpillBytes: Int {
        if transactionMemoryBytes > 0 { return transactionMemoryBytes }
        return memoryBudget.map { $0.totalBytes / 16 } ?? 256 << 20
    }
    var targetFileByteCount: UInt64 { UInt64(targetFileBytes) }
    var walOptions: WALOptions {
        let segment = Int(clamping: walSegmentBytes)
        return WALOptions(
            segmentBytes: segment, firstSegmentBytes: min(segment, 1 << 20),
            retainBytes: walRetainBytes)
    }
}

extension UInt64 {
    /// The sum, or the greatest number there is.
    func addingCapped(_ other: UInt64) -> UInt64 {
        let sum = addingReportingOverflow(other)
        return sum.overflow ? .max : sum.partialValue
    }

    /// The product, or half the greatest number there is: a time that can still be added to a moment.
    func multipliedCapped(by factor: UInt64) -> UInt64 {
        let product = multipliedReportingOverflow(by: factor)
        return product.overflow ? .max / 2 : product.partialValue
    }
}
