import FalconSchema
import Testing

@testable import FalconSQL

/// What a CREATE UNIQUE INDEX CONCURRENTLY that fails leaves. The rest is in
/// Fixtures/isolation/ddl-index-invalid.script.
@Suite struct InvalidIndexTests {
    @Test func itStaysAcrossRestartsAndIsNotRead() throws {
        let database = try TestDatabase(durability: .synced)
        defer { database.close() }
        var s = try database.session()
        try s.run("CREATE TABLE t (id int PRIMARY KEY, n int)")
        try s.run("INSERT INTO t SELECT i, i % 999 FROM generate_series(1, 1000) i")
        let failed = s.failure("CREATE UNIQUE INDEX CONCURRENTLY t_n ON t (n)")
        #expect(failed?.state == .uniqueViolation)
        #expect(failed?.message == "could not create unique index \"t_n\"")
        #expect(try s.query("SELECT 1") == "1", "no transaction is left")
        try database.crash()
        s = try database.session()
        let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_n'::regclass"
        #expect(try s.query(valid) == "f")
        #expect(try s.query("SELECT id FROM t WHERE n = 1 ORDER BY id") == "1\n1000")
        #expect(
            try s.query("EXPLAIN (COSTS off) SELECT id FROM t WHERE n = 1").hasPrefix("Seq Scan"))
        try s.run("DELETE FROM t WHERE id = 1000; REINDEX INDEX t_n")
        #expect(try s.query(valid) == "t")
        #expect(
            try s.query("EXPLAIN (COSTS off) SELECT id FROM t WHERE n = 1")
                .hasPrefix("Index Scan using t_n"))
        #expect(try s.query("SELECT id FROM t WHERE n = 1") == "1")
    }

    @Test func otherwiseNothingStays() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (n int); INSERT INTO t VALUES (1), (1)")
        #expect(s.failure("CREATE UNIQUE INDEX t_n ON t (n)")?.state == .uniqueViolation)
        #expect(try s.query("SELECT count(*) FROM pg_class WHERE relname = 't_n'") == "0")
        #expect(try s.tag("CREATE INDEX CONCURRENTLY t_n ON t (n)") == "CREATE INDEX")
        #expect(try s.query("SELECT indisvalid FROM pg_index") == "t")
    }
}
