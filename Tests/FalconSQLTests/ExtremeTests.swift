import FalconStorage
import Testing

@testable import FalconSQL

/// min and max are answered by the first row of an index's order.
@Suite struct ExtremeTests {
    private static let bare = "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) "

    private func prepared() throws -> (TestDatabase, TestSession) {
        let database = try TestDatabase()
        let s = try database.session()
        try s.run("CREATE TABLE e (id int PRIMARY KEY, kind int, v varchar(9) NOT NULL, n numeric)")
        try s.run(
            "CREATE INDEX e_kind ON e (kind); CREATE INDEX e_v ON e (v); CREATE INDEX e_n ON e (n)")
        try s.run(
            "INSERT INTO e SELECT i, i % 4, 'v' || i, NULLIF(i, 5000) / 2.0 FROM generate_series(1, 5000) i"
        )
        return (database, s)
    }

    @Test func oneRowIsRead() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        for (query, answer, index) in [
            ("max(id) FROM e", "5000", "e_pkey"), ("min(id) FROM e", "1", "Seq Scan"),
            ("max(id) FROM e WHERE kind = 1", "4997", "e_kind"),
            ("min(id) FROM e WHERE kind = 3 AND id > 100", "103", "e_kind"),
            ("max(v) FROM e", "v999", "e_v"), ("min(n) FROM e", "0.5", "e_n"),
            ("max(kind) FROM e WHERE id = 7", "3", "e_pkey"),
            ("coalesce(max(id), 0) + 1 FROM e HAVING max(id) > 1", "5001", "e_pkey"),
        ] {
            let plan = try s.query(Self.bare + "SELECT " + query)
            #expect(
                plan.contains("actual rows=1 loops=1") && !plan.contains("actual rows=5000"),
                "\(plan)")
            #expect(plan.contains(index) || plan.contains("Backward"), "\(plan)")
            let found = try s.query("SELECT " + query)
            #expect(found.hasPrefix(answer), "\(query): \(found)")
        }
        try s.run("PREPARE last(int) AS SELECT max(id) FROM e WHERE kind = $1")
        #expect(try s.query("EXECUTE last(2)") == "4998")
        #expect(try s.query("EXECUTE last(9)") == "")
        try s.run("BEGIN; DELETE FROM e WHERE id > 4000; INSERT INTO e VALUES (4500, 0, 'x', 1)")
        #expect(try s.query("SELECT max(id) FROM e") == "4500")
        #expect(try s.query("EXECUTE last(0)") == "4500")
        try s.run("ROLLBACK; DELETE FROM e")
        #expect(try s.query("SELECT max(id) IS NULL FROM e") == "t")
    }

    /// NULLs are passed over, not taken for the greatest.
    @Test func nullsAreNoExtremes() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        #expect(try s.query("SELECT max(n) = 2499.5 FROM e") == "t")
        try s.run("UPDATE e SET kind = NULL WHERE kind = 3")
        #expect(try s.query("SELECT max(kind) FROM e") == "2")
        #expect(try s.query("SELECT min(kind) FROM e") == "0")
        #expect(try s.query("SELECT min(kind) IS NULL FROM e WHERE kind IS NULL") == "t")
    }

    /// With a second call the rows are read as before.
    @Test(arguments: UInt64(1)...3)
    func answersAreThoseOfAllRows(seed: UInt64) throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        let random = SeededRandom(seed: seed)
        func pick(_ choices: [String]) -> String {
            choices[Int(random.next() % UInt64(choices.count))]
        }
        try s.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text, c int NOT NULL)")
        try s.run(
            "CREATE INDEX ON t (a); CREATE INDEX ON t (b DESC); CREATE INDEX ON t (c, a NULLS FIRST)"
        )
        try s.run(
            "CREATE INDEX ON t (b NULLS FIRST, c DESC); CREATE INDEX ON t (c DESC) WHERE a > 1")
        for id in 1...80 {
            let values = [
                pick(["NULL", "0", "1", "2", "3"]), pick(["NULL", "'x'", "'y'", "'z'"]),
            ]
            try s.run(
                "INSERT INTO t VALUES (\(id), \(values[0]), \(values[1]), \(random.next() % 5))")
        }
        for _ in 0..<150 {
            let call = pick(["min", "max"]) + pick(["(id)", "(a)", "(b)", "(c)", "(DISTINCT a)"])
            let condition = pick([
                "true", "a = 2", "b = 'y'", "c = 3", "a > 1", "a IS NULL", "b IS NULL",
                "id > 40 AND c = 1",
                "c IN (1, 4)", "b = 'x' AND c < 3", "a = 9",
            ])
            let rest = " FROM t WHERE \(condition)"
            let all = try s.query("SELECT \(call), count(*)\(rest)")
            let expected = all.prefix(upTo: all.lastIndex(of: "|") ?? all.endIndex)
            #expect(
                try s.query("SELECT \(call)\(rest)") == expected, "seed \(seed): \(call)\(rest)")
        }
    }
}
