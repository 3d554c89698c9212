import FalconToolKit
import Glibc
import Testing

@testable import FalconStorage

/// What the server refuses, no tool may call sound.
@Suite struct RefusedDirectoryTests {
    /// A killed engine with tables and rows behind them, in several segments.
    private func directory(reopens: Bool = false) throws -> EngineHistory {
        let history = try EngineHistory(seed: 21)
        // Enough for segments that grow to twice their size for want of a spare.
        try history.run(900, valueBytes: 400, maintains: false)
        // A segment begun behind the flush would hold nothing that the tables vouch for.
        var names: [String] = []
        for _ in 0..<20 where try names.isEmpty || segments(history.fileSystem) != names {
            try history.engine.flush()
            if reopens { try history.reopen() }
            names = try segments(history.fileSystem)
            try history.run(3, maintains: false)
        }
        #expect(try segments(history.fileSystem) == names)
        // Replaced tables are unlinked in the background: until then they would be orphans.
        try history.engine.awaitIdle()
        return history
    }

    private func clone(_ history: EngineHistory) -> MemoryFileSystem {
        history.fileSystem.crashClone(.keepUnsynced)
    }

    private func run<Tool: ToolCommand>(
        _ tool: Tool.Type, _ fileSystem: MemoryFileSystem, _ arguments: String...
    ) -> ToolRun {
        let before = fileSystem.snapshotContents()
        let run = ToolRun(
            tool, ["/db"] + arguments,
            environment: StorageEnvironment(fileSystem: fileSystem, clock: ManualClock()))
        if !arguments.contains("--out") { #expect(fileSystem.snapshotContents() == before) }
        return run
    }

    /// Each tool's exit, after the server's own judgement.
    private func expectRefused(
        _ fileSystem: MemoryFileSystem, _ what: String, naming text: String? = nil
    ) {
        var options = EngineOptions()
        options.isReadOnly = true
        do throws(StorageError) {
            let engine = try StorageEngine.open(
                at: "/db", options: options,
                environment: StorageEnvironment(fileSystem: fileSystem, clock: ManualClock()))
            try? engine.close()
            Issue.record("\(what): the engine opens it")
        } catch {
            #expect(error.code == .corruption, "\(what): \(error)")
        }
        let inspected = run(WALInspect.self, fileSystem)
        #expect(inspected.exit == .corruption, "\(what): wal-inspect \(inspected.output)")
        let verified = run(SSTVerify.self, fileSystem)
        #expect(verified.exit == .corruption, "\(what): sst-verify \(verified.output)")
        #expect(!verified.output.contains("all sound"), "\(what): \(verified.output)")
        #expect(!verified.output.contains("removes it"), "\(what): \(verified.output)")
        let tailed = run(CDCTail.self, fileSystem, "--rows-only")
        #expect(tailed.exit == .corruption, "\(what): cdc-tail \(tailed.diagnostics)")
        guard let text else { return }
        for said in [inspected.output, verified.output, tailed.diagnostics] {
            #expect(said.contains(text), "\(what): \(said)")
        }
    }

    private func segments(_ fileSystem: MemoryFileSystem) throws -> [String] {
        try fileSystem.list("/db/wal").filter { $0.hasSuffix(".wal") }.sorted()
            .map { "/db/wal/" + $0 }
    }

    @Test func aSoundDirectoryIsSound() throws {
        let fileSystem = clone(try directory())
        #expect(run(WALInspect.self, fileSystem).exit == .clean)
        #expect(run(SSTVerify.self, fileSystem).exit == .clean)
        #expect(run(PITRRestore.self, fileSystem, "--to-latest", "--out", "/new").exit == .clean)
    }

    @Test func aMissingSegmentIsFound() throws {
        for reopens in [false, true] {
            let base = clone(try directory(reopens: reopens))
            let names = try segments(base)
            #expect(names.count > 2)
            let fileSystem = base.crashClone(.keepUnsynced)
            let newest = try #require(names.last)
            try fileSystem.remove(newest)
            expectRefused(fileSystem, "newest missing", naming: newest)
            let inspected = run(WALInspect.self, fileSystem, "--format", "json")
            #expect(inspected.output.contains("\"verdict\":\"corruption\""))
            #expect(inspected.output.contains("\"manifest\":\"/db/MANIFEST-"))
            let latest = run(PITRRestore.self, fileSystem, "--to-latest", "--out", "/new")
            #expect(latest.exit == .corruption && latest.output.contains("--to-lsn"))
            #expect(try !fileSystem.exists("/new"))
        }
    }

    /// The tables hold commits that the log lacks: they are not what the state at its end was.
    @Test func theLogsLastGoodPointIsRestoredWithoutTheTables() throws {
        let history = try directory()
        let fileSystem = clone(history)
        try fileSystem.remove(try #require(try segments(fileSystem).last))
        let reader = try WALReader(directory: "/db/wal", fileSystem: fileSystem)
        while try reader.next() != nil {}
        let end = reader.verdict.end
        let run = run(
            PITRRestore.self, fileSystem, "--to-lsn", end.description, "--out", "/new")
        #expect(run.exit == .benign, "\(run.output)")
        let expected = try #require(history.commits.last { $0.receipt.lsn <= end })
        let environment = StorageEnvironment(fileSystem: fileSystem, clock: ManualClock())
        #expect(try environment.rows(at: "/new") == expected.rows)
    }

    @Test func aMissingLogIsFound() throws {
        let base = clone(try directory())
        for name in try base.list("/db/wal") { try base.remove("/db/wal/" + name) }
        expectRefused(base, "log emptied", naming: "no log")
        let emptied = run(PITRRestore.self, base, "--to-latest", "--out", "/new")
        #expect(emptied.exit == .corruption && emptied.output.contains("no log"))
        try base.removeDirectory("/db/wal")
        expectRefused(base, "log removed", naming: "no log")
        let removed = run(PITRRestore.self, base, "--to-latest", "--out", "/new")
        #expect(removed.exit == .corruption && removed.output.contains("no log"))
    }

    @Test func missingAndDamagedMarkersAreFound() throws {
        let base = clone(try directory())
        let manifest = try #require(try base.list("/db").first { $0.hasPrefix("MANIFEST-") })
        for name in ["CURRENT", manifest, "FORMAT"] {
            let missing = base.crashClone(.keepUnsynced)
            try missing.remove("/db/" + name)
            expectRefused(missing, "\(name) missing", naming: "/db/" + name)
            let damaged = base.crashClone(.keepUnsynced)
            try LogFixture.patch(damaged, "/db/" + name) { $0[9] ^= 1 }
            expectRefused(damaged, "\(name) damaged", naming: "/db/" + name)
            for fileSystem in [missing, damaged] {
                let run = run(PITRRestore.self, fileSystem, "--to-latest", "--out", "/new")
                #expect(run.exit == .benign && run.output.contains("PITR004"), "\(run.output)")
            }
        }
    }

    @Test func aMissingTableIsReplacedByTheLogOrNamed() throws {
        let base = clone(try directory())
        let table = "/db/sst/" + (try #require(try base.list("/db/sst").first))
        let other = base.crashClone(.keepUnsynced)
        try base.remove(table)
        let run = run(PITRRestore.self, base, "--to-latest", "--out", "/new")
        #expect(run.exit == .benign && run.output.contains("PITR005"), "\(run.output)")
        #expect(!run.diagnostics.contains("starting over"), "\(run.diagnostics)")
        #expect(run.output.contains(table))
        try other.remove(try #require(try segments(other).first))
        try other.remove(table)
        let lost = self.run(PITRRestore.self, other, "--to-latest", "--out", "/new")
        #expect(lost.exit == .corruption && lost.output.contains(table), "\(lost.output)")
        #expect(!lost.output.contains("PITR005") && !lost.diagnostics.contains("starting over"))
    }

    /// A server that writes removes what is about to be copied, again and again: that is no fault of the device.
    @Test(arguments: [["/sst/", "--base", "tables"], ["/wal/", "--base", "log"]])
    func filesThatGoBeforeTheyAreCopiedAreOfAServer(_ arguments: [String]) throws {
        let base = clone(try directory())
        var told = 0
        for index in 0... {
            let files = FaultInjectingFileSystem(
                base.fork(),
                rule: FaultRule(
                    .operation(.open), pathContains: "/db" + arguments[0], index: index,
                    count: .max, errno: ENOENT))
            let run = ToolRun(
                PITRRestore.self,
                ["/db", "--to-latest", "--out", "/new"] + arguments.dropFirst(),
                environment: StorageEnvironment(fileSystem: files, clock: ManualClock()))
            if files.injectedCount == 0 {
                #expect(run.exit == .clean, "\(run.output)")
                break
            }
            #expect(run.exit != .io, "open \(index): \(run.output)\(run.diagnostics)")
            if run.exit == .inUse {
                told += 1
                #expect(run.diagnostics.contains("starting over"))
                #expect((run.output + run.diagnostics).contains("apply --repo"))
            }
        }
        // A table that the next try does not find either is missing.
        #expect(told > 0 || arguments[0] == "/sst/")
    }

    @Test func nothingReadIsNotSound() throws {
        let run = ToolRun(
            SSTVerify.self, ["/nonexistent"],
            environment: StorageEnvironment(
                fileSystem: MemoryFileSystem(), clock: ManualClock()))
        #expect(run.exit == .io && !run.output.contains("sound"), "\(run.output)")
    }
}
