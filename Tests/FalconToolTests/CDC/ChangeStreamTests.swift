import FalconSchema
import FalconToolKit
import Foundation
import Synchronization
import Testing

@testable import FalconStorage

/// Where a stream begins and ends, what it shows, and how it exits.
@Suite struct ChangeStreamTests {
    private func run(_ log: LogBuilder, _ arguments: String...) -> ToolRun {
        ToolRun(CDCTail.self, [log.root] + arguments, environment: log.environment)
    }

    /// Ten commits of a row each, 10 µs apart; the first after the table's own.
    private func rows() throws -> (log: LogBuilder, start: UInt64) {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        let start = log.clock.wallMicros()
        try log.commit([TestTable.database("shop", 5), table.create])
        for id in 1...10 { try log.commit([try table.put(id, "x")]) }
        try log.close()
        return (log, start)
    }

    private func ids(_ run: ToolRun) throws -> [Int] {
        try run.lines.compactMap {
            let event = try #require(
                JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            return (event["key"] as? [String: Any])?["id"] as? Int
        }
    }

    @Test func timesChooseTransactions() throws {
        let (log, start) = try rows()
        // Commit n is at start + 10 (n + 1) µs.
        func time(_ id: Int) -> String { ToolTime.format(start + UInt64(10 * (id + 1))) }
        #expect(try ids(run(log, "--from-time", time(4))) == Array(4...10))
        #expect(try ids(run(log, "--until-time", time(4))) == Array(1...4))
        let between = ToolTime.format(start + 10 * 5 + 3)
        #expect(try ids(run(log, "--from-time", between)) == Array(5...10))
        #expect(try ids(run(log, "--until-time", between)) == Array(1...4))
        #expect(try ids(run(log, "--from-time", time(3), "--until-time", time(5))) == [3, 4, 5])
        #expect(run(log, "--from-time", time(5), "--until-time", time(3)).exit == .usage)
        #expect(run(log, "--from-time", "yesterday").exit == .usage)
    }

    @Test func columnsKeysAndTransactionsAreSelected() throws {
        let (log, _) = try rows()
        #expect(try ids(run(log, "--key-from", "3", "--key-to", "5")) == [3, 4, 5])
        #expect(try ids(run(log, "--key-from", "9")) == [9, 10])
        let none = run(log, "--key-to=-1")
        #expect(none.exit == .clean && none.output.contains("schema"))
        #expect(try ids(none).isEmpty)
        let wrong = run(log, "--key-from", "three")
        #expect(wrong.exit == .usage && wrong.diagnostics.contains("is no key of public.t"))
        let one = run(log, "--column", "n*", "--rows-only", "--transaction", "3")
        #expect(one.lines.count == 1)
        #expect(one.output.contains("\"after\":{\"id\":2,\"note\":\"x\"}"))
        #expect(try ids(run(log, "--transaction", "3", "--transaction", "5")) == [2, 4])
        #expect(run(log, "--transaction", "999").output.isEmpty)
        // Without --op all; with it only what is named.
        #expect(run(log, "--op", "schema").lines.count == 3)
    }

    @Test func aCursorGoesOnWhereStandardOutputEnded() throws {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        try log.fileSystem.createDirectory("/state")
        try log.commit([table.create])
        var shown = ""
        for id in 1...6 {
            try log.commit([try table.put(id, "x")])
            let one = run(log, "--cursor", "/state/c")
            #expect(one.exit == .clean, "\(one.diagnostics)")
            shown += one.output
        }
        #expect(run(log, "--cursor", "/state/c").output.isEmpty)
        try log.close()
        #expect(shown == run(log).output)
        // What nobody took is shown again.
        try log.fileSystem.remove("/state/c")
        let cut = ToolRun(
            CDCTail.self, [log.root, "--cursor", "/state/c"], environment: log.environment,
            readerLeavesAfter: 200)
        #expect(cut.exit == .clean && cut.diagnostics.isEmpty)
        #expect(run(log, "--cursor", "/state/c").output == shown)
        let bytes = try log.fileSystem.contents(of: "/state/c")
        #expect(bytes.count <= 1024 && String(decoding: bytes, as: UTF8.self).contains("end_lsn="))
    }

    /// Runs until `step` says false, called at each look at a quiet log.
    private func follow(
        _ log: LogBuilder, _ arguments: [String], _ step: @escaping (Int) throws -> Bool
    ) throws -> ToolRun {
        let out = MemoryStream()
        let err = MemoryStream()
        let stop = Atomic<Bool>(false)
        let looks = Atomic<Int>(0)
        nonisolated(unsafe) let step = step
        let context = ToolContext(
            standardOutput: out, standardError: err, environment: log.environment,
            interruption: { stop.load(ordering: .relaxed) },
            sleep: { _ in
                let look = looks.wrappingAdd(1, ordering: .relaxed).oldValue
                let goesOn = (try? step(look)) ?? false
                if !goesOn { stop.store(true, ordering: .relaxed) }
            })
        let exit = ToolRunner.run(CDCTail.self, [log.root, "--follow"] + arguments, context)
        return ToolRun(exit: exit, output: out.text, diagnostics: err.text)
    }

    /// Waits until the log's own bytes say that the last commit is one.
    private func settle(_ log: LogBuilder) throws {
        let end = try #require(log.commits.last).end
        while true {
            let reader = try WALReader(
                directory: FileNames(root: log.root).walDirectory, fileSystem: log.fileSystem,
                mode: .follow)
            while try reader.next() != nil {}
            if reader.committedLSN >= end { return }
            usleep(200)
        }
    }

    @Test func heartbeatsSayHowFarTheStreamIs() throws {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        try log.commit([table.create])
        try settle(log)
        let lock = try log.fileSystem.lock(FileNames(root: log.root).lock)
        let run = try follow(log, ["--table", "other", "--heartbeat-seconds", "2"]) { look in
            log.clock.advance(micros: 1_000_000)
            if look == 3 {
                try log.commit([try table.put(1, "x")])
                try self.settle(log)
            }
            return look < 10
        }
        let none = try follow(log, ["--table", "other", "--heartbeat-seconds", "0"]) { look in
            log.clock.advance(micros: 1_000_000)
            return look < 10
        }
        lock.release()
        try log.close()
        #expect(run.exit == .clean && none.output.isEmpty)
        let beats = try run.lines.map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(beats.count == 5, "\(run.output)")
        #expect(beats.allSatisfy { $0["op"] as? String == "heartbeat" })
        #expect(beats.allSatisfy { $0["lag_ms"] as? Int == 0 })
        // The hidden row's commit is passed all the same.
        let end = try #require(log.commits.last).end
        #expect(beats.last?["lsn"] as? String == end.description)
        #expect(beats.first?["lsn"] as? String == log.commits[0].end.description)
    }

    /// A busy stream beats between two transactions, and says how old what it has come to is.
    @Test func aBusyStreamBeatsBetweenTransactions() throws {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        try log.commit([table.create])
        try settle(log)
        let lock = try log.fileSystem.lock(FileNames(root: log.root).lock)
        let run = try follow(log, ["--heartbeat-seconds", "2", "--op", "insert"]) { look in
            guard look == 0 else { return false }
            for id in 1...3 { try log.commit([try table.put(id, "x")]) }
            try self.settle(log)
            log.clock.advance(micros: 3_000_000)
            return true
        }
        lock.release()
        try log.close()
        let events = try run.lines.map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let row = ["begin", "insert", "commit"]
        #expect(
            events.compactMap { $0["op"] as? String } == row + ["heartbeat"] + row + row,
            "\(run.output)")
        let beat = try #require(events.first { $0["op"] as? String == "heartbeat" })
        #expect(beat["lsn"] as? String == log.commits[1].end.description)
        let lag = try #require(beat["lag_ms"] as? Int)
        #expect(lag >= 3000)
    }

    @Test(arguments: [
        (["--dialect", "falcon"], #""op":"heartbeat""#),
        (["--dialect", "debezium"], #""lag_bytes":"#),
        (["--dialect", "wal2json-v2"], #""prefix":"falcon.heartbeat""#),
        (["--dialect", "cloudevents"], #""type":"com.falcondb.cdc.heartbeat""#),
        (["--format", "text"], "HEARTBEAT "), (["--format", "csv"], ",heartbeat,"),
    ])
    func everyFormHasHeartbeats(_ form: [String], _ sign: String) throws {
        let log = try LogBuilder()
        try log.commit([TestTable("t", storage: 1001).create])
        try settle(log)
        let lock = try log.fileSystem.lock(FileNames(root: log.root).lock)
        let run = try follow(log, form + ["--rows-only", "--heartbeat-seconds", "1"]) { look in
            log.clock.advance(micros: 1_000_000)
            return look < 2
        }
        lock.release()
        try log.close()
        #expect(run.exit == .clean)
        #expect(run.output.components(separatedBy: sign).count == 3, "\(run.output)")
    }

    @Test func followingEndsAtATimeThatIsClosed() throws {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        try log.commit([table.create])
        let lock = try log.fileSystem.lock(FileNames(root: log.root).lock)
        let until = log.clock.wallMicros() + 1_000_000
        let run = try follow(
            log, ["--until-time", ToolTime.format(until), "--heartbeat-seconds", "0"]
        ) { look in
            if look == 0 { try log.commit([try table.put(1, "x")]) }
            if look == 1 { log.clock.advance(micros: 2_000_000) }
            if look == 2 {
                try log.writer.append(
                    .closedTimestamp,
                    ClosedTimestampRecord(
                        timestamp: .newest(atMicrosSince1970: log.clock.wallMicros()),
                        wallMicros: log.clock.wallMicros()
                    ).encoded())
                try log.writer.sync()
            }
            // The row's commit may take until the log says so.
            usleep(200)
            return look < 50_000
        }
        lock.release()
        try log.close()
        #expect(run.exit == .clean)
        #expect(try ids(run) == [1])
    }

    @Test func aLargeTransactionIsReadFromTheLogAgain() throws {
        let log = try LogBuilder(segmentBytes: 4 << 20)
        let table = TestTable("t", storage: 1001)
        try log.commit([table.create])
        let note = String(repeating: "n", count: 10_000)
        let count = 1200
        try log.commit(try (1...count).map { try table.put($0, note) }, parts: 12)
        try log.commit([try table.put(5000, "after")])
        try log.close()
        let shown = run(log)
        #expect(shown.exit == .clean)
        #expect(try ids(shown) == Array(1...count) + [5000])
        // The same operations, held or not.
        var counts: [Int] = []
        for limit in [0, 1 << 20, Int.max] {
            let reader = try ChangeReader(
                root: log.root, fileSystem: log.fileSystem, mode: .dead, heldPartBytes: limit)
            var operations = 0
            var large = 0
            while let event = try reader.next() {
                guard case .transaction(let transaction) = event else { continue }
                if transaction.isLarge { large += 1 }
                try transaction.forEachOperation { _ throws(StorageError) in
                    operations += 1
                    return true
                }
            }
            counts.append(operations)
            #expect(large == (limit == .max ? 0 : 1))
        }
        #expect(Set(counts) == [count + 2], "\(counts)")
        // Its reader leaves amid it.
        let cut = ToolRun(
            CDCTail.self, [log.root], environment: log.environment, readerLeavesAfter: 100_000)
        #expect(cut.exit == .clean && cut.diagnostics.isEmpty)
        let interrupted = ToolRun(
            CDCTail.self, [log.root], environment: log.environment, interruption: { true })
        #expect(interrupted.exit == .interrupted)
    }

    @Test func whatARestartDidNotKeepIsSaid() throws {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        try log.fileSystem.createDirectory("/state")
        try log.commit([table.create])
        try log.fileSystem.syncDirectory("/")
        try log.fileSystem.syncDirectory(log.root)
        // As a machine that lost the end of the log: the next incarnation begins behind a gap.
        let image = log.fileSystem.fork()
        try log.commit([try table.put(1, "lost")])
        #expect(run(log, "--cursor", "/state/c").exit == .clean)
        let state = try log.fileSystem.contents(of: "/state/c")
        let other = try LogBuilder(after: image)
        try other.fileSystem.createDirectoryIfMissing("/state")
        try other.fileSystem.replace("/state/c", with: state)
        try other.commit([try table.put(2, "kept")])
        try other.close()
        let shown = run(other, "--cursor", "/state/c")
        #expect(shown.exit == .unreachable, "\(shown.output) \(shown.diagnostics)")
        #expect(shown.diagnostics.contains("never took place"))
        try log.close()
    }

    // MARK: - Exits

    @Test(arguments: [
        ["--dialect", "debezium", "--format", "csv"],
        ["--dialect", "avro"],
        ["--debezium-keys"],
        ["--dialect", "wal2json-v2", "--debezium-tombstones"],
        ["--sink", "/out/x", "--format", "json"],
        ["--sink", "/out/x", "--cursor", "/out/c"],
        ["--rotate-bytes", "10"],
        ["--sink", "/out/x", "--rotate-bytes", "0"],
        ["--snapshot", "--from-lsn", "0/10"],
        ["--follow", "--past-damage"],
        ["--op", "upsert"],
        ["--poll-ms", "0"],
    ])
    func whatDoesNotFitTogetherIsAUsageError(_ arguments: [String]) throws {
        let (log, _) = try rows()
        let run = ToolRun(CDCTail.self, [log.root] + arguments, environment: log.environment)
        #expect(run.exit == .usage && run.output.isEmpty)
        #expect(run.diagnostics.contains("Error:"), "\(run.diagnostics)")
    }

    @Test func theExitCodeIsTheWorstFinding() throws {
        let (log, _) = try rows()
        #expect(run(log).exit == .clean)
        #expect(run(log, "--from-lsn", "FF/0").exit == .unreachable)
        #expect(run(log, "--sink", "/absent/x").exit == .io)
        // A torn tail, then damage.
        let path = FileNames(root: log.root).walSegment(WALSegmentNumber(1))
        let bytes = try log.fileSystem.contents(of: path)
        let file = try log.fileSystem.open(path, .readWrite)
        let place = try #require(
            bytes.indices.first { $0 > 4096 + 400 && bytes[$0] == UInt8(ascii: "x") })
        try file.write([UInt8(ascii: "y")], at: UInt64(place))
        #expect(run(log).exit == .corruption)
    }
}
