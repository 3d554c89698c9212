import Dispatch
import FalconSchema
import Testing

@testable import FalconSQL

/// Statements that nest deeply: what PostgreSQL 15 runs with its default stack runs, what nests
/// beyond any use is refused with 54001, and nothing ends the process.
@Suite struct DeepStatementTests {
    private static func nested(_ open: String, _ core: String, _ close: String, _ count: Int)
        -> String
    {
        String(repeating: open, count: count) + core + String(repeating: close, count: count)
    }

    /// A statement that nests so many levels of its kind, and its answer.
    private static let shapes: [(name: String, answer: String, sql: @Sendable (Int) -> String)] = [
        ("scalar", "1", { nested("SELECT (", "SELECT 1", ")", $0) }),
        (
            "from", "1",
            { "SELECT * FROM " + nested("(SELECT * FROM ", "(SELECT 1 x) z", ") z", $0) }
        ),
        ("exists", "1", { "SELECT 1 WHERE " + nested("EXISTS (SELECT 1 WHERE ", "true", ")", $0) }),
        ("in", "1", { "SELECT 1 WHERE " + nested("1 IN (SELECT 1 WHERE ", "true", ")", $0) }),
        ("calls", "1", { "SELECT " + nested("abs(", "1", ")", $0) }),
        ("volatile", "1", { "SELECT " + nested("abs(", "1 + length(version()) * 0", ")", $0) }),
        ("or", "t", { "SELECT " + nested("(false OR ", "true", ")", $0) }),
        ("not", "t", { "SELECT " + nested("NOT NOT ", "true", "", $0 / 2) }),
        ("case", "1", { "SELECT " + nested("CASE WHEN now() IS NOT NULL THEN ", "1", " END", $0) }),
        ("sum", "7", { "SELECT 7" + String(repeating: " + 0", count: $0) }),
        ("text", "a", { "SELECT 'a'" + String(repeating: " || ''", count: $0) }),
        ("right", "1", { "SELECT " + nested("(0 + ", "1", ")", $0) }),
        ("cast", "1", { "SELECT 1" + String(repeating: "::int8::int4", count: $0 / 2) }),
        ("union", "1", { "SELECT 1" + String(repeating: " UNION SELECT 1", count: $0) }),
        ("explain", "Result", { "EXPLAIN (COSTS off) SELECT " + nested("abs(", "1", ")", $0) }),
    ]

    @Test func deepStatementsRun() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        for (name, answer, sql) in Self.shapes {
            for depth in [50, 200, 500] {
                let result = try? s.query(sql(depth))
                #expect(result == answer, "\(name) \(depth) \(s.failure(sql(depth)) as Any)")
            }
        }
    }

    @Test func longChainsAndListsRun() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        for word in ["AND", "OR", "+", "-", "*"] {
            let isLogic = word == "AND" || word == "OR"
            let term = isLogic ? "(now() IS NOT NULL)" : "1"
            let terms = Array(repeating: term, count: 2000).joined(separator: " \(word) ")
            let answer = isLogic ? "t" : word == "+" ? "2000" : word == "-" ? "-1998" : "1"
            #expect(try s.query("SELECT \(terms)") == answer, "\(word)")
        }
        let list = (0..<10_000).map(String.init).joined(separator: ", ")
        #expect(try s.query("SELECT 9999 IN (\(list)), 10000 IN (\(list))") == "t|f")
        try s.run("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (5), (10000)")
        #expect(try s.query("SELECT a FROM t WHERE a IN (\(list))") == "5")
        #expect(try s.query("SELECT a FROM t WHERE a NOT IN (\(list))") == "10000")
    }

    /// No depth crashes: each is answered or refused, and let go of again.
    @Test func anyDepthIsAnsweredOrRefused() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        for (name, _, sql) in Self.shapes {
            var refused = 0
            for depth in [1000, 3000, 9000, 20_000, 100_000] {
                guard let error = s.failure(sql(depth)) else { continue }
                refused += 1
                #expect(error.state == .statementTooComplex, "\(name) \(depth) \(error)")
            }
            #expect(refused > 0, "\(name) has no limit")
        }
    }

    @Test func deepStatementsRunInEveryWay() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        let query = Self.nested("SELECT (", "SELECT 1", ")", 400)
        #expect(try s.prepared(query, []).text == "1")
        let parameter = Self.nested("SELECT (", "SELECT $1::int", ")", 400)
        #expect(try s.prepared(parameter, ["7"]).text == "7")
        try s.run("PREPARE p AS \(query)")
        #expect(try s.query("EXECUTE p") == "1")
        #expect(try s.query("EXECUTE p") == "1")
        try s.run("DEALLOCATE p")
        try s.run("BEGIN; DECLARE c CURSOR FOR \(query)")
        #expect(try s.query("FETCH ALL FROM c") == "1")
        try s.run("COMMIT")
        try s.run("CREATE TABLE made AS \(query)")
        try s.run("INSERT INTO made VALUES ((\(query)))")
        #expect(try s.query("UPDATE made SET \"?column?\" = (\(query)) RETURNING 1") == "1\n1")
        try s.run("COPY (\(query)) TO STDOUT")
        #expect(String(decoding: s.sink.copyOut, as: UTF8.self) == "1\n")
        #expect(try s.query("EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) \(query)") != "")
    }

    /// Planning a deep statement may parse: a view's long text, while all parser threads plan.
    @Test func planningMayParse() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let long = String(repeating: "x", count: 70_000)
        try database.session().run("CREATE VIEW v AS SELECT 1 AS a, '\(long)'::text AS b")
        let sql =
            "SELECT a FROM " + String(repeating: "(SELECT * FROM ", count: 200) + "v"
            + String(repeating: ") z", count: 200)
        let sessions = try (0..<6).map { _ in try database.session() }
        DispatchQueue.concurrentPerform(iterations: sessions.count) { index in
            for _ in 0..<5 {
                let answer = try? sessions[index].query(sql)
                #expect(answer == "1")
            }
        }
    }

    /// The catalog stores no deeper expression than its readers bear on their own stacks.
    @Test func storedExpressionsAreShallow() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        let deep = Self.nested("abs(", "1", ")", 1000)
        for statement in [
            "CREATE TABLE t (a int DEFAULT \(deep))", "CREATE TABLE t (a int CHECK (a > \(deep)))",
            "CREATE VIEW v AS SELECT \(deep)",
        ] { #expect(s.failure(statement)?.state == .statementTooComplex) }
    }
}
