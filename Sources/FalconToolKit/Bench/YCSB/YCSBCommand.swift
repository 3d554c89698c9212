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
            try BenchDirectory.remove(bench.db, output.context.fileSystem)
        }
        let engine = try StorageEngine.open(
            at: bench.db, options: bench.engineOptions, environment: output.context.environment)
        do throws(StorageError) {
            try YCSBBench(bench, engine, output).run()
        } catch {
            try? engine.close()
            throw error
        }
        try engine.close()
        try output.finish()
    }
}
