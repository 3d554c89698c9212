/// A moment's figures of an engine. Counters run since the open.
public struct EngineStatistics: Sendable {
    /// One level of the tree.
    public struct Level: Sendable, Equatable {
        /// Tables, those out of service included.
        public var fileCount = 0
        /// Bytes of their files, without blob files.
        public var bytes: UInt64 = 0
        /// An empty level.
        public init() {}
    }
    /// Why writers are being delayed.
    public enum DelayReason: String, Sendable {
        /// They are not delayed.
        case none
        /// Memtables that wait for their flush; see ``EngineOptions/maximumImmutableMemtables``.
        case immutableMemtables = "immutable-memtables"
        /// Sublevels of level 0.
        case level0Files = "level0-files"
        /// Bytes that compactions owe; see ``EngineOptions/softDebtBytes``.
        case compactionDebt = "compaction-debt"
        /// Dead bytes in blob files, beyond what waits for its compaction.
        case blobGarbage = "blob-garbage"
        /// The memory budget is nearly used up; see ``MemoryBudget``.
        case memory
        /// The log that a recovery would replay.
        case log = "wal"
        /// The log has no room on its disk.
        case diskFull = "disk-full"
        /// Nobody holds writers back but a device that does not answer.
        case stalledIO = "stalled-io"
    }

    /// What a delay's reason measures: memtables, sublevels, or bytes.
    public struct DelayMeasure: Sendable, Equatable {
        /// As of the last time that the load was weighed.
        public var value: UInt64
        /// Above this there is a delay.
        public var softLimit: UInt64
        /// Here it reaches its ceiling.
        public var hardLimit: UInt64
    }

    /// Batches that were committed, and ingestions.
    public var commits: UInt64 = 0
    /// Bytes of the batches' operations, and of the files ingested.
    public var committedBytes: UInt64 = 0
    /// The newest commit that readers may see; see ``StorageEngine/publishedTimestamp``.
    public var publishedTimestamp = Timestamp.zero
    /// The end of the log as commits have written it.
    public var nextLSN = LSN.zero
    /// What of the log survives a power cut.
    public var syncedLSN = LSN.zero
    /// What of the log is in tables: a recovery replays from here.
    public var flushedLSN = LSN.zero

    /// Bytes of the arena of the memtable that is written to.
    public var memtableBytes = 0
    /// Memtables that wait for their flush or are being flushed.
    public var immutableMemtables = 0
    /// Level 0 first, then each below it; always the same number.
    public var levels: [Level] = []
    /// The level that level 0 is compacted into; the levels between them are not in use.
    public var baseLevel = 0
    /// Runs of tables without overlaps that level 0 consists of: what it costs a read.
    public var level0Sublevels = 0
    /// Bytes of replaced tables that are still to be unlinked.
    public var obsoleteBytes: UInt64 = 0

    /// Transactions so large that they became a layer of their own.
    public var adoptedBatches: UInt64 = 0
    /// Batches that were too large for memory and went to files before their commit; replayed ones count.
    public var spilledTransactions: UInt64 = 0
    /// Bytes that batches wrote to files, merges of runs included.
    public var spilledBytes: UInt64 = 0
    /// Bytes of such files that are there now.
    public var spillFileBytes: UInt64 = 0
    /// Memtables that were written to level 0.
    public var flushes: UInt64 = 0
    /// Bytes of the tables and blob files they became.
    public var flushedBytes: UInt64 = 0
    /// Compactions that merged tables, without ``trivialMoves``.
    public var compactions: UInt64 = 0
    /// Key ranges that compactions were cut into and threads merged side by side; at least
    /// ``compactions``.
    public var subcompactions: UInt64 = 0
    /// Tables that went to the next level without being read or written.
    public var trivialMoves: UInt64 = 0
    /// Tables wholly beneath a range tombstone that went without being read.
    public var tablesDroppedUnread: UInt64 = 0
    /// Times that a flush or compaction has rested for the sake of commits.
    public var backgroundRests: UInt64 = 0
    /// Bytes of the tables that compactions took in.
    public var compactionReadBytes: UInt64 = 0
    /// Bytes of the tables and blob files that they made.
    public var compactionWrittenBytes: UInt64 = 0
    /// Bytes that compactions owe before every level is within its target and blob files hold no more
    /// garbage than they may.
    public var compactionDebtBytes: UInt64 = 0

    /// The blob files, to which tables refer for large values.
    public struct Blobs: Sendable, Equatable {
        /// Blob files in use.
        public var fileCount = 0
        /// Bytes of the files.
        public var bytes: UInt64 = 0
        /// Bytes of the records that a table refers to.
        public var liveBytes: UInt64 = 0
        /// Bytes of the records that none does; they go when their file is merged away.
        public var garbageBytes: UInt64 = 0
        /// Bytes of live values that compactions have moved out of files with much garbage.
        public var movedBytes: UInt64 = 0
        /// Files that hold damaged values (see ``StorageEngine/corruptionReport()``), or that values could
        /// not be read from to be moved.
        public var damagedFiles = 0
        /// No files.
        public init() {}
    }
    /// The blob files of the current version.
    public var blobs = Blobs()

    /// Why writers are delayed now.
    public var delayReason = DelayReason.none
    /// The numbers behind ``delayReason``; nil without a delay and for a full disk.
    public var delayMeasure: DelayMeasure?
    /// The current delay of a 1 KiB commit; 0: none.
    public var delayNanos: UInt64 = 0
    /// Nanoseconds that commits were held back in all, added up over the threads that waited.
    public var totalDelayNanos: UInt64 = 0

    /// Snapshots held.
    public var snapshots = 0
    /// Versions below this may be gone.
    public var safepoint = Timestamp.zero

    /// Damaged tables out of service; see ``StorageEngine/corruptionReport()``.
    public var quarantinedTables = 0
    /// Bytes of the files of ``quarantinedTables``.
    public var quarantinedBytes: UInt64 = 0

    /// Calls of the file system under way that have passed ``EngineOptions/stallReportMicros``, longest first.
    public var stalledOperations: [StalledOperation] = []
    /// All that have passed it since the open.
    public var stalls: UInt64 = 0

    /// Bytes of the log's segments, retained ones included.
    public var walBytes: UInt64 = 0
    /// Bytes that the block cache holds. It and its counters are those of all engines that share it.
    public var cacheBytes = 0
    /// Lookups in the block cache that found their block, since the cache was made.
    public var cacheHits: UInt64 = 0
    /// Lookups that did not.
    public var cacheMisses: UInt64 = 0
    /// Tables that scans with ``ReadOptions/newerThan`` passed over unread.
    public var skippedTables: UInt64 = 0
    /// Index partitions that they passed over, with all that is below them, beside those tables.
    public var skippedPartitions: UInt64 = 0
    /// Data blocks that they passed over, beside those partitions.
    public var skippedBlocks: UInt64 = 0
    /// Why no more writes are taken, when the engine is poisoned.
    public var poisonCause: StorageError?
    /// The last error of a background job that is being retried.
    public var backgroundError: StorageError?
    /// The wall clock jumped ahead and waits for ``StorageEngine/confirmClockJump()``.
    public var clockJumpPending = false

    /// All zero.
    public init() {}
}
