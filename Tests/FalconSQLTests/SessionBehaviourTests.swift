import FalconSchema
import FalconStorage
import Synchronization
import Testing

@testable import FalconSQL

/// What depends on a session's settings and on its own relations.
@Suite struct SessionBehaviourTests {
    @Test func literalsAreReadUnderTheSettingsOfTheirStatement() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        let epoch = "SELECT extract(epoch FROM '2020-07-01 02:30'::timestamptz)::int8"
        try s.run("SET timezone = 'UTC'; SELECT 1")
        for (zone, expected) in [
            ("Europe/Berlin", "1593563400"), ("America/New_York", "1593585000"),
            ("Asia/Tokyo", "1593538200"),
        ] {
            try s.run("SET timezone = '\(zone)'")
            #expect(try s.query(epoch) == expected)
        }
        try s.run("SET timezone = 'UTC'; SELECT 1")
        try s.run("SELECT set_config('timezone', 'Asia/Tokyo', false)")
        #expect(try s.query(epoch) == "1593538200")
        try s.run("BEGIN; SET LOCAL timezone = 'UTC'; SELECT 1")
        try s.run("ROLLBACK")
        #expect(try s.query(epoch) == "1593538200")
        try s.run("SET datestyle = 'ISO, DMY'")
        #expect(try s.query("SELECT '01/02/2020'::date::text") == "2020-02-01")
    }

    /// What the catalog stores means what it meant to whoever wrote it.
    @Test func storedLiteralsAreFixedWhenWritten() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("SET timezone = 'America/New_York'; SET datestyle = 'ISO, DMY'; SELECT 1")
        try s.run(
            "CREATE TABLE t (k int, a timestamptz DEFAULT '2020-01-02'::timestamptz,"
                + " b timestamptz DEFAULT '2020-01-02', c date DEFAULT '01/02/2020',"
                + " d text DEFAULT '01/02/2020', e timestamptz DEFAULT timestamptz 'now',"
                + " f interval DEFAULT '-1 year 2 days' , CHECK (a < '01/03/2021'))")
        try s.run("ALTER TABLE t ALTER k SET DEFAULT extract(day FROM date '03/04/2020')")
        try s.run("ALTER TABLE t ADD g date DEFAULT '05/06/2020'")
        try s.run("CREATE VIEW v AS SELECT '2020-01-02'::timestamptz AS a, date '01/02/2020' AS c")
        try s.run("INSERT INTO t DEFAULT VALUES")
        let before = try s.query("SELECT e FROM t")
        let other = try database.session()
        try other.run("SET timezone = 'Asia/Tokyo'; SET datestyle = 'ISO, MDY'; SELECT 1")
        try other.run("SET intervalstyle = 'sql_standard'")
        try other.run("INSERT INTO t DEFAULT VALUES")
        try other.run("SET intervalstyle = 'postgres'; SELECT 1")
        #expect(
            try other.query("SELECT DISTINCT k, a, b, c, d, f, g FROM t")
                == "3|2020-01-02 14:00:00+09|2020-01-02 14:00:00+09|2020-02-01|01/02/2020|"
                + "-1 years +2 days|2020-06-05")
        #expect(try s.query("SELECT DISTINCT e FROM t") == before)
        #expect(try other.query("SELECT * FROM v") == "2020-01-02 14:00:00+09|2020-02-01")
        #expect(try other.tag("UPDATE t SET a = '2021-02-28'") == "UPDATE 2")
        #expect(other.failure("UPDATE t SET a = '2021-03-02'")?.state == .checkViolation)
    }

    @Test func backslashesInStrings() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        #expect(try s.query("SELECT 'a\\nb', 'a\\'") == "a\\nb|a\\")
        #expect(s.sink.notices.isEmpty)
        try s.run("SET standard_conforming_strings = off")
        #expect(
            try s.query("SELECT 'a\\nb', 'it\\\\s', E'\\t', $$\\n$$, 'plain'")
                == "a\nb|it\\s|\t|\\n|plain")
        #expect(
            s.sink.notices.map(\.message) == [
                "nonstandard use of escape in a string literal",
                "nonstandard use of \\\\ in a string literal",
            ])
        #expect(s.sink.notices.map(\.position) == [8, 16])
        #expect(
            s.sink.notices.first?.hint
                == "Use the escape string syntax for escapes, e.g., E'\\r\\n'.")
        s.sink.notices = []
        #expect(try s.query("SELECT'x\\'y'") == "x'y")
        #expect(
            s.sink.notices.first?.message == "nonstandard use of \\' in a string literal")
        #expect(s.failure("SELECT 'a\\nb', nosuch")?.position == 16)
        #expect(s.failure("SELECT 'a\\nb' FROM FROM")?.position == 20)
        try s.run("SET escape_string_warning = off; SELECT 1")
        s.sink.notices = []
        #expect(try s.prepared("SELECT 'a\\tb'", []).text == "a\tb")
        #expect(s.sink.notices.isEmpty)
        try s.run("SET backslash_quote = off; SELECT 1")
        let refused = s.failure("SELECT E'x\\'y'")
        #expect(refused?.state == SQLState("22P06") && refused?.position == 8)
        #expect(refused?.message == "unsafe use of \\' in a string literal")
        let hint = s.failure("SELECT E'\\u00zz'")?.hint
        #expect(hint == "Unicode escapes must be \\uXXXX or \\UXXXXXXXX.")
    }

    @Test func numericsEndWherePostgresEndsThem() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        for statement in [
            "SELECT 1e131071::numeric * 10", "SELECT 9e131071::numeric + 9e131071::numeric",
            "SELECT sum(9e131071::numeric) FROM generate_series(1, 20)", "SELECT 1e131072::numeric",
            "SELECT exp(6000::numeric)", "SELECT round(9.5e131071::numeric, -131071)",
        ] { #expect(s.failure(statement)?.state == .numericValueOutOfRange, "\(statement)") }
        #expect(try s.query("SELECT length((1e131071::numeric)::text)") == "131072")
    }

    @Test func temporaryTablesAreTheirSessionsOwn() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let other = try database.session()
        do {
            let s = try database.session()
            try s.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
            #expect(try s.query("SELECT a FROM t") == "1")
            try s.run("CREATE TEMP TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (2)")
            #expect(try s.query("SELECT a FROM t") == "2")
            #expect(try s.query("SELECT a FROM public.t") == "1")
            #expect(try s.query("SELECT a FROM pg_temp.t") == "2")
            #expect(try other.query("SELECT a FROM t") == "1")
            try other.run("CREATE TEMP TABLE t AS SELECT 3 AS a")
            #expect(try other.query("SELECT a FROM t") == "3")
            #expect(try s.query("SELECT a FROM t") == "2")
            try s.run("BEGIN; CREATE TEMP TABLE gone (a int) ON COMMIT DROP; COMMIT")
            #expect(s.failure("SELECT * FROM gone")?.state == .undefinedTable)
            try s.run("CREATE TEMP TABLE fleeting (a int) ON COMMIT DELETE ROWS")
            try s.run("BEGIN; INSERT INTO fleeting VALUES (1)")
            #expect(try s.query("SELECT count(*) FROM fleeting") == "1")
            try s.run("COMMIT")
            #expect(try s.query("SELECT count(*) FROM fleeting") == "0")
            try s.run("BEGIN; CREATE TEMP TABLE undone (a int); ROLLBACK")
            #expect(s.failure("SELECT * FROM undone")?.state == .undefinedTable)
            #expect(
                s.failure("CREATE TABLE p (a int) ON COMMIT DROP")?.state
                    == .invalidTableDefinition)
            try s.run("DISCARD TEMP")
            #expect(try s.query("SELECT a FROM t") == "1")
            try s.run("CREATE TEMP TABLE t (a int)")
            s.session.close()
        }
        // Commits are published in their order: after this one the closed session's is.
        try other.run("CREATE TABLE later (a int)")
        #expect(
            try other.query("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pg\\_temp%'")
                == "1")
    }

    @Test func aCrashLeavesNoTemporaryTable() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TEMP TABLE t (a serial, b int); INSERT INTO t (b) VALUES (1)")
        // Opening again without closing the session is what a crash leaves.
        try database.restart()
        let after = try database.session()
        #expect(
            try after.query("SELECT count(*) FROM pg_class WHERE relname LIKE 't%' AND oid > 16383")
                == "0")
        withExtendedLifetime(s) {}
    }

    private final class Reports: Sendable {
        let messages = Mutex<[String]>([])
    }

    @Test func aFailedCleanupIsReported() throws {
        let engine = try StorageEngine.open(
            at: "/db", environment: StorageEnvironment(fileSystem: MemoryFileSystem()))
        let reports = Reports()
        var options = SQLDatabaseOptions()
        options.durability = .written
        options.whenFailing = { error in reports.messages.withLock { $0.append(error.message) } }
        let sql = try SQLDatabase.open(engine: engine, options: options)
        defer { sql.close() }
        let s = TestSession(
            try sql.makeSession(user: "postgres", database: "falcon", startupParameters: []))
        try s.run("CREATE TEMP TABLE t (a int)")
        try engine.close()
        s.session.close()
        let messages = reports.messages.withLock { $0 }
        #expect(
            messages.count == 1
                && messages[0].hasPrefix(
                    "cannot drop the temporary tables of a closed session: "),
            "\(messages)")
    }

    @Test func costlyExpressionsGoToAWorker() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        func needsWorker(_ sql: String) throws -> Bool {
            var progress = s.session.simpleQuery(sql, s.sink)
            var found = false
            if case .needsWorker = progress { found = true }
            progress = try s.settle(progress)
            return found
        }
        #expect(try needsWorker("SELECT repeat('x', 10000) LIKE '%a%b'"))
        #expect(try needsWorker("SELECT 1 WHERE pg_sleep(0) IS NOT NULL"))
        #expect(try needsWorker("SELECT regexp_replace('aaa', 'a', 'b')"))
        // Neither planning nor running these holds up an event loop.
        #expect(try needsWorker("SELECT exp(100.1::numeric)"))
        #expect(try needsWorker("SELECT 2.5 ^ 100"))
        #expect(try needsWorker("SELECT 1e2000::numeric / 7"))
        try s.run("CREATE TABLE t (a int PRIMARY KEY, b text)")
        #expect(try !needsWorker("SELECT 1.5 * 2.25, exp(1.0::float8)"))
        #expect(try !needsWorker("SELECT 1 + 1, length('abc') "))
        #expect(try !needsWorker("SELECT b FROM t WHERE a = 1"))
        #expect(try !needsWorker("UPDATE t SET b = b || 'x' WHERE a = 1"))
    }

    @Test func copyChecksItsLines() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (a int, b text)")
        #expect(try s.copy("COPY t FROM STDIN", ["1\ta\r2\tb\r"]) == "COPY 2")
        #expect(try s.query("SELECT b FROM t ORDER BY a") == "a\nb")
        for (data, state, context) in [
            ("1\ta\n2\tb\r\n", "22P04", "COPY t, line 2"),
            ("1\ta\r\n2\tb\n", "22P04", "COPY t, line 2"),
            ("1\ta\n\\.x\n", "22P04", "COPY t, line 2"),
            ("1\t\\377\n", "22021", "COPY t, line 1: \"1\t\\377\""),
            ("1\ta\u{0}b\n", "22021", "COPY t, line 1"),
            ("x\ta\n", "22P02", "COPY t, line 1, column a: \"x\""),
        ] {
            do {
                _ = try s.copy("COPY t FROM STDIN", [data])
                Issue.record("\(data) was accepted")
            } catch let error as SQLError {
                #expect(error.state == SQLState(state) && error.context == context, "\(error)")
            }
        }
        for (options, state) in [
            ("delimiter 'a'", "22023"), ("delimiter ',', delimiter ';'", "42601"),
            ("header 5", "42601"), ("encoding 'foo'", "22023"),
        ] {
            #expect(
                s.failure("COPY t FROM STDIN (\(options))")?.state == SQLState(state), "\(options)")
        }
    }

    @Test func smallThingsAsPostgresHasThem() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE k (a int, CONSTRAINT z CHECK (a > 0), CONSTRAINT b CHECK (a > 1))")
        #expect(s.failure("INSERT INTO k VALUES (-1)")?.constraint == "b")
        try s.run("BEGIN; SELECT 1")
        #expect(
            s.failure("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")?.state
                == .activeSQLTransaction)
        try s.run("ROLLBACK")
        #expect(s.failure("PREPARE p AS SELECT $1 IS NULL")?.state == .indeterminateDatatype)
        #expect(
            s.failure("CREATE TABLE d (a int, b int DEFAULT a)")?.state == .featureNotSupported)
        #expect(try s.query("SELECT DISTINCT NULL") == "")
        #expect(s.failure("ANALYZE k(nosuch)")?.state == .undefinedColumn)
        #expect(s.failure("EXPLAIN (foo) SELECT 1")?.state == .syntaxError)
        let many = (0..<1665).map(String.init).joined(separator: ",")
        #expect(s.failure("SELECT " + many)?.state == .tooManyColumns)
        #expect(s.failure("SELECT E'\\u0000'")?.state == .syntaxError)
        #expect(s.failure("DROP VIEW k")?.hint == "Use DROP TABLE to remove a table.")
        try s.run("CREATE SCHEMA ss; CREATE TABLE ss.a (x int)")
        #expect(s.failure("DROP SCHEMA ss")?.detail == "table ss.a depends on schema ss")
        s.sink.notices = []
        try s.run("SELECT 1 AS \(String(repeating: "a", count: 70))")
        #expect(s.sink.notices.first?.state == SQLState("42622"))
        try s.run("CREATE TABLE bt (a text, b varchar(5)); INSERT INTO bt VALUES (true, false)")
        #expect(try s.query("SELECT a, b, true::text FROM bt") == "true|false|true")
    }
}
