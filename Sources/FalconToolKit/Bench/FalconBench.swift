import ArgumentParser
import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `falcon-bench`: measures the engine.
public struct FalconBench: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "falcon-bench", abstract: "Measures FalconDB.",
        version: FalconVersion.current, subcommands: [KVBenchCommand.self])
    public init() {}

    private static func end(_ code: Int32) -> Never {
        #if canImport(Glibc)
            Glibc.exit(code)
        #else
            Musl.exit(code)
        #endif
    }

    /// The whole of the program: each measurement is a tool command of its own.
    public static func start() -> Never {
        let context = ToolContext.process()
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "kv" {
            end(ToolRunner.run(KVBenchCommand.self, Array(arguments.dropFirst()), context).rawValue)
        }
        do {
            _ = try parseAsRoot(arguments)
            throw CleanExit.helpRequest(self)
        } catch {
            let isAnswer = exitCode(for: error) == .success
            let text = fullMessage(for: error) + "\n"
            (isAnswer ? context.standardOutput : context.standardError).write(text)
            context.standardOutput.flush()
            end(isAnswer ? 0 : ToolExit.usage.rawValue)
        }
    }
}

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
    @OptionGroup public var output: OutputOptions
    public init() {}

    public func execute(_ report: ReportWriter) throws(StorageError) {
        try KVBench(bench, report.context).run()
    }
}
