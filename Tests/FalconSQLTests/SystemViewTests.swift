import FalconSchema
import Testing

@testable import FalconSQL

/// System relations that show the process at work, and the queries of psql's \d commands.
@Suite struct SystemViewTests {
    @Test func sessionsSeeEachOther() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        let other = try database.session(database: "postgres")
        try s.run("SET application_name = 'watcher'")
        try other.run("SET application_name = 'other'; SELECT 42")
        let rows = "SELECT application_name, datname, usename, state, query, client_port, "
        let all = rows + "backend_type FROM pg_stat_activity ORDER BY pid"
        #expect(
            try s.query(all)
                == "watcher|falcon|postgres|active|\(all)|-1|client backend\n"
                + "other|postgres|postgres|idle|SET application_name = 'other'; SELECT 42|-1|"
                + "client backend")
        try other.run("BEGIN; SELECT 1")
        let state =
            "SELECT state, xact_start IS NOT NULL, xact_start > backend_start, "
            + "backend_start <= state_change FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        #expect(try s.query(state) == "idle in transaction|t|t|t")
        _ = other.failure("SELECT 1/0")
        #expect(try s.query(state) == "idle in transaction (aborted)|t|t|t")
        try other.run("ROLLBACK")
        #expect(try s.query(state) == "idle|f||t")
        _ = try other.prepared("SELECT $1::int", ["1"])
        #expect(
            try s.query("SELECT state, query FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
                == "idle|SELECT $1::int")
        other.session.close()
        #expect(try s.query("SELECT count(*) FROM pg_stat_activity") == "1")
        let remote = try database.sql.makeSession(
            user: "ann", database: "falcon", startupParameters: [("application_name", "far")],
            client: ("10.0.0.7", 4711))
        #expect(
            try s.query(
                "SELECT usename, client_addr, client_port, application_name "
                    + "FROM pg_stat_activity WHERE usename = 'ann'") == "ann|10.0.0.7|4711|far")
        remote.close()
    }

    @Test func aLockWaitShows() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let (a, b, s) = (
            try database.session(), try database.session(), try database.session()
        )
        try a.run("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)")
        try a.run("BEGIN; UPDATE t SET a = 1")
        var progress = b.session.simpleQuery("DELETE FROM t", b.sink)
        while case .needsWorker = progress { progress = b.session.resume(b.sink) }
        guard case .waiting = progress else {
            Issue.record("the second writer does not wait")
            return
        }
        #expect(
            try s.query(
                "SELECT wait_event_type, wait_event, state FROM pg_stat_activity "
                    + "WHERE query = 'DELETE FROM t'") == "Lock|transactionid|active")
        try a.run("COMMIT")
        _ = try b.settle(progress)
    }

    @Test func operatorClassesAreListed() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        #expect(
            try s.query(
                "SELECT opcname, opcintype::regtype, opcdefault FROM pg_opclass c "
                    + "JOIN pg_am a ON a.oid = c.opcmethod WHERE a.amname = 'btree' "
                    + "AND opcintype IN (23, 25) ORDER BY 1")
                == "int4_ops|integer|t\ntext_ops|text|t\ntext_pattern_ops|text|f\n"
                + "varchar_ops|text|f\nvarchar_pattern_ops|text|f")
        // \dAf, \dAo and \dAp as psql 15 asks.
        #expect(
            try s.query(
                """
                SELECT am.amname, CASE WHEN pg_catalog.pg_opfamily_is_visible(f.oid)
                  THEN pg_catalog.format('%I', f.opfname)
                  ELSE pg_catalog.format('%I.%I', n.nspname, f.opfname) END,
                  (SELECT pg_catalog.string_agg(pg_catalog.format_type(oc.opcintype, NULL), ', ')
                   FROM pg_catalog.pg_opclass oc WHERE oc.opcfamily = f.oid)
                FROM pg_catalog.pg_opfamily f
                  LEFT JOIN pg_catalog.pg_am am on am.oid = f.opfmethod
                  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
                WHERE f.opfname = 'integer_ops' ORDER BY 1, 2
                """
            ).split(separator: ",").count == 3)
        #expect(
            try s.query(
                """
                SELECT am.amname, o.amopopr::pg_catalog.regoperator, o.amopstrategy,
                  CASE o.amoppurpose WHEN 'o' THEN 'ordering' WHEN 's' THEN 'search' END
                FROM pg_catalog.pg_amop o
                  LEFT JOIN pg_catalog.pg_opfamily of ON of.oid = o.amopfamily
                  LEFT JOIN pg_catalog.pg_am am ON am.oid = of.opfmethod AND am.oid = o.amopmethod
                  LEFT JOIN pg_catalog.pg_namespace nsf ON of.opfnamespace = nsf.oid
                WHERE of.opfname = 'bool_ops'
                ORDER BY 1, o.amoplefttype = o.amoprighttype DESC,
                  pg_catalog.format_type(o.amoplefttype, NULL), o.amopstrategy
                """)
                == "btree|<(boolean,boolean)|1|search\nbtree|<=(boolean,boolean)|2|search\n"
                + "btree|=(boolean,boolean)|3|search\nbtree|>=(boolean,boolean)|4|search\n"
                + "btree|>(boolean,boolean)|5|search")
        #expect(
            try s.query(
                """
                SELECT ap.amprocnum, p.proname FROM pg_catalog.pg_amproc ap
                  LEFT JOIN pg_catalog.pg_opfamily of ON of.oid = ap.amprocfamily
                  LEFT JOIN pg_catalog.pg_proc p ON ap.amproc = p.oid
                WHERE of.opfname = 'bool_ops' ORDER BY 1
                """) == "1|btboolcmp\n4|btequalimage")
    }

    @Test func describingObjectsAnswersNothing() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        // The hard parts of \dd: tableoid of system relations, a union in FROM.
        #expect(
            try s.query(
                """
                SELECT DISTINCT tt.nspname, tt.name, tt.object, d.description
                FROM (
                  SELECT o.oid as oid, o.tableoid as tableoid, n.nspname as nspname,
                    CAST(o.opcname AS pg_catalog.text) as name,
                    CAST('operator class' AS pg_catalog.text) as object
                  FROM pg_catalog.pg_opclass o
                    JOIN pg_catalog.pg_am am ON o.opcmethod = am.oid
                    JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace
                      AND n.nspname <> 'pg_catalog'
                  AND pg_catalog.pg_opclass_is_visible(o.oid)
                UNION ALL
                  SELECT t.oid as oid, t.tableoid as tableoid, n.nspname as nspname,
                    CAST(t.tgname AS pg_catalog.text), CAST('trigger' AS pg_catalog.text)
                  FROM pg_catalog.pg_trigger t
                    JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
                    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                  WHERE pg_catalog.pg_table_is_visible(c.oid)
                ) AS tt
                JOIN pg_catalog.pg_description d
                  ON (tt.oid = d.objoid AND tt.tableoid = d.classoid AND d.objsubid = 0)
                ORDER BY 1, 2, 3
                """) == "")
    }

    @Test func unknownIsAType() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        for (argument, type) in [
            ("'a'", "unknown"), ("NULL", "unknown"), ("'x' || 'b'", "text"), ("1", "integer"),
        ] {
            for _ in 0..<3 {
                let answer = try s.query("SELECT pg_typeof(\(argument))")
                #expect(answer == type, "\(argument): \(answer)")
            }
        }
    }

    @Test func deadlocksSayWhoWaitsForWhom() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let (a, b) = (try database.session(), try database.session())
        try a.run("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
        try a.run("BEGIN; UPDATE t SET a = 1 WHERE a = 1")
        try b.run("BEGIN; UPDATE t SET a = 2 WHERE a = 2")
        let x = try a.query("SELECT pg_current_xact_id()")
        var progress = a.session.simpleQuery("UPDATE t SET a = 2 WHERE a = 2", a.sink)
        while case .needsWorker = progress { progress = a.session.resume(a.sink) }
        let error = b.failure("UPDATE t SET a = 1 WHERE a = 1")
        let (p, q) = (a.session.processID, b.session.processID)
        #expect(error?.state == .deadlockDetected)
        #expect(error?.hint == "See server log for query details.")
        let lines = (error?.detail ?? "").split(separator: "\n").map(String.init)
        #expect(lines.count == 2)
        #expect(
            lines.first
                == "Process \(q) waits for ShareLock on transaction \(x); blocked by process \(p).")
        let prefix = "Process \(p) waits for ShareLock on transaction "
        #expect(
            lines.last?.hasPrefix(prefix) == true
                && lines.last?.hasSuffix("; blocked by process \(q).") == true)
        _ = try a.settle(progress)
        try a.run("COMMIT")
        try b.run("ROLLBACK")
    }

    /// Rows of the system's relations are made when they are read: none can be written.
    @Test(arguments: [
        ("INSERT INTO pg_locks VALUES ('x')", "cannot insert into view \"pg_locks\"", "55000"),
        ("UPDATE pg_stat_activity SET pid = 1", "cannot update view \"pg_stat_activity\"", "55000"),
        ("DELETE FROM pg_stat_activity", "cannot delete from view \"pg_stat_activity\"", "55000"),
        ("DELETE FROM pg_class", "permission denied: \"pg_class\" is a system catalog", "42501"),
    ])
    func systemRelationsAreNotWritten(sql: String, message: String, state: String) throws {
        let session = try TestDatabase().session()
        let error = try #require(session.failure(sql))
        #expect(error.message == message)
        #expect(error.state.rawValue == state)
    }

    /// Ours are in a schema that pg_namespace does not list.
    @Test func systemRelationsHaveNames() throws {
        let session = try TestDatabase().session()
        for name in ["falcon.txn", "pg_catalog.pg_class", "information_schema.columns"] {
            #expect(try session.query("SELECT '\(name)'::regclass IS NOT NULL") == "t")
        }
        #expect(session.failure("SELECT 'falcon.nix'::regclass")?.state == .undefinedTable)
    }
}
