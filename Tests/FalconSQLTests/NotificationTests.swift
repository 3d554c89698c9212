import FalconSchema
import FalconStorage
import FalconTestKit
import Synchronization
import Testing

@testable import FalconSQL

/// LISTEN, NOTIFY and UNLISTEN, as PostgreSQL 15 answers (each expectation was compared with it).
struct NotificationTests {
    /// What has come for the session by now: `channel payload`.
    private func heard(_ session: TestSession) -> [String] {
        session.session.takeNotifications(maximumBytes: .max).map { "\($0.channel) \($0.payload)" }
    }

    private func state(_ session: TestSession, _ sql: String) -> String? {
        session.failure(sql).map { "\($0.state.rawValue) \($0.message)" }
    }

    @Test func aCommitDeliversEachMessageOnceInOrder() throws {
        let (database, a, b) = try TestDatabase.pair("CREATE TABLE t (n int)")
        defer { database.close() }
        try b.run("LISTEN ch; LISTEN other")
        for write in ["", "INSERT INTO t VALUES (1);"] {
            try a.run("BEGIN; \(write) NOTIFY ch, 'one'; NOTIFY other; NOTIFY ch, 'one'")
            try a.run("SELECT pg_notify('ch', p) FROM unnest(ARRAY['two', 'one', NULL]) AS p")
            #expect(heard(b) == [])
            #expect(!b.session.hasNotifications)
            try a.run("COMMIT")
            #expect(b.session.hasNotifications)
            #expect(heard(b) == ["ch one", "other ", "ch two", "ch "])
            #expect(heard(b) == [] && heard(a) == [])
        }
        #expect(try a.query("SELECT pg_notification_queue_usage()") == "0")
    }

    @Test func theSenderIsNamedAndHearsItself() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let a = try database.session()
        try a.run("BEGIN; NOTIFY ch, 'x'; LISTEN ch; COMMIT")
        let process = a.session.processID
        #expect(
            a.session.takeNotifications(maximumBytes: .max)
                == [SessionNotification(processID: process, channel: "ch", payload: "x")])
    }

    @Test func rollbackAndSavepointsDropWhatTheyUndo() throws {
        let (database, a, b) = try TestDatabase.pair()
        defer { database.close() }
        try b.run("LISTEN ch")
        try a.run("BEGIN; NOTIFY ch, '1'; ROLLBACK")
        #expect(a.failure("NOTIFY ch, '2'; SELECT 1 / 0")?.state == .divisionByZero)
        try a.run("BEGIN; NOTIFY ch, '3'; SAVEPOINT s; NOTIFY ch, '3'; NOTIFY ch, '4'")
        try a.run("LISTEN ch; ROLLBACK TO s; NOTIFY ch, '4'; SAVEPOINT s2; NOTIFY ch, '5'")
        try a.run("RELEASE s2; COMMIT")
        #expect(heard(b) == ["ch 3", "ch 4", "ch 5"])
        #expect(try a.query("SELECT * FROM pg_listening_channels()") == "")
    }

    @Test func listeningBeginsAndEndsWithTheCommit() throws {
        let (database, a, b) = try TestDatabase.pair()
        defer { database.close() }
        try b.run("BEGIN; LISTEN b; LISTEN a; LISTEN b")
        #expect(try b.query("SELECT * FROM pg_listening_channels()") == "")
        try a.run("NOTIFY a, 'early'")
        try b.run("COMMIT")
        #expect(try b.query("SELECT * FROM pg_listening_channels()") == "b\na")
        try a.run("NOTIFY a, '1'; NOTIFY c, 'unheard'")
        try b.run("BEGIN; UNLISTEN a")
        try a.run("NOTIFY a, '2'")
        #expect(heard(b) == [])
        try b.run("ROLLBACK")
        #expect(heard(b) == ["a 1", "a 2"])
        try b.run("BEGIN; UNLISTEN b; LISTEN c")
        try a.run("NOTIFY b, '3'")
        try b.run("COMMIT")
        // What was still to be delivered of a channel ends with it.
        #expect(heard(b) == [])
        #expect(try b.query("SELECT * FROM pg_listening_channels()") == "a\nc")
        try b.run("UNLISTEN *")
        #expect(try b.query("SELECT * FROM pg_listening_channels()") == "")
        try b.run("LISTEN a")
        try b.run("DISCARD ALL")
        #expect(try b.query("SELECT * FROM pg_listening_channels()") == "")
        try a.run("NOTIFY a")
        #expect(heard(b) == [])
    }

    @Test func otherDatabasesDoNotHear() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let (a, b) = (try database.session(), try database.session(database: "postgres"))
        try b.run("LISTEN ch")
        try a.run("NOTIFY ch")
        #expect(heard(b) == [])
    }

    @Test func namesAndPayloadsHaveTheirLimits() throws {
        let (database, a, b) = try TestDatabase.pair()
        defer { database.close() }
        let name = String(repeating: "n", count: 63)
        try b.run("LISTEN \(name); LISTEN \"Ünter\"; LISTEN \"a b\"")
        #expect(try a.query("SELECT pg_notify('\(name)', repeat('p', 7999))") == "")
        #expect(
            state(a, "SELECT pg_notify('\(name)n', '')") == "22023 channel name too long")
        #expect(state(a, "SELECT pg_notify('', '')") == "22023 channel name cannot be empty")
        #expect(state(a, "SELECT pg_notify(NULL, '')") == "22023 channel name cannot be empty")
        #expect(
            state(a, "SELECT pg_notify('x', repeat('p', 8000))")
                == "22023 payload string too long")
        #expect(
            state(a, "NOTIFY x, '\(String(repeating: "é", count: 4000))'")
                == "22023 payload string too long")
        // A longer name is cut, with a notice, as any identifier.
        try a.run("NOTIFY \(name)more, 'cut'; NOTIFY \"Ünter\"; SELECT pg_notify('a b', 'c')")
        #expect(heard(b).map { $0.count } == [8063, 67, 6, 5])
    }

    @Test func preparingIsRefusedAfterAny() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let a = try database.session()
        let refusal =
            "0A000 cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY"
        // Who never listened has nothing to end.
        #expect(try a.tag("BEGIN; UNLISTEN ch; PREPARE TRANSACTION 'p'") == "PREPARE TRANSACTION")
        try a.run("ROLLBACK PREPARED 'p'")
        for sql in ["NOTIFY ch", "LISTEN ch", "SELECT pg_notify('ch', '')"] {
            #expect(state(a, "BEGIN; \(sql); PREPARE TRANSACTION 'p'") == refusal)
            #expect(a.session.transactionStatus == .idle)
        }
        try a.run("LISTEN ch")
        #expect(state(a, "BEGIN; UNLISTEN ch; PREPARE TRANSACTION 'p'") == refusal)
        #expect(state(a, "BEGIN; UNLISTEN *; PREPARE TRANSACTION 'p'") == refusal)
        #expect(try a.query("SELECT * FROM pg_listening_channels()") == "ch")
        try a.run("BEGIN; NOTIFY ch; SAVEPOINT s; ROLLBACK")
        #expect(
            try a.tag("BEGIN; SAVEPOINT s; NOTIFY ch; ROLLBACK TO s; PREPARE TRANSACTION 'p'")
                == "PREPARE TRANSACTION")
    }

    @Test func aStatementThatRunsAgainNotifiesOnce() throws {
        let (database, a, b) = try TestDatabase.pair("CREATE SEQUENCE s")
        defer { database.close() }
        try b.run("LISTEN ch")
        try a.run("SELECT pg_advisory_lock(1)")
        let waiting = try b.begin(
            "SELECT pg_notify('ch', nextval('s')::text), pg_advisory_xact_lock(1)")
        try a.run("SELECT pg_advisory_unlock(1)")
        _ = try b.settle(waiting)
        #expect(heard(b).count == 1)
    }

    @Test func theQueueIsBoundedAndGivesItsRoomBack() throws {
        let database = try TestDatabase(notificationQueueBytes: 100_000)
        defer { database.close() }
        let (a, b, c) = (
            try database.session(), try database.session(), try database.session()
        )
        try b.run("LISTEN ch")
        try b.run("BEGIN")
        try c.run("LISTEN ch")
        let send = "SELECT pg_notify('ch', n || repeat('p', 995)) FROM generate_series(1, 40) n"
        #expect(try a.tag(send) == "SELECT 40")
        #expect(heard(c).count == 40)
        let usage = try #require(Double(a.query("SELECT pg_notification_queue_usage()")))
        #expect(usage > 0.4 && usage < 0.5)
        try a.run(send)
        let warning = try #require(a.sink.notices.last)
        #expect(warning.message.hasPrefix("NOTIFY queue is 9") && warning.severity == .warning)
        #expect(warning.detail?.contains("PID \(b.session.processID) is among") == true)
        #expect(state(a, send) == "54000 too many notifications in the NOTIFY queue")
        #expect(a.session.transactionStatus == .idle)
        // Nobody listens: nothing stays.
        try a.run("CREATE TABLE t (n int)")
        #expect(state(a, "INSERT INTO t VALUES (1); \(send)")?.hasPrefix("54000") == true)
        #expect(try a.query("SELECT count(*) FROM t") == "0")
        try b.run("ROLLBACK")
        #expect(heard(b).count == 80)
        #expect(heard(c).count == 40)
        #expect(try a.query("SELECT pg_notification_queue_usage()") == "0")
        try a.run(send)
        b.session.close()
        c.session.close()
        #expect(try a.query("SELECT pg_notification_queue_usage()") == "0")
    }

    /// What commits later is heard later, whichever thread publishes a commit.
    @Test func concurrentCommitsAreHeardInTheirOrder() throws {
        let database = try TestDatabase(durability: .synced)
        defer { database.close() }
        let a = try database.session()
        try a.run("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)")
        try a.run("LISTEN ch")
        let writers = try (0..<4).map { _ in
            let session = try database.session()
            return Pending(session) {
                for _ in 0..<50 {
                    try session.run(
                        """
                        WITH u AS (UPDATE t SET n = n + 1 WHERE id = 1 RETURNING n)
                        SELECT pg_notify('ch', n::text) FROM u
                        """)
                }
                return ""
            }
        }
        for writer in writers { #expect(try writer.result().error == nil) }
        #expect(heard(a) == (1...200).map { "ch \($0)" })
    }

    @Test func theWaitingAreToldOnAnyThread() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let b = try database.sql.makeSession(
            user: "postgres", database: "falcon", startupParameters: [])
        let told = Mutex(0)
        b.whenNotified { told.withLock { $0 += 1 } }
        let (a, listening) = (try database.session(), TestSession(b))
        try listening.run("LISTEN ch")
        try a.run("NOTIFY ch")
        try a.run("NOTIFY ch, 'x'")
        // Once, until it has looked.
        #expect(told.withLock { $0 } == 1)
        #expect(heard(listening) == ["ch ", "ch x"])
        try a.run("NOTIFY ch")
        #expect(told.withLock { $0 } == 2)
    }
}
