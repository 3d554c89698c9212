import FalconStorage

/// Runs `db_bench`'s workloads on the engine and prints its result lines.
final class KVBench {
    let options: KVBenchOptions
    let context: ToolContext
    /// Threads so far: each gets a seed of its own, as `db_bench` counts them.
    private var threadCount: UInt64 = 0
    private let seed: UInt64
    private(set) var engine: StorageEngine?
    private let output: BenchOutput
    private let watch: BenchWatch
    private let values: BenchValuePool
    private var calibration: Calibration?
    private var results: [JSONValue] = []
    /// Since the engine was opened.
    private var writtenBytes: UInt64 = 0
    private var opened = EngineStatistics()

    init(_ options: KVBenchOptions, _ output: BenchOutput) {
        self.options = options
        self.output = output
        context = output.context
        watch = output.makeWatch(
            path: options.db, waitMicros: options.engineOptions.diskFullWaitMicros)
        values = BenchValuePool(ratio: options.compressionRatio, valueBytes: options.valueSize)
        seed = options.seed != 0 ? options.seed : context.environment.clock.wallMicros()
    }

    func run() throws(StorageError) {
        if let path = options.calibration {
            calibration = try Calibration(contentsOf: path, context.fileSystem)
        }
        printHeader()
        let names = options.benchmarks.split(separator: ",").map(String.init)
        do throws(StorageError) {
            for name in names {
                guard let workload = KVWorkload(name) else { continue }
                try prepare(workload)
                if workload.kind == .stats { printStatistics() } else { try measure(workload) }
            }
            if output.isExporting, let engine { try export(engine) }
        } catch {
            try? close()
            throw error
        }
        try close()
        try output.finish()
    }

    private func export(_ engine: StorageEngine) throws(StorageError) {
        let statistics = engine.statistics()
        output.set("workloads", .array(results))
        output.set(
            "written",
            BenchEngine.written(
                from: opened, to: statistics, userBytes: writtenBytes))
        output.set("space", try BenchEngine.space(engine, context.fileSystem))
        output.set("engine", BenchEngine.statistics(statistics))
    }

    // MARK: - The database

    private func prepare(_ workload: KVWorkload) throws(StorageError) {
        if workload.isFresh && options.useExistingDB == .off {
            try close()
            try BenchDirectory.clear(options.db, context.fileSystem)
        }
        if engine == nil { try open(options.engineOptions, watch) }
        watch.expectWrites(!workload.onlyReads)
    }

    /// What is not on the disk yet is written first, and a full one has no room for it.
    private func close() throws(StorageError) {
        watch.expectWrites(true)
        try engine?.close()
        watch.use(nil)
        engine = nil
    }

    private func open(
        _ given: EngineOptions, _ listener: any EngineEventListener
    ) throws(StorageError) {
        var engineOptions = given
        engineOptions.eventListener = listener
        if options.memoryBudget > 0 {
            engineOptions.memoryBudget = try MemoryBudget(totalBytes: options.memoryBudget)
        }
        watch.expectWrites(true)
        engine = try BenchDirectory.open(
            options.db, engineOptions, anyones: options.useExistingDB == .on,
            context.environment)
        watch.use(engine)
        writtenBytes = 0
        opened = engine?.statistics() ?? opened
    }

    // MARK: - Measuring

    /// Closes the database, which flushes nothing, and measures how it is opened again.
    private func reopen(_ workload: KVWorkload) throws(StorageError) {
        let settings = KVBenchSettings(options)
        try close()
        var engineOptions = options.engineOptions
        if workload.kind != .open { engineOptions.memtableBytes = options.replayBufferSize }
        if workload.kind == .replay { engineOptions.maximumImmutableMemtables = 64 }
        let listener = KVReplay(next: watch)
        threadCount += 1
        let thread = BenchThread(
            0, seed: seed &+ threadCount, settings, context.environment.clock, values,
            timer: timer(workload, settings, 0))
        thread.start()
        try open(engineOptions, listener)
        let entries = Int(clamping: listener.commits) &* options.batchSize
        thread.finished(1, bytes: entries &* (options.keySize + options.valueSize))
        thread.stop()
        let result = KVResult(
            workload, settings, [thread], measured: 1, before: EngineStatistics(), after: opened)
        output.write(result.text + listener.text)
        results.append(result.json(limit: nil))
    }

    private func measure(_ workload: KVWorkload) throws(StorageError) {
        if workload.isReopening { return try reopen(workload) }
        guard let engine else { return }
        let settings = KVBenchSettings(options)
        let helpers = workload.kind == .readWhileWriting ? 1 : 0
        let threads = (0..<(options.threads + helpers)).map { index in
            threadCount += 1
            return BenchThread(
                index, seed: seed &+ threadCount, settings, context.environment.clock, values,
                timer: timer(workload, settings, index))
        }
        let run = KVWorkloadRun(
            workload, settings, engine, context.environment, helperIndex: options.threads)
        let before = engine.statistics()
        ParallelThreads.run(
            threads.map { thread in
                {
                    thread.start()
                    do throws(StorageError) {
                        try run.body(thread)
                    } catch { thread.failure = error }
                    thread.stop()
                    run.finished(thread)
                }
            })
        if let failure = threads.lazy.compactMap(\.failure).first { throw failure }
        let result = KVResult(
            workload, settings, threads, measured: options.threads, before: before,
            after: engine.statistics())
        writtenBytes &+= result.writtenBytes
        let limit = calibration.flatMap { KVLimit(result, $0) }
        output.write(result.text + (limit?.text(of: result) ?? ""))
        results.append(result.json(limit: limit))
    }

    private func timer(
        _ workload: KVWorkload, _ settings: KVBenchSettings, _ index: Int
    ) -> OperationTimer? {
        // The helper writes as fast as it may, and is not measured.
        guard settings.takesLatencies, index < settings.threads else { return nil }
        var interval: Double?
        if settings.openLoopRate > 0, workload.canBePaced {
            let batches = Double(settings.openLoopRate) / Double(settings.batchSize)
            interval = 1e9 * Double(settings.threads) / batches
        }
        return OperationTimer(
            context.environment.clock, interval: interval,
            phase: Double(index) / Double(settings.threads),
            stallNanos: UInt64(settings.stallMillis) * 1_000_000)
    }

    // MARK: - Text

    private func printHeader() {
        let entry = Double(options.keySize + options.valueSize)
        let packed =
            Double(options.keySize) + Double(options.valueSize) * options.compressionRatio
        let total = Double(options.num) / 1_048_576
        let lines = [
            "FalconDB:   version \(FalconVersion.current)",
            "Keys:       \(options.keySize) bytes each",
            "Values:     \(options.valueSize) bytes each"
                + " (\(Int(Double(options.valueSize) * options.compressionRatio)) bytes after"
                + " compression)",
            "Entries:    \(options.num)",
            "RawSize:    \(BenchText.number(entry * total, width: 0, decimals: 1)) MB (estimated)",
            "FileSize:   \(BenchText.number(packed * total, width: 0, decimals: 1)) MB (estimated)",
            "Compression: \(options.compressionType)",
            "Durability: \(options.sync == .on ? "synced" : "\(options.durability)")",
            "DB path: [\(options.db)]",
            "------------------------------------------------",
        ]
        output.write(lines.joined(separator: "\n") + "\n")
    }

    private func printStatistics() {
        guard let statistics = engine?.statistics() else { return }
        var text = "\n** Statistics **\nlevel  files     MB\n"
        for (number, level) in statistics.levels.enumerated() where level.fileCount > 0 {
            text += BenchText.number(Double(number), width: 5, decimals: 0)
            text += BenchText.number(Double(level.fileCount), width: 7, decimals: 0)
            text += BenchText.number(Double(level.bytes) / 1_048_576, width: 7, decimals: 1) + "\n"
        }
        if statistics.blobs.fileCount > 0 {
            text += " blob"
            text += BenchText.number(Double(statistics.blobs.fileCount), width: 7, decimals: 0)
            text += BenchText.number(
                Double(statistics.blobs.bytes) / 1_048_576, width: 7, decimals: 1)
            text += " live \(statistics.blobs.liveBytes), garbage "
            text += "\(statistics.blobs.garbageBytes), moved \(statistics.blobs.movedBytes)\n"
        }
        text += """
            commits \(statistics.commits), bytes \(statistics.committedBytes)
            memtable bytes \(statistics.memtableBytes), immutable \(statistics.immutableMemtables)
            flushes \(statistics.flushes), bytes \(statistics.flushedBytes)
            level-0 sublevels \(statistics.level0Sublevels)
            compactions \(statistics.compactions) in \(statistics.subcompactions) parts, \
            trivial moves \(statistics.trivialMoves), \
            read \(statistics.compactionReadBytes), written \(statistics.compactionWrittenBytes)
            cache bytes \(statistics.cacheBytes), hits \(statistics.cacheHits), \
            misses \(statistics.cacheMisses)
            delay \(statistics.delayReason.rawValue), total \(statistics.totalDelayNanos) ns

            """
        output.write(text)
    }
}
