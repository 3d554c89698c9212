import FalconSchema
import Testing

@testable import FalconSQL

/// Portals of the extended protocol that are executed piece by piece, cursors among them.
struct PortalTests {
    private let database: TestDatabase
    private let a: TestSession
    private let b: TestSession

    init() throws {
        (database, a, b) = try TestDatabase.pair(
            "CREATE TABLE t (id int PRIMARY KEY)",
            "INSERT INTO t SELECT generate_series(1, 10)")
    }

    private func open(_ sql: String) throws {
        _ = try a.settle(a.session.parse(name: "", sql: sql, parameterTypes: [], a.sink))
        _ = try a.settle(
            a.session.bind(portal: "", statement: "", parameters: [], resultFormats: [], a.sink))
    }

    /// Each Execute's rows, and its tag or "suspended".
    private func execute(_ limits: Int..., portal: String = "") throws -> [String] {
        var results: [String] = []
        for limit in limits {
            a.sink.answers = []
            a.sink.current = Answer()
            a.sink.suspensions = 0
            _ = try a.settle(a.session.execute(portal: portal, maxRows: limit, a.sink))
            let answer = a.sink.answers.last ?? a.sink.current
            let end = a.sink.suspensions > 0 ? "suspended" : answer.tag
            results.append(
                (answer.rows.compactMap { $0.first ?? nil } + [end]).joined(separator: " "))
        }
        return results
    }

    @Test func aFetchIsSuspendedLikeASelect() throws {
        try a.run("BEGIN; DECLARE c CURSOR FOR SELECT id FROM t ORDER BY id")
        try open("FETCH 5 FROM c")
        #expect(
            try execute(2, 2, 2, 2)
                == ["1 2 suspended", "3 4 suspended", "5 FETCH 1", "FETCH 0"])
        try open("FETCH 4 FROM c")
        #expect(
            try execute(2, 2, 2) == ["6 7 suspended", "8 9 suspended", "FETCH 0"])
        try open("FETCH 4 FROM c")
        #expect(try execute(0, 0) == ["10 FETCH 1", "FETCH 0"])
        try open("FETCH BACKWARD 3 FROM c")
        #expect(try execute(2, 0) == ["10 9 suspended", "8 FETCH 1"])
        try open("MOVE BACKWARD 4 FROM c")
        #expect(try execute(1) == ["MOVE 4"])
        let again = a.failure(a.session.execute(portal: "", maxRows: 1, a.sink))
        #expect(again?.message == "portal \"\" cannot be run")
    }

    /// As PostgreSQL's, the tag counts the rows of the last Execute, not of all.
    @Test func aSuspendedInsertCountsItsLastRows() throws {
        try open("INSERT INTO t SELECT generate_series(11, 15) RETURNING id")
        #expect(
            try execute(2, 2, 2, 2)
                == ["11 12 suspended", "13 14 suspended", "15 INSERT 0 1", "INSERT 0 0"])
        try open("DELETE FROM t WHERE id > 13 RETURNING id")
        #expect(try execute(2, 2) == ["14 15 suspended", "DELETE 0"])
        try open("INSERT INTO t VALUES (20), (21)")
        #expect(try execute(1) == ["INSERT 0 2"])
    }

    @Test func aCursorIsExecutedByItsName() throws {
        try a.run("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT id FROM t ORDER BY id")
        #expect(try execute(3, 2, portal: "c") == ["1 2 3 suspended", "4 5 suspended"])
        #expect(try a.query("FETCH PRIOR FROM c") == "4")
        #expect(try execute(2, portal: "c") == ["5 6 suspended"])
        try a.run("COMMIT")
        #expect(
            try execute(2, 0, 1, portal: "c") == ["7 8 suspended", "9 10 SELECT 2", "SELECT 0"])
        #expect(try a.query("FETCH PRIOR FROM c") == "10")
    }

    /// asyncpg's cursors do it.
    @Test func aPortalIsMovedBeforeItIsExecuted() throws {
        try a.run("BEGIN")
        _ = try a.settle(
            a.session.parse(
                name: "", sql: "SELECT id FROM t ORDER BY id", parameterTypes: [], a.sink))
        _ = try a.settle(
            a.session.bind(portal: "p", statement: "", parameters: [], resultFormats: [1], a.sink))
        #expect(try a.tag("MOVE FORWARD 2 p") == "MOVE 2")
        #expect(try execute(2, portal: "p") == ["3 4 suspended"])
        #expect(try a.query("FETCH p") == "5")
        #expect(
            try a.query("SELECT name, is_scrollable, is_holdable FROM pg_cursors") == "p|f|f")
        #expect(try a.tag("MOVE ALL p") == "MOVE 5")
        #expect(try execute(2, portal: "p") == ["SELECT 0"])
    }

    /// A plan that runs only forward is read once, its rows kept; others are read again when they go back.
    @Test(arguments: ["SCROLL", ""])
    func goingBackDoesNotShowNewRows(scroll: String) throws {
        try a.run("BEGIN; DECLARE c \(scroll) CURSOR FOR SELECT id FROM t ORDER BY id")
        #expect(try a.tag("MOVE 9 FROM c") == "MOVE 9")
        try a.run("DELETE FROM t WHERE id < 5")
        try b.run("UPDATE t SET id = 50 WHERE id = 9")
        #expect(try a.query("FETCH BACKWARD 8 FROM c") == "8\n7\n6\n5\n4\n3\n2\n1")
        #expect(try a.query("FETCH LAST FROM c") == "10")
    }

    @Test func aJoinIsReadOnce() throws {
        try a.run("BEGIN; DECLARE c SCROLL CURSOR FOR SELECT a.id FROM t a, t b, t d")
        #expect(try a.tag("MOVE ALL FROM c") == "MOVE 1000")
        #expect(try a.tag("MOVE BACKWARD 10 FROM c") == "MOVE 10")
        #expect(try a.tag("FETCH ALL FROM c") == "FETCH 9")
    }

    /// Bind waits for the lock when the statement has to be analysed again and cannot be.
    @Test func bindWaitsForALockThatMayMakeItRight() throws {
        try a.run("CREATE TABLE s (n int)")
        _ = try a.settle(
            a.session.parse(name: "p", sql: "SELECT n FROM s", parameterTypes: [], a.sink))
        _ = try a.settle(a.session.sync(a.sink))
        try b.run("ALTER TABLE s RENAME n TO m")
        try b.run("BEGIN; ALTER TABLE s RENAME m TO n")
        let waiting = a.session.bind(
            portal: "", statement: "p", parameters: [], resultFormats: [], a.sink)
        guard case .waiting = waiting else {
            Issue.record("it does not wait")
            return
        }
        try b.run("COMMIT")
        _ = try a.settle(waiting)
        #expect(try execute(0) == ["SELECT 0"])
    }
}
