import FalconSchema
import Testing

@testable import FalconSQL

/// INSERT, UPDATE and DELETE through automatically updatable views, as PostgreSQL 15 answers them.
@Suite struct ViewWriteTests {
    private func prepared() throws -> (TestDatabase, TestSession) {
        let database = try TestDatabase()
        let s = try database.session()
        for statement in [
            "CREATE TABLE bt (a int PRIMARY KEY, b int DEFAULT 7, c text)",
            "CREATE VIEW v1 AS SELECT a, b FROM bt WHERE a > 0",
            "CREATE VIEW v2 AS SELECT a AS x, b + 1 AS y FROM bt WITH LOCAL CHECK OPTION",
            "CREATE VIEW v3 AS SELECT a, b FROM bt WHERE a > 10 WITH CHECK OPTION;",
            "CREATE VIEW v3b AS SELECT * FROM v3 WHERE b < 100 WITH CASCADED CHECK OPTION",
            "CREATE VIEW v3c AS SELECT * FROM v3 WHERE b < 100 WITH LOCAL CHECK OPTION",
            "CREATE VIEW v15 AS SELECT a, a AS aa FROM bt",
            "CREATE VIEW v19 (n) AS SELECT b AS bb FROM v1",
        ] { try s.run(statement) }
        return (database, s)
    }

    @Test func rowsGoThroughViews() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        #expect(try s.query("INSERT INTO v1 VALUES (1, 2), (2, 3) RETURNING *") == "1|2\n2|3")
        #expect(try s.query("INSERT INTO v1 (a) VALUES (3) RETURNING a, b") == "3|7")
        #expect(try s.tag("INSERT INTO v1 VALUES (-5, 1)") == "INSERT 0 1")
        #expect(try s.query("SELECT * FROM bt ORDER BY a") == "-5|1|\n1|2|\n2|3|\n3|7|")
        #expect(try s.tag("INSERT INTO v2 (x) VALUES (9)") == "INSERT 0 1")
        #expect(
            try s.query("UPDATE v2 SET x = x + 100 WHERE y > 4 RETURNING x, y") == "103|8\n109|8")
        #expect(try s.query("UPDATE v19 SET n = 5 WHERE n > 2 RETURNING n") == "5\n5\n5")
        #expect(try s.query("SELECT a, b FROM bt ORDER BY a") == "-5|1\n1|2\n2|5\n103|5\n109|5")
        #expect(try s.query("DELETE FROM v1 WHERE a = 1 RETURNING *") == "1|2")
        #expect(try s.tag("DELETE FROM v1 WHERE a = -5") == "DELETE 0")
        #expect(
            try s.query(
                "INSERT INTO v1 AS q VALUES (2, 2) ON CONFLICT (a) "
                    + "DO UPDATE SET b = excluded.b + q.b + 10 RETURNING q.*") == "2|17")
        #expect(
            try s.query("DELETE FROM v1 USING bt WHERE bt.a = v1.a AND v1.a = 2 RETURNING *")
                == "2|17|2|17|")
        #expect(try s.query("UPDATE v1 SET b = DEFAULT WHERE a = 103 RETURNING b") == "7")
        #expect(try s.tag("INSERT INTO v1 SELECT 300, 3") == "INSERT 0 1")
        #expect(
            try s.query("WITH q AS (INSERT INTO v1 VALUES (301, 1) RETURNING a) SELECT * FROM q")
                == "301")
        #expect(
            try s.query("EXPLAIN (COSTS off) UPDATE v1 SET b = 2 WHERE a = 3")
                .hasPrefix("Update on bt\n  ->  Index Scan using bt_pkey on bt"))
        #expect(
            try s.prepared("UPDATE v1 SET b = $1 WHERE a = $2", ["8", "300"]).tag == "UPDATE 1")
    }

    @Test func aConflictWithAHiddenRowIsAnError() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("INSERT INTO bt VALUES (1, 1), (-5, 1)")
        for statement in [
            "INSERT INTO v1 VALUES (-5, 2) ON CONFLICT (a) DO UPDATE SET b = 9",
            "INSERT INTO v1 VALUES (-5, 2) ON CONFLICT (a) DO UPDATE SET a = 50 WHERE v1.b > 99",
        ] {
            let error = s.failure(statement)
            #expect(error?.state == SQLState("55000"), "\(statement)")
            #expect(error?.message == "conflicting row is not visible through view")
        }
        #expect(try s.query("SELECT a, b FROM bt ORDER BY a") == "-5|1\n1|1")
        #expect(try s.tag("INSERT INTO v1 VALUES (-5, 2) ON CONFLICT DO NOTHING") == "INSERT 0 0")
    }

    @Test func checkOptionsHold() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        #expect(try s.tag("INSERT INTO v3 VALUES (11, 1)") == "INSERT 0 1")
        for (statement, view, row) in [
            ("INSERT INTO v3 VALUES (5, 1)", "v3", "(5, 1, null)"),
            ("UPDATE v3 SET a = 3", "v3", "(3, 1, null)"),
            ("INSERT INTO v3b VALUES (20, 200)", "v3b", "(20, 200, null)"),
            ("INSERT INTO v3b VALUES (2, 2)", "v3", "(2, 2, null)"),
            ("INSERT INTO v3c VALUES (21, 300)", "v3c", "(21, 300, null)"),
            ("INSERT INTO v3c VALUES (2, 2)", "v3", "(2, 2, null)"),
            ("INSERT INTO v3b VALUES (21, NULL)", "v3b", "(21, null, null)"),
        ] {
            let error = s.failure(statement)
            #expect(error?.state == SQLState("44000"), "\(statement)")
            #expect(error?.message == "new row violates check option for view \"\(view)\"")
            #expect(error?.detail == "Failing row contains \(row).")
        }
        #expect(
            try s.query("SELECT reloptions FROM pg_class WHERE relname = 'v3c'")
                == "{check_option=local}")
        s.session.close()
        try database.restart()
        let after = try database.session()
        #expect(after.failure("INSERT INTO v3 VALUES (5, 1)")?.state == SQLState("44000"))
        try after.run("CREATE VIEW o WITH (check_option = local) AS SELECT a FROM bt WHERE a > 0")
        #expect(after.failure("INSERT INTO o VALUES (-1)")?.state == SQLState("44000"))
        let bad = after.failure("CREATE VIEW p WITH (check_option = foo) AS SELECT a FROM bt")
        #expect(bad?.message == "invalid value for enum option \"check_option\": foo")
        let agg = after.failure("CREATE VIEW p AS SELECT count(*) FROM bt WITH CHECK OPTION")
        #expect(
            agg?.state == .featureNotSupported
                && agg?.hint
                    == "Views that return aggregate functions are not automatically updatable."
        )
    }

    @Test func refusalsAreExplained() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        for (query, what) in [
            ("SELECT count(*) FROM bt", "Views that return aggregate functions"),
            ("SELECT DISTINCT a FROM bt", "Views containing DISTINCT"),
            ("SELECT a FROM bt LIMIT 3", "Views containing LIMIT or OFFSET"),
            ("SELECT a FROM bt UNION SELECT 1", "Views containing UNION, INTERSECT, or EXCEPT"),
            ("SELECT 1 AS one", "Views that do not select from a single table or view"),
            ("SELECT t.a FROM bt t, bt u", "Views that do not select from a single table or view"),
            ("WITH x AS (SELECT 1) SELECT a FROM bt", "Views containing WITH"),
            (
                "SELECT a, generate_series(1, 2) g FROM bt",
                "Views that return set-returning functions"
            ),
            ("SELECT a FROM bt GROUP BY a", "Views containing GROUP BY"),
            ("VALUES (1)", "Views that do not select from a single table or view"),
        ] {
            try s.run("CREATE OR REPLACE VIEW no AS \(query)")
            let error = s.failure("DELETE FROM no")
            #expect(error?.state == .objectNotInPrerequisiteState, "\(query)")
            #expect(error?.message == "cannot delete from view \"no\"")
            #expect(error?.detail == what + " are not automatically updatable.", "\(query)")
            #expect(
                error?.hint == "To enable deleting from the view, provide an INSTEAD OF DELETE "
                    + "trigger or an unconditional ON DELETE DO INSTEAD rule.")
            try s.run("DROP VIEW no")
        }
        for (statement, state, message) in [
            (
                "INSERT INTO v2 (x, y) VALUES (9, 1)", "0A000",
                "cannot insert into column \"y\" of view \"v2\""
            ),
            (
                "INSERT INTO v2 VALUES (9, 1)", "0A000",
                "cannot insert into column \"y\" of view \"v2\""
            ),
            ("COPY v1 FROM STDIN", "42809", "cannot copy to view \"v1\""),
            ("COPY v1 TO STDOUT", "42809", "cannot copy from view \"v1\""),
            ("TRUNCATE v1", "42809", "\"v1\" is not a table"),
            ("UPDATE v2 SET y = 3", "0A000", "cannot update column \"y\" of view \"v2\""),
            (
                "INSERT INTO v15 VALUES (1, 2)", "42601",
                "multiple assignments to same column \"a\""
            ),
            (
                "INSERT INTO v1 (zz) VALUES (1)", "42703",
                "column \"zz\" of relation \"v1\" does not exist"
            ),
            ("UPDATE v1 SET c = 'x'", "42703", "column \"c\" of relation \"v1\" does not exist"),
            ("UPDATE v1 SET a = 2 WHERE zz = 3", "42703", "column \"zz\" does not exist"),
            (
                "INSERT INTO v1 VALUES (1, 2, 3)", "42601",
                "INSERT has more expressions than target columns"
            ),
        ] {
            let error = s.failure(statement)
            #expect(error?.state == SQLState(state) && error?.message == message, "\(statement)")
        }
    }

    @Test func eachStatementOfAMessageHasItsOwnView() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE VIEW p AS SELECT 1 AS x; CREATE VIEW q AS SELECT 2 AS x; SELECT 3")
        #expect(try s.query("SELECT p.x, q.x FROM p, q") == "1|2")
    }
}
