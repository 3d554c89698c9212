import FalconSchema
import Testing

@testable import FalconSQL

/// Constant expressions that fail: which statements PostgreSQL 15 refuses for them, over an empty
/// table, and which it runs.
@Suite struct FoldingTests {
    @Test func constantsFailBeforeTheFirstRow() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE x (a int)")
        for statement in [
            "SELECT 1/0 FROM x", "SELECT CASE WHEN a > 0 THEN 1/0 ELSE 2 END FROM x",
            "SELECT CASE count(*) WHEN 13 THEN 1/0 END FROM x", "SELECT coalesce(a, 1/0) FROM x",
            "SELECT a IS NULL OR 1/0 = 1 FROM x", "SELECT 1 FROM x WHERE 1/0 = 1",
            "SELECT 1 FROM x WHERE a = 1/0", "INSERT INTO x SELECT 1/0 FROM x",
            "UPDATE x SET a = 1/0", "SELECT greatest(1, 1/0) FROM x", "SELECT (SELECT 1/0 FROM x)",
            "SELECT count(*) FILTER (WHERE 1/0 = 1) FROM x", "SELECT array[1/0] FROM x",
            "EXPLAIN SELECT 1/0 FROM x", "SELECT z FROM (SELECT 1/0 AS z FROM x) q",
            "SELECT 1/0 LIMIT 0", "SELECT 1 FROM x LIMIT 0 OFFSET 1/0",
            "SELECT x.a FROM x JOIN x y ON 1/0 = 1", "SELECT 1 FROM x GROUP BY a HAVING 1/0 = 1",
            "SELECT a FROM x ORDER BY a + 1/0", "DELETE FROM x WHERE 1/0 = 1",
            "SELECT CASE a WHEN 1/0 THEN 1 END FROM x", "SELECT 10::numeric/0 FROM x",
            "SELECT 1 FROM x WHERE a = 1/0 AND false", "CREATE TABLE y AS SELECT 1/0 FROM x",
            "SELECT DISTINCT 31 + NULLIF(- CAST(NULL AS REAL), -22 / CASE COUNT(*) WHEN "
                + "- NULLIF(11, 20 / COALESCE(- COALESCE(0, - 31 / 65), - 8)) THEN 1 END)",
        ] {
            // The second time its literals might be parameters.
            for _ in 0..<3 {
                #expect(s.failure(statement)?.state == .divisionByZero, "\(statement)")
            }
        }
        for statement in [
            "SELECT CASE COUNT(*) WHEN 13 THEN 79 * 91 * 73 * 67 * 94 ELSE NULL END",
            "SELECT 2147483647 + 1 FROM x", "SELECT abs(-2147483648) FROM x",
        ] {
            for _ in 0..<3 {
                #expect(s.failure(statement)?.state == .numericValueOutOfRange, "\(statement)")
            }
        }
    }

    @Test func whatSimplificationDropsIsNoError() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE x (a int)")
        for (statement, answer) in [
            ("SELECT CASE WHEN false THEN 1/0 ELSE 2 END", "2"),
            ("SELECT CASE WHEN true THEN 2 ELSE 1/0 END", "2"),
            ("SELECT CASE 1 WHEN 1 THEN 5 ELSE 1/0 END", "5"), ("SELECT coalesce(1, 1/0)", "1"),
            ("SELECT coalesce(NULL, 2, 1/0)", "2"), ("SELECT true OR 1/0 = 1", "t"),
            ("SELECT false AND 1/0 = 1", "f"), ("SELECT 1 WHERE false AND 1/0 = 1", ""),
            ("SELECT 1 WHERE EXISTS (SELECT 1/0 FROM x)", ""),
            ("SELECT 1 FROM (SELECT 1/0 AS z FROM x) q", ""),
            ("WITH q AS (SELECT 1/0) SELECT 1", "1"),
            ("SELECT CASE WHEN 1 = 1 THEN 1 WHEN 1/0 = 1 THEN 2 END FROM x", ""),
            ("SELECT 1 FROM x WHERE false AND a = 1/0", ""), ("SELECT random() / 0 FROM x", ""),
            ("SELECT 1 / (a - a) FROM x", ""),
        ] {
            #expect(try s.query(statement) == answer, "\(statement)")
        }
        try s.run("PREPARE p AS SELECT 1/0 FROM x")
        #expect(s.failure("EXECUTE p")?.state == .divisionByZero)
        try s.run("CREATE VIEW v AS SELECT 1/0 AS z")
        try s.run("CREATE TABLE d (a int DEFAULT 1/0, b int)")
        #expect(s.failure("INSERT INTO d (b) SELECT a FROM x")?.state == .divisionByZero)
        #expect(try s.tag("INSERT INTO d VALUES (1, 2)") == "INSERT 0 1")
    }
}
