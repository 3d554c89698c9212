import ArgumentParser
import FalconStorage

/// `falcon-bench kv`: `db_bench` on this engine.
public struct KVBenchCommand: ToolCommand {
    public static let configuration = CommandConfiguration(
        commandName: "kv",
        abstract: "db_bench's workloads on the storage engine, with its flags and result lines.",
        discussion: "Workloads: " + KVWorkload.names.joined(separator: ", ")
            + ". Fill workloads begin with an empty directory unless --use_existing_db=1. Without"
            + " --sync=1 a write returns once the operating system has it, as in db_bench.",
        version: FalconVersion.current)

    @OptionGroup var bench: KVBenchOptions
    @OptionGroup var export: BenchExportOptions
    @OptionGroup public var output: OutputOptions
    public init() {}

    public func execute(_ report: ReportWriter) throws(StorageError) {
        let output = try BenchOutput(
            report, export, command: "kv", path: bench.db, flags: bench.json)
        try KVBench(bench, output).run()
    }
}
