import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// `--before-first-operation-on`: the state just before a table was touched.
struct TableTargetTests {
    private let orders = ShopHistory.orders
    private let items = ShopHistory.items

    /// How the repository is asked, and the data directory.
    private static func command(backsUp: Bool) -> [String] {
        backsUp ? ["plan", "--repo", "/repo"] : ["/db", "--dry-run"]
    }

    /// Tables, a backup unless the directory's own log shall reach back, then: rows of orders, rows of items, an update, a delete, a truncate, a drop.
    private func history(
        notesSchema: Bool = false, backsUp: Bool = true
    ) throws -> (ShopHistory, [CommitReceipt]) {
        let history = try ShopHistory(notesSchema: notesSchema)
        try history.create()
        if backsUp { try history.engine.backup(label: "") }
        let receipts = [
            try history.commit([try orders.put(1, "a"), try orders.put(2, "b")]),
            try history.commit([try items.put(1, "a")]),
            try history.commit([try orders.put(1, "c", .update)]),
            try history.commit([try orders.delete(2)]),
            try history.commit([orders.truncate()]),
            try history.commit([
                .init(kind: .delete, operationClass: .catalog, key: orders.create.key),
                orders.truncate(.none),
            ]),
            try history.commit([try items.put(2, "b")]),
        ]
        try history.engine.close()
        return (history, receipts)
    }

    /// The commit that a plan leaves out first, as its place among `receipts`.
    private func firstLeftOut(_ run: ToolRun, _ receipts: [CommitReceipt]) throws -> Int? {
        let report = try run.report
        let plan = try #require(report["plan"] as? [String: Any], "\(run.output)")
        let next = plan["next_commit"] as? [String: Any]
        return receipts.firstIndex { $0.lsn.description == next?["end_lsn"] as? String }
    }

    @Test(
        arguments: [
            ("public.orders", nil, 0), ("orders", nil, 0), ("shop.public.orders", nil, 0),
            ("21001", nil, 0), ("5/1001", nil, 0), ("public.items", nil, 1),
            ("public.orders", "insert", 0), ("public.orders", "update", 2),
            ("public.orders", "delete", 3), ("public.orders", "truncate", 4),
            ("public.orders", "drop", 5),
        ] as [(String, String?, Int)])
    func theFirstOperationIsFound(_ table: String, _ operation: String?, _ place: Int) throws {
        let wish =
            ["--before-first-operation-on", table, "--format", "json"]
            + (operation.map { ["--operation", $0] } ?? [])
        for (notesSchema, backsUp) in [(false, true), (true, true), (false, false)] {
            let (history, receipts) = try history(notesSchema: notesSchema, backsUp: backsUp)
            let source = Self.command(backsUp: backsUp)
            let run = ToolRun(PITRRestore.self, source + wish, environment: history.environment)
            #expect(run.exit == .clean, "\(source): \(run.output)")
            #expect(try firstLeftOut(run, receipts) == place, "\(source): \(run.output)")
        }
    }

    @Test func theSearchBeginsWhereItIsTold() throws {
        let (history, receipts) = try history()
        let wish = ["plan", "--repo", "/repo", "--format", "json", "--before-first-operation-on"]
        for (since, table, place) in [
            (receipts[0].lsn.description, "public.orders", 2),
            (ToolTime.format(receipts[3].timestamp), "public.orders", 3),
            (receipts[1].lsn.description, "public.items", 6),
        ] {
            let run = ToolRun(
                PITRRestore.self, wish + [table, "--since", since],
                environment: history.environment)
            #expect(run.exit == .clean, "\(run.output)")
            #expect(try firstLeftOut(run, receipts) == place, "\(since): \(run.output)")
        }
    }

    /// A transaction that makes a table and fills it touches it, wherever its definition stands in it.
    @Test(arguments: [false, true])
    func rowsThatComeWithTheirTableAreFound(_ rowsFirst: Bool) throws {
        let history = try ShopHistory()
        try history.create()
        try history.engine.backup(label: "")
        let made = TestTable("made", storage: 1003)
        let parts = [made.create, try made.put(1, "x")]
        let receipt = try history.commit(rowsFirst ? parts.reversed() : parts)
        try history.engine.close()
        let run = history.tool(
            "plan", "--repo", "/repo", "--format", "json", "--before-first-operation-on",
            "public.made")
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try firstLeftOut(run, [receipt]) == 0, "\(run.output)")
    }

    @Test func theTableIsRestoredAsItWas() throws {
        let (history, _) = try history()
        let run = history.tool(
            "apply", "--repo", "/repo", "--out", "/new", "--before-first-operation-on",
            "public.orders", "--operation", "truncate")
        #expect(run.exit == .clean, "\(run.output)")
        #expect(run.output.contains("target:        before the first truncate on public.orders\n"))
        #expect(
            run.output.contains("found:         truncate on shop.public.orders by transaction "),
            "\(run.output)")
        // A database, two tables, an order and an item.
        #expect(try history.takeRestored() == 5)
    }

    @Test func aTableThatIsNotTouchedIsOutOfReach() throws {
        for backsUp in [true, false] {
            let (history, receipts) = try history(backsUp: backsUp)
            let last = try #require(receipts.last).lsn.description
            let source = Self.command(backsUp: backsUp)
            for wish in [
                ["public.never"], ["public.items", "--operation", "drop"],
                ["public.items", "--since", last],
            ] {
                let run = ToolRun(
                    PITRRestore.self, source + ["--before-first-operation-on"] + wish,
                    environment: history.environment)
                #expect(run.exit == .unreachable, "\(wish): \(run.output)")
                #expect(run.output.contains("The log holds no "), "\(run.output)")
            }
        }
    }

    /// "Nothing was found" says so when names could not be read.
    @Test(arguments: [true, false])
    func aSchemaThatCannotBeReadIsTheCause(backsUp: Bool) throws {
        let history = try ShopHistory()
        try history.create()
        if backsUp { try history.engine.backup(label: "") }
        try history.commit([
            .init(
                operationClass: .catalog, key: TestTable("other", storage: 1003).create.key,
                value: [1, 2, 3])
        ])
        try history.engine.close()
        let run = ToolRun(
            PITRRestore.self,
            Self.command(backsUp: backsUp) + ["--before-first-operation-on", "public.other"],
            environment: history.environment)
        #expect(run.exit == .unreachable, "\(run.output)")
        #expect(
            run.output.lowercased().contains("the schema was not wholly readable"), "\(run.output)")
        #expect(!run.output.contains("decoded.."), "\(run.output)")
    }

    /// A base backup's tables know the schema where the log before it is gone.
    @Test func aBackupsTablesBringTheNames() throws {
        let history = try ShopHistory()
        try history.create()
        try history.engine.flush()
        try history.engine.backup(label: "one")
        _ = try history.engine.switchLogSegment()
        try history.commit([try orders.put(1, "a")])
        try history.engine.backup(label: "two")
        try history.commit([try orders.delete(1)])
        try history.engine.close()
        let kept = ToolRun(
            PITRRestore.self, ["retention", "--repo", "/repo", "--keep-backups", "1", "--apply"],
            environment: history.environment)
        #expect(kept.exit == .clean, "\(kept.output)")
        let plan = history.tool("plan", "--repo", "/repo", "--to-latest")
        #expect(plan.output.contains("public.orders (database shop): 1 delete"), "\(plan.output)")
        let found = history.tool(
            "plan", "--repo", "/repo", "--before-first-operation-on", "public.orders",
            "--operation", "delete")
        #expect(found.exit == .clean, "\(found.output)")
    }

    @Test func argumentsThatMakeNoSenseAreRefused() throws {
        let (history, _) = try history()
        let table = ["--before-first-operation-on", "public.orders"]
        for arguments in [
            table + ["--to-latest"], table + ["--exclusive"], table + ["--operation", "rename"],
            table + ["--since", "yesterday-ish"], ["--to-latest", "--operation", "drop"],
            ["--to-latest", "--since", "0/10"],
        ] {
            let run = ToolRun(
                PITRRestore.self, ["plan", "--repo", "/repo"] + arguments,
                environment: history.environment)
            #expect(run.exit == .usage, "\(arguments): \(run.output)")
        }
    }
}
