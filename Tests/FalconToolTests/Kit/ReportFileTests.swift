import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// --report: the whole report as JSON in a file, whatever standard output gets.
@Suite struct ReportFileTests {
    private func file(_ memory: MemoryFileSystem, _ path: String) throws -> [String: Any] {
        try #require(
            JSONSerialization.jsonObject(with: Data(try memory.contents(of: path)))
                as? [String: Any])
    }

    @Test(arguments: ["text", "json", "jsonl", "csv"])
    func theFileHoldsTheJSONWhateverIsPrinted(_ format: String) throws {
        let shop = try TableShop()
        try shop.damage(table: 1)
        let plain = shop.verify(["/db", "--format", format])
        let json = shop.verify(["/db", "--format", "json"])
        let run = ToolRun(
            SSTVerify.self, ["/db", "--format", format, "--report", "/report.json"],
            environment: shop.environment)
        #expect(run.exit == .corruption)
        #expect(run.output == plain.output && run.diagnostics == plain.diagnostics)
        let text = String(
            decoding: try shop.memory.contents(of: "/report.json"), as: UTF8.self)
        #expect(text == json.output)
        #expect(try file(shop.memory, "/report.json")["exit_code"] as? Int == 2)
        #expect(try !shop.memory.exists("/report.json.tmp"))
    }

    @Test func anOlderReportIsReplacedWhole() throws {
        let shop = try TableShop()
        try shop.memory.replace("/report.json", with: Array("old".utf8))
        // Of a run that was killed.
        try shop.memory.replace("/report.json.tmp", with: Array("half".utf8))
        let run = ToolRun(
            SSTVerify.self, ["/db", "--report", "/report.json"], environment: shop.environment)
        #expect(run.exit == .clean)
        #expect(try file(shop.memory, "/report.json")["complete"] as? Bool == true)
        #expect(try !shop.memory.exists("/report.json.tmp"))
    }

    @Test(arguments: [
        "/db/report.json", "/db/sst/report.json", "/db/../db/wal/r", "/db", "/db/sst/../r",
    ])
    func nothingIsWrittenWhereSomethingIsInspected(_ path: String) throws {
        let shop = try TableShop()
        let first = try shop.files(".sst")[0]
        for inspected in ["/db", "/db/sst", first] {
            let run = shop.verify([inspected, "--report", path])
            #expect(run.exit == .usage, "\(inspected): \(run.output)")
            #expect(run.output.contains("Nothing is ever written"), "\(run.output)")
        }
        let before = shop.memory.snapshotContents()
        for inspected in ["/db", "/db/wal"] {
            let run = ToolRun(
                WALInspect.self, [inspected, "--report", path], environment: shop.environment)
            #expect(run.exit == .usage, "\(inspected): \(run.output)")
        }
        #expect(shop.memory.snapshotContents() == before)
    }

    @Test func aDirectoryIsNoFile() throws {
        let shop = try TableShop()
        try shop.memory.createDirectory("/place")
        #expect(shop.verify(["/db", "--report", "/place"]).exit == .usage)
    }

    /// The report is there when the reader of standard output left, and says what the run found.
    @Test func aReaderThatLeavesDoesNotCutTheReport() throws {
        let shop = try TableShop()
        let run = ToolRun(
            SSTVerify.self, ["/db", "--report", "/report.json"], environment: shop.environment,
            readerLeavesAfter: 1)
        #expect(run.exit == .clean)
        let report = try file(shop.memory, "/report.json")
        #expect(report["complete"] as? Bool == true)
        #expect((report["records"] as? [Any])?.count == 4)
    }

    @Test func anInterruptedRunLeavesAReportThatSaysSo() throws {
        let shop = try TableShop()
        let run = ToolRun(
            SSTVerify.self, ["/db", "--report", "/report.json"], environment: shop.environment,
            interruption: { true })
        #expect(run.exit == .interrupted)
        let report = try file(shop.memory, "/report.json")
        #expect(report["complete"] as? Bool == false)
        #expect(report["exit_code"] as? Int == 8)
    }

    /// Where the file cannot be written the exit code says so, and the old one stays.
    @Test func aFailedWriteIsTold() throws {
        let shop = try TableShop()
        try shop.memory.replace("/report.json", with: Array("old".utf8))
        let faulty = FaultInjectingFileSystem(
            shop.memory,
            rule: FaultRule(
                .operation(.write), pathContains: "report.json.tmp", index: 0, count: 1_000_000,
                errno: 28))
        let run = ToolRun(
            SSTVerify.self, ["/db", "--report", "/report.json"],
            environment: StorageEnvironment(fileSystem: faulty, clock: shop.clock))
        #expect(run.exit == .io, "\(run.output)\(run.diagnostics)")
        #expect(try shop.memory.contents(of: "/report.json") == Array("old".utf8))
    }

    @Test func theLogsReportHoldsWhatItsJSONHolds() throws {
        let log = try LogScenarios.shop()
        try log.write()
        for view in [[], ["--records"], ["--data"], ["--stats"]] {
            let json = ToolRun(
                WALInspect.self, ["/db", "--format", "json"] + view, environment: log.environment)
            let run = ToolRun(
                WALInspect.self, ["/db", "--report", "/report.json"] + view,
                environment: log.environment)
            #expect(run.exit == json.exit)
            let text = String(
                decoding: try log.fileSystem.contents(of: "/report.json"), as: UTF8.self)
            // How fast a run was differs from one to the next.
            #expect(view == ["--stats"] || text == json.output)
        }
        let follow = ToolRun(
            WALInspect.self, ["/db", "--follow", "--report", "/r"], environment: log.environment)
        #expect(follow.exit == .usage)
    }
}
