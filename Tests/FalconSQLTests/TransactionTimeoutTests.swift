import Dispatch
import FalconSchema
import Testing

@testable import FalconSQL

/// transaction_timeout and transaction_priority.
@Suite struct TransactionTimeoutTests {
    private let database: TestDatabase
    private let a: TestSession
    private let b: TestSession

    init() throws {
        (database, a, b) = try TestDatabase.pair(
            "CREATE TABLE t (a int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)")
    }

    @Test func aTransactionThatLastsTooLongEndsItsSession() throws {
        let timeout = SQLState("25P04")
        // In the middle of a statement, in a wait, and between statements.
        try a.run("SET transaction_timeout = 1")
        #expect(a.failure("SELECT pg_sleep(3600)")?.state == timeout)
        let holder = try database.session()
        try holder.run("BEGIN; UPDATE t SET n = 1 WHERE a = 1")
        try b.run("SET transaction_timeout = 20")
        let error = b.failure("UPDATE t SET n = 2 WHERE a = 1")
        #expect(error?.state == timeout)
        #expect(error?.severity == .fatal)
        let idle = try database.session()
        let asked = DispatchSemaphore(value: 0)
        idle.session.whenAskedToEnd { asked.signal() }
        try idle.run("BEGIN; SET transaction_timeout = 1")
        #expect(asked.comes())
        #expect(idle.session.endRequest?.state == timeout)
        idle.session.close()
        #expect(
            try holder.query("SELECT outcome, sqlstate FROM falcon.txn_history LIMIT 1")
                == "aborted|25P04")
    }

    @Test func settingItToZeroStopsIt() throws {
        try a.run("BEGIN; SET transaction_timeout = '1h'")
        #expect(a.session.transactionTimer != nil)
        try a.run("SET transaction_timeout = 0")
        #expect(a.session.transactionTimer == nil)
        // As does the rollback to a savepoint before it.
        try a.run("SAVEPOINT s; SET transaction_timeout = '1h'; ROLLBACK TO s")
        #expect(a.session.transactionTimer == nil)
    }

    @Test func onesThatEndInTimeLeaveNothingBehind() throws {
        try a.run("SET transaction_timeout = '1h'")
        for sql in [
            "BEGIN; UPDATE t SET n = 1; COMMIT", "BEGIN; SELECT 1; ROLLBACK",
            "UPDATE t SET n = 2", "SELECT 1", "BEGIN; UPDATE t SET n = 3; PREPARE TRANSACTION 'p'",
            "COMMIT PREPARED 'p'",
        ] {
            try a.run(sql)
            #expect(a.session.transactionTimer == nil, "\(sql)")
        }
        _ = a.failure("BEGIN; SELECT 1/0")
        #expect(a.session.transactionTimer == nil)
        try a.run("ROLLBACK")
        try a.run("BEGIN")
        #expect(a.session.transactionTimer != nil)
    }

    @Test func aDeadlockEndsOneOfTheLowestPriority() throws {
        for (high, low) in [(a, b), (b, a)] {
            try high.run(
                "BEGIN; SET LOCAL transaction_priority = high; UPDATE t SET n = 1 WHERE a = 1")
            try low.run(
                "BEGIN; SET LOCAL transaction_priority = normal; UPDATE t SET n = 1 WHERE a = 2")
            let first = try low.begin("UPDATE t SET n = 2 WHERE a = 1")
            let second = try high.begin("UPDATE t SET n = 2 WHERE a = 2")
            let error = low.failure(first)
            #expect(error?.state == .deadlockDetected)
            #expect(
                error?.detail?.hasPrefix("Process \(low.session.processID) waits for") ?? false)
            try low.run("ROLLBACK")
            #expect(high.failure(second) == nil)
            try high.run("COMMIT")
        }
        // Equal ones: whoever closes the circle.
        try a.run("BEGIN; UPDATE t SET n = 1 WHERE a = 1")
        try b.run("BEGIN; UPDATE t SET n = 1 WHERE a = 2")
        let first = try a.begin("UPDATE t SET n = 2 WHERE a = 2")
        #expect(b.failure("UPDATE t SET n = 2 WHERE a = 1")?.state == .deadlockDetected)
        try b.run("ROLLBACK")
        #expect(a.failure(first) == nil)
    }
}
