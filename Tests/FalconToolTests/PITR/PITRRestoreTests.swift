import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

struct PITRRestoreTests {
    private func time(_ commit: EngineHistory.Commit) -> String {
        ToolTime.format(commit.receipt.timestamp)
    }

    @Test func theLogAloneGivesTheSameAsTheTables() throws {
        let history = try EngineHistory(seed: 5)
        try history.run(60)
        try history.engine.flush()
        try history.run(10, maintains: false)
        try history.close()
        let tables = history.restore("--to-latest", "--base", "tables", out: "/a")
        let log = history.restore("--to-latest", "--base", "log", out: "/b")
        #expect(tables.exit == .clean && tables.output.contains("tables, up to"))
        #expect(log.exit == .clean && log.output.contains("base:          none"))
        #expect(try history.rows(at: "/a") == history.rows(at: "/b"))
        #expect(try history.rows(at: "/a") == history.commits.last?.rows)
    }

    @Test func targetsOutsideTheReachableRangeAreNamed() throws {
        let history = try EngineHistory(seed: 6)
        try history.run(20)
        try history.close()
        let last = try #require(history.commits.last)
        for arguments in [
            ["--to-lsn", "0/1"],
            ["--to-lsn", last.receipt.lsn.advanced(by: 1 << 30).description],
            ["--to-time", "2020-01-01"], ["--to-time", "2030-01-01"],
        ] {
            let run = history.restore(arguments[0], arguments[1])
            #expect(run.exit == .unreachable, "\(arguments)")
            #expect(run.output.contains("PITR001"))
            #expect(run.output.contains(time(last)), "\(run.output)")
            #expect(try !history.fileSystem.exists("/new"))
        }
    }

    @Test func anIdleTimeBeforeACleanCloseIsReached() throws {
        let history = try EngineHistory(seed: 21)
        try history.run(20)
        let last = try #require(history.commits.last)
        history.clock.advance(micros: 5_000_000)
        try history.close()
        let idle = ToolTime.format(history.clock.wallMicros() - 2_000_000)
        let run = history.restore("--to-time", idle)
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try history.rows(at: "/new") == last.rows)
        let closing = history.restore(
            "--to-time", ToolTime.format(history.clock.wallMicros()), out: "/closing")
        #expect(closing.exit == .clean, "\(closing.output)")
        let beyond = history.restore(
            "--to-time", ToolTime.format(history.clock.wallMicros() + 1), out: "/beyond")
        #expect(beyond.exit == .unreachable, "\(beyond.output)")
    }

    @Test func aTimeThatALiveIdleServerClosedIsReached() throws {
        let history = try EngineHistory(seed: 22)
        try history.run(20)
        let last = try #require(history.commits.last)
        history.clock.advance(micros: 5_000_000)
        let idle = ToolTime.format(history.clock.wallMicros() - 2_000_000)
        let before = history.restore("--to-time", idle)
        #expect(before.exit == .unreachable, "\(before.output)")
        let side = try history.engine.writable()
        try side.pipeline.closeTimestamp()
        try side.wal.sync()
        let run = history.restore("--to-time", idle)
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try history.rows(at: "/new") == last.rows)
        try history.close()
    }

    @Test func aReleasedLogLimitsTheRangeToItsTables() throws {
        let history = try EngineHistory(seed: 7) { $0.walRetainBytes = 0 }
        try history.run(400, valueBytes: 2000, maintains: false)
        try history.engine.flush()
        let flushed = history.commits.count
        try history.run(10, maintains: false)
        try history.close()
        // The first segment is gone.
        let first = FileNames(root: "/db").walSegment(WALSegmentNumber(1))
        try #require(try !history.fileSystem.exists(first))
        let early = history.restore("--to-lsn", history.commits[3].receipt.lsn.description)
        #expect(early.exit == .unreachable, "\(early.output)")
        for index in flushed - 1..<history.commits.count {
            let commit = history.commits[index]
            let run = history.restore("--to-lsn", commit.receipt.lsn.description)
            #expect(run.exit == .clean, "\(index): \(run.output)")
            #expect(try history.rows(at: "/new") == commit.rows)
            try history.fileSystem.removeTree("/new")
        }
        // The earliest point that the refusal names can be restored.
        let text = try #require(early.output.firstMatch(of: /earliest point is LSN ([0-9A-F\/]+)/))
        #expect(history.restore("--to-lsn", String(text.output.1)).exit == .clean)
    }

    @Test func keptVersionsInTablesReachBehindTheLog() throws {
        let history = try EngineHistory.withVersionsOlderThanItsLog(seed: 8)
        for index in stride(from: 0, to: 305, by: 4) {
            let commit = history.commits[index]
            let run = history.restore("--to-time", time(commit))
            #expect(run.exit == .clean, "\(run.output)")
            let isFiltered = run.output.contains("versions up to the target only")
            #expect(isFiltered == (index < 299), "commit \(index)")
            #expect(try history.rows(at: "/new") == commit.rows, "commit \(index)")
            try history.fileSystem.removeTree("/new")
        }
        // Before the directory was made there is nothing to restore.
        #expect(history.restore("--to-time", "2000-01-01").exit == .unreachable)
    }

    /// Tables that hold nothing yet are no base for what only the log has.
    @Test func whatNoTableHasIsReplayedOverTheTables() throws {
        let history = try EngineHistory(seed: 31)
        try history.run(20, maintains: false)
        try history.close()
        let run = history.restore("--to-latest", "--base", "tables")
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try history.rows(at: "/new") == history.commits.last?.rows)
    }

    @Test func theRestoredDirectoryIsABranchOfItsOwn() throws {
        let history = try EngineHistory(seed: 9)
        try history.run(40)
        let used = history.engine.allocateTransactionID()
        try history.close()
        let commit = history.commits[20]
        let run = history.restore(
            "--to-lsn", commit.receipt.lsn.description, "--format", "json")
        #expect(run.exit == .clean)
        let report = try run.report
        let result = try #require(report["result"] as? [String: Any])
        #expect(result["branch"] as? String != result["parent_branch"] as? String)
        let plan = try #require(report["plan"] as? [String: Any])
        let last = plan["last_commit"] as? [String: Any]
        #expect(last?["end_lsn"] as? String == commit.receipt.lsn.description)

        // It lives on: new numbers, new commits, and a restore of the restore.
        var options = EngineOptions()
        options.walRetainBytes = .max
        let engine = try StorageEngine.open(
            at: "/new", options: options, environment: history.environment)
        #expect(engine.allocateTransactionID() > used)
        let batch = WriteBatch()
        try history.put("new", "born", into: batch)
        let receipt = try engine.commitAndWait(batch)
        #expect(receipt.timestamp > (history.commits.last?.receipt.timestamp ?? .max))
        try engine.close()
        let again = ToolRun(
            PITRRestore.self, ["/new", "--to-latest", "--out", "/newer"],
            environment: history.environment)
        #expect(again.exit == .clean, "\(again.output)")
        var expected = commit.rows
        expected["new"] = "born"
        #expect(try history.rows(at: "/newer") == expected)
        // Before the fork lies the past it shares with its parent, at the same LSNs.
        let past = ToolRun(
            PITRRestore.self,
            ["/new", "--to-lsn", commit.receipt.lsn.description, "--out", "/past"],
            environment: history.environment)
        #expect(past.exit == .clean, "\(past.output)")
        #expect(try history.rows(at: "/past") == commit.rows)
    }

    @Test func aLiveDirectoryIsRestoredToWhatIsCommitted() throws {
        let history = try EngineHistory(seed: 10)
        try history.run(50)
        let run = history.restore("--to-latest")
        #expect(run.exit == .clean, "\(run.output)")
        let restored = try history.rows(at: "/new")
        // The committed LSN that the log states may be one group behind.
        #expect(history.commits.suffix(2).contains { $0.rows == restored })
        try history.close()
    }

    /// Whoever opens the directory first need not replay the log once more.
    @Test func whatWasReplayedIsInTables() throws {
        let history = try EngineHistory(seed: 12)
        try history.run(40, maintains: false)
        try history.close()
        let run = history.restore("--to-latest", "--base", "log")
        #expect(run.exit == .clean, "\(run.output)")
        let last = try #require(history.commits.last)
        let source = try RestoreSource.survey(
            root: "/new", target: .latest, environment: history.environment
        ).source
        #expect(source.tableCount > 0)
        let flushed = try #require(source.flushedLSN)
        #expect(flushed >= last.receipt.lsn)
        #expect(try history.rows(at: "/new") == last.rows)
    }

    @Test(arguments: [".sst", ".blob"])
    func aDamagedFileIsReplacedByTheLog(_ suffix: String) throws {
        let history = try EngineHistory(seed: 11)
        try history.run(50, maintains: false)
        try history.engine.flush()
        try history.close()
        let name = try #require(
            try history.fileSystem.list("/db/sst").first { $0.hasSuffix(suffix) })
        let file = try history.fileSystem.open("/db/sst/" + name, .readWrite)
        let byte = try file.readExactly(1, at: 100)[0]
        try file.write([byte ^ 4], at: 100)
        let run = history.restore("--to-latest")
        #expect(run.exit == .benign && run.output.contains("PITR005"), "\(run.output)")
        #expect(try history.rows(at: "/new") == history.commits.last?.rows)
        let strict = history.restore("--to-latest", "--base", "tables", out: "/other")
        #expect(strict.exit == .corruption)
        #expect(try !history.fileSystem.exists("/other"))
        #expect(try !history.fileSystem.exists("/other.partial"))
    }

    @Test func aDamagedLogIsRestoredUpToTheDamage() throws {
        let history = try EngineHistory(seed: 12)
        try history.run(50, maintains: false)
        try history.close()
        let path = FileNames(root: "/db").walSegment(WALSegmentNumber(1))
        let bytes = try history.fileSystem.contents(of: path)
        let place = try #require(bytes.indices.last { bytes[$0] == UInt8(ascii: "x") })
        let file = try history.fileSystem.open(path, .readWrite)
        try file.write([UInt8(ascii: "y")], at: UInt64(place))
        let latest = history.restore("--to-latest")
        #expect(latest.exit == .corruption && latest.output.contains("--to-lsn"))
        let commit = history.commits[10]
        let run = history.restore("--to-lsn", commit.receipt.lsn.description)
        #expect(run.exit == .benign && run.output.contains("PITR003"), "\(run.output)")
        #expect(try history.rows(at: "/new") == commit.rows)
    }

    @Test func nothingIsOverwritten() throws {
        let history = try EngineHistory(seed: 13)
        try history.run(10)
        try history.close()
        try history.fileSystem.createDirectory("/full")
        try history.fileSystem.createDirectory("/full/x")
        #expect(history.restore("--to-latest", out: "/full").exit == .usage)
        #expect(history.restore("--to-latest", out: "/db/inner").exit == .usage)
        #expect(history.restore("--to-latest", out: "/db").exit == .usage)
        #expect(history.restore("--to-latest", "--to-lsn", "0/10").exit == .usage)
        #expect(history.restore(out: "/new").exit == .usage)
        #expect(history.restore("--to-latest", out: nil).exit == .usage)
        try history.fileSystem.createDirectory("/taken.partial")
        try history.fileSystem.createDirectory("/taken.partial/x")
        #expect(history.restore("--to-latest", out: "/taken").exit == .usage)
        let before = try history.fingerprint("")
        #expect(history.restore("--to-latest", "--dry-run", out: nil).exit == .clean)
        #expect(history.restore("--to-latest", "--dry-run").exit == .clean)
        #expect(try history.fingerprint("") == before)
        try history.fileSystem.createDirectory("/void")
        #expect(history.restore("--to-latest", out: "/void").exit == .clean)
    }

    @Test func anInterruptedRestoreLeavesNothingBehind() throws {
        let history = try EngineHistory(seed: 14)
        try history.run(50)
        try history.engine.flush()
        try history.close()
        let run = ToolRun(
            PITRRestore.self, ["/db", "--to-latest", "--out", "/new"],
            environment: history.environment, interruption: { true })
        #expect(run.exit == .interrupted)
        #expect(try !history.fileSystem.exists("/new"))
        #expect(try !history.fileSystem.exists("/new.partial"))
        // A killed one leaves a marked directory, which the next replaces.
        try history.fileSystem.createDirectory("/new.partial")
        try history.fileSystem.open("/new.partial/" + RestoreExecutor.marker, .create).close()
        try history.fileSystem.createDirectory("/new.partial/wal")
        #expect(history.restore("--to-latest").exit == .clean)
    }
}
