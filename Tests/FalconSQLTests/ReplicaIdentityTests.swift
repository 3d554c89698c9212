import FalconStorage
import Testing

@testable import FalconSQL

/// ALTER TABLE … REPLICA IDENTITY, and what the log then carries of rows as they were. Which indexes may be named,
/// and what the catalog shows, is in Fixtures/isolation/ddl-replica-identity.script.
@Suite struct ReplicaIdentityTests {
    private static func rows(_ what: String) -> String {
        "SELECT \(what) FROM pg_logical_slot_get_changes('s', NULL, NULL, 'rows-only', 'true')"
    }
    private static let before = rows(
        "string_agg(data::json->>'op' || ' ' || coalesce(data::json->>'before', '-'), ', ')")

    private func database(
        plugin: String = "falcon"
    ) throws -> (TestDatabase, TestSession) {
        let database = try TestDatabase(durability: .synced, slots: .init())
        let session = try database.session()
        try session.run("CREATE TABLE t (a int PRIMARY KEY, b text, c int)")
        try session.run("CREATE TABLE plain (a int PRIMARY KEY, b text)")
        try session.run("SELECT * FROM pg_create_logical_replication_slot('s', '\(plugin)')")
        return (database, session)
    }

    private func full(plugin: String = "falcon") throws -> (TestDatabase, TestSession) {
        let (database, session) = try database(plugin: plugin)
        try session.run("ALTER TABLE t REPLICA IDENTITY FULL")
        return (database, session)
    }

    @Test func everyStatementLogsTheOldRow() throws {
        let (_, session) = try full()
        try session.run("INSERT INTO t VALUES (1, 'x', 10), (2, NULL, NULL), (3, 'z', 30)")
        #expect(try session.query(Self.before) == "insert -, insert -, insert -")
        // What is overwritten and in no index is read for the log alone.
        try session.run("UPDATE t SET b = 'y', c = 11 WHERE a = 1")
        #expect(try session.query(Self.before) == #"update {"a":1,"b":"x","c":10}"#)
        try session.run("DELETE FROM t WHERE a = 2")
        #expect(try session.query(Self.before) == #"delete {"a":2,"b":null,"c":null}"#)
        try session.run("UPDATE t SET a = 4 WHERE a = 3")
        #expect(
            try session.query(Self.before) == #"delete {"a":3,"b":"z","c":30}, update -"#)
        try session.run(
            "INSERT INTO t VALUES (1, 'n', 0) ON CONFLICT (a) DO UPDATE SET b = excluded.b")
        #expect(try session.query(Self.before) == #"update {"a":1,"b":"y","c":11}"#)
        try session.run(
            """
            MERGE INTO t USING (VALUES (1), (4)) AS s (k) ON t.a = s.k
            WHEN MATCHED AND t.a = 1 THEN UPDATE SET c = 12 WHEN MATCHED THEN DELETE
            """)
        #expect(
            try session.query(Self.before)
                == #"update {"a":1,"b":"n","c":11}, delete {"a":4,"b":"z","c":30}"#)
        // A transaction sees its own writes, and so does the log; what was rolled back is in neither.
        try session.run(
            """
            BEGIN; UPDATE t SET c = 13 WHERE a = 1; SAVEPOINT p; UPDATE t SET c = 99 WHERE a = 1;
            ROLLBACK TO p; UPDATE t SET c = 14 WHERE a = 1; COMMIT
            """)
        #expect(
            try session.query(Self.before)
                == #"update {"a":1,"b":"n","c":12}, update {"a":1,"b":"n","c":13}"#)
        try session.run("TRUNCATE t")
        #expect(try session.query(Self.before) == "truncate -")
    }

    @Test func otherTablesLogNone() throws {
        let (_, session) = try full()
        try session.run("INSERT INTO plain VALUES (1, 'x')")
        try session.run("UPDATE plain SET b = 'y'; DELETE FROM plain")
        #expect(try session.query(Self.before) == "insert -, update -, delete -")
        try session.run("ALTER TABLE t REPLICA IDENTITY NOTHING; INSERT INTO t VALUES (1, 'x', 1)")
        try session.run("UPDATE t SET b = 'y'; DELETE FROM t")
        #expect(try session.query(Self.before) == "insert -, update -, delete -")
    }

    @Test func aReferencingRowIsLoggedToo() throws {
        let (_, session) = try full()
        try session.run(
            """
            CREATE TABLE child (k int PRIMARY KEY, a int REFERENCES t ON DELETE CASCADE
            ON UPDATE CASCADE, note text); ALTER TABLE child REPLICA IDENTITY FULL;
            INSERT INTO t VALUES (1, 'x', 1); INSERT INTO child VALUES (7, 1, 'n')
            """)
        _ = try session.query(Self.before)
        try session.run("DELETE FROM t WHERE a = 1")
        #expect(
            try session.query(Self.before)
                == #"delete {"a":1,"b":"x","c":1}, delete {"k":7,"a":1,"note":"n"}"#)
    }

    /// ALTER amid the stream, and amid a transaction: rows written before it have none.
    @Test func rowsBeforeTheAlterHaveNone() throws {
        let (_, session) = try database()
        try session.run("INSERT INTO t VALUES (1, 'x', 1)")
        try session.run("UPDATE t SET c = 2")
        try session.run(
            """
            BEGIN; UPDATE t SET c = 3; ALTER TABLE t REPLICA IDENTITY FULL; UPDATE t SET c = 4;
            ALTER TABLE t ADD COLUMN d int DEFAULT 7; UPDATE t SET c = 5; COMMIT
            """)
        try session.run("BEGIN; ALTER TABLE t REPLICA IDENTITY DEFAULT; ROLLBACK")
        try session.run("UPDATE t SET c = 6")
        try session.run("ALTER TABLE t REPLICA IDENTITY DEFAULT")
        try session.run("UPDATE t SET c = 7")
        #expect(
            try session.query(Self.before)
                == #"insert -, update -, update -, update {"a":1,"b":"x","c":3}, "#
                + #"update {"a":1,"b":"x","c":4,"d":7}, update {"a":1,"b":"x","c":5,"d":7}, "#
                + "update -")
    }

    @Test func anIndexNamesRows() throws {
        let (_, session) = try database(plugin: "wal2json")
        try session.run("ALTER TABLE t ALTER b SET NOT NULL; CREATE UNIQUE INDEX t_b ON t (b)")
        try session.run("ALTER TABLE t REPLICA IDENTITY USING INDEX t_b")
        try session.run("INSERT INTO t VALUES (1, 'x', 1)")
        try session.run("UPDATE t SET c = 2")
        try session.run("UPDATE t SET b = 'y'")
        try session.run("DELETE FROM t")
        let identities = Self.rows(
            "string_agg(coalesce(data::json->'identity'->0->>'name' || '=' || "
                + "(data::json->'identity'->0->>'value') || ' ' || "
                + "json_array_length(data::json->'identity')::text, '-'), ', ')")
        #expect(try session.query(identities) == "-, b=x 1, b=x 1, b=y 1")
        // Once it is gone nothing names them, as in PostgreSQL.
        try session.run("INSERT INTO t VALUES (1, 'x', 1); DROP INDEX t_b; DELETE FROM t")
        #expect(try session.query(identities) == "-, -")
    }

    /// While an index's columns stay, the new row names the old one too.
    @Test func anIndexLogsWhatChangedOfIt() throws {
        let (_, session) = try database()
        try session.run("ALTER TABLE t ALTER b SET NOT NULL; CREATE UNIQUE INDEX t_b ON t (b)")
        try session.run("ALTER TABLE t REPLICA IDENTITY USING INDEX t_b")
        try session.run("INSERT INTO t VALUES (1, 'x', 1)")
        try session.run("UPDATE t SET c = 2")
        try session.run("UPDATE t SET b = 'y'")
        #expect(
            try session.query(Self.before)
                == #"insert -, update -, update {"b":"x"}"#)
    }

    @Test func aNullableIndexNamesNoRows() throws {
        let (_, session) = try database()
        try session.run("CREATE UNIQUE INDEX t_b ON t (b)")
        let error = session.failure("ALTER TABLE t REPLICA IDENTITY USING INDEX t_b")
        #expect(error?.state.rawValue == "42809")
    }

    @Test(arguments: ["debezium", "cloudevents", "wal2json-v2"])
    func everyPluginShowsIt(plugin: String) throws {
        let (_, session) = try full(plugin: plugin)
        try session.run("INSERT INTO t VALUES (1, 'x', 10)")
        _ = try session.query(Self.rows("count(*)"))
        try session.run("UPDATE t SET b = 'y'")
        let shown = [
            "debezium": "data::json->'before'->>'b'",
            "cloudevents": "data::json->'data'->'before'->>'b'",
            "wal2json-v2": "data::json->'identity'->1->>'value'",
        ]
        #expect(try session.query(Self.rows(shown[plugin] ?? "")) == "x")
    }

    @Test func itOutlivesRestartsAndCrashes() throws {
        let (database, first) = try full()
        try first.run("INSERT INTO t VALUES (1, 'x', 1)")
        try database.restart()
        var session = try database.session()
        try session.run("UPDATE t SET c = 2")
        try database.crash()
        session = try database.session()
        #expect(
            try session.query("SELECT relreplident FROM pg_class WHERE relname = 't'") == "f")
        try session.run("UPDATE t SET c = 3")
        #expect(
            try session.query(Self.before)
                == #"insert -, update {"a":1,"b":"x","c":1}, update {"a":1,"b":"x","c":2}"#)
        // Old rows in the log are not applied again.
        #expect(try session.query("SELECT * FROM t") == "1|x|3")
    }

    @Test func aPreparedTransactionKeepsItsImages() throws {
        let (database, first) = try full()
        try first.run("INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2)")
        try first.run(
            "BEGIN; UPDATE t SET b = 'z' WHERE a = 1; DELETE FROM t WHERE a = 2; "
                + "PREPARE TRANSACTION 'p'")
        try database.crash()
        let session = try database.session()
        #expect(try session.query(Self.before) == "insert -, insert -")
        try session.run("COMMIT PREPARED 'p'")
        #expect(
            try session.query(Self.before)
                == #"update {"a":1,"b":"x","c":1}, delete {"a":2,"b":"y","c":2}"#)
    }
}
