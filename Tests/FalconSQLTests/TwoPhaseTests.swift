import FalconSchema
import FalconStorage
import Testing

@testable import FalconSQL

struct TwoPhaseTests {
    /// What happens between PREPARE and the decision.
    enum Interruption: CaseIterable, Sendable { case none, restart, powerCut }

    private let database: TestDatabase

    init() throws {
        database = try TestDatabase(durability: .synced)
        let session = try database.session()
        try session.run(
            """
            CREATE TABLE t (id int PRIMARY KEY, n int);
            INSERT INTO t VALUES (1, 10), (2, 20);
            CREATE TABLE h (n int)
            """)
    }

    private func pass(_ interruption: Interruption) throws {
        switch interruption {
        case .none: break
        case .restart: try database.restart()
        case .powerCut: try database.crash()
        }
    }

    private func state(_ session: TestSession, _ sql: String) -> String? {
        session.failure(sql)?.state.rawValue
    }

    /// A session that does not wait for locks.
    private func impatient() throws -> TestSession {
        let session = try database.session()
        try session.run("SET lock_timeout = '5ms'")
        return session
    }

    /// How many rows the stores of the engine hold under a storage id of database 0.
    private func rows(ofStore storage: UInt32) throws -> Int {
        let range = KeyRange(prefix: CatalogKeys.prefix(DatabaseID(0), StorageID(storage)))
        let rows = try database.engine.makeIterator(
            range, at: database.engine.publishedTimestamp)
        var count = 0
        try rows.seekToFirst()
        while rows.isValid {
            count += 1
            try rows.next()
        }
        return count
    }

    @Test(arguments: Interruption.allCases, [true, false])
    func whatIsPreparedIsInvisibleAndLockedUntilItIsDecided(
        interruption: Interruption, commits: Bool
    ) throws {
        let tag = try database.session().run(
            """
            BEGIN; INSERT INTO t VALUES (3, 30); UPDATE t SET n = 11 WHERE id = 1;
            DELETE FROM t WHERE id = 2; INSERT INTO h VALUES (5); PREPARE TRANSACTION 'p'
            """
        ).last?.tag
        #expect(tag == "PREPARE TRANSACTION")
        try pass(interruption)
        let other = try impatient()
        #expect(try other.query("SELECT * FROM t ORDER BY id") == "1|10\n2|20")
        #expect(try other.query("SELECT gid FROM pg_prepared_xacts") == "p")
        for blocked in [
            "UPDATE t SET n = 0 WHERE id = 1", "DELETE FROM t WHERE id = 2",
            "INSERT INTO t VALUES (3, 0)", "ALTER TABLE t ADD COLUMN m int", "DROP TABLE h",
        ] { #expect(state(other, blocked) == "55P03", "\(blocked)") }
        // A hidden row id of the prepared transaction is not given out again.
        try other.run("INSERT INTO h VALUES (6)")
        let decision = commits ? "COMMIT PREPARED" : "ROLLBACK PREPARED"
        #expect(try other.tag("\(decision) 'p'") == decision)
        for _ in 0..<2 {
            let reader = try database.session()
            #expect(
                try reader.query("SELECT * FROM t ORDER BY id")
                    == (commits ? "1|11\n3|30" : "1|10\n2|20"))
            #expect(try reader.query("SELECT * FROM h ORDER BY n") == (commits ? "5\n6" : "6"))
            #expect(database.sql.locks.count == 0)
            #expect(database.sql.prepared.all.isEmpty)
            #expect(try rows(ofStore: 32) == 0)
            #expect(try rows(ofStore: 39) == 0)
            #expect(try rows(ofStore: 33) == 1)
            #expect(state(reader, "\(decision) 'p'") == "42704")
            try pass(.powerCut)
        }
        // The identifier is free again.
        let last = try database.session()
        try last.run("BEGIN; INSERT INTO t VALUES (9, 9); PREPARE TRANSACTION 'p'")
        try last.run("COMMIT PREPARED 'p'")
        #expect(try last.query("SELECT n FROM t WHERE id = 9") == "9")
    }

    @Test func theSessionGoesOnWithoutTheLocks() throws {
        let session = try impatient()
        try session.run(
            "SELECT pg_advisory_lock(7); BEGIN; SELECT pg_advisory_xact_lock(8);"
                + "UPDATE t SET n = 11 WHERE id = 1; PREPARE TRANSACTION 'p'")
        #expect(session.session.transactionStatus == .idle)
        // They are the prepared transaction's now, also for the session that took them.
        #expect(state(session, "UPDATE t SET n = 0 WHERE id = 1") == "55P03")
        #expect(try session.query("SELECT pg_try_advisory_xact_lock(8)") == "f")
        #expect(try session.query("SELECT pg_try_advisory_lock(7)") == "t")
        try session.run("UPDATE t SET n = 21 WHERE id = 2")
        let locks =
            "SELECT locktype, relation::regclass, objid, mode, granted, virtualtransaction "
            + "= '-1/' || (SELECT transaction FROM pg_prepared_xacts) FROM pg_locks "
            + "WHERE pid IS NULL ORDER BY locktype"
        let held =
            "advisory||8|ExclusiveLock|t|t\nrelation|t||RowExclusiveLock|t|t\n"
            + "transactionid|||ExclusiveLock|t|t"
        #expect(try session.query(locks) == held)
        try database.restart()
        let other = try database.session()
        #expect(try other.query(locks) == held)
        #expect(try other.query("SELECT pg_try_advisory_xact_lock(8)") == "f")
        #expect(try other.query("SELECT pg_try_advisory_lock(7)") == "t")
        try other.run("COMMIT PREPARED 'p'")
        #expect(try other.query("SELECT pg_try_advisory_xact_lock(8)") == "t")
        #expect(try other.query("SELECT n FROM t ORDER BY id") == "11\n21")
    }

    @Test(arguments: Interruption.allCases)
    func definitionsArePublishedByTheDecision(interruption: Interruption) throws {
        try database.session().run("CREATE VIEW gone AS SELECT 1 AS one")
        try database.session().run(
            """
            BEGIN; CREATE SCHEMA s; CREATE TABLE s.made (id serial PRIMARY KEY, w text UNIQUE);
            INSERT INTO s.made (w) VALUES ('a'), ('b'); CREATE VIEW v AS SELECT w FROM s.made;
            DROP VIEW gone; DROP TABLE h; ALTER TABLE t ADD COLUMN m int DEFAULT 4;
            CREATE INDEX t_n ON t (n); PREPARE TRANSACTION 'p'
            """)
        try pass(interruption)
        let session = try impatient()
        #expect(state(session, "SELECT * FROM s.made") == "42P01")
        // What a view that is dropped shows waits for the decision, as a table's rows do.
        #expect(state(session, "SELECT one FROM gone") == "55P03")
        #expect(state(session, "SELECT n FROM t") == "55P03")
        try session.run("COMMIT PREPARED 'p'")
        for _ in 0..<2 {
            let reader = try database.session()
            #expect(try reader.query("SELECT w FROM v ORDER BY w") == "a\nb")
            #expect(state(reader, "SELECT one FROM gone") == "42P01")
            #expect(state(reader, "SELECT * FROM h") == "42P01")
            #expect(try reader.query("SELECT id FROM t WHERE n = 20 AND m = 4") == "2")
            try pass(.powerCut)
        }
        let writer = try database.session()
        #expect(state(writer, "INSERT INTO s.made (w) VALUES ('a')") == "23505")
        try writer.run("INSERT INTO s.made (w) VALUES ('c')")
        #expect(try writer.query("SELECT count(DISTINCT id) FROM s.made") == "3")
    }

    @Test func aRowWhoseKeyChangesIsFollowedAfterARestart() throws {
        try database.session().run(
            "BEGIN; UPDATE t SET id = 100 WHERE id = 1; PREPARE TRANSACTION 'p'")
        try database.restart()
        let (waiting, deciding) = (try database.session(), try database.session())
        let update = Pending(waiting, "UPDATE t SET n = n + 1 WHERE n = 10")
        try update.untilItWaits()
        try deciding.run("COMMIT PREPARED 'p'")
        #expect(try update.result().error == nil)
        #expect(try deciding.query("SELECT * FROM t ORDER BY id") == "2|20\n100|11")
    }

    @Test func aLargeTransactionIsStoredInParts() throws {
        let session = try database.session()
        try session.run("CREATE TABLE big (id int PRIMARY KEY, w text)")
        try session.run(
            """
            BEGIN; INSERT INTO big SELECT i, repeat('x', 100) FROM generate_series(1, 2000) i;
            INSERT INTO big VALUES (0, repeat('y', 300000)); UPDATE big SET w = 'z' WHERE id = 5;
            SAVEPOINT s; DELETE FROM big; ROLLBACK TO s; PREPARE TRANSACTION 'p'
            """)
        #expect(try rows(ofStore: 39) > 8)
        try database.crash()
        let other = try database.session()
        #expect(try other.query("SELECT count(*) FROM big") == "0")
        try other.run("COMMIT PREPARED 'p'")
        #expect(
            try other.query("SELECT count(*), sum(length(w)) FROM big") == "2001|499901")
        #expect(try rows(ofStore: 39) == 0)
    }

    @Test(arguments: Interruption.allCases)
    func aPreparedTransactionCountsInTheSerialOrder(interruption: Interruption) throws {
        // Charge reads both accounts and takes from one; deposit gives to the other.
        func prepare() throws {
            try database.session().run(
                """
                BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT sum(n) FROM t;
                UPDATE t SET n = n - 11 WHERE id = 1; PREPARE TRANSACTION 'charge'
                """)
            try pass(interruption)
        }
        try prepare()
        var (one, two) = (try database.session(), try database.session())
        // Write skew against it.
        try one.run("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT sum(n) FROM t")
        try one.run("UPDATE t SET n = n - 11 WHERE id = 2")
        #expect(state(one, "COMMIT") == "40001")
        // A deposit that it has not seen, and a report that sees the deposit and not the charge.
        try one.run("BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE t SET n = 40 WHERE id = 2; COMMIT")
        try two.run("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY; SELECT sum(n) FROM t")
        #expect(state(two, "COMMIT") == "40001")
        try one.run("COMMIT PREPARED 'charge'")
        #expect(try one.query("SELECT n FROM t ORDER BY id") == "-1\n40")
        #expect(database.sql.serializables.counts == (0, 0))
        // After ROLLBACK PREPARED nothing of it is in anybody's way.
        try prepare()
        (one, two) = (try database.session(), try database.session())
        try one.run("ROLLBACK PREPARED 'charge'")
        try one.run("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT sum(n) FROM t")
        try one.run("UPDATE t SET n = n - 11 WHERE id = 2; COMMIT")
        #expect(database.sql.serializables.counts == (0, 0))
    }

    @Test func onlyItsOwnerOrASuperuserInItsDatabaseDecides() throws {
        let owner = try database.session(user: "alice")
        try owner.run("BEGIN; UPDATE t SET n = 0; PREPARE TRANSACTION 'p'")
        #expect(state(try database.session(user: "bob"), "COMMIT PREPARED 'p'") == "42501")
        let elsewhere = try database.session(database: "postgres")
        #expect(elsewhere.failure("COMMIT PREPARED 'p'")?.state.rawValue == "0A000")
        #expect(
            try elsewhere.query("SELECT gid, owner, database FROM pg_prepared_xacts")
                == "p|alice|falcon")
        #expect(
            try elsewhere.run("SELECT * FROM pg_prepared_xacts").last?.types
                == [OID(28), .text, .timestamptz, .name, .name])
        #expect(try elsewhere.query("SELECT gid FROM pg_prepared_xact()") == "p")
        try owner.run("COMMIT PREPARED 'p'")
    }

    @Test func theNumberOfPreparedTransactionsHasALimit() throws {
        let small = try TestDatabase(settings: [("max_prepared_transactions", "1")])
        let session = try small.session()
        #expect(try session.query("SHOW max_prepared_transactions") == "1")
        try session.run("BEGIN; PREPARE TRANSACTION 'one'")
        let error = session.failure("BEGIN; PREPARE TRANSACTION 'two'")
        #expect(error?.state == .outOfMemory)
        #expect(error?.hint == "Increase max_prepared_transactions (currently 1).")
        #expect(session.session.transactionStatus == .idle)
        try session.run("ROLLBACK PREPARED 'one'")
        try session.run("BEGIN; PREPARE TRANSACTION 'two'")
        #expect(small.sql.preparedTransactions.count == 1)
        let none = try TestDatabase(settings: [("max_prepared_transactions", "0")])
        #expect(
            try none.session().failure("BEGIN; PREPARE TRANSACTION 'p'")?.message
                == "prepared transactions are disabled")
    }

    @Test func aRefusedPrepareRollsBack() throws {
        let session = try database.session()
        try session.run("CREATE TEMP TABLE x (n int)")
        for step in ["SELECT * FROM x", "DROP TABLE x", "CREATE TEMP TABLE y (n int)"] {
            try session.run("BEGIN; INSERT INTO t VALUES (7, 7); \(step)")
            #expect(state(session, "PREPARE TRANSACTION 'p'") == "0A000", "\(step)")
            #expect(session.session.transactionStatus == .idle)
        }
        // A temporary table that the transaction has not touched is in nobody's way.
        try session.run("BEGIN; INSERT INTO t VALUES (8, 8); PREPARE TRANSACTION 'p'")
        #expect(try session.query("SELECT count(*) FROM t") == "2")
        try session.run("COMMIT PREPARED 'p'")
        #expect(try session.query("SELECT id FROM t ORDER BY id") == "1\n2\n8")
        #expect(database.sql.locks.count == 0)
    }

    @Test func inAMessageOfSeveralStatementsItEndsTheirTransaction() throws {
        let session = try database.session()
        let tags = try session.run(
            "INSERT INTO t VALUES (3, 3); PREPARE TRANSACTION 'p'; SELECT 1"
        ).map(\.tag)
        #expect(tags == ["INSERT 0 1", "PREPARE TRANSACTION", "SELECT 1"])
        #expect(session.sink.notices.last?.state == .noActiveSQLTransaction)
        #expect(try session.query("SELECT count(*) FROM t") == "2")
        #expect(state(session, "SELECT 1; COMMIT PREPARED 'p'") == "25001")
        try session.prepared("COMMIT PREPARED 'p'", [])
        #expect(try session.query("SELECT count(*) FROM t") == "3")
        #expect(try session.tag("PREPARE TRANSACTION 'q'") == "ROLLBACK")
    }
}
