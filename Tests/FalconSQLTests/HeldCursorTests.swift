import FalconSchema
import Testing

@testable import FalconSQL

/// DECLARE CURSOR WITH HOLD, and what open cursors keep from being changed.
struct HeldCursorTests {
    private let database: TestDatabase
    private let a: TestSession
    private let b: TestSession

    init() throws {
        (database, a, b) = try TestDatabase.pair(
            "CREATE TABLE t (id int PRIMARY KEY, n int)",
            "INSERT INTO t SELECT i, i * 10 FROM generate_series(1, 5) AS i")
    }

    @Test func itOutlivesItsTransactionWithTheRowsOfItsDeclaration() throws {
        try a.run("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT * FROM t ORDER BY id")
        #expect(try a.query("FETCH c") == "1|10")
        try b.run("DELETE FROM t WHERE id = 2")
        try a.run("UPDATE t SET n = 0; COMMIT")
        try b.run("DELETE FROM t")
        #expect(try a.query("FETCH 2 FROM c") == "2|20\n3|30")
        // What ends a later transaction is nothing to it.
        try a.run("BEGIN; SAVEPOINT s")
        #expect(try a.query("FETCH c") == "4|40")
        try a.run("ROLLBACK TO s; ROLLBACK")
        #expect(a.failure("SELECT 1 / 0") != nil)
        #expect(try a.tag("MOVE ALL FROM c") == "MOVE 1")
        #expect(try a.tag("FETCH c") == "FETCH 0")
        try a.run("CLOSE c")
        #expect(a.failure("FETCH c")?.state == SQLState("34000"))
    }

    @Test func outsideABlockItIsReadAtOnce() throws {
        try a.run("DECLARE c CURSOR WITH HOLD FOR SELECT id FROM t ORDER BY id")
        #expect(a.failure("DECLARE c CURSOR WITH HOLD FOR SELECT 1")?.state == .duplicateCursor)
        try b.run("DELETE FROM t")
        #expect(try a.query("FETCH ALL FROM c") == "1\n2\n3\n4\n5")
        // Nothing stays of a statement whose message fails.
        #expect(a.failure("DECLARE d CURSOR WITH HOLD FOR SELECT 1; SELECT 1 / 0") != nil)
        #expect(a.failure("FETCH d")?.state == SQLState("34000"))
        try a.run("DISCARD ALL")
        #expect(a.failure("FETCH c")?.state == SQLState("34000"))
    }

    @Test func aRollbackAndAFailingCommitTakeIt() throws {
        try a.run("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; ROLLBACK")
        #expect(a.failure("FETCH c")?.state == SQLState("34000"))
        try a.run("BEGIN; INSERT INTO t VALUES (9, 90)")
        try a.run("DECLARE c CURSOR WITH HOLD FOR SELECT 10 / (id - 3) FROM t ORDER BY id")
        #expect(try a.query("FETCH c") == "-5")
        #expect(a.failure("COMMIT")?.state == SQLState("22012"))
        #expect(a.failure("FETCH c")?.state == SQLState("34000"))
        #expect(try a.query("SELECT count(*) FROM t") == "5")
        // One read to its end and one of a savepoint that was undone.
        try a.run("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; FETCH ALL FROM c")
        try a.run("SAVEPOINT s; DECLARE d CURSOR WITH HOLD FOR SELECT 2; ROLLBACK TO s; COMMIT")
        #expect(try a.tag("FETCH c") == "FETCH 0")
        #expect(a.failure("FETCH d")?.state == SQLState("34000"))
    }

    @Test func aCommitThatIsCancelledWhileItReadsLeavesNothing() throws {
        try b.run("SELECT pg_advisory_lock(1)")
        try a.run("BEGIN; INSERT INTO t VALUES (9, 90); SAVEPOINT s")
        try a.run("DECLARE c CURSOR WITH HOLD FOR SELECT pg_advisory_lock_shared(1)")
        let waiting = try a.begin("COMMIT AND CHAIN")
        a.session.requestCancel()
        #expect(a.failure(waiting)?.state == .queryCanceled)
        #expect(a.session.transactionStatus == .idle)
        #expect(a.failure("FETCH c")?.state == SQLState("34000"))
        #expect(try a.query("SELECT count(*) FROM t") == "5")
    }

    @Test func aPrepareThatWaitsForItsChecksStillSeesIt() throws {
        try a.run("CREATE TABLE r (id int REFERENCES t DEFERRABLE INITIALLY DEFERRED)")
        try b.run("BEGIN; DELETE FROM t WHERE id = 1")
        try a.run("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; INSERT INTO r VALUES (1)")
        let waiting = try a.begin("PREPARE TRANSACTION 'p'")
        try b.run("ROLLBACK")
        #expect(
            a.failure(waiting)?.message
                == "cannot PREPARE a transaction that has created a cursor WITH HOLD")
        #expect(a.session.transactionStatus == .idle)
    }

    /// Drivers bind values to DECLARE.
    @Test func itsQueryMayHaveParameters() throws {
        try a.run("BEGIN")
        try a.prepared(
            "DECLARE c CURSOR WITH HOLD FOR SELECT id FROM t WHERE id > $1 AND n < $2 ORDER BY id",
            ["1", "40"])
        #expect(try a.query("FETCH c") == "2")
        try a.run("COMMIT")
        #expect(try a.query("FETCH ALL FROM c") == "3")
    }

    @Test func whatItMayNotBe() throws {
        for (sql, message) in [
            (
                "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM t FOR SHARE",
                "DECLARE CURSOR WITH HOLD ... FOR SHARE is not supported"
            ),
            (
                "DECLARE c CURSOR FOR WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
                "DECLARE CURSOR must not contain data-modifying statements in WITH"
            ),
            (
                "DECLARE c CURSOR WITH HOLD FOR SELECT 1; PREPARE TRANSACTION 'p'",
                "cannot PREPARE a transaction that has created a cursor WITH HOLD"
            ),
        ] {
            try a.run("BEGIN")
            #expect(a.failure(sql)?.message == message)
            try a.run("ROLLBACK")
        }
    }

    @Test(arguments: [
        ("ALTER TABLE t ADD COLUMN x int", "ALTER TABLE"), ("TRUNCATE t", "TRUNCATE"),
        ("DROP TABLE t", "DROP TABLE"),
    ])
    func aTableStaysAsItIsUnderAnOpenCursor(sql: String, command: String) throws {
        try a.run("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT * FROM t; SAVEPOINT s")
        let error = a.failure(sql)
        #expect(error?.state == SQLState("55006"))
        #expect(
            error?.message
                == "cannot \(command) \"t\" because it is being used by active queries in this session"
        )
        try a.run("ROLLBACK TO s; COMMIT; \(sql)")
        #expect(try a.query("FETCH ALL FROM c").hasPrefix("1|10\n"))
    }
}
