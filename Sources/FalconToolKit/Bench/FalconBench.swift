import ArgumentParser
import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `falcon-bench`: measures the engine, the machine and a server.
public struct FalconBench: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "falcon-bench", abstract: "Measures FalconDB.",
        version: FalconVersion.current, subcommands: commands)
    public init() {}

    private static let commands: [any ToolCommand.Type] = [
        KVBenchCommand.self, CalibrateCommand.self, YCSBCommand.self, TPCBCommand.self,
    ]

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
        if let command = commands.first(where: { $0.toolName == arguments.first }) {
            end(run(command, Array(arguments.dropFirst()), context).rawValue)
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

    private static func run(
        _ command: (some ToolCommand).Type, _ arguments: [String], _ context: ToolContext
    ) -> ToolExit {
        ToolRunner.run(command, arguments, context)
    }
}
