import FalconSchema
import FalconTestKit
import FalconToolKit
import Foundation
import Synchronization
import Testing

@testable import FalconStorage

/// Filters, statistics, extraction and following, against what is known to be in the log.
@Suite struct WALInspectViewTests {
    private func lines(_ log: LogForge, _ arguments: String...) throws -> [[String: Any]] {
        let run = ToolRun(
            WALInspect.self, [log.root, "--format", "jsonl"] + arguments,
            environment: log.environment)
        return try run.lines.map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    private func operations(_ log: LogForge, _ arguments: String...) throws -> [String] {
        let run = ToolRun(
            WALInspect.self, [log.root, "--format", "jsonl", "--data"] + arguments,
            environment: log.environment)
        return try run.lines.compactMap { line in
            let fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard fields?["tag"] as? String == "OPERATION" else { return nil }
            let key = fields?["key"] as? [String: Any]
            return "\(fields?["sql"] ?? "") \(fields?["storage"] ?? "") \(key?["id"] ?? "")"
        }
    }

    /// A random history and each filter's answer, counted by hand.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func filtersChooseWhatTheyName(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let log = try LogForge()
        let tables = [LogScenarios.accounts, TestTable("audit", storage: 1009)]
        log.group(log.commit([TestTable.database("shop", 5)] + tables.map(\.create)))
        var written: [(table: String, op: String, id: Int)] = []
        for number in 0..<120 {
            var batch: [LogBuilder.Operation] = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let table = tables[Int.random(in: 0...1, using: &random)]
                let id = Int.random(in: 0..<30, using: &random)
                let sql: SQLOperation =
                    [.insert, .update, .delete][Int.random(in: 0...2, using: &random)]
                batch.append(
                    sql == .delete ? try table.delete(id) : try table.put(id, "n", sql))
                written.append(("public." + table.descriptor.name, "\(sql)", id))
            }
            log.group(log.commit(batch, parts: batch.count > 3 ? 1 : 0))
            if number % 40 == 39 { log.rotate() }
        }
        try log.write()
        func expected(_ wanted: (String, String, Int) -> Bool) -> [String] {
            written.filter { wanted($0.table, $0.op, $0.id) }.map {
                "\($0.op) \($0.table) \($0.id)"
            }
        }
        #expect(
            try operations(log, "--table", "audit", "--class", "row")
                == expected { table, _, _ in table == "public.audit" }, "seed \(seed)")
        #expect(
            try operations(log, "--op", "delete", "--op", "update")
                == expected { _, op, _ in op != "insert" }, "seed \(seed)")
        let key = try tables[0].key(7).map { String(format: "%02x", $0) }.joined()
        #expect(
            try operations(log, "--key-prefix", key)
                == expected { table, _, id in table == "public.accounts" && id == 7 },
            "seed \(seed)")
        #expect(
            try operations(log, "--op", "remove", "--table", "public.acc*")
                == expected { table, op, _ in table == "public.accounts" && op == "delete" },
            "seed \(seed)")
        // The statistics count the same.
        let summary = try #require(
            try lines(log, "--stats", "--table", "audit", "--class", "row").last)
        let statistics = try #require(summary["statistics"] as? [String: Any])
        let storages = try #require(statistics["storages"] as? [[String: Any]])
        #expect(storages.count == 1)
        for (field, op) in [("inserts", "insert"), ("updates", "update"), ("deletes", "delete")] {
            let count = expected { $0 == "public.audit" && $1 == op && $2 >= 0 }.count
            #expect(storages.first?[field] as? Int == count, "\(field), seed \(seed)")
        }
        let keys = try #require(statistics["top_keys"] as? [[String: Any]])
        let counts = Dictionary(grouping: expected { table, _, _ in table == "public.audit" }) {
            $0.split(separator: " ").last ?? ""
        }
        #expect(
            keys.first?["count"] as? Int == counts.values.map(\.count).max(), "seed \(seed)")
    }

    @Test func groupsAndSyncsAreCounted() throws {
        let log = try LogForge()
        for round in 0..<10 {
            let records = (0...round).flatMap { log.commit([.init(key: [UInt8($0)])]) }
            // Every other group is synced with the next.
            log.group(records, synced: round % 2 == 1)
        }
        log.seal()
        try log.write()
        let summary = try #require(try lines(log, "--stats").last)
        let statistics = try #require(summary["statistics"] as? [String: Any])
        let groups = try #require(statistics["flush_groups"] as? [String: Any])
        #expect(groups["count"] as? Int == 10)
        #expect((groups["commits"] as? [String: Any])?["max"] as? Int == 10)
        #expect((groups["commits"] as? [String: Any])?["mean"] as? Double == 5.5)
        let syncs = try #require(statistics["syncs"] as? [String: Any])
        #expect(syncs["count"] as? Int == 5)
        // Rounds 8 and 9, synced together, are 19 commits and 19 seconds.
        #expect((syncs["commits"] as? [String: Any])?["max"] as? Int == 19)
        #expect((syncs["micros"] as? [String: Any])?["max"] as? Int == 19_000_000)
    }

    @Test func topKeysStayBoundedAndHonest() throws {
        var top = WALTopKeysProbe()
        for round in 0..<40_000 {
            top.add("cold \(round)")
            if round % 10 == 0 { top.add("hot") }
            if round % 25 == 0 { top.add("warm") }
        }
        #expect(top.best(2) == ["hot", "warm"])
        #expect(top.error > 0 && top.count("hot") <= 4000 && top.count("hot") >= 4000 - top.error)
    }

    @Test func aTransactionIsPutTogetherAndWrittenOut() throws {
        let log = try LogScenarios.shop()
        try log.write()
        try log.fileSystem.createDirectory("/reports")
        let run = ToolRun(
            WALInspect.self,
            ["/db", "--extract", "5", "--data", "--format", "json", "--out", "/reports/5.json"],
            environment: log.environment)
        #expect(run.exit == .clean && run.output.isEmpty && run.diagnostics.isEmpty)
        let text = try log.fileSystem.contents(of: "/reports/5.json")
        let fields = try #require(
            JSONSerialization.jsonObject(with: Data(text)) as? [String: Any])
        let records = try #require(fields["records"] as? [[String: Any]])
        #expect(fields["parts"] as? Int == 2 && fields["operation_count"] as? Int == 12)
        #expect(records.map { ($0["value"] as? [String: Any])?["id"] as? Int } == Array(10..<22))
        #expect(records.map { $0["ordinal"] as? Int } == Array(0..<12))
        // Nothing of the rows is told where nobody asked.
        let silent = ToolRun(
            WALInspect.self, ["/db", "--extract", "5"], environment: log.environment)
        #expect(silent.exit == .clean && !silent.output.contains("bulk"))
        let all = ToolRun(
            WALInspect.self, ["/db", "--operations", "--stats"], environment: log.environment)
        #expect(!all.output.contains("alice") && !all.output.contains("616c696365"))
    }

    @Test func anUnfinishedTransactionCanBeExtracted() throws {
        let log = try LogForge()
        log.group(
            log.commit(
                (0..<6).map { .init(key: [UInt8($0)], value: [9]) }, parts: 2, lacksCommit: true))
        try log.write()
        let run = ToolRun(
            WALInspect.self, ["/db", "--extract", "1", "--keys", "hex"],
            environment: log.environment)
        #expect(run.exit == .clean && run.output.contains("WAL011"), "\(run.output)")
        #expect(run.output.contains("2 parts from 0/00000008, no COMMIT"))
        #expect(run.lines.filter { $0.contains("put  key ") }.count == 4)
    }

    /// Rows of a log that no longer reaches back to its tables' creation have their names from its
    /// CHECKPOINT.
    @Test func aCheckpointTellsTheNames() throws {
        let log = try LogForge()
        log.group(log.commit([LogScenarios.accounts.create]))
        log.rotate()
        log.group(log.commit([try LogScenarios.accounts.put(1, "x")]))
        let create = LogScenarios.accounts.create
        log.group([
            LogForge.record(
                .checkpoint,
                CheckpointRecord(
                    replayLSN: .zero, timestamp: .zero, wallMicros: 0,
                    catalog: [.init(key: create.key, value: create.value)]
                ).encoded())
        ])
        try log.write()
        try log.fileSystem.remove(log.segments[0].path)
        let run = ToolRun(
            WALInspect.self, ["/db", "--operations", "--table", "accounts"],
            environment: log.environment)
        #expect(run.output.contains("insert public.accounts  key"), "\(run.output)")
    }

    @Test func followingShowsWhatALiveWriterAdds() throws {
        let fixture = try LogFixture()
        for id in 0..<3 { try fixture.commit([([UInt8(id)], [1])]) }
        let out = MemoryStream()
        let stop = Atomic<Bool>(false)
        let looks = Atomic<Int>(0)
        let problem = Mutex<String?>(nil)
        nonisolated(unsafe) let live = fixture
        let context = ToolContext(
            standardOutput: out, standardError: MemoryStream(),
            environment: StorageEnvironment(fileSystem: fixture.memory, clock: ManualClock()),
            interruption: { stop.load(ordering: .relaxed) },
            sleep: { _ in
                let look = looks.wrappingAdd(1, ordering: .relaxed).oldValue
                do throws(StorageError) {
                    if look < 20 { try live.commit([([UInt8(look)], nil)]) }
                } catch { problem.withLock { $0 = "\(error)" } }
                if look >= 40 { stop.store(true, ordering: .relaxed) }
            })
        let exit = ToolRunner.run(
            WALInspect.self, ["data", "--follow", "--format", "jsonl", "--type", "commit"], context)
        #expect(problem.withLock { $0 } == nil)
        // Who follows ends it himself.
        #expect(exit == .clean)
        let shown = out.text.split(separator: "\n").filter { $0.contains("\"COMMIT\"") }
        #expect(shown.count == 23)
        try fixture.writer.close()
    }
}
