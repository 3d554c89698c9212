import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// A run of a tool asks for the master key once, however often it opens a directory.
@Suite struct KeyFetchTests {
    /// A key command that counts its calls.
    private final class CountingCommand {
        private let path = NSTemporaryDirectory() + "falcon-key-\(UUID().uuidString)"
        let text: String

        init(_ key: UInt8) {
            let hex = String(repeating: String(format: "%02x", key), count: 32)
            text = "echo call >> '\(path)'; echo \(hex)"
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        /// Calls since this was read last.
        func takeCalls() -> Int {
            defer { try? FileManager.default.removeItem(atPath: path) }
            let calls = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            return calls.split(separator: "\n").count
        }
    }

    @Test func aRestoreRunsTheKeyCommandOnce() throws {
        let history = try EngineHistory.archived(seed: 41, key: 7)
        try history.run(10)
        try history.engine.backup(label: "first")
        try history.run(10)
        let lsn = try history.engine.createRestorePoint("release")
        try history.run(5)
        try history.engine.backup(label: "second")
        try history.close()
        let command = CountingCommand(7)
        for arguments in [
            ["plan", "--repo", "/repo", "--to-latest"],
            ["plan", "--repo", "/repo", "--to-name", "release"],
            ["apply", "--repo", "/repo", "--to-latest", "--out", "/a"],
            ["apply", "--repo", "/repo", "--to-name", "release", "--out", "/b"],
            ["apply", "--repo", "/repo", "--to-lsn", lsn.description, "--out", "/c"],
            ["/db", "--to-latest", "--out", "/d"], ["/db", "--to-latest", "--dry-run"],
        ] {
            let run = ToolRun(
                PITRRestore.self, arguments + ["--key-command", command.text],
                environment: history.environment)
            #expect(run.exit == .clean, "\(arguments): \(run.output)\(run.diagnostics)")
            #expect(command.takeCalls() == 1, "\(arguments)")
        }
        let salvage = ToolRun(
            SSTVerify.self, ["/db", "--salvage", "--out", "/e", "--key-command", command.text],
            environment: history.environment)
        #expect(salvage.exit == .clean, "\(salvage.output)\(salvage.diagnostics)")
        #expect(command.takeCalls() == 1)
    }

    /// What is not encrypted needs no key, and none is asked for.
    @Test func aPlainDirectoryAsksForNone() throws {
        let history = try EngineHistory(seed: 42)
        try history.run(10)
        try history.close()
        let command = CountingCommand(7)
        let run = history.restore("--to-latest", "--key-command", command.text)
        #expect(run.exit == .clean, "\(run.output)")
        #expect(command.takeCalls() == 0)
    }
}
