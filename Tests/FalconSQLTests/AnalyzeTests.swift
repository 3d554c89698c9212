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

    // MARK: - How many values there are

    private func distinct(_ database: TestDatabase, _ index: String) throws -> [Double]? {
        let state = try #require(database.sql.database(named: "falcon"))
        let found = state.committed.tables.values.flatMap(\.indexes).first { $0.name == index }
        return state.rowEstimates.statistics(of: try #require(found).storageID)?.distinct
    }

    @Test func valuesAreCountedForEachColumnMore() throws {
        let database = try TestDatabase(durability: .synced)
        defer { database.close() }
        let s = try database.session()
        try s.run(
            "CREATE TABLE v (id int, part text, n numeric, PRIMARY KEY (part, id)); CREATE INDEX v_n ON v (n DESC, part)"
        )
        try s.run(
            "CREATE UNIQUE INDEX v_u ON v (part, n, id); CREATE INDEX v_p ON v (part) WHERE id > 90"
        )
        try s.run(
            """
            INSERT INTO v SELECT i, CASE i % 4 WHEN 0 THEN '' WHEN 1 THEN 'a' WHEN 2 THEN 'aa' ELSE 'b' END,
                CASE WHEN i % 10 = 9 THEN NULL ELSE i % 10 END FROM generate_series(1, 1000) i
            """)
        try s.run("DELETE FROM v WHERE id > 500; ANALYZE")
        func expectCounted(_ sourceLocation: SourceLocation = #_sourceLocation) throws {
            #expect(try distinct(database, "v_pkey") == [4, 500], sourceLocation: sourceLocation)
            #expect(try distinct(database, "v_n") == [10, 20], sourceLocation: sourceLocation)
            #expect(try distinct(database, "v_u") == [4, 20, 500], sourceLocation: sourceLocation)
            #expect(try distinct(database, "v_p") == [4], sourceLocation: sourceLocation)
        }
        try expectCounted()
        try database.crash()
        try expectCounted()
        let later = try database.session()
        try later.run("UPDATE v SET n = 0")
        try later.run("VACUUM v")
        #expect(try distinct(database, "v_n") == [1, 4])
        try later.run("CREATE TABLE none (a int); CREATE INDEX none_a ON none (a); ANALYZE none")
        #expect(try distinct(database, "none_a") == [0])
    }

    /// Where nearly each row has a value of its own, further rows have further ones.
    @Test func rowsOfOneValueGrowWithTheTable() {
        let few = TableStatistics(rows: 1000, pages: 1, versions: 1000, distinct: [4, 900])
        #expect(few.rowsPerValue(1, of: 1000) == 250)
        #expect(few.rowsPerValue(1, of: 4000) == 1000)
        #expect(few.rowsPerValue(2, of: 4000) == 1000.0 / 900)
        #expect(few.rowsPerValue(0, of: 1) == nil && few.rowsPerValue(3, of: 1) == nil)
        let empty = TableStatistics(rows: 0, pages: 0, versions: 0, distinct: [0])
        #expect(empty.rowsPerValue(1, of: 1000) == nil)
    }

    /// What an older FalconDB stored has no such counts.
    @Test func countsMayBeMissing() throws {
        var writer = ByteWriter()
        writer.appendFixed((7.0).bitPattern)
        writer.appendFixed((9.0).bitPattern)
        writer.appendFixed(Int32(3))
        let found = writer.bytes.withUnsafeBytes { TableStatistics(decoding: $0) }
        #expect(found == TableStatistics(rows: 7, pages: 3, versions: 9))
        writer.appendFixed(UInt8(1))
        #expect(writer.bytes.withUnsafeBytes { TableStatistics(decoding: $0) } == nil)
        writer.appendFixed((2.0).bitPattern)
        let counted = writer.bytes.withUnsafeBytes { TableStatistics(decoding: $0) }
        #expect(counted == TableStatistics(rows: 7, pages: 3, versions: 9, distinct: [2]))
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
