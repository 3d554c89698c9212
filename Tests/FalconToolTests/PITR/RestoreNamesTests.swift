import FalconToolKit
import Testing

@testable import FalconStorage

/// The names of what the commits beside a target changed are found without reading the whole log.
struct RestoreNamesTests {
    private let orders = ShopHistory.orders
    private let items = ShopHistory.items

    private func cut(_ history: ShopHistory, _ target: RestoreTarget) throws -> RestoreCut {
        try RestoreSource.survey(root: "/db", target: target, environment: history.environment).cut
    }

    /// What the plan for `end` says of the last commit.
    private func lastCommit(_ history: ShopHistory, _ end: LSN) -> [String] {
        let run = history.tool("/db", "--dry-run", "--to-lsn", end.description)
        guard run.exit == .clean,
            let start = run.lines.firstIndex(where: { $0.hasPrefix("last commit:") })
        else { return [run.output] }
        return run.lines[(start + 1)...].prefix { $0.hasPrefix("    ") }
            .map { String($0.dropFirst(4)) }
    }

    private func write(_ count: Int, _ history: ShopHistory) throws {
        for number in 0..<count {
            try history.commit([try items.put(number, "\(number)", .update)])
        }
    }

    @Test func aLogWithoutASchemaIsReadAtTheTargetOnly() throws {
        let history = try ShopHistory()
        for number: UInt8 in 0..<20 {
            try history.commit([.init(key: [number], value: [number])])
        }
        try history.engine.close()
        let cut = try cut(history, .latest)
        #expect(cut.schemaRecords == nil)
        #expect(cut.pointsLSN == cut.last?.lsn)
        let last = try #require(cut.last)
        #expect(lastCommit(history, last.endLSN) == ["keys without a schema: 1 other"])
    }

    @Test func theSchemaIsReadUpToItsLastChange() throws {
        let history = try ShopHistory()
        try history.create()
        try write(30, history)
        var renamed = orders.descriptor
        renamed.version = 2
        renamed.name = "sold"
        let change = try history.commit([
            .init(operationClass: .catalog, key: orders.create.key, value: renamed.encoded())
        ])
        try write(30, history)
        let last = try history.commit([try orders.put(1, "one")])
        try write(3, history)
        try history.engine.close()
        let cut = try cut(history, .lsn(last.lsn))
        #expect(cut.schemaRecords?.upperBound == change.lsn)
        #expect(cut.schemaRecords?.lowerBound ?? .max < change.lsn)
        #expect(cut.pointsLSN == cut.last?.lsn)
        #expect(lastCommit(history, last.lsn) == ["public.sold (database shop): 1 insert"])
        // The change itself: what was before it is the schema it is shown in.
        #expect(lastCommit(history, change.lsn) == ["public.orders (database shop): 1 define"])
    }

    /// A large transaction's first record lies before its COMMIT, and so may its catalog rows.
    @Test func aLargeTransactionIsReadFromItsFirstPart() throws {
        let history = try ShopHistory()
        try history.create()
        try write(5, history)
        let big = TestTable("big", storage: 1003)
        let text = String(repeating: "x", count: 700_000)
        let made = try history.commit([
            big.create, try big.put(1, text), try big.put(2, text), try big.put(3, text),
        ])
        try write(5, history)
        let last = try history.commit([try big.put(4, "four")])
        try history.engine.close()
        let atParts = try cut(history, .lsn(made.lsn))
        let start = try #require(atParts.pointsLSN)
        let commit = try #require(atParts.last)
        #expect(start < commit.lsn)
        #expect(lastCommit(history, made.lsn) == ["public.big (database shop): 3 insert, 1 define"])
        let behind = try cut(history, .lsn(last.lsn))
        #expect(behind.schemaRecords?.upperBound == made.lsn)
        #expect(lastCommit(history, last.lsn) == ["public.big (database shop): 1 insert"])
    }

    /// Nothing is included: what is left out first says the names.
    @Test func theFirstCommitIsReadWithoutOneBefore() throws {
        let history = try ShopHistory()
        try history.create()
        try history.engine.close()
        let cut = try cut(history, .lsn(ChangeReader.beginningLSN))
        #expect(cut.last == nil)
        #expect(cut.pointsLSN == cut.next?.lsn)
        let run = history.tool(
            "/db", "--dry-run", "--to-lsn", ChangeReader.beginningLSN.description)
        #expect(run.lines.contains { $0.contains("public.orders (database shop): 1 define") })
    }
}
