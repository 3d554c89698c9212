import FalconTestKit
import Testing

@testable import FalconSQL
@testable import FalconStorage

/// falcon.backup(), restore points, and what SHOW says of the archive.
@Suite struct BackupFunctionTests {
    private static func archived() throws -> TestDatabase {
        var archive = ArchiveOptions(directory: "/repo")
        archive.timeoutMicros = 0
        return try TestDatabase(archive: archive)
    }

    @Test func aBackupIsListed() throws {
        let database = try Self.archived()
        let session = try database.session()
        #expect(try session.query("SELECT count(*) FROM falcon.pitr_backups") == "0")
        _ = try session.query("CREATE TABLE t (a int)")
        let id = try session.query("SELECT falcon.backup('night''s')")
        #expect(
            try session.query(
                "SELECT label, id = '\(id)', start_lsn < end_lsn, files > 0, encrypted "
                    + "FROM falcon.pitr_backups") == "night's|t|t|t|f")
        #expect(
            try session.query(
                "SELECT directory, state, detail IS NULL, last_lsn > '0/8', pending_bytes, failures "
                    + "FROM falcon.pitr_status") == "/repo|active|t|t|0|0")
        #expect(try session.query("SHOW falcon.pitr_backups").contains(id))
        #expect(try session.query("SHOW falcon.pitr_status").contains("/repo"))
    }

    @Test func aRateMayBeGiven() throws {
        let database = try Self.archived()
        let session = try database.session()
        _ = try session.query("CREATE TABLE t (a int)")
        let first = try session.query("SELECT falcon.backup('a', '1024M')")
        let second = try session.query("SELECT falcon.backup(label => 'b', max_rate => '0')")
        #expect(
            try session.query("SELECT string_agg(id, ' ' ORDER BY began) FROM falcon.pitr_backups")
                == "\(first) \(second)")
        for rate in ["", "31k", "2000M", "fast", "5m"] {
            #expect(
                session.failure("SELECT falcon.backup('x', '\(rate)')")?.state
                    == .invalidParameterValue, "\(rate)")
        }
        let none = session.failure("SELECT falcon.backup('x', NULL)")
        #expect(none?.state.rawValue == "22004")
        #expect(none?.message == "max_rate must not be null")
        #expect(try session.query("SELECT count(*) FROM falcon.pitr_backups") == "2")
        let somebody = try database.session(user: "somebody")
        #expect(
            somebody.failure("SELECT falcon.backup('x', '32M')")?.state == .insufficientPrivilege)
    }

    /// PostgreSQL's pg_backup_start is STRICT and does nothing then, and says so with a NULL alone.
    @Test func aNullLabelIsRefused() throws {
        let database = try Self.archived()
        let session = try database.session()
        for call in ["backup(NULL)", "backup(NULL, '0')", "backup(NULL, NULL)"] {
            let failure = session.failure("SELECT falcon.\(call)")
            #expect(failure?.state.rawValue == "22004", "\(call)")
            #expect(failure?.message == "backup label must not be null", "\(call)")
        }
        let somebody = try database.session(user: "somebody")
        #expect(
            somebody.failure("SELECT falcon.backup(NULL)")?.state == .insufficientPrivilege)
        #expect(try session.query("SELECT count(*) FROM falcon.pitr_backups") == "0")
    }

    /// A label is shown in lines and on terminals.
    @Test(arguments: [
        "E'a\\nb'", "E'a\\rb'", "E'\\t'", "E'\\x1b[2J'", "chr(127)", "chr(133)", "chr(8232)",
        "repeat('x', 257)",
    ])
    func aLabelThatCannotBeShownIsRefused(label: String) throws {
        let database = try Self.archived()
        let session = try database.session()
        let failure = session.failure("SELECT falcon.backup(\(label))")
        #expect(failure?.state == .invalidParameterValue, "\(failure?.message ?? "none")")
        #expect(try session.query("SELECT count(*) FROM falcon.pitr_backups") == "0")
    }

    @Test func otherLabelsAreTaken() throws {
        let session = try Self.archived().session()
        for label in ["", "é 日本 🐘", "100% 'sure' \\ /", String(repeating: "x", count: 256)] {
            let quoted = label.replacing("'", with: "''")
            let id = try session.query("SELECT falcon.backup('\(quoted)')")
            #expect(
                try session.query(
                    "SELECT label = '\(quoted)' FROM falcon.pitr_backups WHERE id = '\(id)'") == "t"
            )
        }
    }

    /// At 32 kB/s this one would take minutes.
    @Test func oneUnderWayIsSeenAndCancelled() throws {
        let database = try Self.archived()
        let (session, other) = (try database.session(), try database.session())
        _ = try session.query("CREATE TABLE t (a int PRIMARY KEY, b text)")
        _ = try session.query(
            "INSERT INTO t SELECT g, md5(g::text) || md5((-g)::text) "
                + "FROM generate_series(1, 60000) g")
        let backup = Pending(session, "SELECT falcon.backup('slow', '32k')")
        try eventually {
            try other.query(
                "SELECT backup IS NOT NULL AND backup_copied_bytes > 0 FROM falcon.pitr_status")
                == "t" || backup.isOver
        }
        #expect(
            try other.query(
                "SELECT backup_copied_bytes < backup_total_bytes, backup_max_rate "
                    + "FROM falcon.pitr_status") == "t|32768")
        #expect(
            try other.query("SELECT pg_cancel_backend(\(session.session.processID))") == "t")
        #expect(try backup.result().error?.state == .queryCanceled)
        #expect(
            try other.query(
                "SELECT backup IS NULL, backup_max_rate IS NULL FROM falcon.pitr_status") == "t|t")
        #expect(try other.query("SELECT count(*) FROM falcon.pitr_backups") == "0")
    }

    @Test func aRestorePointIsInTheLog() throws {
        let database = try Self.archived()
        let session = try database.session()
        let before = try session.query("SELECT pg_current_wal_lsn()")
        let point = try session.query("SELECT pg_create_restore_point('release')")
        #expect(try session.query("SELECT '\(point)'::pg_lsn > '\(before)'::pg_lsn") == "t")
        let places = try RestoreMarkPlace.find(
            .name("release"), root: "/db",
            environment: StorageEnvironment(fileSystem: database.fileSystem))
        #expect(places.map(\.endLSN) == [LSN(text: point)])
    }

    @Test func aSwitchEndsTheSegment() throws {
        let database = try Self.archived()
        let session = try database.session()
        let start = try session.query("SELECT pg_current_wal_lsn()")
        let name = try session.query("SELECT pg_walfile_name('\(start)')")
        _ = try session.query("CREATE TABLE t (a int)")
        let end = try session.query("SELECT pg_switch_wal()")
        #expect(try session.query("SELECT pg_walfile_name('\(end)')") != name)
        #expect(try session.query("SELECT pg_walfile_name('\(start)')") == name)
        try database.engine.archiveNow()
        #expect(
            try session.query("SELECT last_segment LIKE '\(name)%' FROM falcon.pitr_status") == "t")
    }

    @Test(arguments: [
        "SELECT falcon.backup('x')", "SELECT pg_create_restore_point('x')",
        "SELECT pg_switch_wal()",
    ])
    func othersMayNot(sql: String) throws {
        let session = try Self.archived().session(user: "somebody")
        #expect(session.failure(sql)?.state.rawValue == "42501")
    }

    @Test func withoutAnArchiveNothingIsBackedUp() throws {
        let session = try TestDatabase().session()
        #expect(session.failure("SELECT falcon.backup('x')")?.state.rawValue == "55000")
        #expect(try session.query("SELECT state FROM falcon.pitr_status") == "off")
        let long = String(repeating: "n", count: 64)
        #expect(
            session.failure("SELECT pg_create_restore_point('\(long)')")?.state.rawValue == "22023")
    }
}
