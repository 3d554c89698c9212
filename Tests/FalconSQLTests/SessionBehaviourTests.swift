import FalconSchema
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
        try s.run("CREATE TABLE t (a int PRIMARY KEY, b text)")
        #expect(try !needsWorker("SELECT 1 + 1, length('abc') "))
        #expect(try !needsWorker("SELECT b FROM t WHERE a = 1"))
        #expect(try !needsWorker("UPDATE t SET b = b || 'x' WHERE a = 1"))
    }

    @Test func deepQueriesRun() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        let from =
            "SELECT * FROM " + String(repeating: "(SELECT * FROM ", count: 50) + "(SELECT 1 x) z"
            + String(repeating: ") z", count: 50)
        #expect(try s.query(from) == "1")
        let exists =
            "SELECT 1 WHERE " + String(repeating: "EXISTS (SELECT 1 WHERE ", count: 50) + "true"
            + String(repeating: ")", count: 50)
        #expect(try s.query(exists) == "1")
        let tooDeep =
            "SELECT * FROM " + String(repeating: "(SELECT * FROM ", count: 10_000)
            + "(SELECT 1 x) z" + String(repeating: ") z", count: 10_000)
        #expect(s.failure(tooDeep)?.state == .statementTooComplex)
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
