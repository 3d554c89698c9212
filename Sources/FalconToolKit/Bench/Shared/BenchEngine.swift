import FalconStorage

/// An engine's figures as exports have them.
enum BenchEngine {
    /// What the engine wrote between two moments, against what it was given.
    static func written(
        from before: EngineStatistics, to after: EngineStatistics, userBytes: UInt64
    ) -> JSONValue {
        let flushed = after.flushedBytes &- before.flushedBytes
        let compacted = after.compactionWrittenBytes &- before.compactionWrittenBytes
        let logged = after.nextLSN.rawValue &- before.nextLSN.rawValue
        func ratio(_ bytes: UInt64) -> JSONValue {
            userBytes == 0 ? .null : .double(Double(bytes) / Double(userBytes))
        }
        return .object([
            ("user_bytes", .unsigned(userBytes)), ("log_bytes", .unsigned(logged)),
            ("flushed_bytes", .unsigned(flushed)), ("compacted_bytes", .unsigned(compacted)),
            (
                "compaction_read_bytes",
                .unsigned(after.compactionReadBytes &- before.compactionReadBytes)
            ),
            ("flushes", .unsigned(after.flushes &- before.flushes)),
            ("compactions", .unsigned(after.compactions &- before.compactions)),
            ("trivial_moves", .unsigned(after.trivialMoves &- before.trivialMoves)),
            ("cache_hits", .unsigned(after.cacheHits &- before.cacheHits)),
            ("cache_misses", .unsigned(after.cacheMisses &- before.cacheMisses)),
            ("write_amplification", ratio(flushed &+ compacted)),
            ("write_amplification_with_log", ratio(flushed &+ compacted &+ logged)),
        ])
    }

    static func statistics(_ s: EngineStatistics) -> JSONValue {
        .object([
            ("commits", .unsigned(s.commits)), ("committed_bytes", .unsigned(s.committedBytes)),
            ("next_lsn", .unsigned(s.nextLSN.rawValue)),
            ("synced_lsn", .unsigned(s.syncedLSN.rawValue)),
            ("memtable_bytes", .count(s.memtableBytes)),
            ("immutable_memtables", .count(s.immutableMemtables)),
            (
                "levels",
                .array(
                    s.levels.map {
                        .object([("files", .count($0.fileCount)), ("bytes", .unsigned($0.bytes))])
                    })
            ),
            (
                "blobs",
                .object([
                    ("files", .count(s.blobs.fileCount)), ("bytes", .unsigned(s.blobs.bytes)),
                    ("live_bytes", .unsigned(s.blobs.liveBytes)),
                    ("garbage_bytes", .unsigned(s.blobs.garbageBytes)),
                    ("moved_bytes", .unsigned(s.blobs.movedBytes)),
                ])
            ),
            ("flushes", .unsigned(s.flushes)), ("flushed_bytes", .unsigned(s.flushedBytes)),
            ("compactions", .unsigned(s.compactions)),
            ("subcompactions", .unsigned(s.subcompactions)),
            ("trivial_moves", .unsigned(s.trivialMoves)),
            ("tables_dropped_unread", .unsigned(s.tablesDroppedUnread)),
            ("background_rests", .unsigned(s.backgroundRests)),
            ("level0_sublevels", .count(s.level0Sublevels)),
            ("obsolete_bytes", .unsigned(s.obsoleteBytes)),
            ("compaction_read_bytes", .unsigned(s.compactionReadBytes)),
            ("compaction_written_bytes", .unsigned(s.compactionWrittenBytes)),
            ("compaction_debt_bytes", .unsigned(s.compactionDebtBytes)),
            ("delay_reason", .string(s.delayReason.rawValue)),
            ("total_delay_nanos", .unsigned(s.totalDelayNanos)),
            ("cache_bytes", .count(s.cacheBytes)),
            ("cache_hits", .unsigned(s.cacheHits)), ("cache_misses", .unsigned(s.cacheMisses)),
            ("snapshots", .count(s.snapshots)),
        ])
    }

    /// What the directory takes, against what is alive in it. Reads every row.
    static func space(
        _ engine: StorageEngine, _ fileSystem: any FileSystem
    ) throws(StorageError) -> JSONValue {
        let snapshot = engine.makeSnapshot()
        defer { snapshot.release() }
        let iterator = try engine.makeIterator(.all, at: snapshot.timestamp)
        var entries: UInt64 = 0
        var live: UInt64 = 0
        try iterator.seekToFirst()
        while iterator.isValid {
            entries &+= 1
            live &+= UInt64(iterator.key.count &+ iterator.value.count)
            try iterator.next()
        }
        let statistics = engine.statistics()
        let tables = statistics.levels.reduce(0) { $0 + $1.bytes }
        let blobs = statistics.blobs.bytes
        let log = FileNames(root: engine.path).walDirectory
        var logged: UInt64 = 0
        for name in try fileSystem.list(log) {
            logged &+= try fileSystem.fileSize(log + "/" + name)
        }
        return .object([
            ("live_entries", .unsigned(entries)), ("live_bytes", .unsigned(live)),
            ("table_bytes", .unsigned(tables)),
            ("blob_bytes", .unsigned(blobs)), ("wal_bytes", .unsigned(logged)),
            (
                "space_amplification",
                live == 0 ? .null : .double(Double(tables &+ blobs) / Double(live))
            ),
        ])
    }
}
