import FalconStorage
import FalconToolKit
import Foundation
import Testing

/// Runs a tool in memory and keeps what it said.
struct ToolRun {
    let exit: ToolExit
    let output: String
    let diagnostics: String
    var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// The report of a run with `--format json`.
    var report: [String: Any] {
        get throws {
            try #require(
                JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any],
                "\(output)\(diagnostics)")
        }
    }

    /// The output with what differs from run to run masked.
    var masked: String {
        output.replacing(/\b[0-9a-f]{32}\b/, with: "UID")
            .replacing(/\d{8}T\d{6}Z-[0-9a-f]{8}/, with: "ID")
            .replacing(/\d{4}-\d\d-\d\dT[0-9:.]+Z/, with: "TIME")
            .replacing(/\b[0-9A-F]+\/[0-9A-F]{8}\b/, with: "LSN")
            .replacing(/\b\d+\b/, with: "N")
    }

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
