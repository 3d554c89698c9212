import Dispatch
import FalconSchema
import FalconTestKit
import Testing

@testable import FalconSQL

/// What sessions do to each other: signals, timeouts, advisory locks, and the views that show it.
@Suite struct SignalTests {
    private func lockedRow(_ database: TestDatabase) throws -> TestSession {
        let a = try database.session()
        try a.run("CREATE TABLE t (a int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)")
        try a.run("BEGIN; UPDATE t SET n = 1 WHERE a = 1")
        return a
    }

    @Test func cancelEndsAWait() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let a = try lockedRow(database)
        let (b, c) = (try database.session(), try database.session())
        try b.run("BEGIN")
        let waiting = try b.begin("UPDATE t SET n = 2 WHERE a = 1")
        #expect(try c.query("SELECT pg_cancel_backend(\(b.session.processID))") == "t")
        let error = b.failure(waiting)
        #expect(error?.state == .queryCanceled)
        #expect(error?.message == "canceling statement due to user request")
        try b.run("ROLLBACK; SELECT 1")
        try a.run("COMMIT")
        #expect(try c.query("SELECT pg_cancel_backend(1)") == "f")
        #expect(c.sink.notices.map(\.message) == ["PID 1 is not a PostgreSQL backend process"])
        #expect(c.sink.notices.first?.state == .warning)
        #expect(c.failure("SELECT pg_cancel_backend(pg_backend_pid())")?.state == .queryCanceled)
    }

    @Test func terminateEndsAWait() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let a = try lockedRow(database)
        let (b, c) = (try database.session(), try database.session())
        try b.run("BEGIN; UPDATE t SET n = 2 WHERE a = 2")
        let waiting = try b.begin("UPDATE t SET n = 2 WHERE a = 1")
        #expect(try c.query("SELECT pg_terminate_backend(\(b.session.processID))") == "t")
        let error = b.failure(waiting)
        #expect(error?.state == .adminShutdown)
        #expect(error?.severity == .fatal)
        #expect(try a.tag("UPDATE t SET n = 3 WHERE a = 2") == "UPDATE 1")
        // A cancel that comes later does not take it back, and nothing more is begun.
        b.session.requestCancel()
        #expect(b.failure("SELECT 1")?.state == .adminShutdown)
    }

    @Test func terminateTellsWhoeverServesAnIdleSession() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let (a, c) = (try lockedRow(database), try database.session())
        let asked = DispatchSemaphore(value: 0)
        a.session.whenAskedToEnd { asked.signal() }
        #expect(a.session.endRequest == nil)
        #expect(try c.query("SELECT pg_terminate_backend(\(a.session.processID))") == "t")
        #expect(asked.comes())
        #expect(a.session.endRequest?.state == .adminShutdown)
        // Who comes to serve it too late is told at once.
        a.session.whenAskedToEnd { asked.signal() }
        #expect(asked.comes())
        let process = a.session.processID
        #expect(try c.query("SELECT pg_terminate_backend(\(process), 1)") == "f")
        #expect(
            c.sink.notices.map(\.message) == [
                "backend with PID \(process) did not terminate within 1 millisecond"
            ])
        a.session.whenAskedToEnd { a.session.close() }
        #expect(try c.query("SELECT pg_terminate_backend(\(process), 100000)") == "f")
        #expect(c.failure("SELECT pg_terminate_backend(1, -1)")?.state == .numericValueOutOfRange)
        #expect(
            c.failure("SELECT pg_terminate_backend(pg_backend_pid())")?.state == .adminShutdown)
    }

    @Test func onlySuperusersSignalOthersSessions() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let (root, ann) = (try database.session(), try database.session(user: "ann"))
        let (joe, second) = (try database.session(user: "joe"), try database.session(user: "joe"))
        func refusal(_ function: String, _ other: TestSession) -> String? {
            let error = joe.failure("SELECT \(function)(\(other.session.processID))")
            #expect(error?.state == .insufficientPrivilege)
            return error?.message
        }
        #expect(
            refusal("pg_cancel_backend", root) == "must be a superuser to cancel superuser query")
        #expect(
            refusal("pg_terminate_backend", root)
                == "must be a superuser to terminate superuser process")
        #expect(
            refusal("pg_cancel_backend", ann)
                == "must be a member of the role whose query is being canceled or member of "
                + "pg_signal_backend")
        #expect(
            refusal("pg_terminate_backend", ann)
                == "must be a member of the role whose process is being terminated or member of "
                + "pg_signal_backend")
        #expect(!ann.session.interrupt.isSet && !root.session.interrupt.isSet)
        #expect(try joe.query("SELECT pg_terminate_backend(\(second.session.processID))") == "t")
        #expect(second.session.interrupt.isEnding)
        #expect(try root.query("SELECT pg_terminate_backend(\(ann.session.processID))") == "t")
        #expect(try root.query("SELECT pg_cancel_backend(NULL) IS NULL") == "t")
    }

    @Test func whoSleepsIsSeen() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let (a, c) = (try database.session(), try database.session())
        let waiting = try a.begin("SELECT pg_sleep(1000)")
        let event =
            "SELECT wait_event_type, wait_event FROM pg_stat_activity WHERE pid = "
            + "\(a.session.processID)"
        #expect(try c.query(event) == "Timeout|PgSleep")
        #expect(try c.query("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0")
        #expect(try c.query("SELECT pg_cancel_backend(\(a.session.processID))") == "t")
        #expect(a.failure(waiting)?.state == .queryCanceled)
        #expect(try c.query(event) == "Client|ClientRead")
        // On a worker's thread too: this one may not simply run again.
        let sleeping = Pending(a, "SELECT pg_sleep(1000), pg_try_advisory_lock(1)")
        try sleeping.untilItWaits()
        try eventually { try c.query(event) == "Timeout|PgSleep" }
        #expect(try c.query("SELECT pg_cancel_backend(\(a.session.processID))") == "t")
        #expect(try sleeping.result().error?.state == .queryCanceled)
        #expect(try c.query(event) == "Client|ClientRead")
    }

    @Test func idleSessionsAreEnded() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        let asked = DispatchSemaphore(value: 0)
        s.session.whenAskedToEnd { asked.signal() }
        try s.run("SET idle_in_transaction_session_timeout = 1; SET idle_session_timeout = '1h'")
        #expect(s.session.endRequest == nil)
        try s.run("BEGIN")
        #expect(asked.comes())
        let error = s.session.endRequest
        #expect(error?.state == SQLState("25P03"))
        #expect(error?.severity == .fatal)
        // It had a statement to run after all: whoever was asked must not end it now.
        try s.run("COMMIT")
        #expect(s.session.endRequest == nil)
        // In one message: it is not idle in between.
        _ = s.failure("BEGIN; SELECT 1/0")
        #expect(asked.comes())
        #expect(s.session.endRequest?.state == SQLState("25P03"))
        try s.run("ROLLBACK; SET idle_session_timeout = 1")
        #expect(asked.comes())
        #expect(s.session.endRequest?.state == SQLState("57P05"))
        try s.run("SET idle_session_timeout = 0")
        #expect(s.session.endRequest == nil)
    }

    @Test func aSessionThatNobodyServesEndsWithItsNextRequest() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("SET idle_session_timeout = 1")
        try eventually { s.session.interrupt.isEnding }
        #expect(s.failure("SELECT 1")?.state == SQLState("57P05"))
    }

    // MARK: Advisory locks

    @Test func aStatementThatWaitsTakesALockOnce() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let (a, b) = (try database.session(), try database.session())
        try a.run("SELECT pg_advisory_lock(2)")
        let waiting = try b.begin(
            "SELECT pg_advisory_lock(1), pg_advisory_unlock(9), pg_advisory_lock(2)")
        #expect(
            try a.query(
                "SELECT wait_event_type, wait_event FROM pg_stat_activity "
                    + "WHERE pid = \(b.session.processID)") == "Lock|advisory")
        #expect(try a.query("SELECT pg_advisory_unlock(2)") == "t")
        _ = try b.settle(waiting)
        #expect(b.sink.notices.map(\.message) == ["you don't own a lock of type ExclusiveLock"])
        b.sink.notices = []
        // Nor is an answer another one the second time.
        try a.run("SELECT pg_advisory_lock(4), pg_advisory_lock(3)")
        let trying = try b.begin(
            "SELECT pg_try_advisory_xact_lock(3), pg_advisory_xact_lock_shared(4)")
        try a.run("SELECT pg_advisory_unlock_all()")
        _ = try b.settle(trying)
        #expect(b.sink.answers.last?.text == "f|")
        let unlock = "SELECT pg_advisory_unlock(1), pg_advisory_unlock(2)"
        #expect(try b.query(unlock) == "t|t")
        #expect(try b.query(unlock) == "f|f")
        #expect(b.sink.notices.count == 2)
        #expect(b.sink.notices.first?.state == .warning)
    }

    @Test func locksAreShown() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let a = try lockedRow(database)
        let (b, c) = (try database.session(), try database.session())
        try a.run("SELECT pg_advisory_lock(4294967298), pg_advisory_lock_shared(3, 4)")
        let rows = try c.query(
            "SELECT locktype, relation::regclass, classid, objid, objsubid, mode, granted "
                + "FROM pg_locks WHERE pid = \(a.session.processID) "
                + "AND locktype IN ('relation', 'advisory') "
                + "AND database = (SELECT oid FROM pg_database WHERE datname = 'falcon') "
                + "ORDER BY locktype, classid")
        #expect(
            rows == "advisory||1|2|1|ExclusiveLock|t\nadvisory||3|4|2|ShareLock|t\n"
                + "relation|t||||RowExclusiveLock|t")
        let waiting = try b.begin("UPDATE t SET n = 2 WHERE a = 1")
        #expect(
            try c.query(
                "SELECT w.locktype, w.mode, h.pid, h.mode, h.granted, w.waitstart IS NOT NULL "
                    + "FROM pg_locks w JOIN pg_locks h USING (transactionid) "
                    + "WHERE NOT w.granted AND h.granted")
                == "transactionid|ShareLock|\(a.session.processID)|ExclusiveLock|t|t")
        #expect(
            try c.query("SELECT pg_blocking_pids(\(b.session.processID))")
                == "{\(a.session.processID)}")
        #expect(try c.query("SELECT pg_blocking_pids(\(a.session.processID))") == "{}")
        try a.run("ROLLBACK")
        _ = try b.settle(waiting)
        #expect(try c.query("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0")
    }

    @Test func aViewIsLockedWithWhatItReads() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let (a, b) = (try database.session(), try database.session())
        try a.run(
            "CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE SEQUENCE s; "
                + "CREATE INDEX i ON t (a); CREATE VIEW v AS SELECT * FROM t; "
                + "CREATE VIEW w AS SELECT v.a, (SELECT count(*) FROM u) FROM v")
        try a.run("BEGIN; LOCK TABLE w IN SHARE MODE")
        for table in ["t", "u", "w"] {
            let error = b.failure("BEGIN; LOCK TABLE \(table) IN EXCLUSIVE MODE NOWAIT")
            #expect(error?.message == "could not obtain lock on relation \"\(table)\"")
            try b.run("ROLLBACK")
        }
        for (name, kind) in [("s", "sequences"), ("i", "indexes")] {
            let error = b.failure("BEGIN; LOCK TABLE \(name)")
            #expect(error?.state == .wrongObjectType)
            #expect(error?.detail == "This operation is not supported for \(kind).")
            try b.run("ROLLBACK")
        }
        #expect(b.failure("BEGIN; LOCK TABLE nosuch")?.state == .undefinedTable)
    }

    @Test func rollbackToGivesTableLocksBack() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let (a, b) = (try database.session(), try database.session())
        try a.run("CREATE TABLE t (a int PRIMARY KEY, n int)")
        try a.run("BEGIN; SAVEPOINT s; SELECT * FROM t; INSERT INTO t VALUES (1, 1)")
        try a.run("ROLLBACK TO s")
        #expect(b.failure("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE NOWAIT") == nil)
        try b.run("ROLLBACK")
        #expect(try a.query("SELECT count(*) FROM t") == "0")
    }
}
