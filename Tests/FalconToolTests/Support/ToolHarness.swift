import FalconStorage
import FalconToolKit

/// Runs a tool in memory and keeps what it said.
struct ToolRun {
    let exit: ToolExit
    let output: String
    let diagnostics: String
    var lines: [String] { output.split(separator: "\n").map(String.init) }

    init(exit: ToolExit, output: String, diagnostics: String) {
        self.exit = exit
        self.output = output
        self.diagnostics = diagnostics
    }

    init<Tool: ToolCommand>(
        _ tool: Tool.Type, _ arguments: [String],
        environment: StorageEnvironment = StorageEnvironment(), readerLeavesAfter: Int = .max,
        terminal: Bool = false, interruption: @escaping @Sendable () -> Bool = { false },
        sleep: (@Sendable (UInt32) -> Void)? = nil
    ) {
        let out = MemoryStream(capacity: readerLeavesAfter)
        let err = MemoryStream(isTerminal: terminal)
        let context =
            sleep.map {
                ToolContext(
                    standardOutput: out, standardError: err, environment: environment,
                    interruption: interruption, sleep: $0)
            }
            ?? ToolContext(
                standardOutput: out, standardError: err, environment: environment,
                interruption: interruption)
        exit = ToolRunner.run(tool, arguments, context)
        output = out.text
        diagnostics = err.text
    }
}
