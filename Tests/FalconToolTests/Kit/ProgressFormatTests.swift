import ArgumentParser
import FalconStorage
import Foundation
import Synchronization
import Testing

@testable import FalconToolKit

/// A tool whose work is so many steps, a second each.
private struct SteppingTool: ToolCommand {
    static let configuration = toolConfiguration("stepping", abstract: "Takes steps.")
    @Option var steps = 10
    @Flag var files = false
    @OptionGroup var run: RunOptions
    @OptionGroup var output: OutputOptions
    var runOptions: RunOptions? { run }

    func execute(_ report: ReportWriter) throws(StorageError) {
        let progress = ToolProgress("stepping", report)
        for step in 1...steps {
            report.context.pause(milliseconds: 1000)
            let done = UInt64(step) << 20
            if files {
                progress.update(
                    bytes: done, of: UInt64(steps) << 20, files: step, of: steps)
            } else {
                progress.update(UInt64(step), of: 0, unit: "rows")
            }
        }
        progress.finish()
    }
}

/// --progress and --progress-format: what another program can follow.
@Suite struct ProgressFormatTests {
    private func run(_ arguments: [String], terminal: Bool = false) -> ToolRun {
        let clock = ManualClock()
        return ToolRun(
            SteppingTool.self, arguments,
            environment: StorageEnvironment(fileSystem: MemoryFileSystem(), clock: clock),
            terminal: terminal, sleep: { clock.advance(micros: UInt64($0) * 1000) })
    }

    private func objects(_ run: ToolRun) throws -> [[String: Any]] {
        try run.diagnostics.split(separator: "\n").map {
            try #require(
                JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
        }
    }

    @Test(arguments: [false, true]) func jsonIsALineAnInterval(terminal: Bool) throws {
        let run = run(
            ["--files", "--progress", "3", "--progress-format", "json"], terminal: terminal)
        #expect(run.exit == .clean)
        let lines = try objects(run)
        // After the first step, three seconds later each, and the end.
        #expect(lines.compactMap { $0["files"] as? Int } == [1, 4, 7, 10])
        let last = try #require(lines.last)
        #expect(last["type"] as? String == "progress" && last["tool"] as? String == "stepping")
        #expect(last["bytes"] as? Int == 10 << 20 && last["total"] as? Int == 10 << 20)
        #expect(last["files_total"] as? Int == 10)
        #expect(last["rate"] as? Double == 1_048_576 && last["eta"] as? Double == 0)
        #expect(lines[1]["eta"] as? Double == 6 && lines[1]["seconds"] as? Double == 4)
    }

    @Test func whatIsNotKnownIsNull() throws {
        let lines = try objects(run(["--progress-format", "json", "--steps", "2"]))
        let last = try #require(lines.last)
        #expect(last["done"] as? Int == 2 && last["unit"] as? String == "rows")
        for name in ["total", "files", "files_total", "eta"] {
            #expect(last[name] is NSNull, "\(name)")
        }
    }

    @Test func textIsLinesOffATerminal() {
        let run = run(["--files", "--progress", "4"])
        #expect(
            run.diagnostics.split(separator: "\n") == [
                "stepping: 1 of 10 MiB (10 %), 1 of 10 files, 1 MiB/s, ETA 0:09",
                "stepping: 5 of 10 MiB (50 %), 5 of 10 files, 1 MiB/s, ETA 0:05",
                "stepping: 9 of 10 MiB (90 %), 9 of 10 files, 1 MiB/s, ETA 0:01",
                "stepping: 10 of 10 MiB (100 %), 10 of 10 files, 1 MiB/s, ETA 0:00",
            ])
        // On a terminal it is one line that goes away.
        let shown = self.run(["--files", "--progress", "4"], terminal: true)
        #expect(!shown.diagnostics.contains("\n") && shown.diagnostics.hasSuffix("\r\u{1B}[K"))
    }

    @Test func nothingIsSaidUnasked() {
        #expect(run(["--files"]).diagnostics.isEmpty)
        for more in [["--progress", "1"], ["--progress-format", "json"]] {
            #expect(run(["--files", "--quiet"] + more, terminal: true).diagnostics.isEmpty)
        }
        for wrong in [["--progress", "0"], ["--progress", "nan"], ["--progress-format", "xml"]] {
            #expect(run(wrong).exit == .usage)
        }
    }

    @Test func aCheckOfTablesEndsWithAllOfThem() throws {
        let shop = try TableShop()
        let run = ToolRun(
            SSTVerify.self, ["/db", "--jobs", "1", "--progress-format", "json"],
            environment: shop.environment)
        #expect(run.exit == .clean)
        let last = try #require(try objects(run).last)
        #expect(last["files"] as? Int == 4 && last["files_total"] as? Int == 4)
        #expect(last["tool"] as? String == "sst-verify")
    }
}
