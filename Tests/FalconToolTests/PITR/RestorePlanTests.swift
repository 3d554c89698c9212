import Foundation
import Testing

@testable import FalconStorage
@testable import FalconToolKit

/// What a plan says of the commits on both sides of the target.
struct RestorePlanTests {
    private let orders = ShopHistory.orders
    private let items = ShopHistory.items

    /// The indented lines behind `head`.
    private func tables(_ run: ToolRun, behind head: String) -> [String] {
        guard let start = run.lines.firstIndex(where: { $0.hasPrefix(head) }) else { return [] }
        return run.lines[(start + 1)...].prefix { $0.hasPrefix("    ") }
            .map { String($0.dropFirst(4)) }
    }

    private func fill(_ history: ShopHistory) throws -> (first: CommitReceipt, last: CommitReceipt)
    {
        let first = try history.commit([
            try orders.put(1, "one"), try orders.put(2, "two"), try items.put(7, "seven"),
        ])
        let last = try history.commit([
            try orders.put(1, "uno", .update), try orders.delete(2),
            // A row that moves to another key is one update.
            try items.delete(7, .update), try items.put(8, "seven", .update),
            try orders.put(3, "by nobody", .none),
        ])
        return (first, last)
    }

    @Test func theTablesOfBothCommitsAreNamed() throws {
        let history = try ShopHistory()
        let made = try history.create()
        let (first, _) = try fill(history)
        try history.commit([
            items.truncate(),
            .init(kind: .delete, operationClass: .catalog, key: orders.create.key),
        ])
        try history.engine.close()
        let run = history.tool("/db", "--dry-run", "--to-lsn", first.lsn.description)
        #expect(run.exit == .clean, "\(run.output)")
        #expect(
            tables(run, behind: "last commit:") == [
                "public.items (database shop): 1 insert",
                "public.orders (database shop): 2 insert",
            ], "\(run.output)")
        #expect(
            tables(run, behind: "first left out:") == [
                "public.items (database shop): 1 update",
                "public.orders (database shop): 1 update, 1 delete, 1 other",
            ], "\(run.output)")
        let early = history.tool("/db", "--dry-run", "--to-lsn", made.lsn.description)
        #expect(
            tables(early, behind: "last commit:") == [
                "public.items (database shop): 1 define",
                "public.orders (database shop): 1 define", "indexes and catalog: 1",
            ], "\(early.output)")
        let latest = history.tool("/db", "--dry-run", "--to-latest")
        #expect(
            tables(latest, behind: "last commit:") == [
                "public.items (database shop): 1 truncate",
                "public.orders (database shop): 1 drop",
            ], "\(latest.output)")
        #expect(tables(latest, behind: "first left out:").isEmpty)
        #expect(latest.output.contains("duration:      about 1 s (estimate: "))
    }

    /// The log that is replayed does not say what the tables are called: a CHECKPOINT does, or the base.
    @Test(arguments: [false, true])
    func namesComeFromTheBaseWhereTheLogHasNone(_ notesSchema: Bool) throws {
        let history = try ShopHistory(notesSchema: notesSchema)
        try history.create()
        try history.engine.backup(label: "")
        let (first, last) = try fill(history)
        try history.engine.close()
        try history.fileSystem.removeTree("/db")
        for receipt in [first, last] {
            let run = history.tool("plan", "--repo", "/repo", "--to-lsn", receipt.lsn.description)
            #expect(run.exit == .clean, "\(run.output)")
            let found = tables(run, behind: "last commit:")
            #expect(found.count == 2, "\(run.output)")
            #expect(
                found.first?.hasPrefix("public.items (database shop): 1 ") ?? false,
                "\(run.output)")
        }
    }

    /// What docs/performance/tools.md and docs/operations/pitr-restore.md have measured is told to a second.
    @Test func theEstimateIsWhatWasMeasured() {
        #expect(RestoreEstimate(tableBytes: 0, logBytes: 286_000_000).seconds == 2)
        #expect(RestoreEstimate(tableBytes: 262_000_000, logBytes: 0).seconds == 3)
        #expect(RestoreEstimate(tableBytes: 0, logBytes: 0).seconds == 1)
        #expect(RestoreEstimate(tableBytes: .max, logBytes: .max).seconds > 1)
    }

    @Test func whatNoSchemaNamesKeepsItsNumbers() throws {
        let history = try ShopHistory()
        try history.commit([
            try TestTable("ghost", storage: 1009).put(1, "x"),
            .init(key: Array("plain".utf8), value: [1]),
            .init(key: Array("another plain key".utf8), value: [1]),
        ])
        try history.engine.close()
        let run = history.tool("/db", "--dry-run", "--to-latest")
        #expect(
            tables(run, behind: "last commit:") == [
                "keys without a schema: 2 other", "storage 5/1009: 1 insert",
            ], "\(run.output)")
    }

    @Test func jsonHasTheSame() throws {
        let history = try ShopHistory()
        try history.create()
        let (first, _) = try fill(history)
        try history.engine.close()
        let run = history.tool(
            "/db", "--dry-run", "--to-lsn", first.lsn.description, "--format", "json")
        let report = try run.report
        let plan = try #require(report["plan"] as? [String: Any])
        #expect(
            Set(plan.keys) == [
                "target", "found", "base", "source_is_live", "tables", "replay_from_lsn",
                "replay_to_lsn", "replay_commits", "last_commit", "next_commit", "earliest",
                "latest", "key_ids", "bytes", "estimated_duration",
            ])
        #expect((plan["key_ids"] as? [Any])?.isEmpty ?? false)
        let last = try #require(plan["last_commit"] as? [String: Any])
        let contents = try #require(last["contents"] as? [String: Any])
        let tables = try #require(contents["tables"] as? [[String: Any]])
        #expect(tables.map { $0["table"] as? String } == ["public.items", "public.orders"])
        #expect(tables.map { $0["insert"] as? Int } == [1, 2])
        #expect(tables.map { $0["database"] as? String } == ["shop", "shop"])
        #expect(
            Set(try #require(tables.first).keys) == [
                "table", "database", "insert", "update", "delete", "truncate", "define", "drop",
                "other",
            ])
    }

    @Test func theKeysOfAnEncryptedRepositoryAreNamed() throws {
        let history = try ShopHistory(key: 7)
        try history.create()
        try history.engine.backup(label: "")
        let (first, _) = try fill(history)
        try history.engine.close()
        let target = ["plan", "--repo", "/repo", "--to-lsn", first.lsn.description]
        let run = ToolRun(
            PITRRestore.self, target + ["--key-file", "/key"], environment: history.environment)
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try /\nkeys needed:   \d+(, \d+)*\n/.firstMatch(in: run.output) != nil)
        #expect(
            tables(run, behind: "last commit:").last == "public.orders (database shop): 2 insert")
        let keyless = ToolRun(PITRRestore.self, target, environment: history.environment)
        #expect(keyless.exit == .keyMissing)
    }
}
