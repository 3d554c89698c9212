extension StorageEngine {
    /// Writes every memtable's content to level 0, and returns once it is there and MANIFEST has it.
    ///
    /// Throws `read-only`, `closed` or `poisoned`, and what stopped a flush meanwhile, which is tried again.
    public func flush() throws(StorageError) {
        let side = try writable()
        try side.background.awaitFlush(upTo: try side.sealActive())
    }

    /// Flushes, then compacts every table that overlaps `range` down to the last level with any. Throws as
    /// ``flush()``, and what stops a compaction: nothing is lost then.
    public func compact(_ range: KeyRange = .all) throws(StorageError) {
        let side = try writable()
        try flush()
        try side.background.compactManually(range) { _ in true }
    }

    /// Like ``compact(_:)``; `progress` is called every few thousand keys, on this thread. When it
    /// returns false the compaction under way is given up and `cancelled` thrown: what earlier steps
    /// have merged stays merged, and nothing is lost.
    public func compact(
        _ range: KeyRange = .all, progress: (CompactionProgress) -> Bool
    ) throws(StorageError) {
        let side = try writable()
        try flush()
        try side.background.compactManually(range, progress)
    }

    /// Blocks until nothing is left to flush or compact, or the engine is closed or poisoned: for
    /// measurements. Throws `read-only`.
    public func awaitIdle() throws(StorageError) { try writable().background.awaitIdle() }

    /// The figures of this moment. Each part is read under its own lock, so that sums of several may be a
    /// little off; what concerns writes stays 0 in an engine that is read-only. O(tables): for reports, not
    /// for every commit.
    public func statistics() -> EngineStatistics {
        var statistics = EngineStatistics()
        let state = cell.retained()
        statistics.memtableBytes = state.active.table.approximateBytes
        statistics.immutableMemtables = state.immutables.count
        statistics.levels = state.version.levels.map { level in
            var figures = EngineStatistics.Level()
            figures.fileCount = level.count
            figures.bytes = level.byteCount
            return figures
        }
        statistics.blobs = Self.blobStatistics(state.version.blobs)
        for level in state.version.levels {
            for file in level.files where file.isQuarantined {
                statistics.quarantinedTables += 1
                statistics.quarantinedBytes += file.metadata.byteCount
            }
        }
        statistics.level0Sublevels = state.version.sublevels.count
        statistics.obsoleteBytes = store.obsoleteBytes
        statistics.flushedLSN = state.version.flushedLSN
        statistics.publishedTimestamp = tracker.publishedTimestamp
        statistics.snapshots = tracker.count
        if let cache = store.cache {
            statistics.cacheBytes = cache.usedBytes
            statistics.cacheHits = cache.hits
            statistics.cacheMisses = cache.misses
        }
        statistics.skippedTables = scanCounters.tables.load(ordering: .relaxed)
        statistics.skippedPartitions = scanCounters.partitions.load(ordering: .relaxed)
        statistics.skippedBlocks = scanCounters.blocks.load(ordering: .relaxed)
        if let writeSide {
            writeSide.pipeline.addStatistics(to: &statistics)
            writeSide.background.addStatistics(to: &statistics)
            writeSide.controller.addStatistics(to: &statistics)
            writeSide.stalls?.addStatistics(to: &statistics)
            writeSide.spills.addStatistics(to: &statistics)
            statistics.walBytes = writeSide.wal.segmentBytes
        }
        return statistics
    }

    private static func blobStatistics(_ files: BlobFiles) -> EngineStatistics.Blobs {
        var blobs = EngineStatistics.Blobs()
        blobs.fileCount = files.entries.count
        blobs.bytes = files.byteCount
        blobs.liveBytes = files.liveBytes
        blobs.garbageBytes = files.garbageBytes
        blobs.damagedFiles = files.entries.count { $0.file.isDamaged }
        return blobs
    }

    /// Accepts a wall clock that jumped ahead; see ``EngineStatistics/clockJumpPending``.
    public func confirmClockJump() { writeSide?.pipeline.confirmClockJump() }
}
