import Foundation
import Synchronization
import Testing

@testable import FalconStorage
@testable import FalconToolKit

/// How sst-verify goes about many files: side by side, paced, ended early, told of as it goes.
@Suite struct SSTVerifyRunTests {
    @Test func theOutputDoesNotDependOnTheJobs() throws {
        let shop = try TableShop()
        try shop.damage(table: 0)
        try shop.damage(table: 2)
        for view in [[], ["--quick"], ["--histograms"], ["--format", "json"]] {
            let one = shop.verify(["/db", "/db/sst", "--jobs", "1"] + view)
            #expect(one.exit == .corruption)
            for jobs in ["2", "5"] {
                for _ in 0..<5 {
                    let run = shop.verify(["/db", "/db/sst", "--jobs", jobs] + view)
                    #expect(run.output == one.output && run.diagnostics == one.diagnostics)
                }
            }
        }
    }

    @Test func aLimitOfReadsIsKept() throws {
        let shop = try TableShop()
        let bytes = try shop.memory.list("/db/sst").reduce(0) {
            $0 + Int(try shop.memory.fileSize("/db/sst/" + $1))
        }
        for view in [[], ["--quick"], ["--dump"]] {
            let clock = ManualClock()
            let run = ToolRun(
                SSTVerify.self, ["/db", "--io-limit", "0.001"] + view,
                environment: StorageEnvironment(fileSystem: shop.memory, clock: clock),
                sleep: { clock.advance(micros: UInt64($0) * 1000) })
            #expect(run.exit == .clean, "\(run.output)\(run.diagnostics)")
            // A thousand bytes a second; a list leaves filters and blob files out.
            let seconds = Double(clock.monotonicNanos()) / 1e9
            let share = view == ["--dump"] ? 0.5 : 1
            #expect(seconds > Double(bytes) / 1000 * share - 0.2)
        }
    }

    @Test func progressShowsBytesFilesAndTheEnd() throws {
        let shop = try TableShop()
        let environment = StorageEnvironment(fileSystem: shop.memory, clock: SystemClock())
        let run = ToolRun(
            SSTVerify.self, ["/db", "--jobs", "1"], environment: environment, terminal: true)
        #expect(run.exit == .clean)
        #expect(run.diagnostics.contains("of 0 MiB"))
        #expect(run.diagnostics.contains("of 4 files"))
        #expect(run.diagnostics.hasSuffix("\r\u{1B}[K"))
        for arguments in [["--quiet"], []] {
            let quiet = ToolRun(
                SSTVerify.self, ["/db"] + arguments, environment: environment,
                terminal: !arguments.isEmpty)
            #expect(quiet.diagnostics.isEmpty)
        }
        #expect(ToolProgress.span(0.2) == "0:01" && ToolProgress.span(61) == "1:01")
        #expect(ToolProgress.span(7322) == "2:02:02")
    }

    @Test func anInterruptedRunSaysWhatItDidNotCheck() throws {
        let shop = try TableShop()
        for view in [[], ["--quick"], ["--histograms"]] {
            let atOnce = ToolRun(
                SSTVerify.self, ["/db"] + view, environment: shop.environment,
                interruption: { true })
            #expect(atOnce.exit == .interrupted && atOnce.output.contains("GEN008"))
            #expect(atOnce.output.contains("ended early: 0 files and 1 paths were not checked"))
        }
        // Somewhere in the middle: the files that are told of are whole.
        for turns in 2..<12 {
            let asked = Atomic<Int>(0)
            let run = ToolRun(
                SSTVerify.self, ["/db", "--jobs", "1", "--format", "jsonl"],
                environment: shop.environment,
                interruption: { asked.wrappingAdd(1, ordering: .relaxed).newValue > turns })
            #expect(run.exit == .interrupted)
            let records = run.lines.filter { $0.contains("\"type\":\"record\"") }
            #expect(records.count < 4 || run.output.contains("\"unchecked_files\":0"))
            #expect(records.allSatisfy { $0.contains("\"findings\":0") })
            #expect(run.output.contains("\"complete\":false"))
        }
        let dump = ToolRun(
            SSTVerify.self, ["/db", "--dump"], environment: shop.environment,
            interruption: { true })
        #expect(dump.exit == .interrupted && dump.output.contains("0 entries of 0 tables"))
    }

    @Test func errorsEndARunThatIsToEndWithThem() throws {
        let shop = try TableShop()
        try shop.damage(table: 0)
        try shop.damage(table: 1)
        let whole = shop.verify(["/db", "--format", "jsonl"])
        #expect(whole.lines.count { $0.contains("\"type\":\"record\"") } == 4)
        #expect(whole.output.contains("\"complete\":true"))
        for (arguments, files) in [
            (["--fail-fast"], 2), (["--max-errors", "1"], 2), (["--max-errors", "3"], 3),
            (["--max-errors", "100"], 4),
        ] {
            for jobs in ["1", "4"] {
                let run = shop.verify(["/db", "--format", "jsonl", "--jobs", jobs] + arguments)
                #expect(run.exit == .corruption)
                #expect(
                    run.lines.count { $0.contains("\"type\":\"record\"") } == files, "\(arguments)")
                #expect(run.output.contains("\"unchecked_files\":\(4 - files)"))
            }
        }
    }

    // MARK: - What is shown

    @Test func nothingOfARowIsShownUnlessAskedFor() throws {
        let shop = try TableShop()
        try shop.damage(table: 0)
        for view in [[], ["--quick"], ["--histograms"], ["--dump"]] {
            for format in OutputFormat.allCases.map(\.rawValue) {
                let run = shop.verify(["/db", "--format", format] + view)
                for secret in [TableShop.marker, Self.hex(TableShop.marker), "00000005000003e9"] {
                    #expect(!run.output.contains(secret), "\(view) \(format)")
                    #expect(!run.diagnostics.contains(secret), "\(view) \(format)")
                }
            }
        }
        #expect(
            shop.verify(["/db", "--dump", "--values", "text"]).output.contains(TableShop.marker))
    }

    private static func hex(_ text: String) -> String {
        text.utf8.map { String($0, radix: 16) }.joined()
    }

    @Test func aDumpHoldsEveryEntry() throws {
        let shop = try TableShop()
        let checked = shop.verify(["/db", "--format", "json"]).output
        let dump = shop.verify(["/db", "--dump", "--format", "jsonl"])
        let entries = dump.lines.filter { $0.contains("\"type\":\"record\"") }
        // The deleted range is none of the entries that a check counts.
        #expect(checked.contains("\"entries\":\(entries.count - 1),\n"))
        #expect(entries.count { $0.contains("\"range-delete\"") } == 1)
        #expect(entries.count { $0.contains("\"delete\"") } == 20)
        #expect(entries.count { $0.contains("\"value-reference\"") } == 1)
        // One file by itself, and a directory of tables without MANIFEST.
        let first = try shop.files(".sst")[0]
        let alone = shop.verify([first, "--dump", "--keys", "hex", "--limit", "5"])
        #expect(alone.exit == .clean && alone.output.contains("5 entries of 1 tables"))
        let blob = shop.verify([try shop.files(".blob")[0], "--dump"])
        #expect(blob.exit == .usage)
    }
}
