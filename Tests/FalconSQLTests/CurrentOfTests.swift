import FalconSchema
import Testing

@testable import FalconSQL

/// WHERE CURRENT OF, beside the scripts cursor-for-update and cursor-current-of.
struct CurrentOfTests {
    private let database: TestDatabase
    private let a: TestSession
    private let b: TestSession

    init() throws {
        (database, a, b) = try TestDatabase.pair(
            "CREATE TABLE t (id int PRIMARY KEY, n int)",
            "CREATE TABLE h (n int)",
            "INSERT INTO t SELECT i, 10 * i FROM generate_series(1, 6) AS i",
            "INSERT INTO h SELECT i FROM generate_series(1, 4) AS i")
    }

    @Test func everyRowOfALoop() throws {
        for (table, locks) in [("t", "FOR UPDATE"), ("t", ""), ("h", "FOR UPDATE"), ("h", "")] {
            try a.run("BEGIN; DECLARE c CURSOR FOR SELECT n FROM \(table) \(locks)")
            var count = 0
            while try !a.query("FETCH c").isEmpty {
                let change = count % 2 == 0 ? "UPDATE \(table) SET n = -n" : "DELETE FROM \(table)"
                #expect(try a.tag("\(change) WHERE CURRENT OF c").hasSuffix(" 1"))
                count += 1
            }
            #expect(
                try a.query("SELECT count(*), max(n) < 0 FROM \(table)") == "\((count + 1) / 2)|t")
            try a.run("ROLLBACK")
        }
    }

    /// The parameter and the plan are of the statement, the row of the moment.
    @Test func aPreparedStatementFollowsTheCursor() throws {
        try a.run("BEGIN; DECLARE c CURSOR FOR SELECT * FROM t ORDER BY id FOR UPDATE")
        try a.run("PREPARE p AS UPDATE t SET n = $1 WHERE CURRENT OF c")
        for n in 1...3 {
            try a.run("FETCH c")
            #expect(try a.tag("EXECUTE p(\(n))") == "UPDATE 1")
        }
        try a.run("COMMIT")
        #expect(try a.query("SELECT n FROM t WHERE id <= 4 ORDER BY id") == "1\n2\n3\n40")
        #expect(a.failure("EXECUTE p(0)")?.state == .invalidCursorName)
    }

    @Test func explainTellsOfTheCursor() throws {
        #expect(
            try a.query("EXPLAIN (COSTS OFF) DELETE FROM t WHERE CURRENT OF \"C 1\"")
                == "Delete on t\n  ->  Tid Scan on t\n        TID Cond: CURRENT OF \"C 1\"")
    }

    /// A row deleted, and its key given to another, is not the cursor's any more.
    @Test func aSuccessorIsAnotherRow() throws {
        try a.run("BEGIN; DECLARE c CURSOR FOR SELECT * FROM t; FETCH c")
        try b.run("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 100)")
        #expect(try a.tag("UPDATE t SET n = 0 WHERE CURRENT OF c") == "UPDATE 0")
        try a.run("FETCH c; DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (2, 200)")
        #expect(try a.tag("UPDATE t SET n = 0 WHERE CURRENT OF c") == "UPDATE 0")
        #expect(try a.query("SELECT n FROM t WHERE id = 2") == "200")
        try a.run("FETCH c")
        try b.run("DELETE FROM t WHERE id = 3")
        try b.run("INSERT INTO t VALUES (3, 300)")
        #expect(try a.tag("UPDATE t SET n = 0 WHERE CURRENT OF c") == "UPDATE 0")
    }

    @Test func aPortalOfTheProtocolIsACursor() throws {
        let session = a.session
        try a.run("BEGIN")
        _ = try a.settle(
            session.parse(
                name: "s", sql: "SELECT * FROM t ORDER BY id FOR UPDATE", parameterTypes: [],
                a.sink))
        _ = try a.settle(
            session.bind(portal: "p", statement: "s", parameters: [], resultFormats: [], a.sink))
        _ = try a.settle(session.execute(portal: "p", maxRows: 2, a.sink))
        #expect(try a.tag("UPDATE t SET n = 0 WHERE CURRENT OF p") == "UPDATE 1")
        #expect(try a.query("SELECT id FROM t WHERE n = 0") == "2")
    }
}
