import FalconSchema
import FalconStorage
import Testing

@testable import FalconSQL

/// What is told of slots: statistics, whose call uses one, and functions' arguments, as PostgreSQL 15 has them.
@Suite struct SlotStatisticsTests {
    private static let columns =
        "slot_name, spill_txns, spill_count, spill_bytes, stream_txns, stream_count, stream_bytes, "
        + "total_txns"

    private func session(_ database: TestDatabase) throws -> TestSession {
        let session = try database.session()
        try session.run("CREATE TABLE t (a int PRIMARY KEY, b text)")
        try session.run("SELECT pg_create_logical_replication_slot('s', 'wal2json')")
        return session
    }

    @Test func whatWasDecodedIsCounted() throws {
        let session = try session(try TestDatabase(durability: .synced))
        let row = "SELECT \(Self.columns), total_bytes > 0, stats_reset IS NULL FROM "
        #expect(try session.query(row + "pg_stat_replication_slots") == "s|0|0|0|0|0|0|0|f|t")
        try session.run("INSERT INTO t VALUES (1, 'x')")
        try session.run("INSERT INTO t VALUES (2, 'y')")
        try session.run("SELECT count(*) FROM pg_logical_slot_peek_changes('s', NULL, NULL)")
        #expect(try session.query(row + "pg_stat_replication_slots") == "s|0|0|0|0|0|0|2|t|t")
        // What is read again is decoded again, and what is not selected is decoded, too.
        try session.run(
            "SELECT count(*) FROM pg_logical_slot_get_changes('s', NULL, NULL, 'tables', 'none')")
        #expect(
            try session.query(row + "pg_stat_get_replication_slot('s')") == "s|0|0|0|0|0|0|4|t|t")
        try session.run("SELECT pg_stat_reset_replication_slot('s')")
        #expect(try session.query(row + "pg_stat_replication_slots") == "s|0|0|0|0|0|0|0|f|f")
        try session.run("SELECT pg_drop_replication_slot('s')")
        #expect(try session.query("SELECT count(*) FROM pg_stat_replication_slots") == "0")
        try session.run("SELECT pg_create_logical_replication_slot('s', 'wal2json')")
        #expect(try session.query(row + "pg_stat_replication_slots") == "s|0|0|0|0|0|0|0|f|t")
    }

    @Test func countsAreReset() throws {
        let database = try TestDatabase(durability: .synced)
        let session = try session(database)
        try session.run("SELECT pg_create_logical_replication_slot('r', 'falcon')")
        try session.run("SELECT pg_stat_reset_replication_slot(NULL)")
        #expect(
            try session.query(
                "SELECT count(*), count(stats_reset) FROM pg_stat_replication_slots") == "2|2")
        let unknown = session.failure("SELECT pg_stat_reset_replication_slot('nope')")
        #expect(unknown?.state.rawValue == "22023")
        #expect(unknown?.message == "replication slot \"nope\" does not exist")
        #expect(
            try session.query(
                "SELECT slot_name, total_txns, total_bytes FROM pg_stat_get_replication_slot('nope')"
            )
                == "nope|0|0")
        #expect(
            try session.query(
                "SELECT count(*), count(slot_name) FROM pg_stat_get_replication_slot(NULL)")
                == "1|0")
        let user = try database.session(user: "somebody")
        #expect(
            user.failure("SELECT pg_stat_reset_replication_slot('s')")?.state.rawValue == "42501")
    }

    @Test func whoUsesASlotIsNamed() throws {
        let database = try TestDatabase(durability: .synced)
        let session = try session(database)
        try session.run("INSERT INTO t VALUES (1, 'x')")
        let other = ReplicationSlotStore(database.engine, user: 4711)
        var error: SQLError?
        var row: String?
        _ = try other.read("s", confirms: false) { _, _ throws(StorageError) in
            error = session.failure("SELECT pg_drop_replication_slot('s')")
            row = try? session.query("SELECT active, active_pid FROM pg_replication_slots")
            return .goOn
        }
        #expect(error?.state.rawValue == "55006")
        #expect(error?.message == "replication slot \"s\" is active for PID 4711")
        #expect(row == "t|4711")
    }

    @Test func argumentsAreTold() throws {
        let session = try TestDatabase().session()
        func arguments(_ name: String) throws -> String {
            try session.query(
                "SELECT pg_get_function_arguments(oid) FROM pg_proc WHERE proname = '\(name)' "
                    + "ORDER BY 1")
        }
        #expect(
            try arguments("pg_logical_slot_get_changes")
                == "slot_name name, upto_lsn pg_lsn, upto_nchanges integer, VARIADIC options text[] "
                + "DEFAULT '{}'::text[], OUT lsn pg_lsn, OUT xid xid, OUT data text")
        #expect(
            try arguments("pg_create_logical_replication_slot")
                == "slot_name name, plugin name, temporary boolean DEFAULT false, "
                + "twophase boolean DEFAULT false, OUT slot_name name, OUT lsn pg_lsn")
        #expect(try arguments("json_each") == "from_json json, OUT key text, OUT value json")
        #expect(try arguments("pg_sleep") == "double precision")
        #expect(try arguments("format") == "text\ntext, VARIADIC \"any\"")
        #expect(
            try session.query(
                "SELECT proargmodes, proallargtypes, proargnames, "
                    + "pg_get_function_identity_arguments(oid) "
                    + "FROM pg_proc WHERE proname = 'pg_logical_slot_get_changes'")
                == "{i,i,i,v,o,o,o}|{19,3220,23,1009,3220,28,25}|"
                + "{slot_name,upto_lsn,upto_nchanges,options,lsn,xid,data}|slot_name name, "
                + "upto_lsn pg_lsn, upto_nchanges integer, VARIADIC options text[], "
                + "OUT lsn pg_lsn, OUT xid xid, OUT data text")
        #expect(
            try session.query(
                "SELECT proargmodes IS NULL, proallargtypes IS NULL, proargnames IS NULL "
                    + "FROM pg_proc WHERE proname = 'pg_sleep'") == "t|t|t")
        #expect(
            try session.query(
                "SELECT proargmodes, proallargtypes, proargnames IS NULL "
                    + "FROM pg_proc WHERE proname = 'json_build_object' AND pronargs = 1")
                == "{v}|{2276}|t")
    }

    @Test func anotherDatabasesEndIsNotShown() throws {
        let database = try TestDatabase(durability: .synced)
        let session = try session(database)
        try session.run("SELECT pg_create_logical_replication_slot('f', 'falcon')")
        try session.run("CREATE DATABASE d2")
        do {
            let other = try database.session(database: "d2")
            try other.run("CREATE TABLE u (a int)")
            try other.run("INSERT INTO u VALUES (1)")
        }
        try session.run("DROP DATABASE d2")
        try session.run("INSERT INTO t VALUES (1, 'x')")
        #expect(
            try session.query(
                "SELECT count(*) FILTER (WHERE data LIKE '%storage:%'), "
                    + "count(*) FILTER (WHERE data::json->>'op' = 'insert') "
                    + "FROM pg_logical_slot_get_changes('f', NULL, NULL)") == "0|1")
    }
}
