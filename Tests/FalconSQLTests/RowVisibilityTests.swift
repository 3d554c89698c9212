import FalconSchema
import Testing

@testable import FalconSQL

/// What cursors, row locks and READ ONLY show, keep and refuse.
struct RowVisibilityTests {
    private let a: TestSession
    private let b: TestSession

    init() throws {
        (_, a, b) = try TestDatabase.pair(
            "CREATE TABLE t (id int PRIMARY KEY, n int)",
            "INSERT INTO t VALUES (1, 10), (2, 20)")
    }

    /// Runs `sql` in `b`, and `meanwhile` in `a` once it waits.
    private func whileWaiting(_ sql: String, _ meanwhile: String) throws -> (String, SQLError?) {
        let pending = Pending(b, sql)
        try pending.untilItWaits()
        try a.run(meanwhile)
        return try pending.result()
    }

    /// Whether b gets no such lock of the row 1.
    private func isLocked(against strength: String) throws -> Bool {
        do {
            return try b.query("SELECT id FROM t WHERE id = 1 FOR \(strength) NOWAIT") != "1"
        } catch let error as SQLError where error.state == .lockNotAvailable { return true }
    }

    // MARK: Cursors

    @Test func aCursorShowsWhatThereWasWhenItWasDeclared() throws {
        try a.run("BEGIN; UPDATE t SET n = 11 WHERE id = 1")
        try a.run("DECLARE c CURSOR FOR SELECT * FROM t ORDER BY id")
        try b.run("UPDATE t SET n = 22 WHERE id = 2")
        try a.run("UPDATE t SET n = 12 WHERE id = 1; INSERT INTO t VALUES (0, 0)")
        #expect(try a.query("FETCH ALL FROM c") == "1|11\n2|20")
        #expect(try a.query("SELECT * FROM t ORDER BY id") == "0|0\n1|12\n2|22")
        try a.run("COMMIT")
    }

    @Test func aSavepointTakesItsOwnCursorsOnly() throws {
        try a.run("BEGIN; INSERT INTO t VALUES (3, 30)")
        try a.run("DECLARE c1 CURSOR FOR SELECT id FROM t ORDER BY id; SAVEPOINT s")
        try a.run("DECLARE c2 CURSOR FOR SELECT id FROM t; INSERT INTO t VALUES (4, 40)")
        #expect(try a.query("FETCH c1") == "1")
        try a.run("ROLLBACK TO s")
        #expect(a.failure("FETCH c2")?.state == SQLState("34000"))
        try a.run("ROLLBACK TO s")
        #expect(try a.query("FETCH ALL FROM c1") == "2\n3")
        // A cursor that failed gives no more.
        try a.run("DECLARE c3 CURSOR FOR SELECT 1 / (id - 1) FROM t ORDER BY id; SAVEPOINT s2")
        #expect(a.failure("FETCH c3")?.state == SQLState("22012"))
        try a.run("ROLLBACK TO s2")
        #expect(a.failure("FETCH c3")?.message == "portal \"c3\" cannot be run")
        try a.run("ROLLBACK")
    }

    // MARK: Row locks

    @Test func locksReachIntoSubqueries() throws {
        try a.run("BEGIN; SELECT id FROM (SELECT * FROM t WHERE id = 1) s FOR UPDATE")
        #expect(try isLocked(against: "UPDATE"))
        #expect(try b.query("SELECT id FROM t WHERE id = 2 FOR UPDATE NOWAIT") == "2")
        try a.run("ROLLBACK")
        for (sql, message) in [
            (
                "(SELECT id FROM t FOR UPDATE) UNION ALL SELECT 1",
                "FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT"
            ),
            ("VALUES (1) FOR SHARE", "FOR SHARE cannot be applied to VALUES"),
            (
                "SELECT * FROM (SELECT n FROM t GROUP BY n) s FOR UPDATE",
                "FOR UPDATE is not allowed with GROUP BY clause"
            ),
            (
                "SELECT row_number() OVER () FROM t FOR UPDATE",
                "FOR UPDATE is not allowed with window functions"
            ),
            (
                "SELECT 1 FROM t LEFT JOIN t u ON u.id = t.id FOR UPDATE",
                "FOR UPDATE cannot be applied to the nullable side of an outer join"
            ),
        ] {
            #expect(a.failure(sql)?.message == message)
        }
        #expect(
            try a.query("SELECT t.id FROM t LEFT JOIN t u ON u.id = 0 FOR UPDATE OF t") == "1\n2")
    }

    @Test(arguments: [
        "DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 77)",
        "UPDATE t SET id = 5 WHERE id = 2; DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 77)",
    ])
    func aNewRowUnderTheOldKeyIsAnotherRow(change: String) throws {
        try a.run("BEGIN; " + change)
        let (rows, error) = try whileWaiting(
            "UPDATE t SET n = n + 100 WHERE id = 1 RETURNING n", "COMMIT")
        #expect(error == nil)
        #expect(rows == "")
        #expect(try a.query("SELECT n FROM t WHERE id = 1") == "77")
    }

    @Test func aRowThatWasOnlyUpdatedIsStillFollowed() throws {
        try a.run(
            "BEGIN; UPDATE t SET id = 5 WHERE id = 1; UPDATE t SET id = 1, n = 50 WHERE id = 5")
        let (rows, _) = try whileWaiting(
            "UPDATE t SET n = n + 1 WHERE id = 1 RETURNING n", "COMMIT")
        #expect(rows == "51")
        try a.run("BEGIN; UPDATE t SET n = 60 WHERE id = 1; UPDATE t SET n = 61 WHERE id = 1")
        #expect(
            try whileWaiting("UPDATE t SET n = n + 1 WHERE id = 1 RETURNING n", "COMMIT").0
                == "62")
    }

    @Test func aRowDeletedAndInsertedByTwoTransactionsIsAnotherRow() throws {
        try b.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t")
        try a.run("DELETE FROM t WHERE id = 1")
        try a.run("INSERT INTO t VALUES (1, 77)")
        #expect(
            b.failure("UPDATE t SET n = 0 WHERE id = 1")?.message
                == "could not serialize access due to concurrent delete")
        try b.run("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t")
        try a.run("UPDATE t SET n = 78 WHERE id = 1")
        #expect(try b.query("SELECT n FROM t WHERE id = 1 FOR KEY SHARE") == "77")
        #expect(
            b.failure("SELECT n FROM t WHERE id = 1 FOR SHARE")?.message
                == "could not serialize access due to concurrent update")
        try b.run("ROLLBACK")
    }

    @Test func onlyWhatChangesAKeyLocksIt() throws {
        try a.run("BEGIN; UPDATE t SET id = 1, n = 12 WHERE id = 1")
        #expect(try !isLocked(against: "KEY SHARE"))
        try a.run("ROLLBACK; BEGIN")
        try a.run("INSERT INTO t VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET n = 11")
        #expect(try !isLocked(against: "KEY SHARE"))
        #expect(try isLocked(against: "SHARE"))
        try a.run("ROLLBACK; BEGIN; UPDATE t SET id = 9 WHERE id = 1")
        #expect(try isLocked(against: "KEY SHARE"))
        try a.run("ROLLBACK")
    }

    /// Whoever holds FOR KEY SHARE may still write the row while another session waits to change its key.
    @Test func aChangeOfTheKeyWaitsWithNoLockInHand() throws {
        try a.run("BEGIN; SELECT id FROM t WHERE id = 1 FOR KEY SHARE")
        let (rows, error) = try whileWaiting(
            "UPDATE t SET id = 7 WHERE id = 1 RETURNING n",
            "UPDATE t SET n = 11 WHERE id = 1; COMMIT")
        #expect(error == nil)
        #expect(rows == "11")
        // A key that is changed only at the row's newest version.
        try a.run("ALTER TABLE t ADD COLUMN u int UNIQUE; UPDATE t SET u = 5 WHERE id = 7")
        try a.run("BEGIN; UPDATE t SET u = 6 WHERE id = 7")
        #expect(
            try whileWaiting("UPDATE t SET u = 5 WHERE id = 7 RETURNING u", "COMMIT").0 == "5")
        #expect(try a.query("SELECT u FROM t WHERE id = 7") == "5")
    }

    @Test func doUpdateLocksTheKeyThatItAssigns() throws {
        try a.run("BEGIN; INSERT INTO t VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET id = 1")
        #expect(try isLocked(against: "KEY SHARE"))
        try a.run("ROLLBACK")
    }

    // MARK: Modes

    @Test func chainsKeepTheModesOfAFailedTransaction() throws {
        try a.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; COMMIT AND CHAIN")
        #expect(a.failure("SELECT 1 / 0") != nil)
        try a.run("ROLLBACK AND CHAIN")
        #expect(try a.query("SHOW transaction_isolation") == "repeatable read")
        #expect(try a.query("SHOW transaction_read_only") == "on")
        try a.run("COMMIT; BEGIN ISOLATION LEVEL SERIALIZABLE")
        #expect(a.failure("SELECT 1 / 0") != nil)
        try a.run("COMMIT AND CHAIN")
        #expect(try a.query("SHOW transaction_isolation") == "read committed")
        try a.run("COMMIT")
    }

    @Test func readOnlyEndsWithItsSavepoint() throws {
        try a.run("BEGIN; SAVEPOINT s; SET TRANSACTION READ ONLY")
        #expect(
            a.failure("INSERT INTO t VALUES (3, 30)")?.message
                == "cannot execute INSERT in a read-only transaction")
        try a.run("ROLLBACK TO s; INSERT INTO t VALUES (3, 30)")
        try a.run("SET TRANSACTION READ ONLY; RELEASE s; INSERT INTO t VALUES (4, 40); ROLLBACK")
        try a.run("BEGIN READ ONLY; SAVEPOINT s")
        #expect(
            a.failure("SET TRANSACTION READ WRITE")?.message
                == "cannot set transaction read-write mode inside a read-only transaction")
        try a.run("ROLLBACK; BEGIN; SAVEPOINT s")
        #expect(
            a.failure("SET TRANSACTION DEFERRABLE")?.message
                == "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction")
        try a.run("ROLLBACK")
    }

    @Test func readOnlyRefusesWritesOfSharedRelationsByName() throws {
        try a.run("CREATE TEMP TABLE x (id int); CREATE SEQUENCE s")
        for (sql, name) in [
            ("WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "SELECT"),
            ("SELECT * FROM t FOR KEY SHARE", "SELECT FOR KEY SHARE"),
            ("SELECT setval('s', 5)", "setval()"),
            ("EXPLAIN ANALYZE DELETE FROM t", "DELETE"),
        ] {
            try a.run("BEGIN READ ONLY")
            #expect(
                a.failure(sql)?.message == "cannot execute \(name) in a read-only transaction")
            try a.run("ROLLBACK")
        }
        try a.run("BEGIN READ ONLY; INSERT INTO x VALUES (1); UPDATE x SET id = 2")
        #expect(try a.query("SELECT id FROM x") == "2")
        try a.run("COMMIT")
        #expect(try a.query("SELECT count(*) FROM t") == "2")
    }

    @Test func aWriterHasANumber() throws {
        try a.run("BEGIN")
        #expect(try a.query("SELECT pg_current_xact_id_if_assigned() IS NULL") == "t")
        try a.run("UPDATE t SET n = 11 WHERE id = 1")
        let number = try a.query("SELECT pg_current_xact_id_if_assigned()")
        #expect(try a.query("SELECT txid_current()") == number)
        #expect(try b.query("SELECT txid_status(\(number))") == "in progress")
        try a.run("COMMIT")
        #expect(try b.query("SELECT txid_status(\(number))") == "committed")
        let second = try a.query("BEGIN; SELECT txid_current()")
        try a.run("ROLLBACK")
        #expect(try b.query("SELECT txid_status(\(second))") == "aborted")
    }

    // MARK: Definitions

    @Test func aViewStandsInTheWayOfItsTable() throws {
        try a.run("CREATE VIEW v AS SELECT * FROM t; CREATE VIEW w AS SELECT n FROM v")
        let error = a.failure("DROP TABLE t")
        #expect(error?.state == SQLState("2BP01"))
        #expect(error?.message == "cannot drop table t because other objects depend on it")
        #expect(error?.detail == "view v depends on table t\nview w depends on view v")
        #expect(a.failure("DROP VIEW v")?.detail == "view w depends on view v")
        try a.run("DROP VIEW v, w; CREATE VIEW v AS SELECT * FROM t; DROP TABLE t CASCADE")
        #expect(a.failure("SELECT * FROM v")?.state == .undefinedTable)
    }

    @Test func aNewViewWaitsForTheTablesOfItsQuery() throws {
        try a.run("BEGIN; ALTER TABLE t ADD COLUMN x int")
        let (_, error) = try whileWaiting("CREATE VIEW v AS SELECT * FROM t", "COMMIT")
        #expect(error == nil)
        #expect(try b.query("SELECT * FROM v WHERE id = 1").hasPrefix("1|10|"))
    }

    @Test func aStatementIsDescribedAsItIsAfterTheWait() throws {
        try a.run("BEGIN; ALTER TABLE t ADD COLUMN x int DEFAULT 5")
        let b = b
        let sql = "SELECT * FROM t WHERE id = 1"
        let parse = Pending(b) {
            _ = try b.settle(b.session.parse(name: "", sql: sql, parameterTypes: [], b.sink))
            let columns = try b.session.describeStatement("").columns?.count ?? 0
            _ = try b.settle(b.session.sync(b.sink))
            return "\(columns)"
        }
        try parse.untilItWaits()
        try a.run("COMMIT")
        let (columns, error) = try parse.result()
        #expect(error == nil)
        #expect(columns == "3")
        #expect(try b.prepared(sql, []).text == "1|10|5")
    }
}
