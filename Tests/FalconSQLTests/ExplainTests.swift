import FalconSchema
import Testing

@testable import FalconSQL

/// EXPLAIN's formats and options, in PostgreSQL 15's shapes.
@Suite struct ExplainTests {
    private func prepared() throws -> (TestDatabase, TestSession) {
        let database = try TestDatabase()
        let s = try database.session()
        try s.run(
            "CREATE TABLE t (a int PRIMARY KEY, b int);"
                + "INSERT INTO t SELECT i, i % 7 FROM generate_series(1, 70) i")
        return (database, s)
    }

    @Test func analyzeCounts() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        let bare = "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) "
        #expect(
            try s.query(bare + "SELECT * FROM t WHERE b = 5")
                == "Seq Scan on t (actual rows=10 loops=1)\n  Filter: (b = 5)\n"
                + "  Rows Removed by Filter: 60")
        #expect(
            try s.query(bare + "SELECT b, count(*) FROM t GROUP BY b HAVING count(*) > 100")
                == "HashAggregate (actual rows=0 loops=1)\n  Group Key: b\n"
                + "  Filter: (count > 100)\n  Rows Removed by Filter: 7\n"
                + "  ->  Seq Scan on t (actual rows=70 loops=1)")
        #expect(
            try s.query(bare + "SELECT * FROM t LIMIT 0")
                == "Limit (actual rows=0 loops=1)\n  ->  Seq Scan on t (never executed)")
        #expect(
            try s.query(bare + "UPDATE t SET b = 100 WHERE a = 3")
                == "Update on t (actual rows=0 loops=1)\n"
                + "  ->  Index Scan using t_pkey on t (actual rows=1 loops=1)\n"
                + "        Index Cond: (a = 3)")
        #expect(try s.query("SELECT b FROM t WHERE a = 3") == "100")
        #expect(
            try s.query(bare + "SELECT (SELECT count(*) FROM t)")
                == "Result (actual rows=1 loops=1)\n  InitPlan 1 (returns $0)\n"
                + "    ->  Aggregate (actual rows=1 loops=1)\n"
                + "          ->  Seq Scan on t (actual rows=70 loops=1)")
        try s.run("PREPARE p (int) AS SELECT * FROM t WHERE a = $1")
        #expect(
            try s.query(bare + "EXECUTE p(4)").hasPrefix(
                "Index Scan using t_pkey on t (actual rows=1 loops=1)"))
        try s.run("BEGIN READ ONLY")
        #expect(s.failure("EXPLAIN ANALYZE DELETE FROM t")?.state == .readOnlySQLTransaction)
        try s.run("ROLLBACK")
    }

    /// Digits as one `N`, so that costs and times compare.
    private func shape(_ text: String) -> String {
        var result = ""
        for character in text {
            if character.isNumber {
                if result.last != "N" { result.append("N") }
            } else {
                result.append(character)
            }
        }
        return result
    }

    @Test func numbersHaveTheirPlaces() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        #expect(
            shape(try s.query("EXPLAIN ANALYZE SELECT * FROM t WHERE a = 5"))
                == "Index Scan using t_pkey on t  (cost=N.N..N.N rows=N width=N) "
                + "(actual time=N.N..N.N rows=N loops=N)\n  Index Cond: (a = N)\n"
                + "Planning Time: N.N ms\nExecution Time: N.N ms")
        #expect(
            shape(try s.query("EXPLAIN (SUMMARY) SELECT 1"))
                == "Result  (cost=N.N..N.N rows=N width=N)\nPlanning Time: N.N ms")
        #expect(
            try s.query("EXPLAIN (VERBOSE, COSTS off) SELECT a, b + 1 FROM t WHERE b = 5")
                == "Seq Scan on public.t\n  Output: t.a, (t.b + 1)\n  Filter: (t.b = 5)")
        #expect(try s.query("EXPLAIN (BUFFERS, COSTS off, SETTINGS) SELECT 1") == "Result")
    }

    @Test func jsonHasPostgresKeys() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        let answer = try s.run("EXPLAIN (FORMAT JSON, COSTS off) UPDATE t SET b = 1 WHERE a = 3")
        #expect(answer.last?.types == [.json] && answer.last?.rows.count == 1)
        #expect(
            answer.last?.text == """
                [
                  {
                    "Plan": {
                      "Node Type": "ModifyTable",
                      "Operation": "Update",
                      "Parallel Aware": false,
                      "Async Capable": false,
                      "Relation Name": "t",
                      "Alias": "t",
                      "Plans": [
                        {
                          "Node Type": "Index Scan",
                          "Parent Relationship": "Outer",
                          "Parallel Aware": false,
                          "Async Capable": false,
                          "Scan Direction": "Forward",
                          "Index Name": "t_pkey",
                          "Relation Name": "t",
                          "Alias": "t",
                          "Index Cond": "(a = 3)"
                        }
                      ]
                    }
                  }
                ]
                """)
        let analyzed = try s.query(
            "EXPLAIN (FORMAT JSON, ANALYZE) SELECT b, count(*) FROM t GROUP BY b")
        for part in [
            "\"Strategy\": \"Hashed\",", "\"Plan Width\": ", "\"Actual Startup Time\": ",
            "\"Actual Rows\": 7,", "\"Actual Loops\": 1,", "\"Group Key\": [\"b\"],",
            "\"Planning Time\": ", "    \"Triggers\": [\n    ],", "\"Execution Time\": ",
        ] { #expect(analyzed.contains(part), "\(part)") }
        let literal = analyzed.split(separator: "'").joined(separator: "''")
        #expect(
            try s.query("SELECT ('\(literal)'::json)->0->'Plan'->'Plans'->0->>'Node Type'")
                == "Seq Scan")
    }

    @Test func mistakesAreNamed() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        for (options, state, message) in [
            ("foo", "42601", "unrecognized EXPLAIN option \"foo\""),
            ("analyze foo", "42601", "analyze requires a Boolean value"),
            ("costs 3", "42601", "costs requires a Boolean value"),
            (
                "format foo", "22023",
                "unrecognized value for EXPLAIN option \"format\": \"foo\""
            ),
            ("format", "42601", "format requires a parameter"),
            ("timing", "22023", "EXPLAIN option TIMING requires ANALYZE"),
            ("wal", "22023", "EXPLAIN option WAL requires ANALYZE"),
        ] {
            let error = s.failure("EXPLAIN (\(options)) SELECT 1")
            #expect(error?.state == SQLState(state) && error?.message == message, "\(options)")
        }
    }
}
