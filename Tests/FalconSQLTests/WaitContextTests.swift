import FalconSchema
import Testing

@testable import FalconSQL

/// What the CONTEXT of an error says that breaks off the wait for a row: PostgreSQL's, without the row's place.
struct WaitContextTests {
    @Test func waitsForRowsSayWhatTheyAreFor() throws {
        let (database, a, b) = try TestDatabase.pair(
            "CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1, 1), (2, 2)")
        defer { database.close() }
        try a.run("BEGIN; UPDATE t SET n = 5 WHERE id = 1; INSERT INTO t VALUES (3, 3)")
        try a.run("DELETE FROM t WHERE id = 2")
        try b.run("SET lock_timeout = 20")
        let cases: [(String, String?)] = [
            ("UPDATE t SET n = 6 WHERE id = 1", "while updating tuple in relation \"t\""),
            ("DELETE FROM t WHERE id = 1", "while deleting tuple in relation \"t\""),
            ("SELECT * FROM t FOR SHARE", "while locking tuple in relation \"t\""),
            ("INSERT INTO t VALUES (3, 4)", "while inserting index tuple in relation \"t_pkey\""),
            (
                "INSERT INTO t VALUES (3, 4) ON CONFLICT DO NOTHING",
                "while inserting index tuple in relation \"t\""
            ),
            (
                "INSERT INTO t VALUES (1, 4) ON CONFLICT (id) DO UPDATE SET n = 3",
                "while inserting index tuple in relation \"t\""
            ),
            ("ALTER TABLE t ADD COLUMN z int", nil),
        ]
        for (sql, context) in cases {
            let error = b.failure(sql)
            #expect(error?.state == .lockNotAvailable, "\(sql)")
            #expect(error?.context == context, "\(sql)")
        }
        // Of a wait that was granted nothing is left for the next error.
        try b.run("SET lock_timeout = 0; BEGIN")
        let waiting = try b.begin("UPDATE t SET n = 7 WHERE id = 1")
        try a.run("ROLLBACK")
        _ = try b.settle(waiting)
        let next = b.failure("SELECT 1 / 0")
        #expect(next?.state == .divisionByZero && next?.context == nil)
    }
}
