import Dispatch
import FalconSchema
import Testing

@testable import FalconSQL
@testable import FalconStorage

/// falcon.txn and its neighbours, falcon.txn_status(), and the limits of what a transaction may write.
@Suite struct TransactionStatisticsTests {
    private let database: TestDatabase
    private let s: TestSession

    init() throws {
        database = try TestDatabase(durability: .synced)
        s = try database.session()
        try s.run(
            """
            SET application_name = 'watcher';
            CREATE TABLE t (id int PRIMARY KEY, n int);
            INSERT INTO t SELECT i, i FROM generate_series(1, 10) i
            """)
    }

    @Test func openTransactionsShowWhatTheyHaveDone() throws {
        let other = try database.session()
        try other.run("SET application_name = 'worker'")
        try other.run(
            """
            BEGIN ISOLATION LEVEL REPEATABLE READ;
            INSERT INTO t VALUES (11, 0), (12, 0); UPDATE t SET n = n + 1 WHERE id <= 3;
            DELETE FROM t WHERE id = 4
            """)
        let work = "statements, inserts, updates, deletes, reads"
        #expect(
            try s.query(
                "SELECT application_name, isolation, state, \(work), written_bytes > 0, "
                    + "duration_ms >= 0, txid IS NULL, query LIKE 'BEGIN%' FROM falcon.txn "
                    + "WHERE pid <> pg_backend_pid()")
                == "worker|repeatable read|idle in transaction|3|2|3|1|4|t|t|t|t")
        #expect(try other.query("SELECT pg_current_xact_id() > '0'") == "t")
        #expect(
            try s.query("SELECT txid IS NULL FROM falcon.txn WHERE pid <> pg_backend_pid()") == "f")
        // The transaction that looks is one too.
        let shown = try s.run("SHOW falcon.txn").last
        #expect(shown?.rows.count == 2)
        #expect(shown?.tag == "SHOW")
        try other.run("COMMIT")
        #expect(try s.query("SELECT count(*) FROM falcon.txn") == "1")
    }

    @Test func endedTransactionsAreListed() throws {
        let before = try s.query("SELECT count(*) FROM falcon.txn_history")
        _ = try s.query("SELECT n FROM t WHERE id = 1")
        #expect(try s.query("SELECT count(*) FROM falcon.txn_history") == before)
        try s.run("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY; SELECT * FROM t; COMMIT")
        try s.run("UPDATE t SET n = 0 WHERE id = 1")
        try s.run("BEGIN; INSERT INTO t VALUES (20, 0)")
        _ = s.failure("INSERT INTO t VALUES (20, 0)")
        try s.run("ROLLBACK")
        try s.run("BEGIN; DELETE FROM t WHERE id = 2; PREPARE TRANSACTION 'p'")
        #expect(
            try s.query(
                "SELECT outcome, sqlstate, isolation, read_only, statements, reads, inserts, updates, "
                    + "deletes, commit_lsn IS NOT NULL, xact_end >= xact_start FROM "
                    + "falcon.txn_history LIMIT 4")
                    == """
                    prepared||read committed|f|1|1|0|0|1|f|t
                    aborted|23505|read committed|f|1|0|1|0|0|f|t
                    committed||read committed|f|1|1|0|1|0|t|t
                    committed||serializable|t|1|10|0|0|0|f|t
                    """)
    }

    @Test func totalsAddUp() throws {
        func totals() throws -> [Int] {
            try s.query(
                "SELECT committed, read_only, aborted, prepared, serialization_failures, inserts "
                    + "FROM falcon.txn_stats WHERE database = current_database()"
            ).split(separator: "|").compactMap { Int($0) }
        }
        let other = try database.session()
        let before = try totals()
        // The look itself was one.
        #expect(try totals() == [before[0] + 1, before[1] + 1] + before[2...])
        try s.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t")
        try other.run("UPDATE t SET n = 5 WHERE id = 5")
        #expect(s.failure("UPDATE t SET n = 6 WHERE id = 5")?.state == .serializationFailure)
        try s.run("ROLLBACK")
        try s.run("INSERT INTO t VALUES (30, 0)")
        try s.run("BEGIN; INSERT INTO t VALUES (31, 0); PREPARE TRANSACTION 'p'")
        try s.run("COMMIT PREPARED 'p'")
        let after = try totals()
        let expected = [
            before[0] + 5, before[1] + 2, before[2] + 1, before[3] + 1, before[4] + 1,
            before[5] + 2,
        ]
        #expect(after == expected)
        #expect(
            try s.query(
                "SELECT p50_ms <= p99_ms, p99_ms <= max_ms, max_ms > 0 FROM falcon.txn_stats "
                    + "WHERE database = current_database()") == "t|t|t")
    }

    @Test func whyACommitFailsIsKnown() throws {
        let other = try database.session()
        for session in [s, other] {
            try session.run("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT sum(n) FROM t")
        }
        try s.run("UPDATE t SET n = 1 WHERE id = 1")
        try other.run("UPDATE t SET n = 1 WHERE id = 2; COMMIT")
        #expect(s.failure("COMMIT")?.state == .serializationFailure)
        // It is not why the next one ends.
        try s.run("BEGIN; SELECT 1; ROLLBACK")
        #expect(
            try s.query("SELECT outcome, sqlstate FROM falcon.txn_history LIMIT 2")
                == "aborted|\naborted|40001")
        #expect(
            try s.query(
                "SELECT serialization_failures FROM falcon.txn_stats "
                    + "WHERE database = current_database()") == "1")
    }

    @Test func slowOnesAreKept() throws {
        try s.run("SET falcon.slow_txn_ms = 0")
        _ = try s.query("SELECT 7")
        let slow = try s.query(
            "SELECT outcome, statements FROM falcon.slow_txns WHERE outcome = 'committed' LIMIT 1")
        #expect(slow == "committed|1")
        // What still runs is there too: the look itself.
        #expect(
            try s.query("SELECT pid = pg_backend_pid() FROM falcon.slow_txns LIMIT 1") == "t")
        try s.run("SET falcon.slow_txn_ms = -1")
        let count = try s.query("SELECT count(*) FROM falcon.slow_txns")
        try s.run("INSERT INTO t VALUES (40, 0)")
        #expect(try s.query("SELECT count(*) FROM falcon.slow_txns") == count)
    }

    @Test func slowOnesShowTheirLastStatementToThoseWhoMaySeeIt() throws {
        let other = try database.session(user: "other")
        let long = String(repeating: "é", count: 1000)
        try other.run("SET falcon.slow_txn_ms = 0; BEGIN; SELECT '\(long)'")
        try other.run("COMMIT")
        try s.run("SET falcon.slow_txn_ms = 0")
        try s.run("BEGIN; SELECT 1")
        try s.run("SELECT 2")
        try s.run("ROLLBACK")
        let ended =
            "SELECT octet_length(query), query FROM falcon.slow_txns "
            + "WHERE outcome <> 'in progress' AND username = "
        let reader = try database.session()
        // 43 bytes of ASCII and whole characters of two bytes.
        #expect(
            try reader.query(ended + "'other' LIMIT 1").hasPrefix(
                "1023|SET falcon.slow_txn_ms = 0; BEGIN"))
        #expect(try reader.query(ended + "'postgres' LIMIT 1") == "8|SELECT 2")
        #expect(
            try other.query(ended + "'postgres' LIMIT 1") == "24|<insufficient privilege>")
        #expect(
            try other.query(
                "SELECT DISTINCT query FROM falcon.txn WHERE username = 'postgres'")
                == "")
        try s.run("BEGIN")
        #expect(
            try other.query("SELECT query FROM falcon.txn WHERE username = 'postgres'")
                == "<insufficient privilege>")
        #expect(
            try other.query(
                "SELECT usename, query, state IS NULL, query_start IS NULL, backend_type IS NULL, "
                    + "pid > 0 FROM pg_stat_activity ORDER BY usename DESC LIMIT 1")
                == "postgres|<insufficient privilege>|t|t|t|t")
        #expect(
            try s.query("SELECT state FROM pg_stat_activity WHERE usename = 'other'") == "idle")
    }

    @Test func whoKeepsOldVersionsShows() throws {
        let other = try database.session()
        try other.run(
            "SET application_name = 'old'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t")
        try s.run("UPDATE t SET n = n + 1")
        let report = "application_name, state, query LIKE 'SET%', snapshots >= 1, lag_ms >= 0"
        #expect(
            try s.query("SELECT \(report) FROM falcon.gc_safepoint")
                == "old|idle in transaction|t|t|t")
        #expect(try s.run("SHOW falcon.gc_safepoint").last?.rows.count == 1)
        #expect(s.failure("SHOW falcon.nothing")?.state == .undefinedObject)
    }

    // MARK: Status

    enum Interruption: CaseIterable, Sendable { case none, restart, powerCut }

    @Test(arguments: Interruption.allCases)
    func aLostAnswerIsFound(interruption: Interruption) throws {
        let (reader, aborted, lost) = (
            try database.session(), try database.session(), try database.session()
        )
        let committed = try s.query(
            "BEGIN; INSERT INTO t VALUES (50, 0); SELECT pg_current_xact_id()")
        let running = try lost.query(
            "BEGIN; INSERT INTO t VALUES (51, 0); SELECT txid_current()")
        #expect(try reader.query("SELECT falcon.txn_status(\(committed))") == "in progress")
        #expect(try reader.query("SELECT txid_status(\(running))") == "in progress")
        try s.run("COMMIT")
        let read = try reader.query("SELECT txid_current()")
        let rolledBack = try aborted.query(
            "BEGIN; INSERT INTO t VALUES (52, 0); SELECT txid_current()")
        try aborted.run("ROLLBACK")
        let failed = try aborted.query("BEGIN; SELECT txid_current()")
        _ = aborted.failure("SELECT 1/0")
        #expect(try reader.query("SELECT falcon.txn_status(\(failed))") == "aborted")
        let prepared = try aborted.query(
            "ROLLBACK; BEGIN; INSERT INTO t VALUES (53, 0); SELECT txid_current()")
        try aborted.run("PREPARE TRANSACTION 'p'")
        // Somebody's synced commit takes the reader's number along.
        try aborted.run("INSERT INTO t VALUES (54, 0)")
        switch interruption {
        case .none: try lost.run("ROLLBACK")
        case .restart: try database.restart()
        case .powerCut: try database.crash()
        }
        let later = try database.session()
        func status(_ number: String) throws -> String {
            try later.query("SELECT falcon.txn_status(\(number)), pg_xact_status('\(number)')")
        }
        #expect(try status(committed) == "committed|committed")
        #expect(try status(read) == "committed|committed")
        #expect(try status(rolledBack) == "aborted|aborted")
        #expect(try status(running) == "aborted|aborted")
        #expect(try status(prepared) == "in progress|in progress")
        try later.run("COMMIT PREPARED 'p'")
        #expect(try status(prepared) == "committed|committed")
    }

    private func finishHousekeeping() {
        let isDone = DispatchSemaphore(value: 0)
        _ = database.sql.housekeeping.schedule(afterMilliseconds: 1) { isDone.signal() }
        #expect(isDone.wait(timeout: .now() + 60) == .success)
    }

    @Test func oldNumbersGoWithAProcessesFirstCommit() throws {
        let old = try #require(UInt64(try s.query("SELECT txid_current()")))
        #expect(try s.query("SELECT falcon.txn_status(\(old))") == "committed")
        finishHousekeeping()
        // As if that had been in 1970.
        let batch = WriteBatch()
        var value: [UInt8] = [1]
        value += [UInt8](repeating: 0, count: 8)
        try batch.putSystem(SystemKey.make(.transactionStatus, old), value)
        try database.engine.commitAndWait(batch, CommitOptions())
        try database.restart()
        let later = try database.session()
        #expect(try later.query("SELECT falcon.txn_status(\(old))") == "committed")
        let young = try later.query("SELECT txid_current()")
        finishHousekeeping()
        #expect(
            try later.query("SELECT falcon.txn_status(\(old))")
                == "unknown: up to \(old) is not kept any more")
        #expect(try later.query("SELECT falcon.txn_status(\(young))") == "committed")
    }

    @Test func numbersNobodyWasGivenAreRefused() throws {
        let number = try #require(UInt64(try s.query("SELECT txid_current()")))
        for wrong in [0, 1, number + 1, number + 16_000_000] {
            #expect(
                s.failure("SELECT falcon.txn_status(\(wrong))")?.state == .invalidParameterValue)
        }
        #expect(try s.query("SELECT falcon.txn_status(NULL) IS NULL") == "t")
        #expect(
            try s.query("BEGIN; SELECT falcon.txn_status(pg_current_xact_id())") == "in progress")
        try s.run("ROLLBACK")
        #expect(try s.prepared("SELECT falcon.txn_status($1) IS NULL", [nil]).text == "t")
        #expect(s.failure("SELECT txn_status(16)")?.state == .undefinedFunction)
        #expect(s.failure("SELECT falcon.txid_current()")?.state == .undefinedFunction)
    }

    // MARK: Limits

    @Test func aTransactionMayWriteSoMuch() throws {
        try s.run("SET max_txn_write_keys = 5")
        let error = s.failure("INSERT INTO t SELECT i, i FROM generate_series(100, 110) i")
        #expect(error?.state == .programLimitExceeded)
        #expect(error?.hint != nil)
        try s.run("INSERT INTO t SELECT i, i FROM generate_series(100, 104) i")
        try s.run("BEGIN; UPDATE t SET n = 1 WHERE id IN (1, 2, 3)")
        #expect(s.failure("DELETE FROM t")?.state == .programLimitExceeded)
        try s.run("ROLLBACK; SET max_txn_write_keys = 0; SET max_txn_write_bytes = '10kB'")
        #expect(try s.query("SHOW max_txn_write_bytes") == "10240")
        let text = "INSERT INTO t SELECT i, i FROM generate_series(1000, 3000) i"
        #expect(s.failure(text)?.state == .programLimitExceeded)
        try s.run("RESET max_txn_write_bytes; \(text)")
        #expect(try s.query("SELECT count(*) FROM t") == "2016")
    }
}
