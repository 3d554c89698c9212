import FalconSchema
import FalconToolKit
import Foundation
import Synchronization
import Testing

@testable import FalconStorage

struct CDCTailTests {
    private func events(_ run: ToolRun) throws -> [[String: Any]] {
        try run.lines.map {
            try #require(
                JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
        }
    }

    private func tail(_ log: LogBuilder, _ arguments: String...) -> ToolRun {
        ToolRun(CDCTail.self, [log.root] + arguments, environment: log.environment)
    }

    /// A history of two tables, and the lines each commit must show.
    private func history(
        _ log: LogBuilder, seed: UInt64, commits: Int
    ) throws -> [[String]] {
        var random = SplitMix64(seed: seed)
        let accounts = TestTable("accounts", storage: 1001)
        let journal = TestTable("journal", storage: 1002, keyed: false)
        try log.commit([TestTable.database("shop", 5), accounts.create, journal.create])
        var expected: [[String]] = [[]]
        var row = 0
        for number in 1...commits {
            var operations: [LogBuilder.Operation] = []
            var lines: [String] = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let id = Int.random(in: 0..<50, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0:
                    operations.append(try accounts.put(id, "n\(number)"))
                    lines.append("insert public.accounts {\"id\":\(id)} n\(number)")
                case 1:
                    operations.append(try accounts.put(id, "u\(number)", .update))
                    lines.append("update public.accounts {\"id\":\(id)} u\(number)")
                case 2:
                    operations.append(try accounts.delete(id))
                    lines.append("delete public.accounts {\"id\":\(id)} -")
                case 3:
                    row += 1
                    operations.append(try journal.put(row, nil))
                    lines.append("insert public.journal {\"_rowid\":\(row)} null")
                default:
                    // Index and system operations are not changes of rows.
                    operations.append(
                        .init(operationClass: .index, key: [0, 0, 0, 5, 0, 0, 9, 9, 1]))
                    operations.append(
                        .init(operationClass: .system, key: [0, 0, 0, 5, 0, 0, 0, 9, 1]))
                }
            }
            try log.commit(operations, parts: operations.count > 3 ? 1 : 0)
            expected.append(lines)
            if number % 20 == 0 { try log.reopen() }
        }
        return expected
    }

    private func summary(_ event: [String: Any]) throws -> String {
        let op = try #require(event["op"] as? String)
        let key = try JSONSerialization.data(withJSONObject: event["key"] ?? [:])
        var note = "-"
        if let after = event["after"] as? [String: Any] {
            note = after["note"] as? String ?? "null"
        }
        return "\(op) \(event["table"] ?? "") \(String(decoding: key, as: UTF8.self)) \(note)"
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func eventsAreTheCommitsOfTheHistory(_ seed: UInt64) throws {
        let log = try LogBuilder(segmentBytes: 16 << 10)
        let expected = try history(log, seed: seed, commits: 120)
        try log.close()
        let before = try log.fingerprint()
        let run = tail(log)
        #expect(run.exit == .clean, "\(run.diagnostics)")
        var shown: [[String]] = []
        var current: [String] = []
        var lastLSN = ""
        for event in try events(run) {
            switch event["op"] as? String {
            case "begin":
                current = []
                lastLSN = try #require(event["lsn"] as? String)
            case "commit":
                #expect(event["rows"] as? Int == current.count)
                #expect(event["lsn"] as? String == lastLSN)
                shown.append(current)
            case "schema": #expect(event["change"] as? String == "create")
            default:
                #expect(event["lsn"] as? String == lastLSN)
                #expect(event["database"] as? String == "shop")
                current.append(try summary(event))
            }
        }
        // The first transaction made the tables.
        #expect(shown == [[]] + expected.filter { !$0.isEmpty }, "seed \(seed)")
        #expect(try log.fingerprint() == before)
    }

    @Test func resumingAfterAnyCommitGivesTheRest() throws {
        let log = try LogBuilder(segmentBytes: 16 << 10)
        _ = try history(log, seed: 9, commits: 60)
        try log.close()
        let all = tail(log).lines
        for (index, position) in log.commits.enumerated() where index % 7 == 0 {
            let text = position.end.description
            let rest = tail(log, "--from-lsn", text)
            let start = tail(log, "--until-lsn", text)
            #expect(rest.exit == .clean && start.exit == .clean)
            #expect(start.lines + rest.lines == all, "\(text)")
            // The commit's own name, its first byte, shows it again.
            let own = tail(log, "--from-lsn", position.start.description)
            #expect(own.lines.count >= rest.lines.count)
            #expect(own.lines.suffix(rest.lines.count) == rest.lines[...])
        }
        let end = try #require(log.commits.last).end
        #expect(tail(log, "--from-lsn", end.description).output.isEmpty)
        #expect(tail(log, "--from-lsn", end.advanced(by: 1 << 40).description).exit == .unreachable)
        #expect(tail(log, "--from-lsn", "0/1").exit == .unreachable)
    }

    @Test func valuesAreJSONAndWideNumbersStringsOnRequest() throws {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        try log.commit([table.create])
        try log.commit([
            try table.put(3, "a\"b", big: 1 << 53 + 1),
            try table.put(3, "c", .update, before: try table.row(3, "a\"b")),
        ])
        try log.close()
        let plain = tail(log, "--rows-only")
        #expect(
            plain.lines.first?.contains(
                "\"after\":{\"id\":3,\"note\":\"a\\\"b\",\"amount\":0.03,"
                    + "\"big\":\(1 << 53 + 1),\"raw\":\"\\\\x00ff\",\"flag\":false}") == true,
            "\(plain.output)")
        let before = try #require(try events(plain).last?["before"] as? [String: Any])
        #expect(before["note"] as? String == "a\"b")
        let wide = tail(log, "--rows-only", "--numbers-as-strings")
        #expect(
            wide.lines.first?.contains("\"amount\":\"0.03\",\"big\":\"\(1 << 53 + 1)\"") == true)
    }

    @Test func tablesAndOperationsAreSelected() throws {
        let log = try LogBuilder()
        let accounts = TestTable("accounts", storage: 1001)
        let audit = TestTable("audit", storage: 1002)
        try log.commit([accounts.create, audit.create])
        try log.commit([try accounts.put(1, "x"), try audit.put(1, "y"), try audit.delete(2)])
        try log.commit([audit.truncate(), accounts.truncate(.none)])
        try log.close()
        func ops(_ arguments: String...) throws -> [String] {
            try events(
                ToolRun(
                    CDCTail.self, [log.root, "--rows-only"] + arguments,
                    environment: log.environment)
            ).map { "\($0["op"] ?? "") \($0["table"] ?? "")" }
        }
        #expect(
            try ops() == [
                "insert public.accounts", "insert public.audit", "delete public.audit",
                "truncate public.audit",
            ])
        #expect(try ops("--table", "acc*") == ["insert public.accounts"])
        #expect(try ops("--table", "public.a?dit", "--op", "delete") == ["delete public.audit"])
        #expect(try ops("--table", "other.*").isEmpty)
        #expect(try ops("--op", "truncate") == ["truncate public.audit"])
        #expect(tail(log, "--op", "upsert").exit == .usage)
    }

    @Test func aRowMovedToAnotherKeyIsADeleteAndAnUpdate() throws {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        try log.commit([table.create, try table.put(1, "x")])
        try log.commit([try table.delete(1, .update), try table.put(2, "x", .update)])
        try log.close()
        let shown = try events(tail(log, "--rows-only"))
        #expect(
            try shown.map(summary).dropFirst() == [
                "delete public.t {\"id\":1} -", "update public.t {\"id\":2} x",
            ])
        #expect(shown[1]["cause"] as? String == "update")
    }

    /// What the server logs for DROP INDEX, ADD PRIMARY KEY, TRUNCATE and DROP TABLE.
    @Test func definitionsOfTablesAreNotRows() throws {
        let log = try LogBuilder()
        let heap = TestTable("t", storage: 1001, keyed: false)
        let keyed = TestTable("t", storage: 1003, oid: 21_001)
        let emptied = TestTable("t", storage: 1005, oid: 21_001)
        let index = { (storage: UInt32) in TestTable("i", storage: storage).truncate(.none) }
        try log.commit([TestTable.database("shop", 5), heap.create(oid: 21_001)])
        try log.commit([try heap.put(1, "x"), try heap.put(2, "y")])
        // DROP INDEX, in a transaction with a row.
        try log.commit([try heap.put(3, "z"), index(1002), heap.create(oid: 21_001)])
        // ADD PRIMARY KEY: the new body, the old one goes; then a row of a statement.
        try log.commit([
            try keyed.put(1, "x", .none), try keyed.put(2, "y", .none), heap.truncate(.none),
            keyed.create(oid: 21_001), try keyed.put(4, "new"),
        ])
        // TRUNCATE twice, with a row between.
        let between = TestTable("t", storage: 1004)
        try log.commit([
            keyed.truncate(), index(1006), try between.put(5, "gone"), between.truncate(),
            emptied.create(oid: 21_001),
        ])
        // DROP TABLE.
        try log.commit([emptied.truncate(.none), index(1007), emptied.drop(oid: 21_001)])
        // Made and dropped at once.
        let brief = TestTable("brief", storage: 1008)
        try log.commit([try brief.put(1, "x"), brief.truncate(.none), brief.drop(oid: 21_002)])
        try log.close()
        let run = tail(log, "--rows-only")
        #expect(run.exit == .clean && run.diagnostics.isEmpty, "\(run.diagnostics)")
        #expect(
            try events(run).map { "\($0["op"] ?? "") \($0["table"] ?? "")" } == [
                "insert public.t", "insert public.t", "insert public.t", "insert public.t",
                "truncate public.t", "drop public.t",
            ])
        #expect(try events(tail(log, "--rows-only", "--op", "drop")).count == 1)
        #expect(try events(tail(log, "--rows-only", "--table", "b*")).isEmpty)
    }

    @Test func quietLeavesWarningsToTheExitCode() throws {
        let log = try LogBuilder()
        try log.commit([try TestTable("t", storage: 1001).put(1, "x")])
        try log.close()
        let run = tail(log, "--quiet")
        #expect(run.exit == .benign && run.diagnostics.isEmpty)
        try log.fileSystem.createDirectory("/void")
        let wrong = ToolRun(CDCTail.self, ["/void", "--quiet"], environment: log.environment)
        #expect(wrong.exit == .usage && !wrong.diagnostics.isEmpty)
    }

    @Test func rowsOfAnUnknownTableAreShownRawAndReported() throws {
        let log = try LogBuilder()
        try log.commit([try TestTable("t", storage: 1001).put(1, "x")])
        try log.close()
        let run = tail(log, "--rows-only")
        #expect(run.exit == .benign && run.diagnostics.contains("CDC002"))
        #expect(try events(run).first?["op"] as? String == "put")
    }

    @Test func inMidLogACheckpointTellsTheSchema() throws {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        try log.commit([TestTable.database("shop", 5), table.create])
        let first =
            FileNames(root: log.root).walDirectory + "/"
            + FileNames.walSegmentName(WALSegmentNumber(1))
        try log.reopen()
        try log.commit([try table.put(1, "x")])
        let entries = [TestTable.database("shop", 5), table.create].map {
            CheckpointRecord.Entry(key: $0.key, value: $0.value)
        }
        try log.writer.append(
            .checkpoint,
            CheckpointRecord(
                replayLSN: .zero, timestamp: .zero, wallMicros: 0, catalog: entries
            ).encoded())
        try log.commit([try table.put(2, "y")])
        try log.close()
        try log.fileSystem.remove(first)
        // There is no engine in the directory whose catalog could be asked.
        let run = tail(log, "--rows-only")
        #expect(!run.diagnostics.contains("CDC002"), "\(run.diagnostics)")
        #expect(
            try events(run).map { try summary($0) } == [
                "insert public.t {\"id\":1} x", "insert public.t {\"id\":2} y",
            ])
    }

    @Test func otherFormatsShowTheSameEvents() throws {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        try log.commit([table.create])
        try log.commit([try table.put(1, "x")])
        try log.close()
        let text = tail(log, "--format", "text")
        #expect(text.lines.count == 6 && text.output.contains("INSERT public.t {\"id\":1"))
        let csv = tail(log, "--format", "csv")
        #expect(csv.lines.count == 7 && csv.lines[0].hasPrefix("schema_version,op,database,table"))
        let json = try JSONSerialization.jsonObject(
            with: Data(tail(log, "--format", "json").output.utf8))
        #expect(((json as? [String: Any])?["records"] as? [Any])?.count == 6)
    }

    @Test func whatIsNoDataDirectoryIsAUsageError() throws {
        let log = try LogBuilder()
        try log.close()
        try log.fileSystem.createDirectory("/empty")
        #expect(ToolRun(CDCTail.self, ["/empty"], environment: log.environment).exit == .usage)
        #expect(ToolRun(CDCTail.self, ["/absent"], environment: log.environment).exit == .io)
    }

    @Test func damageEndsTheStreamUnlessToldToGoOn() throws {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        try log.commit([table.create])
        for id in 1...20 { try log.commit([try table.put(id, String(repeating: "x", count: 600))]) }
        try log.close()
        let path = FileNames(root: log.root).walSegment(WALSegmentNumber(1))
        let file = try log.fileSystem.open(path, .readWrite)
        let bytes = try log.fileSystem.contents(of: path)
        // Inside the value of about the tenth row.
        let place = try #require(
            bytes.indices.first { $0 > 4096 + 10 * 800 && bytes[$0] == UInt8(ascii: "x") })
        try file.write([UInt8(ascii: "y")], at: UInt64(place + 20))
        let run = tail(log, "--rows-only")
        #expect(run.exit == .corruption && run.diagnostics.contains("CDC005"))
        #expect(run.diagnostics.contains(path))
        let shown = try events(run).count
        #expect(shown > 3 && shown < 15)
        let past = tail(log, "--rows-only", "--past-damage")
        #expect(past.exit == .corruption)
        #expect(try events(past).count == 19)
    }

    /// Follows a log that `step` writes to at each look, until `step` returns false.
    private func follow(
        _ log: LogBuilder, _ arguments: [String] = [], _ step: @escaping (Int) throws -> Bool
    ) -> ToolRun {
        let out = MemoryStream()
        let err = MemoryStream()
        let stop = Atomic<Bool>(false)
        let looks = Atomic<Int>(0)
        let problem = Mutex<String?>(nil)
        nonisolated(unsafe) let step = step
        let context = ToolContext(
            standardOutput: out, standardError: err, environment: log.environment,
            interruption: { stop.load(ordering: .relaxed) },
            sleep: { _ in
                usleep(500)
                do {
                    let look = looks.wrappingAdd(1, ordering: .relaxed).oldValue
                    if try !step(look) || look > 20_000 { stop.store(true, ordering: .relaxed) }
                } catch {
                    problem.withLock { $0 = "\(error)" }
                    stop.store(true, ordering: .relaxed)
                }
            })
        let exit = ToolRunner.run(
            CDCTail.self, [log.root, "--follow", "--rows-only"] + arguments, context)
        #expect(problem.withLock { $0 } == nil)
        return ToolRun(exit: exit, output: out.text, diagnostics: err.text)
    }

    @Test func followingShowsWhatALiveLogCommits() throws {
        let log = try LogBuilder(segmentBytes: 16 << 10)
        let table = TestTable("t", storage: 1001)
        try log.commit([table.create])
        let lock = try log.fileSystem.lock(FileNames(root: log.root).lock)
        var written = 0
        let run = follow(log) { look in
            if written < 60 {
                written += 1
                try log.commit([try table.put(written, String(repeating: "v", count: 500))])
                if written == 30 { try log.reopen(segmentBytes: 16 << 10) }
                return true
            }
            return look < 200
        }
        lock.release()
        try log.close()
        #expect(run.exit == .clean, "\(run.diagnostics)")
        let ids = try events(run).map { ($0["key"] as? [String: Any])?["id"] as? Int }
        #expect(ids == Array(1...60))
    }

    @Test func aLiveLogShowsNothingThatIsNotCommitted() throws {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        try log.commit([table.create])
        let held = try log.commit([try table.put(1, "x")], publishes: false)
        let lock = try log.fileSystem.lock(FileNames(root: log.root).lock)
        #expect(tail(log, "--rows-only").output.isEmpty)
        let run = follow(log) { look in
            if look == 20 { log.writer.setCommitted(held.end) }
            return look < 200
        }
        #expect(try events(run).count == 1)
        lock.release()
        // Its writer dead, the log is what recovery would replay.
        #expect(try events(tail(log, "--rows-only")).count == 1)
        try log.close()
    }

    @Test func aSegmentTakenAwayUnreadIsAnError() throws {
        let log = try LogBuilder(segmentBytes: 16 << 10)
        let table = TestTable("t", storage: 1001)
        try log.commit([table.create])
        let lock = try log.fileSystem.lock(FileNames(root: log.root).lock)
        let folder = FileNames(root: log.root).walDirectory
        let run = follow(log) { look in
            if look == 2 {
                // How many segments a number of commits fills is the writer's affair.
                var segments: [String] = []
                var id = 0
                while segments.count < 4, id < 5000 {
                    id += 1
                    try log.commit([try table.put(id, String(repeating: "v", count: 900))])
                    segments = try log.fileSystem.list(folder).filter { $0.hasSuffix(".wal") }
                }
                // The last is being written, and is not the one after that which is being read.
                for name in segments.sorted().dropLast() {
                    try log.fileSystem.remove(folder + "/" + name)
                }
            }
            return look < 200
        }
        lock.release()
        try log.close()
        #expect(run.exit == .unreachable, "\(run.output) \(run.diagnostics)")
        #expect(run.diagnostics.contains("released before it was read"))
    }
}
