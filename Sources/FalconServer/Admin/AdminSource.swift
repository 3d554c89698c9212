import FalconSQL
import FalconSchema
import FalconStorage

/// Gathers what the admin endpoints show.
final class AdminSource: Sendable {
    private let engine: StorageEngine?
    private let database: SQLDatabase?
    private let resolver: InDoubtResolver?
    private let server: PGServerContext
    private let dataDirectory: String
    private let startedAt = ContinuousClock.now

    init(
        engine: StorageEngine?, database: SQLDatabase? = nil, resolver: InDoubtResolver? = nil,
        server: PGServerContext, dataDirectory: String
    ) {
        self.engine = engine
        self.database = database
        self.resolver = resolver
        self.server = server
        self.dataDirectory = dataDirectory
    }

    private var uptimeSeconds: Double {
        let elapsed = startedAt.duration(to: .now).components
        return Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
    }

    func health() -> HealthReport {
        var status = HealthReport.Status.ok
        var reason: String?
        if server.registry.isDraining {
            status = .draining
        } else if let engine {
            let statistics = engine.statistics()
            if let cause = statistics.poisonCause {
                (status, reason) = (.degraded, "no writes are taken: \(cause)")
            } else if statistics.clockJumpPending {
                (status, reason) = (.degraded, "the system clock jumped ahead")
            } else if let error = statistics.backgroundError {
                (status, reason) = (.degraded, "a background job is being retried: \(error)")
            } else if statistics.delayReason == .diskFull {
                (status, reason) = (.degraded, "the disk is full")
            } else if let stall = statistics.stalledOperations.first {
                (status, reason) = (
                    .degraded,
                    "a \(stall.operation) of \(stall.path) has lasted \(stall.micros / 1_000_000) s"
                )
            } else if statistics.quarantinedTables > 0 {
                // All other ranges are served: no reason to send clients elsewhere.
                reason =
                    "\(statistics.quarantinedTables) damaged tables are out of service, see /corruption"
            } else if statistics.blobs.damagedFiles > 0 {
                reason =
                    "\(statistics.blobs.damagedFiles) blob files hold damaged values, see /corruption"
            }
        }
        return HealthReport(
            status: status, reason: reason, uptimeSeconds: uptimeSeconds,
            version: FalconVersion.current, dataDirectory: dataDirectory,
            connections: server.registry.sessionCount)
    }

    func metrics() -> String {
        var out = MetricsText()
        appendServer(&out)
        if let database { appendTransactions(database, &out) }
        if let resolver { appendInDoubt(resolver.counts, &out) }
        if let engine {
            appendEngine(engine.statistics(), &out)
            appendSafepoint(engine.safepointReport(), &out)
            if let status = engine.encryptionStatus() { appendEncryption(status, &out) }
            if let status = engine.archiveStatus() { appendArchive(status, &out) }
            appendSlots(engine, &out)
            if let budget = engine.options.memoryBudget { appendMemory(budget, &out) }
        }
        return out.text
    }

    /// The tables that are out of service, as JSON. Keys are data and not shown, but for the database and
    /// the storage that a key begins with.
    func corruption() -> String {
        let report = engine?.corruptionReport() ?? CorruptionReport()
        return "{\"quarantined\":[" + report.entries.map(Self.json).joined(separator: ",")
            + "],\"blob_files\":[" + report.blobFiles.map(Self.json).joined(separator: ",") + "]}\n"
    }

    private static func json(_ file: CorruptionReport.BlobFile) -> String {
        var text = "{\"file\":" + JSONText.quoted(file.path) + ",\"bytes\":\(file.bytes)"
        text += ",\"live_values\":\(file.liveRecords),\"live_bytes\":\(file.liveBytes)"
        text += ",\"offset\":" + (file.offset.map { String($0) } ?? "null")
        text += ",\"found_by\":\"\(file.foundBy.rawValue)\""
        text += ",\"found_unix_micros\":\(file.foundWallMicros)"
        text += ",\"reason\":" + JSONText.quoted(file.reason)
        return text + "}"
    }

    private static func json(_ entry: CorruptionReport.Entry) -> String {
        var text = "{\"file\":" + JSONText.quoted(entry.path)
        text += ",\"level\":\(entry.level),\"bytes\":\(entry.bytes),\"entries\":\(entry.entryCount)"
        text += ",\"offset\":" + (entry.offset.map { String($0) } ?? "null")
        text += ",\"first_key_prefix\":" + JSONText.quoted(prefix(entry.smallest))
        text += ",\"last_key_prefix\":" + JSONText.quoted(prefix(entry.largest))
        let losses = entry.losses.map(Self.json)
        text += ",\"whole\":\(entry.isWhole),\"lost\":[" + losses.joined(separator: ",") + "]"
        text += ",\"found_by\":\"\(entry.foundBy.rawValue)\""
        text += ",\"found_unix_micros\":\(entry.foundWallMicros)"
        text += ",\"reason\":" + JSONText.quoted(entry.reason)
        return text + "}"
    }

    private static func json(_ loss: TableLoss) -> String {
        func shown(_ key: [UInt8]?) -> String { key.map { JSONText.quoted(prefix($0)) } ?? "null" }
        var text = "{\"offset\":\(loss.offset),\"bytes\":\(loss.byteCount)"
        text += ",\"first_key_prefix\":" + shown(loss.keys?.lower)
        text += ",\"before_key_prefix\":" + shown(loss.keys?.upper)
        return text + "}"
    }

    private static func prefix(_ key: [UInt8]) -> String {
        key.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Who keeps old versions from being dropped: a session's snapshot by its pid.
    private func appendSafepoint(_ report: SafepointReport, _ out: inout MetricsText) {
        let holder: String
        switch report.holder {
        case .none: holder = "none"
        case .snapshot(let owner): holder = owner.isEmpty ? "unnamed" : owner
        case .retention: holder = "retention"
        }
        out.gauge(
            "falcon_safepoint_lag_microseconds",
            "How far back old versions are kept, by who holds them.", label: "holder",
            [(holder, report.lagMicros)])
    }

    private func appendServer(_ out: inout MetricsText) {
        let m = server.metrics
        out.gauge("falcon_uptime_seconds", "Seconds since the server started.", uptimeSeconds)
        out.gauge(
            "falcon_connections", "Sessions open now.", server.registry.sessionCount)
        out.counter(
            "falcon_connections_opened_total", "Client sockets accepted.",
            m.connectionsOpened.load(ordering: .relaxed))
        out.counter(
            "falcon_connections_rejected_total", "Clients turned away.",
            m.connectionsRejected.load(ordering: .relaxed))
        out.counter(
            "falcon_cancel_requests_total", "CancelRequest packets.",
            m.cancelRequests.load(ordering: .relaxed))
        out.counter(
            "falcon_statements_total", "Statements completed.",
            m.statements.load(ordering: .relaxed))
        out.counter(
            "falcon_errors_total", "Errors sent to clients.", m.errors.load(ordering: .relaxed))
        out.counter(
            "falcon_received_bytes_total", "Bytes from clients.",
            m.bytesReceived.load(ordering: .relaxed))
        out.counter(
            "falcon_sent_bytes_total", "Bytes to clients.", m.bytesSent.load(ordering: .relaxed))
        out.counter(
            "falcon_worker_jobs_total", "Times a statement moved to the worker pool.",
            m.workerJobs.load(ordering: .relaxed))
        out.gauge(
            "falcon_worker_jobs", "Worker threads busy now.", server.workers.activeJobs)
    }

    private func appendMemory(_ budget: MemoryBudget, _ out: inout MetricsText) {
        out.gauge(
            "falcon_memory_budget_bytes", "The memory budget.", Double(budget.totalBytes))
        let accounts = MemoryBudget.Account.allCases.map {
            ($0.name, UInt64(clamping: budget.usedBytes($0)))
        }
        out.gauge(
            "falcon_memory_bytes", "Memory taken from the budget, by who uses it.", label: "user",
            accounts + [("cache", UInt64(clamping: budget.cache.usedBytes))])
        out.gauge(
            "falcon_memory_pressure",
            "0: none. 1: memtables are flushed early. 2: writers are held back.",
            budget.pressure.rawValue)
    }

    private func appendEngine(_ s: EngineStatistics, _ out: inout MetricsText) {
        out.counter("falcon_transactions_committed_total", "Commits that wrote.", s.commits)
        out.counter(
            "falcon_committed_bytes_total", "Bytes of committed batches.", s.committedBytes)
        out.counter("falcon_wal_written_bytes", "The log's end, as a position.", s.nextLSN.rawValue)
        out.counter(
            "falcon_wal_synced_bytes", "The log's durable end, as a position.",
            s.syncedLSN.rawValue)
        out.gauge("falcon_wal_size_bytes", "Bytes of log files on disk.", Double(s.walBytes))
        out.gauge("falcon_memtable_bytes", "The active memtable.", s.memtableBytes)
        out.gauge(
            "falcon_immutable_memtables", "Memtables waiting for their flush.",
            s.immutableMemtables)
        out.gauge(
            "falcon_level_files", "Table files per level.", label: "level",
            s.levels.enumerated().map { index, level in
                (String(index), UInt64(clamping: level.fileCount))
            })
        out.gauge(
            "falcon_level_bytes", "Table bytes per level.", label: "level",
            s.levels.enumerated().map { (String($0.offset), $0.element.bytes) })
        out.gauge(
            "falcon_level0_sublevels", "Runs of tables in level 0: what a read looks at there.",
            s.level0Sublevels)
        out.gauge(
            "falcon_obsolete_bytes", "Bytes of files that are to be unlinked.",
            Double(s.obsoleteBytes))
        out.counter(
            "falcon_time_bound_skipped_tables_total",
            "Tables that scans of recent changes did not read.", s.skippedTables)
        out.counter(
            "falcon_time_bound_skipped_partitions_total",
            "Index partitions that scans of recent changes did not read.", s.skippedPartitions)
        out.counter(
            "falcon_time_bound_skipped_blocks_total",
            "Blocks that scans of recent changes did not read.", s.skippedBlocks)
        out.gauge("falcon_blob_files", "Files of large values.", s.blobs.fileCount)
        out.gauge(
            "falcon_blob_live_bytes", "Bytes in them that tables refer to.",
            Double(s.blobs.liveBytes))
        out.gauge(
            "falcon_blob_garbage_bytes", "Bytes in them that nothing refers to.",
            Double(s.blobs.garbageBytes))
        out.counter(
            "falcon_large_transactions_total",
            "Transactions so large that they became a layer of their own.", s.adoptedBatches)
        out.counter(
            "falcon_spilled_transactions_total",
            "Transactions whose writes did not fit into their memory and went to files.",
            s.spilledTransactions)
        out.counter(
            "falcon_spilled_bytes_total",
            "Bytes that transactions wrote to files before their commit.", s.spilledBytes)
        out.gauge(
            "falcon_spill_file_bytes", "Bytes of such files that are there now.",
            Double(s.spillFileBytes))
        out.counter("falcon_flushes_total", "Memtables flushed.", s.flushes)
        out.counter("falcon_flushed_bytes_total", "Bytes written by flushes.", s.flushedBytes)
        out.counter("falcon_compactions_total", "Compactions run.", s.compactions)
        out.counter("falcon_trivial_moves_total", "Files moved a level down.", s.trivialMoves)
        out.counter(
            "falcon_compaction_read_bytes_total", "Bytes read by compactions.",
            s.compactionReadBytes)
        out.counter(
            "falcon_compaction_written_bytes_total", "Bytes written by compactions.",
            s.compactionWrittenBytes)
        out.gauge(
            "falcon_compaction_debt_bytes", "Bytes compactions owe.",
            Double(s.compactionDebtBytes))
        out.gauge(
            "falcon_write_delay", "Why writers are delayed (1), by reason.", label: "reason",
            [(s.delayReason.rawValue, s.delayReason == .none ? 0 : 1)])
        if let measure = s.delayMeasure {
            out.gauge(
                "falcon_write_delay_measure", "What delays writers, beside its limits.",
                label: "of",
                [
                    ("value", measure.value), ("soft_limit", measure.softLimit),
                    ("hard_limit", measure.hardLimit),
                ])
        }
        out.counter(
            "falcon_write_delay_nanoseconds_total", "Time writers were held back.",
            s.totalDelayNanos)
        out.counter(
            "falcon_io_stalls_total", "Calls of the file system that lasted too long.", s.stalls)
        out.gauge(
            "falcon_io_stalled", "Calls of the file system that last too long now.",
            s.stalledOperations.count)
        out.gauge(
            "falcon_io_stalled_seconds", "How long the longest of them has lasted.",
            Double(s.stalledOperations.first?.micros ?? 0) / 1e6)
        out.gauge(
            "falcon_quarantined_tables", "Damaged tables out of service.", s.quarantinedTables)
        out.gauge(
            "falcon_quarantined_bytes", "Bytes of damaged tables out of service.",
            Double(s.quarantinedBytes))
        out.gauge(
            "falcon_damaged_blob_files", "Blob files that hold damaged values.",
            s.blobs.damagedFiles)
        out.gauge("falcon_snapshots", "Snapshots held.", s.snapshots)
        out.gauge("falcon_cache_bytes", "Bytes in the block cache.", s.cacheBytes)
        out.counter("falcon_cache_hits_total", "Blocks found in the cache.", s.cacheHits)
        out.counter("falcon_cache_misses_total", "Blocks read from files.", s.cacheMisses)
        out.gauge(
            "falcon_poisoned", "1 when the engine takes no more writes.",
            s.poisonCause == nil ? 0 : 1)
    }
}
