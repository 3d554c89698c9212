import FalconStorage

/// Loads the records and runs the workloads on them.
final class YCSBBench {
    private let options: YCSBOptions
    private let engine: StorageEngine
    private let output: BenchOutput
    private let watch: BenchWatch
    private let records: YCSBRecords
    private let values: BenchValuePool
    private var clock: any StorageClock { output.context.environment.clock }

    init(
        _ options: YCSBOptions, _ engine: StorageEngine, _ output: BenchOutput, _ watch: BenchWatch
    ) {
        self.options = options
        self.engine = engine
        self.output = output
        self.watch = watch
        values = BenchValuePool(ratio: options.compressionRatio, valueBytes: options.valueSize)
        records = YCSBRecords(UInt64(options.records))
    }

    func run() throws(StorageError) {
        let opened = engine.statistics()
        var results: [JSONValue] = []
        var written: UInt64 = 0
        if options.useExistingDB == .off {
            let load = try measure("load", .c) { thread, part in
                let share = UInt64(part.count)
                let total = UInt64(self.options.records)
                let lower = total * UInt64(part.index) / share
                let upper = total * UInt64(part.index + 1) / share
                return { () throws(StorageError) in
                    try thread.load(lower..<upper) { self.output.context.shouldStop }
                }
            }
            written &+= load.writtenBytes
            results.append(load.json)
            output.write(load.text(of: "\(options.records) records"))
        } else {
            try requireRecords()
        }
        for (number, workload) in options.chosen.enumerated() {
            if output.context.shouldStop { break }
            watch.expectWrites(workload != .c)
            let result = try measure(workload.rawValue, workload, seed: UInt64(number + 1)) {
                thread, part in
                let share = self.options.operations / part.count
                let count = share + (part.index < self.options.operations % part.count ? 1 : 0)
                return { () throws(StorageError) in
                    try thread.run(count) { self.output.context.shouldStop }
                }
            }
            written &+= result.writtenBytes
            results.append(result.json)
            output.write(result.text(of: workload.title))
        }
        output.set("workloads", .array(results))
        guard output.isExporting else { return }
        let closing = engine.statistics()
        output.set(
            "written", BenchEngine.written(from: opened, to: closing, userBytes: written))
        output.set("space", try BenchEngine.space(engine, output.context.fileSystem))
        output.set("engine", BenchEngine.statistics(closing))
    }

    /// An existing database was loaded with as many records, or every figure would be of missing ones.
    private func requireRecords() throws(StorageError) {
        let key = UnsafeMutableRawBufferPointer.allocate(
            byteCount: YCSBKey.byteCount, alignment: 8)
        defer { key.deallocate() }
        let last = UInt64(options.records) - 1
        YCSBKey.write(last, into: key)
        let found: Void? = try engine.withValue(
            UnsafeRawBufferPointer(key), at: engine.publishedTimestamp
        ) { _, _ in }
        guard found == nil else { return }
        throw StorageError(
            .notFound, kind: .user, "The database has no record \(last).",
            location: .init(path: options.db),
            hint: "Load it first, without --use_existing_db=1 and with the same --records.")
    }

    private typealias Part = (index: Int, count: Int)

    private func measure(
        _ name: String, _ workload: YCSBWorkload, seed: UInt64 = 0,
        _ body: (YCSBThread, Part) -> () throws(StorageError) -> Void
    ) throws(StorageError) -> YCSBResult {
        let threads = (0..<options.threads).map { index in
            YCSBThread(
                workload, engine, records, clock, options, values,
                seed: options.seed &+ seed << 32 &+ UInt64(index))
        }
        let before = engine.statistics()
        let start = clock.monotonicNanos()
        ParallelThreads.run(
            threads.enumerated().map { index, thread in
                let run = body(thread, (index, threads.count))
                return {
                    do throws(StorageError) { try run() } catch { thread.failure = error }
                }
            })
        let nanos = clock.monotonicNanos() &- start
        if let failure = threads.lazy.compactMap(\.failure).first { throw failure }
        return YCSBResult(
            name: name, threads: threads, records: name == "load" ? options.records : 0,
            nanos: nanos, before: before, after: engine.statistics())
    }
}
