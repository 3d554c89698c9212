import Dispatch
import FalconSchema
import FalconStorage
import Foundation
import Testing

@testable import FalconSQL

// Its own threads: spinning tests would starve work queued on the shared pools.
@Suite(.serialized) struct ConcurrencyTests {
    @Test func theOldestSnapshotNamesItsSession() throws {
        let database = try TestDatabase()
        let s = try database.session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY)")
        try s.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t")
        #expect(
            database.engine.safepointReport().holder
                == .snapshot(owner: "session \(s.session.processID)"))
        try s.run("COMMIT")
        #expect(database.engine.safepointReport().holder == .none)
    }

    @Test func incrementsAreNeverLost() async throws {
        let database = try TestDatabase()
        let s = try database.session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)")
        let sessions = try (0..<8).map { _ in try database.session() }
        let group = DispatchGroup()
        for session in sessions {
            group.enter()
            Thread.detachNewThread {
                defer { group.leave() }
                for _ in 0..<50 {
                    do { try session.run("UPDATE t SET n = n + 1 WHERE a = 1") } catch {
                        Issue.record("\(error)")
                    }
                }
            }
        }
        await withCheckedContinuation { continuation in
            group.notify(queue: .global()) { continuation.resume() }
        }
        #expect(try s.query("SELECT n FROM t") == "400")
        #expect(database.sql.locks.count == 0)
    }

    @Test func aChangedRowIsCheckedAgain() throws {
        let database = try TestDatabase()
        let (a, b) = (try database.session(), try database.session())
        try a.run("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1,10),(2,20)")
        // Hermitage's PMP for writes: what no longer matches is left alone.
        try a.run("BEGIN; UPDATE t SET n = n + 10")
        let delete = Pending(b, "DELETE FROM t WHERE n = 20 RETURNING id")
        try delete.untilItWaits()
        try a.run("COMMIT")
        #expect(try delete.result().text == "")
        #expect(try a.query("SELECT id, n FROM t ORDER BY id") == "1|20\n2|30")
        // And a holder that gives up changes nothing.
        try a.run("BEGIN; UPDATE t SET n = 0 WHERE id = 1")
        let update = Pending(b, "UPDATE t SET n = n + 1 WHERE n = 20 RETURNING id, n")
        try update.untilItWaits()
        try a.run("ROLLBACK")
        #expect(try update.result().text == "1|21")
    }

    @Test func aRowIsFollowedToItsNewKey() throws {
        let database = try TestDatabase()
        let (a, b) = (try database.session(), try database.session())
        try a.run("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1,10),(2,20)")
        // Through two keys, one of them taken again by another row.
        try a.run("BEGIN; UPDATE t SET id = 5, n = 11 WHERE id = 1")
        try a.run("UPDATE t SET id = 6 WHERE id = 5; INSERT INTO t VALUES (1, 0), (5, 0)")
        let update = Pending(b, "UPDATE t SET n = n + 1 WHERE n < 15 AND id < 9 RETURNING id, n")
        try update.untilItWaits()
        try a.run("COMMIT")
        #expect(try update.result().text == "6|12")
        #expect(try a.query("SELECT id, n FROM t ORDER BY id") == "1|0\n2|20\n5|0\n6|12")
        // What no longer matches at its new key is left alone.
        try a.run("BEGIN; UPDATE t SET id = 7, n = 99 WHERE id = 6")
        let delete = Pending(b, "DELETE FROM t WHERE n = 12")
        try delete.untilItWaits()
        try a.run("COMMIT")
        #expect(try delete.result().error == nil)
        #expect(try a.query("SELECT n FROM t WHERE id = 7") == "99")
        // A move that is taken back was none, and two rows may change places.
        try a.run("BEGIN; SAVEPOINT s; UPDATE t SET id = 8 WHERE id = 7; ROLLBACK TO s")
        try a.run("UPDATE t SET id = 100 WHERE id = 2; UPDATE t SET id = 2 WHERE id = 7")
        try a.run("UPDATE t SET id = 7 WHERE id = 100")
        let both = Pending(b, "UPDATE t SET n = n + 1 WHERE n >= 20 RETURNING id, n")
        try both.untilItWaits()
        try a.run("COMMIT")
        #expect(try both.result().error == nil)
        #expect(try a.query("SELECT id, n FROM t WHERE n > 0 ORDER BY id") == "2|100\n7|21")
        let locked = try database.session()
        try a.run("BEGIN; UPDATE t SET id = 70 WHERE id = 7")
        let lock = Pending(locked, "SELECT id, n FROM t WHERE n = 21 FOR UPDATE")
        try lock.untilItWaits()
        try a.run("COMMIT")
        #expect(try lock.result().text == "70|21")
    }

    @Test func sleepsAreParkedAndCancelled() throws {
        let database = try TestDatabase()
        let (a, b) = (try database.session(), try database.session())
        #expect(try a.query("SELECT pg_sleep(0.001), 7, pg_sleep(0.001)") == "|7|")
        // Where running again would be seen, the statement sleeps on its thread.
        try a.run("CREATE SEQUENCE s")
        #expect(try a.query("SELECT nextval('s'), pg_sleep(0.001)") == "1|")
        #expect(try a.query("SELECT nextval('s')") == "2")
        for sql in ["SELECT pg_sleep(1e6)", "SELECT pg_sleep(1e6) FROM generate_series(1, 3)"] {
            let sleeping = Pending(b, sql)
            try sleeping.untilItWaits()
            #expect(
                database.sql.cancel(
                    processID: b.session.processID, secret: b.session.secretKey))
            #expect(try sleeping.result().error?.state == .queryCanceled)
        }
        try b.run("SET lock_timeout = 1")
        #expect(try b.query("SELECT pg_sleep(0.01)") == "")
    }

    @Test func duplicateInsertsWaitForEachOther() throws {
        let database = try TestDatabase()
        let (a, b) = (try database.session(), try database.session())
        try a.run("CREATE TABLE t (a int PRIMARY KEY)")
        try a.run("BEGIN; INSERT INTO t VALUES (1)")
        let loser = Pending(b, "INSERT INTO t VALUES (1)")
        try loser.untilItWaits()
        try a.run("COMMIT")
        #expect(try loser.result().error?.state == .uniqueViolation)
        try a.run("BEGIN; INSERT INTO t VALUES (2)")
        let winner = Pending(b, "INSERT INTO t VALUES (2)")
        try winner.untilItWaits()
        try a.run("ROLLBACK")
        #expect(try winner.result().error == nil)
        #expect(try a.query("SELECT count(*) FROM t") == "2")
    }

    @Test func oneVictimOfADeadlock() throws {
        let database = try TestDatabase()
        let (a, b) = (try database.session(), try database.session())
        try a.run("CREATE TABLE t (a int PRIMARY KEY, n int); INSERT INTO t VALUES (1,0),(2,0)")
        try a.run("BEGIN; UPDATE t SET n = 1 WHERE a = 1")
        try b.run("BEGIN; UPDATE t SET n = 2 WHERE a = 2")
        let first = Pending(a, "UPDATE t SET n = 1 WHERE a = 2")
        try first.untilItWaits()
        #expect(b.failure("UPDATE t SET n = 2 WHERE a = 1")?.state == .deadlockDetected)
        #expect(try first.result().error == nil)
        try a.run("COMMIT")
        try b.run("ROLLBACK")
        #expect(try a.query("SELECT n FROM t ORDER BY a") == "1\n1")
    }

    @Test func waitsEndByTimeoutAndCancel() throws {
        let database = try TestDatabase()
        let (a, b) = (try database.session(), try database.session())
        try a.run("CREATE TABLE t (a int PRIMARY KEY, n int); INSERT INTO t VALUES (1,0)")
        try a.run("BEGIN; UPDATE t SET n = 1")
        try b.run("SET lock_timeout = 20")
        let timedOut = b.failure("UPDATE t SET n = 2")
        #expect(timedOut?.state == .lockNotAvailable)
        #expect(timedOut?.message == "canceling statement due to lock timeout")
        try b.run("SET lock_timeout = 0; SET statement_timeout = 20")
        let statement = b.failure("UPDATE t SET n = 2")
        #expect(statement?.state == .queryCanceled)
        #expect(statement?.message == "canceling statement due to statement timeout")
        try b.run("SET statement_timeout = 0")
        let waiting = Pending(b, "UPDATE t SET n = 2")
        try waiting.untilItWaits()
        #expect(
            database.sql.cancel(
                processID: b.session.processID, secret: b.session.secretKey))
        #expect(try waiting.result().error?.message == "canceling statement due to user request")
        try a.run("COMMIT")
        #expect(try b.query("SELECT n FROM t") == "1")
    }

    @Test func repeatableReadFailsWhereItMust() throws {
        let database = try TestDatabase()
        let (a, b) = (try database.session(), try database.session())
        try a.run("CREATE TABLE t (a int PRIMARY KEY, n int); INSERT INTO t VALUES (1,0)")
        try b.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
        #expect(try b.query("SELECT n FROM t") == "0")
        try a.run("UPDATE t SET n = 1")
        #expect(try b.query("SELECT n FROM t") == "0")
        #expect(b.failure("UPDATE t SET n = n + 1")?.state == .serializationFailure)
        try b.run("ROLLBACK")
        #expect(try b.query("SELECT n FROM t") == "1")
    }

    @Test func lockedRowsCanBeSkippedOrRefused() throws {
        let database = try TestDatabase()
        let (a, b) = (try database.session(), try database.session())
        try a.run("CREATE TABLE q (a int PRIMARY KEY); INSERT INTO q VALUES (1),(2),(3)")
        try a.run("BEGIN")
        #expect(try a.query("SELECT a FROM q ORDER BY a LIMIT 1 FOR UPDATE SKIP LOCKED") == "1")
        try b.run("BEGIN")
        #expect(try b.query("SELECT a FROM q ORDER BY a LIMIT 1 FOR UPDATE SKIP LOCKED") == "2")
        #expect(
            b.failure("SELECT a FROM q WHERE a = 1 FOR UPDATE NOWAIT")?.state == .lockNotAvailable)
        try b.run("ROLLBACK")
        try a.run("ROLLBACK")
    }

    @Test func ddlWaitsForReadersAndIsSeenAfterCommit() throws {
        let database = try TestDatabase()
        let (a, b) = (try database.session(), try database.session())
        try a.run("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)")
        try a.run("BEGIN")
        #expect(try a.query("SELECT a FROM t") == "1")
        let alter = Pending(b, "ALTER TABLE t ADD COLUMN b int DEFAULT 3")
        try alter.untilItWaits()
        #expect(try a.query("SELECT * FROM t") == "1")
        try a.run("COMMIT")
        #expect(try alter.result().error == nil)
        #expect(try a.query("SELECT * FROM t") == "1|3")
    }
}
