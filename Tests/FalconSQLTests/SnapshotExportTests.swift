import FalconSchema
import Testing

@testable import FalconSQL

/// pg_export_snapshot and SET TRANSACTION SNAPSHOT (rules and texts compared with PostgreSQL 15).
struct SnapshotExportTests {
    private let database: TestDatabase
    private let a: TestSession
    private let b: TestSession

    init() throws {
        (database, a, b) = try TestDatabase.pair(
            "CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1, 10), (2, 20)")
    }

    private func state(_ session: TestSession, _ sql: String) -> String? {
        session.failure(sql).map { "\($0.state.rawValue) \($0.message)" }
    }

    /// Exports from `a`, in a block that stays open.
    private func export(_ begin: String = "BEGIN ISOLATION LEVEL REPEATABLE READ") throws -> String
    {
        try a.run(begin)
        return try a.query("SELECT pg_export_snapshot()")
    }

    @Test func theImportingTransactionSeesWhatTheExportingOneSees() throws {
        for isolation in ["REPEATABLE READ", "SERIALIZABLE"] {
            try a.run("UPDATE t SET n = 10 WHERE id = 1")
            let snapshot = try export("BEGIN ISOLATION LEVEL \(isolation)")
            try b.run("UPDATE t SET n = 11 WHERE id = 1")
            try a.run("INSERT INTO t VALUES (3, 30)")
            try b.run(
                "BEGIN ISOLATION LEVEL \(isolation); SET TRANSACTION SNAPSHOT '\(snapshot)'")
            // Neither what was committed since, nor what the exporting transaction itself has written.
            #expect(try b.query("SELECT * FROM t ORDER BY id") == "1|10\n2|20")
            try a.run("ROLLBACK")
            // It outlives the exporting transaction.
            #expect(try b.query("SELECT n FROM t WHERE id = 1") == "10")
            #expect(state(b, "UPDATE t SET n = 12 WHERE id = 1")?.hasPrefix("40001") == true)
            try b.run("ROLLBACK")
        }
    }

    @Test func aReadCommittedTransactionExportsItsStatementsSnapshot() throws {
        let first = try export("BEGIN")
        try b.run("UPDATE t SET n = 11 WHERE id = 1")
        let second = try a.query("SELECT pg_export_snapshot()")
        #expect(first.hasSuffix("-1") && second.hasSuffix("-2"))
        #expect(first.dropLast() == second.dropLast() && first.count == 19)
        for (snapshot, n) in [(first, "10"), (second, "11"), (first, "10")] {
            try b.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
            try b.run("SET TRANSACTION SNAPSHOT '\(snapshot)'")
            #expect(try b.query("SELECT n FROM t WHERE id = 1") == n)
            // It has its snapshot: it is too late for another.
            #expect(
                state(b, "SET TRANSACTION SNAPSHOT '\(snapshot)'")
                    == "25001 SET TRANSACTION SNAPSHOT must be called before any query")
            try b.run("ROLLBACK")
        }
    }

    @Test(arguments: ["COMMIT", "ROLLBACK", "SELECT 1 / 0"])
    func anExportEndsWithItsTransaction(end: String) throws {
        let snapshot = try export()
        _ = a.failure(end)
        #expect(
            state(
                b,
                "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '\(snapshot)'")
                == "22023 invalid snapshot identifier: \"\(snapshot)\"")
    }

    @Test func anExportEndsWithItsSession() throws {
        let snapshot = try export()
        a.session.close()
        #expect(
            state(
                b,
                "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '\(snapshot)'")
                == "22023 invalid snapshot identifier: \"\(snapshot)\"")
    }

    @Test func whoMayExport() throws {
        #expect(
            state(a, "BEGIN; SAVEPOINT s; SELECT pg_export_snapshot()")
                == "25001 cannot export a snapshot from a subtransaction")
        try a.run("ROLLBACK")
        _ = try export()
        #expect(
            state(a, "PREPARE TRANSACTION 'p'")
                == "0A000 cannot PREPARE a transaction that has exported snapshots")
        #expect(try a.query("SELECT length(pg_export_snapshot())") == "19")
    }

    @Test func whoMayImport() throws {
        let set = { (snapshot: String) in "SET TRANSACTION SNAPSHOT '\(snapshot)'" }
        let plain = try export()
        let needs =
            "0A000 a snapshot-importing transaction must have isolation level SERIALIZABLE or "
            + "REPEATABLE READ"
        #expect(state(b, set(plain)) == needs)
        #expect(b.sink.notices.last?.state == .noActiveSQLTransaction)
        let early = "25001 SET TRANSACTION SNAPSHOT must be called before any query"
        for begun in ["SELECT 1", "SAVEPOINT s", "SELECT pg_current_xact_id()"] {
            try b.run("BEGIN ISOLATION LEVEL REPEATABLE READ; \(begun)")
            #expect(state(b, set(plain)) == early)
            try b.run("ROLLBACK")
        }
        #expect(
            state(b, "BEGIN; SET LOCAL TRANSACTION SNAPSHOT '\(plain)'")
                == "0A000 SET LOCAL TRANSACTION SNAPSHOT is not implemented")
        try b.run("ROLLBACK")
        #expect(
            state(b, "BEGIN ISOLATION LEVEL SERIALIZABLE; \(set(plain))")
                == "0A000 a serializable transaction cannot import a snapshot from a "
                + "non-serializable transaction")
        try b.run("ROLLBACK")
        let other = try database.session(database: "postgres")
        #expect(
            state(other, "BEGIN ISOLATION LEVEL REPEATABLE READ; \(set(plain))")
                == "0A000 cannot import a snapshot from a different database")
        try a.run("ROLLBACK")

        let reading = try export("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY")
        #expect(
            state(b, "BEGIN ISOLATION LEVEL SERIALIZABLE; \(set(reading))")
                == "0A000 a non-read-only serializable transaction cannot import a snapshot from a "
                + "read-only transaction")
        try b.run("ROLLBACK")
        #expect(
            state(b, "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE; \(set(reading))")
                == "0A000 a snapshot-importing transaction must not be READ ONLY DEFERRABLE")
        try b.run("ROLLBACK")
        try b.run("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY; \(set(reading))")
        #expect(try b.query("SELECT count(*) FROM t") == "2")
        try b.run("COMMIT")
        // A lower level may read at a serializable transaction's snapshot.
        try b.run("BEGIN ISOLATION LEVEL REPEATABLE READ; \(set(reading))")
        #expect(try b.query("SELECT count(*) FROM t") == "2")
    }

    /// Write skew against a transaction that committed between the snapshot and its import.
    @Test func anImportedSnapshotIsTrackedFromItsMoment() throws {
        let snapshot = try export("BEGIN ISOLATION LEVEL SERIALIZABLE")
        let c = try database.session()
        try c.run("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT sum(n) FROM t")
        try c.run("UPDATE t SET n = 0 WHERE id = 1; COMMIT")
        try b.run(
            "BEGIN ISOLATION LEVEL SERIALIZABLE; SET TRANSACTION SNAPSHOT '\(snapshot)'")
        #expect(try b.query("SELECT sum(n) FROM t") == "30")
        try b.run("UPDATE t SET n = 0 WHERE id = 2")
        #expect(state(b, "COMMIT")?.hasPrefix("40001") == true)
    }
}
