import FalconSchema
import Testing

@testable import FalconSQL

/// MERGE, beside the scripts merge-*.
struct MergeTests {
    private let database: TestDatabase
    private let a: TestSession
    private let b: TestSession

    init() throws {
        (database, a, b) = try TestDatabase.pair(
            "CREATE TABLE t (id int PRIMARY KEY, n int, u int UNIQUE)",
            "INSERT INTO t SELECT i, i, i FROM generate_series(1, 1000) AS i",
            "CREATE TABLE s (id int, n int)",
            "INSERT INTO s SELECT i, -i FROM generate_series(501, 1500) AS i")
    }

    @Test func largeOnesCountWhatTheyDo() throws {
        #expect(
            try a.tag(
                """
                MERGE INTO t USING s ON t.id = s.id
                WHEN MATCHED AND s.id % 2 = 0 THEN UPDATE SET n = s.n, u = t.u + 10000
                WHEN MATCHED AND s.id % 5 = 0 THEN DELETE
                WHEN NOT MATCHED AND s.id > 1400 THEN INSERT VALUES (s.id, s.n, s.id)
                """) == "MERGE 400")
        #expect(
            try a.query("SELECT count(*), sum(CASE WHEN n < 0 THEN 1 ELSE 0 END) FROM t")
                == "1050|350")
        #expect(try a.query("SELECT id FROM t WHERE u = 10600") == "600")
        #expect(try a.query("SELECT id FROM t WHERE u = 600") == "")
    }

    @Test func keysMayChange() throws {
        #expect(
            try a.tag(
                "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET id = t.id + 5000")
                == "MERGE 500")
        #expect(try a.query("SELECT count(*), max(id) FROM t WHERE id > 5000") == "500|6000")
    }

    @Test func ownWritesAndRollback() throws {
        try a.run("BEGIN; UPDATE t SET n = 0 WHERE id = 600; DELETE FROM t WHERE id = 601")
        #expect(
            try a.tag(
                """
                MERGE INTO t USING (VALUES (600), (601)) v (id) ON t.id = v.id
                WHEN MATCHED THEN UPDATE SET n = t.n + 1 WHEN NOT MATCHED THEN INSERT VALUES (v.id, 5)
                """) == "MERGE 2")
        #expect(try a.query("SELECT n FROM t WHERE id IN (600, 601) ORDER BY id") == "1\n5")
        try a.run("SAVEPOINT p")
        #expect(
            a.failure(
                "MERGE INTO t USING (VALUES (1), (1)) v (id) ON t.id = v.id WHEN MATCHED THEN DELETE"
            )?
            .state == .cardinalityViolation)
        try a.run("ROLLBACK TO p; ROLLBACK")
        #expect(try a.query("SELECT n FROM t WHERE id IN (600, 601) ORDER BY id") == "600\n601")
    }

    @Test func explained() throws {
        let plan = try a.query(
            """
            EXPLAIN (COSTS OFF) MERGE INTO t a USING s ON a.id = s.id
            WHEN NOT MATCHED THEN INSERT VALUES (s.id, 1)
            """)
        #expect(plan.hasPrefix("Merge on t a\n"))
        #expect(plan.contains("Left Join"))
        let measured = try a.query(
            """
            EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) MERGE INTO t USING s ON t.id = s.id
            WHEN MATCHED THEN DELETE
            """)
        #expect(measured.contains("Merge on t (actual rows=0 loops=1)"))
        #expect(try a.query("SELECT count(*) FROM t") == "500")
    }

    @Test func extendedProtocol() throws {
        let sql = """
            MERGE INTO t USING (VALUES ($1::int, $2::int)) v (id, n) ON t.id = v.id
            WHEN MATCHED THEN UPDATE SET n = v.n WHEN NOT MATCHED THEN INSERT (id, n) VALUES (v.id, v.n)
            """
        #expect(try a.prepared(sql, ["1", "77"]).tag == "MERGE 1")
        #expect(try a.prepared(sql, ["7777", "78"]).tag == "MERGE 1")
        #expect(try a.query("SELECT n FROM t WHERE id IN (1, 7777) ORDER BY id") == "77\n78")
    }

    @Test func referencesAreMinded() throws {
        try a.run(
            "CREATE TABLE c (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE); "
                + "INSERT INTO c VALUES (1, 1), (2, 2)")
        #expect(
            try a.tag(
                "MERGE INTO t USING (VALUES (1)) v (id) ON t.id = v.id WHEN MATCHED THEN DELETE")
                == "MERGE 1")
        #expect(try a.query("SELECT id FROM c") == "2")
        #expect(
            a.failure(
                "MERGE INTO c USING (VALUES (9, 9999)) v (id, t) ON c.id = v.id "
                    + "WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.t)")?.state
                == .foreignKeyViolation)
    }
}
