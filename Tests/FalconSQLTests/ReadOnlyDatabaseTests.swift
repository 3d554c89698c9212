import FalconSchema
import Testing

@testable import FalconSQL
@testable import FalconStorage

/// A database whose engine was opened to be read, as a server shows a restore's inspection.
@Suite struct ReadOnlyDatabaseTests {
    private final class Mode {
        var isReadOnly = false
    }

    /// Closed and opened again to be read; `prepare` ran before.
    private func shown(
        _ prepare: (TestSession) throws -> Void
    ) throws -> (TestDatabase, TestSession) {
        let mode = Mode()
        let database = try TestDatabase(change: { $0.isReadOnly = mode.isReadOnly })
        let session = try database.session()
        _ = try session.query("CREATE TABLE t (a int PRIMARY KEY, b text)")
        _ = try session.query("INSERT INTO t VALUES (1, 'one'), (2, 'two')")
        try prepare(session)
        mode.isReadOnly = true
        try database.restart()
        return (database, try database.session())
    }

    @Test func itIsReadAndNotWritten() throws {
        let (database, session) = try shown { _ in }
        let before = database.fileSystem.snapshotContents()
        #expect(try session.query("SELECT a, b FROM t ORDER BY a") == "1|one\n2|two")
        #expect(try session.query("SELECT pg_is_in_recovery()") == "t")
        #expect(try session.query("SHOW transaction_read_only") == "on")
        for statement in [
            "INSERT INTO t VALUES (3, 'three')", "UPDATE t SET b = 'x'", "DELETE FROM t",
            "CREATE TABLE u (a int)", "DROP TABLE t", "TRUNCATE t", "CREATE SCHEMA s",
        ] {
            let failure = session.failure(statement)
            #expect(failure?.state == .readOnlySQLTransaction, "\(statement)")
            #expect(failure?.hint?.contains("advance /db --promote") == true, "\(statement)")
        }
        _ = try session.query("SET default_transaction_read_only = off")
        #expect(session.failure("DELETE FROM t")?.state == .readOnlySQLTransaction)
        #expect(session.failure("BEGIN READ WRITE")?.state == .featureNotSupported)
        _ = try session.query("ROLLBACK")
        _ = try session.query("BEGIN")
        #expect(session.failure("SET TRANSACTION READ WRITE")?.state == .featureNotSupported)
        _ = try session.query("ROLLBACK")
        #expect(try session.query("SELECT count(*) FROM t") == "2")
        #expect(database.fileSystem.snapshotContents() == before)
        database.close()
    }

    /// What falconctl's status and slot list ask for.
    @Test func itsEndIsKnownAndItsLogIsNot() throws {
        let (database, session) = try shown { session in
            #expect(try session.query("SELECT pg_last_wal_replay_lsn() IS NULL") == "t")
            try session.run("SELECT pg_create_logical_replication_slot('s', 'falcon')")
        }
        #expect(
            try session.query(
                "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() "
                    + "ELSE pg_current_wal_lsn() END > confirmed_lsn FROM falcon.cdc_slots") == "t")
        #expect(
            try session.query("SELECT name, behind_bytes IS NULL FROM falcon.cdc_slots") == "s|t")
        for call in [
            "pg_current_wal_lsn()", "pg_switch_wal()", "pg_create_restore_point('p')",
            "falcon.backup('b')",
        ] {
            let failure = session.failure("SELECT \(call)")
            #expect(failure?.state == .objectNotInPrerequisiteState, "\(call)")
            #expect(failure?.message == "recovery is in progress", "\(call)")
            #expect(failure?.hint?.contains("--promote") == true, "\(call)")
        }
        database.close()
    }

    /// What an ordinary open clears away stays: nothing can be written.
    @Test func whatItsServerLeftIsNoObstacle() throws {
        let (database, session) = try shown { session in
            _ = try session.query("CREATE TEMP TABLE mine (a int)")
            _ = try session.query("BEGIN")
            _ = try session.query("INSERT INTO t VALUES (3, 'three')")
            _ = try session.query("PREPARE TRANSACTION 'pending'")
        }
        #expect(try session.query("SELECT count(*) FROM t") == "2")
        #expect(try session.query("SELECT gid FROM pg_prepared_xacts") == "pending")
        #expect(session.failure("COMMIT PREPARED 'pending'") != nil)
        #expect(session.failure("ROLLBACK PREPARED 'pending'") != nil)
        #expect(try session.query("SELECT count(*) FROM t") == "2")
        database.close()
    }
}
