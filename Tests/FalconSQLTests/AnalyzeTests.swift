import FalconSchema
import FalconStorage
import Testing

@testable import FalconSQL

/// pg_class.reltuples and relpages, as PostgreSQL 15 has them. Of pages only that there are some: rows lie otherwise here.
@Suite struct AnalyzeTests {
    private static let answer =
        "SELECT relname, reltuples, relpages > 0 FROM pg_class "
        + "WHERE relname IN ('t', 't_a', 't_p', 'e') ORDER BY 1"

    private func prepared() throws -> (TestDatabase, TestSession) {
        let database = try TestDatabase(durability: .synced)
        let s = try database.session()
        try s.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text); CREATE INDEX t_a ON t (a)")
        try s.run("CREATE INDEX t_p ON t (a) WHERE a > 90; CREATE TABLE e (a int)")
        try s.run("INSERT INTO t SELECT i, i % 100, 'x' FROM generate_series(1, 1000) i")
        return (database, s)
    }

    @Test func rowsAreCounted() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        #expect(try s.query(Self.answer) == "e|-1|f\nt|-1|f\nt_a|-1|f\nt_p|-1|f")
        try s.run("ANALYZE t")
        let all = "t|1000|t\nt_a|1000|t\nt_p|90|t"
        #expect(try s.query(Self.answer) == "e|-1|f\n" + all)
        try s.run("DELETE FROM t WHERE id > 500")
        #expect(try s.query(Self.answer) == "e|-1|f\n" + all)
        let half = "t|500|t\nt_a|500|t\nt_p|45|t"
        for statement in ["ANALYZE t (a)", "VACUUM t", "VACUUM FULL t"] {
            try s.run("INSERT INTO t VALUES (501, 501); ANALYZE t; DELETE FROM t WHERE id = 501")
            #expect(try s.query(Self.answer).contains("t|501|t"))
            try s.run(statement)
            #expect(try s.query(Self.answer) == "e|-1|f\n" + half, "\(statement)")
        }
        try s.run("ANALYZE")
        #expect(try s.query(Self.answer) == "e|0|f\n" + half)
        #expect(try s.query("SELECT reltuples FROM pg_class WHERE relname = 't_pkey'") == "500")
        try database.crash()
        #expect(try database.session().query(Self.answer) == "e|0|f\n" + half)
    }

    /// As in PostgreSQL: what a transaction sees is counted, and stays when it is rolled back.
    @Test func whatATransactionSeesIsKept() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        func rows(_ relation: String = "t") throws -> String {
            try s.query("SELECT reltuples FROM pg_class WHERE relname = '\(relation)'")
        }
        try s.run("BEGIN; DELETE FROM t; ANALYZE t; ROLLBACK")
        #expect(try rows() == "0")
        try s.run("BEGIN; INSERT INTO t SELECT i FROM generate_series(1001, 1500) i; ANALYZE t")
        try s.run("ROLLBACK")
        #expect(try rows() == "1500")
        try s.run("BEGIN READ ONLY; ANALYZE t; COMMIT")
        #expect(try rows() == "1000")
        try s.run("BEGIN; CREATE TABLE n (a int); INSERT INTO n VALUES (1), (2); ANALYZE n")
        #expect(try rows("n") == "2")
        try s.run("COMMIT")
        try database.crash()
        let later = try database.session()
        #expect(
            try later.query("SELECT reltuples FROM pg_class WHERE relname IN ('n', 't') ORDER BY 1")
                == "2\n1000")
    }

    /// What was found of storage goes with it.
    @Test func truncatedAndDroppedTablesLeaveNothing() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        let state = try #require(database.sql.database(named: "falcon"))
        let stored = KeyRange(prefix: CatalogKeys.prefix(state.id, CatalogKeys.statistics))
        try s.run("ANALYZE t; BEGIN; TRUNCATE t; ANALYZE t")
        #expect(try s.query(Self.answer) == "e|-1|f\nt|0|f\nt_a|0|f\nt_p|0|f")
        try s.run("ROLLBACK")
        #expect(try s.query(Self.answer) == "e|-1|f\nt|1000|t\nt_a|1000|t\nt_p|90|t")
        #expect(try database.storedKeys(stored) == 3)
        try s.run("TRUNCATE t")
        #expect(try s.query(Self.answer) == "e|-1|f\nt|-1|f\nt_a|-1|f\nt_p|-1|f")
        #expect(try database.storedKeys(stored) == 0)
        try s.run("ANALYZE t; DROP INDEX t_p")
        #expect(try database.storedKeys(stored) == 2)
        try s.run("DROP TABLE t")
        #expect(try database.storedKeys(stored) == 0)
    }

    /// A row of it that is damaged is no reason not to start.
    @Test func whatCannotBeReadIsNotKnown() {
        let damaged: [[UInt8]] = [
            [], [1, 2, 3], Array(repeating: 0xFF, count: 20), Array(repeating: 0xFF, count: 19),
        ]
        for bytes in damaged {
            #expect(bytes.withUnsafeBytes { TableStatistics(decoding: $0) } == nil, "\(bytes)")
        }
    }
}
