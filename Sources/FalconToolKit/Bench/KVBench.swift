import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Runs `db_bench`'s workloads on the engine and prints its result lines.
final class KVBench {
    let options: KVBenchOptions
    let context: ToolContext
    /// Threads so far: each gets a seed of its own, as `db_bench` counts them.
    private var threadCount: UInt64 = 0
    private let seed: UInt64
    private(set) var engine: StorageEngine?

    init(_ options: KVBenchOptions, _ context: ToolContext) {
        self.options = options
        self.context = context
        seed = options.seed != 0 ? options.seed : context.environment.clock.wallMicros()
    }

    func run() throws(StorageError) {
        printHeader()
        let names = options.benchmarks.split(separator: ",").map(String.init)
        for name in names where KVWorkload(name) == nil {
            throw .invalidArgument(
                "There is no workload '\(name)'.",
                hint: "There are " + KVWorkload.names.joined(separator: ", ") + ".")
        }
        do throws(StorageError) {
            for name in names {
                guard let workload = KVWorkload(name) else { continue }
                try prepare(workload)
                if workload.kind == .stats { try printStatistics() } else { try measure(workload) }
            }
        } catch {
            try? engine?.close()
            throw error
        }
        try engine?.close()
    }

    // MARK: - The database

    private func prepare(_ workload: KVWorkload) throws(StorageError) {
        if workload.isFresh && options.useExistingDB == .off {
            try engine?.close()
            engine = nil
            try destroy()
        }
        if engine == nil {
            engine = try StorageEngine.open(
                at: options.db, options: options.engineOptions, environment: context.environment)
        }
    }

    /// Removes an engine's directory; refuses one that holds anything else.
    private func destroy() throws(StorageError) {
        let files = context.fileSystem
        guard try files.exists(options.db) else { return }
        let names = FileNames(root: options.db)
        for directory in [names.sstDirectory, names.walDirectory, options.db] {
            guard try files.exists(directory) else { continue }
            for name in try files.list(directory) {
                if directory == options.db, name == "sst" || name == "wal" { continue }
                if FileNames.parse(name) == .unknown {
                    throw .invalidArgument(
                        "\(directory) holds '\(name)', which is no engine's file.",
                        hint: "Give --db a directory of its own.")
                }
                try files.remove(directory + "/" + name)
            }
            try files.removeDirectory(directory)
        }
    }

    // MARK: - Measuring

    private func measure(_ workload: KVWorkload) throws(StorageError) {
        guard let engine else { return }
        let settings = KVBenchSettings(options)
        let helpers = workload.kind == .readWhileWriting ? 1 : 0
        let threads = (0..<(options.threads + helpers)).map { index in
            threadCount += 1
            return BenchThread(
                index, seed: seed &+ threadCount, settings, context.environment.clock)
        }
        let run = KVWorkloadRun(workload, settings, engine, helperIndex: options.threads)
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
        report(workload.name, Array(threads.prefix(options.threads)))
    }

    /// `fillseq      :       2.500 micros/op 400000 ops/sec 2.500 seconds 1000000 operations;   44.2 MB/s`
    private func report(_ name: String, _ threads: [BenchThread]) {
        let done = max(threads.reduce(0) { $0 + $1.done }, 1)
        let bytes = threads.reduce(0) { $0 + $1.bytes }
        let nanos = threads.reduce(0.0) { $0 + Double($1.endNanos &- $1.startNanos) }
        let start = threads.map(\.startNanos).min() ?? 0
        let end = threads.map(\.endNanos).max() ?? 0
        let elapsed = max(Double(end &- start) / 1e9, 1e-9)
        var line = BenchText.padded(name, 12) + " : "
        line += BenchText.number(nanos / 1000 / Double(done), width: 11, decimals: 3)
        line += " micros/op \(Int(Double(done) / elapsed)) ops/sec "
        line += BenchText.number(elapsed, width: 0, decimals: 3)
        line += " seconds \(done) operations;"
        if bytes > 0 {
            let rate = Double(bytes) / 1_048_576 / elapsed
            line += " " + BenchText.number(rate, width: 6, decimals: 1) + " MB/s"
        }
        let message = threads.map(\.message).first { !$0.isEmpty } ?? ""
        if !message.isEmpty { line += " " + message }
        context.standardOutput.write(line + "\n")
        context.standardOutput.flush()
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
        context.standardOutput.write(lines.joined(separator: "\n") + "\n")
        context.standardOutput.flush()
    }

    private func printStatistics() throws(StorageError) {
        guard let statistics = engine?.statistics() else { return }
        var text = "\n** Statistics **\nlevel  files     MB\n"
        for (number, level) in statistics.levels.enumerated() where level.fileCount > 0 {
            text += BenchText.number(Double(number), width: 5, decimals: 0)
            text += BenchText.number(Double(level.fileCount), width: 7, decimals: 0)
            text += BenchText.number(Double(level.bytes) / 1_048_576, width: 7, decimals: 1) + "\n"
        }
        text += """
            commits \(statistics.commits), bytes \(statistics.committedBytes)
            memtable bytes \(statistics.memtableBytes), immutable \(statistics.immutableMemtables)
            flushes \(statistics.flushes), bytes \(statistics.flushedBytes)
            compactions \(statistics.compactions), trivial moves \(statistics.trivialMoves), \
            read \(statistics.compactionReadBytes), written \(statistics.compactionWrittenBytes)
            cache bytes \(statistics.cacheBytes), hits \(statistics.cacheHits), \
            misses \(statistics.cacheMisses)
            delay \(statistics.delayReason.rawValue), total \(statistics.totalDelayNanos) ns

            """
        context.standardOutput.write(text)
    }
}

/// Columns of result lines.
enum BenchText {
    static func padded(_ text: String, _ width: Int) -> String {
        text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
    }

    /// printf's `%width.decimalsf`.
    static func number(_ value: Double, width: Int, decimals: Int) -> String {
        let scale = pow(10.0, Double(decimals))
        let scaled = (value * scale).rounded()
        guard scaled.isFinite, abs(scaled) < 1e15 else { return "\(value)" }
        let digits = String(Int64(abs(scaled)))
        let filled = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        var text = scaled < 0 ? "-" : ""
        text += filled.dropLast(decimals)
        if decimals > 0 { text += "." + filled.suffix(decimals) }
        return text.count >= width ? text : String(repeating: " ", count: width - text.count) + text
    }
}
