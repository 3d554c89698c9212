import FalconSchema
import Testing

@testable import FalconSQL

/// INCLUDE, beside the script ddl-index-include: it outlives the server, and scans do not mind it.
struct IncludedColumnTests {
    @Test func includedColumnsAreKept() throws {
        let database = try TestDatabase(durability: .synced)
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (a int, b int, c text, PRIMARY KEY (a) INCLUDE (c))")
        try s.run("CREATE UNIQUE INDEX i ON t (b) INCLUDE (c, a)")
        try s.run("INSERT INTO t SELECT i, -i, i::text FROM generate_series(1, 500) AS i")
        let definitions = """
            SELECT string_agg(pg_get_indexdef(indexrelid), '; ' ORDER BY indexrelid) FROM pg_index
            """
        let expected =
            "CREATE UNIQUE INDEX t_pkey ON public.t USING btree (a) INCLUDE (c); "
            + "CREATE UNIQUE INDEX i ON public.t USING btree (b) INCLUDE (c, a)"
        #expect(try s.query(definitions) == expected)
        #expect(try s.query("EXPLAIN (COSTS OFF) SELECT c FROM t WHERE b = -7").contains(" i "))
        #expect(try s.query("SELECT c FROM t WHERE b = -7") == "7")
        try s.run("UPDATE t SET c = 'new' WHERE b = -7; REINDEX TABLE t")
        try database.restart()
        let later = try database.session()
        #expect(try later.query(definitions) == expected)
        #expect(try later.query("SELECT c FROM t WHERE b = -7") == "new")
        #expect(later.failure("INSERT INTO t VALUES (501, -7, 'x')")?.constraint == "i")
        // The primary key goes with its column, the rows stay.
        try later.run("ALTER TABLE t DROP COLUMN c")
        #expect(try later.query("SELECT count(*) FROM pg_index") == "0")
        #expect(try later.query("SELECT count(*), sum(a) FROM t") == "500|125250")
        try later.run("INSERT INTO t VALUES (1, -1)")
    }
}
