import FalconStorage
import Testing

@testable import FalconSQL

/// Logical replication slots by SQL. Messages and SQLSTATEs are PostgreSQL 15's.
@Suite struct SlotFunctionTests {
    private static let actions = "SELECT string_agg(data::json->>'action', '') FROM "

    private func database(
        _ options: ReplicationSlotOptions = .init()
    ) throws -> (TestDatabase, TestSession) {
        let database = try TestDatabase(durability: .synced, slots: options)
        let session = try database.session()
        try session.run("CREATE TABLE t (a int PRIMARY KEY, b text)")
        return (database, session)
    }

    private func create(_ session: TestSession, plugin: String = "wal2json") throws {
        try session.run("SELECT * FROM pg_create_logical_replication_slot('s', '\(plugin)')")
    }

    @Test func changesComeOnceTheyAreCommitted() throws {
        let (_, session) = try database()
        #expect(
            try session.query(
                "SELECT slot_name, lsn > '0/0' FROM pg_create_logical_replication_slot('s', 'wal2json')"
            ) == "s|t")
        try session.run("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
        try session.run("UPDATE t SET b = 'z' WHERE a = 1")
        try session.run("DELETE FROM t WHERE a = 2")
        #expect(
            try session.query(
                "SELECT pg_create_logical_replication_slot('other', 'falcon') LIKE '(other,0/%)'")
                == "t")
        #expect(
            try session.query(
                "SELECT proname, proretset FROM pg_proc WHERE proname LIKE 'pg_logical_slot_get_ch%' "
                    + "OR proname = 'pg_replication_slot_advance' ORDER BY 1")
                == "pg_logical_slot_get_changes|t\npg_replication_slot_advance|f")
        let peek = Self.actions + "pg_logical_slot_peek_changes('s', NULL, "
        #expect(try session.query(peek + "NULL)") == "BIICBUCBDC")
        #expect(try session.query(peek + "0)") == "BIICBUCBDC")
        #expect(try session.query(peek + "1)") == "BIIC")
        #expect(try session.query(peek + "5)") == "BIICBUC")
        #expect(try session.query(peek + "-1)") == "")
        let get = Self.actions + "pg_logical_slot_get_changes('s', NULL, "
        #expect(try session.query(get + "1)") == "BIIC")
        #expect(try session.query(get + "NULL)") == "BUCBDC")
        #expect(try session.query(get + "NULL)") == "")
    }

    @Test func linesHoldTheRows() throws {
        let (_, session) = try database()
        try create(session, plugin: "falcon")
        try session.run("INSERT INTO t VALUES (1, 'x')")
        #expect(
            try session.query(
                "SELECT data::json->'after'->>'b', xid::text = data::json->>'txid', lsn > '0/0' "
                    + "FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'rows-only', 'true')"
            ).hasPrefix("x|"))
        #expect(
            try session.query(
                "SELECT convert_from(data, 'UTF8')::json->>'op' "
                    + "FROM pg_logical_slot_get_binary_changes('s', NULL, NULL)")
                == "begin\ninsert\ncommit")
    }

    @Test(arguments: ["falcon", "debezium", "wal2json-v2", "wal2json", "cloudevents"])
    func everyFormIsAPlugin(plugin: String) throws {
        let (_, session) = try database()
        try create(session, plugin: plugin)
        try session.run("INSERT INTO t VALUES (1, 'needle')")
        #expect(
            try session.query(
                "SELECT count(*) FROM pg_logical_slot_get_changes('s', NULL, NULL) "
                    + "WHERE data LIKE '%needle%'") == "1")
        #expect(try session.query("SELECT plugin FROM pg_replication_slots") == plugin)
    }

    @Test func theSlotGoesOnAfterARestartAndACrash() throws {
        let (database, first) = try database()
        try create(first)
        try first.run("INSERT INTO t VALUES (1, 'x')")
        try database.restart()
        var session = try database.session()
        let get = Self.actions + "pg_logical_slot_get_changes('s', NULL, NULL)"
        #expect(try session.query(get) == "BIC")
        // The columns of a row are those of its time.
        try session.run("INSERT INTO t VALUES (2, 'y')")
        try session.run("ALTER TABLE t ADD COLUMN c int DEFAULT 7")
        try session.run("INSERT INTO t VALUES (3, 'z', 8)")
        try database.crash()
        session = try database.session()
        let columns =
            "SELECT string_agg(json_array_length(data::json->'columns')::text, ',') "
            + "FROM pg_logical_slot_get_changes('s', NULL, NULL) WHERE data::json->>'action' = 'I'"
        #expect(try session.query(columns) == "2,3")
        try session.run("INSERT INTO t VALUES (4, 'w', 9)")
        try database.restart()
        session = try database.session()
        #expect(try session.query(columns) == "3")
    }

    @Test func aSlotIsAdvanced() throws {
        let (_, session) = try database()
        try create(session)
        try session.run("INSERT INTO t VALUES (1, 'x')")
        try session.run("INSERT INTO t VALUES (2, 'y')")
        let commit = try session.query(
            "SELECT min(lsn) FROM pg_logical_slot_peek_changes('s', NULL, NULL) "
                + "WHERE data::json->>'action' = 'C'")
        let count = "SELECT count(*) FROM pg_logical_slot_peek_changes('s', "
        #expect(try session.query(count + "'\(commit)', NULL)") == "3")
        #expect(
            try session.query("SELECT * FROM pg_replication_slot_advance('s', '\(commit)')")
                == "s|\(commit)")
        #expect(try session.query(count + "NULL, NULL)") == "3")
        let back = session.failure("SELECT * FROM pg_replication_slot_advance('s', '0/1')")
        #expect(back?.state.rawValue == "55000")
        #expect(
            back?.message == "cannot advance replication slot to 0/1, minimum is \(commit)")
        try session.run("SELECT * FROM pg_replication_slot_advance('s', 'FFFF/0')")
        #expect(try session.query(count + "NULL, NULL)") == "0")
    }

    @Test func slotsAreListed() throws {
        let (_, session) = try database()
        #expect(try session.query("SELECT count(*) FROM pg_replication_slots") == "0")
        try create(session)
        #expect(
            try session.query(
                "SELECT slot_name, plugin, slot_type, database, temporary, active, active_pid IS NULL, "
                    + "wal_status, restart_lsn <= confirmed_flush_lsn, two_phase, "
                    + "datoid = (SELECT oid FROM pg_database WHERE datname = current_database()) "
                    + "FROM pg_replication_slots")
                == "s|wal2json|logical|falcon|f|f|t|reserved|t|f|t")
        #expect(try session.query("SELECT slot_name FROM pg_get_replication_slots()") == "s")
        #expect(
            try session.query("SELECT name, database, state, detail IS NULL FROM falcon.cdc_slots")
                == "s|falcon|idle|t")
        #expect(try session.query("SHOW falcon.cdc_slots").hasPrefix("s|wal2json|falcon|idle"))
        try session.run("SELECT pg_drop_replication_slot('s')")
        #expect(try session.query("SELECT count(*) FROM falcon.cdc_slots") == "0")
    }

    @Test func refusalsArePostgreSQLs() throws {
        let (_, session) = try database()
        try create(session)
        func expect(_ sql: String, _ state: String, _ message: String) {
            let error = session.failure(sql)
            #expect(error?.state.rawValue == state, "\(sql)")
            #expect(error?.message == message, "\(sql)")
        }
        let create = "SELECT * FROM pg_create_logical_replication_slot"
        expect(create + "('s', 'falcon')", "42710", "replication slot \"s\" already exists")
        expect(
            create + "('n', 'nope')", "58P01",
            "could not access file \"nope\": No such file or directory")
        expect(
            create + "('S-2', 'falcon')", "42602",
            "replication slot name \"S-2\" contains invalid character")
        expect(create + "('', 'falcon')", "42602", "replication slot name \"\" is too short")
        let get = "SELECT * FROM pg_logical_slot_get_changes"
        expect(get + "('n', NULL, NULL)", "42704", "replication slot \"n\" does not exist")
        expect(get + "(NULL, NULL, NULL)", "22004", "slot name must not be null")
        expect(
            get + "('s', NULL, NULL, 'a')", "0A000", "array must have even number of elements")
        expect(
            get + "('s', NULL, NULL, NULL::text)", "0A000", "array must not contain nulls")
        expect(
            get + "('s', NULL, NULL, VARIADIC NULL::text[])", "22004",
            "options array must not be null")
        expect(
            get + "('s', NULL, NULL, 'foo', '0')", "22023", "option \"foo\" = \"0\" is unknown")
        expect(
            "SELECT pg_drop_replication_slot('n')", "42704",
            "replication slot \"n\" does not exist")
        try session.run("BEGIN")
        try session.run("INSERT INTO t VALUES (9, '')")
        expect(
            create + "('n', 'falcon')", "25001",
            "cannot create logical replication slot in transaction that has performed writes")
        try session.run("ROLLBACK")
    }

    @Test func slotsAreOfOneDatabaseAndForSuperusers() throws {
        let (database, session) = try database()
        try create(session)
        let other = try database.session(database: "postgres")
        #expect(
            other.failure("SELECT * FROM pg_logical_slot_get_changes('s', NULL, NULL)")?.message
                == "replication slot \"s\" was not created in this database")
        let user = try database.session(user: "somebody")
        for sql in [
            "SELECT * FROM pg_create_logical_replication_slot('n', 'falcon')",
            "SELECT pg_drop_replication_slot('s')",
            "SELECT * FROM pg_logical_slot_peek_changes('s', NULL, NULL)",
            "SELECT * FROM pg_replication_slot_advance('s', '0/1')",
        ] {
            let error = user.failure(sql)
            #expect(error?.state.rawValue == "42501", "\(sql)")
            #expect(
                error?.message
                    == "must be superuser or replication role to use replication slots", "\(sql)")
        }
        #expect(try user.query("SELECT count(*) FROM pg_replication_slots") == "1")
    }

    @Test func aDroppedDatabasesSlotsGoWithIt() throws {
        let (database, session) = try database()
        try create(session)
        try session.run("CREATE DATABASE d2")
        do {
            let other = try database.session(database: "d2")
            try other.run("SELECT pg_create_logical_replication_slot('of_d2', 'falcon')")
        }
        try session.run("DROP DATABASE d2")
        #expect(try session.query("SELECT slot_name FROM pg_replication_slots") == "s")
    }

    @Test func argumentsMayBeNamedInAnyOrder() throws {
        let (_, session) = try database()
        try session.run(
            "SELECT pg_create_logical_replication_slot(plugin => 'wal2json', slot_name => 's')")
        try session.run("INSERT INTO t VALUES (1, 'x')")
        let peek = Self.actions + "pg_logical_slot_peek_changes("
        #expect(
            try session.query(peek + "upto_nchanges => 1, slot_name => 's', upto_lsn => NULL)")
                == "BIC")
        #expect(
            try session.query(
                peek + "'s', upto_nchanges => NULL, upto_lsn => NULL, "
                    + "VARIADIC options => '{rows-only,true}')") == "I")
        #expect(
            session.failure(
                "SELECT * FROM pg_logical_slot_peek_changes('s', NULL, NULL, options => 'a')")?
                .state.rawValue == "42883")
        // Defaults stand between what is given.
        #expect(
            try session.query("SELECT make_interval(secs => 10, years => 2)") == "2 years 00:00:10")
        #expect(try session.query("SELECT make_interval(1, days => 3)") == "1 year 3 days")
        #expect(
            session.failure("SELECT make_interval(1, years => 3)")?.state.rawValue == "42883")
    }

    @Test func temporaryTablesAreTheirSessionsOwn() throws {
        let (_, session) = try database()
        try create(session, plugin: "falcon")
        try session.run("CREATE TEMP TABLE own (a int)")
        try session.run("INSERT INTO own VALUES (4711)")
        try session.run("INSERT INTO t VALUES (1, 'x')")
        #expect(
            try session.query(
                "SELECT count(*) FILTER (WHERE data LIKE '%own%' OR data LIKE '%4711%'), "
                    + "count(*) FILTER (WHERE data::json->>'op' = 'insert') "
                    + "FROM pg_logical_slot_get_changes('s', NULL, NULL)") == "0|1")
    }

    @Test func thereAreSoManySlots() throws {
        var options = ReplicationSlotOptions()
        options.maximumSlots = 1
        let (_, session) = try database(options)
        try create(session)
        let error = session.failure(
            "SELECT * FROM pg_create_logical_replication_slot('n', 'falcon')")
        #expect(error?.state.rawValue == "53400")
        #expect(error?.message == "all replication slots are in use")
    }

    @Test func aLostSlotSaysSo() throws {
        var options = ReplicationSlotOptions()
        options.maximumAgeMicros = 1
        let (database, session) = try database(options)
        try create(session)
        // Older than a microsecond by now: the statements between take longer.
        try session.run("INSERT INTO t VALUES (1, 'x')")
        #expect(try database.sql.slots.maintain().map(\.name) == ["s"])
        let error = session.failure(
            "SELECT * FROM pg_logical_slot_get_changes('s', NULL, NULL)")
        #expect(error?.state.rawValue == "55000")
        #expect(error?.message == "cannot read from logical replication slot \"s\"")
        #expect(
            try session.query("SELECT wal_status, restart_lsn IS NULL FROM pg_replication_slots")
                == "lost|t")
        #expect(try session.query("SELECT state FROM falcon.cdc_slots") == "lost")
    }
}
