import FalconSchema
import FalconStorage
import Testing

@testable import FalconSQL

/// The planner knows how large tables are without ANALYZE.
@Suite struct RowEstimateTests {
    private static let next =
        "SELECT id FROM job WHERE done = false ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"

    /// The number after `rows=` in the last line of a plan that has one.
    private func rows(_ s: TestSession, _ query: String) throws -> Int {
        let lines = try s.query("EXPLAIN " + query).split(separator: "\n")
        let line = try #require(lines.last { $0.contains("rows=") })
        let number = line.components(after: "rows=").prefix { $0.isNumber }
        return try #require(Int(number))
    }

    /// From its first row on, and past what is done without reading it.
    @Test func aQueueIsReadInItsOrder() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE job (id int PRIMARY KEY, done boolean NOT NULL, data text)")
        try s.run("CREATE INDEX ON job (done)")
        try s.run("INSERT INTO job SELECT i, false, 'x' FROM generate_series(1, 20000) i")
        for first in [1, 19_999] {
            try s.run("UPDATE job SET done = true WHERE id < \(first)")
            let plan = try s.query(
                "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) " + Self.next)
            #expect(!plan.contains("Sort") && !plan.contains("Removed"), "\(plan)")
            #expect(plan.contains("on job (actual rows=1 loops=1)"), "\(plan)")
            #expect(try s.query(Self.next) == "\(first)")
        }
    }

    /// By what ANALYZE counted, whether the statement says the value or not.
    @Test func howManyRowsHaveOneValueIsKnown() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE ev (id int PRIMARY KEY, kind int, at int, x int)")
        try s.run("CREATE INDEX ON ev (kind, at); CREATE INDEX ev_p ON ev (kind) WHERE x > 19000")
        try s.run("CREATE TABLE o (id int PRIMARY KEY)")
        try s.run(
            "INSERT INTO ev SELECT i, i % 4, i / 8, i FROM generate_series(1, 20000) i")
        try s.run("INSERT INTO o SELECT i FROM generate_series(1, 5000) i")
        try s.run("PREPARE k(int) AS SELECT * FROM ev WHERE kind = $1")
        try s.run("PREPARE l(int) AS SELECT * FROM ev WHERE kind = $1 AND at = $1")
        try s.run("PREPARE p(int) AS SELECT * FROM ev WHERE kind = $1 AND x > 19000")
        try s.run(
            "PREPARE j(int) AS SELECT count(*) FROM ev JOIN o ON o.id = ev.x WHERE ev.kind = $1")
        #expect(try rows(s, "EXECUTE k(1)") < 1000)
        #expect(try s.query("EXPLAIN EXECUTE j(1)").contains("Nested Loop"))
        try s.run("ANALYZE")
        let counted = try s.query("EXPLAIN EXECUTE k(1)")
        // How large the table is is an estimate.
        #expect((4000...6500).contains(try rows(s, "EXECUTE k(1)")), "\(counted)")
        #expect((1...4).contains(try rows(s, "EXECUTE l(1)")))
        // A partial index has no entries of the others.
        let partial = try s.query("EXPLAIN EXECUTE p(1)")
        #expect(partial.contains("ev_p"), "\(partial)")
        #expect(try rows(s, "EXECUTE p(1)") <= 250, "\(partial)")
        let plan = try s.query("EXPLAIN EXECUTE j(1)")
        #expect(plan.contains("Hash Join"), "\(plan)")
        #expect(try s.query("EXECUTE j(1)") == "1250")
        try database.restart()
        let later = try database.session()
        try later.run("PREPARE k(int) AS SELECT * FROM ev WHERE kind = $1")
        #expect((4000...6500).contains(try rows(later, "EXECUTE k(1)")))
    }

    /// What is done is most of it, and what is to be done lies behind: a parameter may be either.
    @Test func aValueThatMayBeRareIsLookedUp() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE q (id int PRIMARY KEY, state int, due int)")
        try s.run("CREATE INDEX q_state ON q (state); CREATE INDEX q_due ON q (due)")
        try s.run(
            "INSERT INTO q SELECT i, (i > 19990)::int, i FROM generate_series(1, 20000) i; ANALYZE")
        try s.run("PREPARE n(int) AS SELECT id FROM q WHERE state = $1 ORDER BY due LIMIT 1")
        let plan = try s.query("EXPLAIN EXECUTE n(1)")
        #expect(plan.contains("q_state"), "\(plan)")
        #expect(try s.query("EXECUTE n(1)") == "19991")
    }

    @Test func sizesAreKnownAndPlansFollowThem() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (id int PRIMARY KEY, data text)")
        #expect(try rows(s, "SELECT * FROM t") == 1000)
        try s.run("PREPARE p AS SELECT * FROM t WHERE data <> ''")
        try s.run("EXECUTE p")
        let prepared = try #require(s.session.statements["p"])
        let small = try #require(prepared.plan)
        try s.run("INSERT INTO t SELECT i, repeat('x', 20) FROM generate_series(1, 40000) i")
        #expect((10_000...160_000).contains(try rows(s, "SELECT * FROM t")))
        try s.run("EXECUTE p")
        #expect(prepared.plan !== small, "the plan is for a table of another size")
        let large = prepared.plan
        try s.run("INSERT INTO t SELECT i, 'y' FROM generate_series(40001, 50000) i")
        try s.run("EXECUTE p")
        #expect(prepared.plan === large, "a quarter more is no other size")
        try database.engine.flush()
        try database.restart()
        let later = try database.session()
        #expect((10_000...200_000).contains(try rows(later, "SELECT * FROM t")))
    }

    /// Whatever else is written, and also where views and temporary tables are: they have no versions.
    @Test func aPlanThatIsGoodIsKept() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (id int PRIMARY KEY, data text); CREATE TABLE other (data text)")
        try s.run("CREATE VIEW v AS SELECT data FROM t; CREATE TEMPORARY TABLE own (n int)")
        try s.run("PREPARE p AS SELECT v.data FROM v, own; EXECUTE p")
        let prepared = try #require(s.session.statements["p"])
        let plan = try #require(prepared.plan)
        let end = prepared.estimatesEnd
        try s.run("INSERT INTO other SELECT md5(i::text) FROM generate_series(1, 10000) i")
        try s.run("EXECUTE p")
        #expect(prepared.estimatesEnd > end, "the sizes were looked at again")
        #expect(prepared.plan === plan)
    }

    @Test func versionsOfFewRowsAreNoRows() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE counter (id int PRIMARY KEY, n int)")
        try s.run("INSERT INTO counter VALUES (1, 0)")
        for _ in 0..<3000 { try s.run("UPDATE counter SET n = n + 1") }
        #expect(try rows(s, "SELECT * FROM counter") == 1000)
    }

    /// ANALYZE and VACUUM tell rows from their versions; what comes later is counted from there.
    @Test(arguments: ["ANALYZE t", "VACUUM t", "ANALYZE", "VACUUM"])
    func analysedVersionsAreNoRows(statement: String) throws {
        let database = try TestDatabase(durability: .synced)
        defer { database.close() }
        var s = try database.session()
        try s.run("CREATE TABLE t (id int PRIMARY KEY, n int)")
        try s.run("INSERT INTO t SELECT i, 0 FROM generate_series(1, 3000) i")
        for _ in 0..<9 { try s.run("UPDATE t SET n = n + 1") }
        let before = try rows(s, "SELECT * FROM t")
        #expect(before > 9000)
        try s.run("PREPARE p AS SELECT * FROM t WHERE n > 5; EXECUTE p")
        let prepared = try #require(s.session.statements["p"])
        let plan = prepared.plan
        try s.run(statement)
        let after = try rows(s, "SELECT * FROM t")
        #expect((2500...3500).contains(after))
        try s.run("EXECUTE p")
        #expect((prepared.plan !== plan) == (before > after * 4), "the plan is for as many rows")
        try database.crash()
        s = try database.session()
        #expect((1000...6000).contains(try rows(s, "SELECT * FROM t")))
        #expect(try s.query("SELECT reltuples FROM pg_class WHERE relname = 't'") == "3000")
        try s.run("INSERT INTO t SELECT i, 0 FROM generate_series(3001, 60000) i")
        #expect(try rows(s, "SELECT * FROM t") > 3000)
    }

    @Test func sizesAreFollowedFromWhatWasFound() {
        let found = TableStatistics(rows: 1000, pages: 5, versions: 4000)
        #expect(found.rows(of: 4000) == 1000)
        #expect(found.rows(of: 8000) == 2000)
        #expect(found.rows(of: 1500) == 1000, "old versions have gone")
        #expect(found.rows(of: 400) == 400)
        #expect(TableStatistics(rows: 0, pages: 0, versions: 7).rows(of: 107) == 100)
    }

    /// Of a transaction that has written much: its own rows, until they are taken back.
    @Test func ownRowsCount() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (id int PRIMARY KEY, n int); CREATE INDEX t_n ON t (n)")
        try s.run("BEGIN; INSERT INTO t SELECT i, i / 100 FROM generate_series(1, 20000) i")
        #expect((7000...61_000).contains(try rows(s, "SELECT * FROM t")))
        #expect((2000...61_000).contains(try rows(s, "SELECT * FROM t WHERE n < 100")))
        try s.run("ROLLBACK")
        #expect(try rows(s, "SELECT * FROM t") == 1000)
    }

    /// Not all of a large table is read: the engine says how much what is read is of it.
    @Test func ofLargeTablesAPartIsCounted() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (id int PRIMARY KEY, n int)")
        try s.run("INSERT INTO t SELECT i, 0 FROM generate_series(1, 20000) i")
        let state = try #require(database.sql.database(named: "falcon"))
        let table = try #require(state.committed.tables.values.first { $0.name == "t" })
        let prefix: [UInt8] = CatalogKeys.prefix(table.database, table.storageID)
        let range = KeyRange(prefix: prefix)
        let prefixes = PrefixCount(of: table.primaryKey, in: table, skipped: prefix.count)
        let whole = try KeyCount(of: range, prefixes, in: s.session.transaction)
        #expect(whole.keys == 20_000 && whole.prefixes.distinct == [20_000])
        let part = try KeyCount(of: range, prefixes, in: s.session.transaction, limit: 5000)
        #expect(abs(part.keys - part.prefixes.distinct[0]) < 1, "as many values as keys")
        #expect((7000...60_000).contains(part.keys), "\(part.keys)")
        #expect(part.bytes > 0 && whole.bytes > part.bytes / 3)
    }
}

extension StringProtocol {
    /// What follows the first `text` in it.
    fileprivate func components(after text: String) -> Substring {
        var rest = Substring(self)
        while !rest.isEmpty, !rest.hasPrefix(text) { rest.removeFirst() }
        return rest.dropFirst(text.count)
    }
}
