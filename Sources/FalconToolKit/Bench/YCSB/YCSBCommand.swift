import ArgumentParser
import FalconStorage

/// `falcon-bench ycsb`: YCSB's core workloads on the storage engine.
public struct YCSBCommand: ToolCommand {
    public static let configuration = CommandConfiguration(
        commandName: "ycsb", abstract: "YCSB's core workloads A to F on the storage engine.",
        discussion: """
            Keys are drawn zipfian with constant 0.99, in D from the latest; scans take 1 to 100 \
            records; F reads, changes and writes a record. Inserts of D and E stay for the \
            workloads after them.
            """,
        version: FalconVersion.current)

    @OptionGroup var bench: YCSBOptions
    @OptionGroup var export: BenchExportOptions
    @OptionGroup public var output: OutputOptions
    public init() {}

    public func execute(_ report: ReportWriter) throws(StorageError) {
        let output = try BenchOutput(
            report, export, command: "ycsb", path: bench.db, flags: bench.json)
        if bench.useExistingDB == .off {
            try BenchDirectory.clear(bench.db, output.context.fileSystem)
        }
        var engineOptions = bench.engineOptions
        let watch = output.makeWatch(
            path: bench.db, waitMicros: engineOptions.diskFullWaitMicros)
        engineOptions.eventListener = watch
        watch.expectWrites(true)
        let engine = try BenchDirectory.open(
            bench.db, engineOptions, anyones: bench.useExistingDB == .on,
            output.context.environment)
        watch.use(engine)
        defer { watch.use(nil) }
        do throws(StorageError) {
            try YCSBBench(bench, engine, output, watch).run()
            watch.expectWrites(true)
        } catch {
            watch.expectWrites(true)
            try? engine.close()
            throw error
        }
        try engine.close()
        try output.finish()
    }
}
