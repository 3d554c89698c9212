import FalconSchema
import Testing

@testable import FalconSQL

@Suite struct StatementTests {
    @Test func writesAndReadsRows() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        #expect(
            try s.tag("CREATE TABLE t (a int PRIMARY KEY, b text, c int DEFAULT 7)")
                == "CREATE TABLE")
        #expect(
            try s.tag("INSERT INTO t VALUES (1,'one',DEFAULT),(2,'two',2),(3,NULL,DEFAULT)")
                == "INSERT 0 3")
        #expect(try s.query("SELECT * FROM t ORDER BY a") == "1|one|7\n2|two|2\n3||7")
        #expect(try s.query("SELECT b FROM t WHERE a = 2") == "two")
        #expect(try s.tag("UPDATE t SET c = c + 1 WHERE a >= 2") == "UPDATE 2")
        #expect(try s.query("SELECT c FROM t ORDER BY a DESC") == "8\n3\n7")
        #expect(try s.tag("DELETE FROM t WHERE a = 1") == "DELETE 1")
        #expect(try s.query("SELECT count(*), sum(c) FROM t") == "2|11")
        #expect(try s.query("INSERT INTO t VALUES (9,'x') RETURNING a, c") == "9|7")
        #expect(try s.query("UPDATE t SET a = a + 100 WHERE a = 9 RETURNING a") == "109")
        #expect(try s.query("SELECT a FROM t ORDER BY a") == "2\n3\n109")
    }

    @Test func constraintsSayWhatPostgresSays() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run(
            "CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE, c int NOT NULL CHECK (c > 0))")
        try s.run("INSERT INTO t VALUES (1, 10, 1)")
        let duplicate = s.failure("INSERT INTO t VALUES (1, 11, 1)")
        #expect(duplicate?.state == .uniqueViolation)
        #expect(duplicate?.message == "duplicate key value violates unique constraint \"t_pkey\"")
        #expect(duplicate?.detail == "Key (a)=(1) already exists.")
        #expect(duplicate?.constraint == "t_pkey")
        #expect(s.failure("INSERT INTO t VALUES (2, 10, 1)")?.constraint == "t_b_key")
        let null = s.failure("INSERT INTO t VALUES (2, 12, NULL)")
        #expect(null?.state == .notNullViolation)
        #expect(
            null?.message
                == "null value in column \"c\" of relation \"t\" violates not-null constraint")
        #expect(null?.detail == "Failing row contains (2, 12, null).")
        let check = s.failure("INSERT INTO t VALUES (2, 12, 0)")
        #expect(check?.state == .checkViolation && check?.constraint == "t_c_check")
        // NULLs are distinct in a unique index; a failed statement leaves nothing behind.
        try s.run("INSERT INTO t VALUES (2, NULL, 1), (3, NULL, 1)")
        #expect(s.failure("UPDATE t SET b = 10 WHERE a = 2")?.state == .uniqueViolation)
        #expect(s.failure("INSERT INTO t VALUES (7, 7, 1), (8, 10, 1)")?.state == .uniqueViolation)
        #expect(try s.query("SELECT a, b FROM t ORDER BY a") == "1|10\n2|\n3|")
        #expect(try s.query("SELECT a FROM t WHERE b = 10") == "1")
    }

    @Test func transactionsCommitAndRollBack() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        let other = try database.session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY)")
        try s.run("BEGIN; INSERT INTO t VALUES (1)")
        #expect(s.session.transactionStatus == .inTransaction)
        #expect(try s.query("SELECT count(*) FROM t") == "1")
        #expect(try other.query("SELECT count(*) FROM t") == "0")
        #expect(try s.tag("COMMIT") == "COMMIT")
        #expect(try other.query("SELECT count(*) FROM t") == "1")
        try s.run("BEGIN; INSERT INTO t VALUES (2); CREATE TABLE u (x int)")
        #expect(try s.tag("ROLLBACK") == "ROLLBACK")
        #expect(try s.query("SELECT count(*) FROM t") == "1")
        #expect(s.failure("SELECT * FROM u")?.state == .undefinedTable)

        try s.run("BEGIN")
        #expect(s.failure("SELECT 1/0")?.state == .divisionByZero)
        #expect(s.session.transactionStatus == .failed)
        #expect(s.failure("SELECT 1")?.state == .inFailedSQLTransaction)
        #expect(try s.tag("COMMIT") == "ROLLBACK")
        #expect(s.session.transactionStatus == .idle)

        // Statements of one message are one transaction.
        #expect(s.failure("INSERT INTO t VALUES (5); SELECT 1/0")?.state == .divisionByZero)
        #expect(try s.query("SELECT count(*) FROM t WHERE a = 5") == "0")
    }

    @Test func savepointsUndoWhatFollowsThem() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY)")
        try s.run("BEGIN; INSERT INTO t VALUES (1); SAVEPOINT x; INSERT INTO t VALUES (2)")
        #expect(s.failure("INSERT INTO t VALUES (1)")?.state == .uniqueViolation)
        #expect(try s.tag("ROLLBACK TO x") == "ROLLBACK")
        #expect(s.session.transactionStatus == .inTransaction)
        try s.run("INSERT INTO t VALUES (3); COMMIT")
        #expect(try s.query("SELECT a FROM t ORDER BY a") == "1\n3")
    }

    @Test func catalogSurvivesRestart() throws {
        let database = try TestDatabase()
        defer { database.close() }
        do {
            let s = try database.session()
            try s.run("CREATE SCHEMA app; CREATE TABLE app.t (a int PRIMARY KEY, b text)")
            try s.run("CREATE INDEX t_b ON app.t (b)")
            try s.run("INSERT INTO app.t SELECT g, 'v' || g FROM generate_series(1, 100) g")
            try s.run("CREATE TABLE heap (x int); INSERT INTO heap VALUES (1)")
            s.session.close()
        }
        try database.restart()
        let s = try database.session()
        #expect(try s.query("SELECT count(*) FROM app.t") == "100")
        #expect(try s.query("SELECT a FROM app.t WHERE b = 'v42'") == "42")
        try s.run("INSERT INTO heap VALUES (2)")
        #expect(try s.query("SELECT x FROM heap ORDER BY x") == "1\n2")
        try s.run("CREATE TABLE u (a int)")
        #expect(try s.query("SELECT count(*) FROM u") == "0")
        s.session.close()
    }

    @Test func alterTableKeepsRows() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (2,'x'),(1,'y')")
        try s.run("ALTER TABLE t ADD PRIMARY KEY (a)")
        #expect(try s.query("SELECT * FROM t WHERE a = 1") == "1|y")
        try s.run("ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 5")
        #expect(try s.query("SELECT * FROM t ORDER BY a") == "1|y|5\n2|x|5")
        try s.run("ALTER TABLE t DROP COLUMN b; ALTER TABLE t RENAME COLUMN c TO d")
        #expect(try s.query("SELECT * FROM t ORDER BY a") == "1|5\n2|5")
        #expect(s.failure("ALTER TABLE t ADD CHECK (d > 5)")?.state == .checkViolation)
        try s.run("INSERT INTO t VALUES (3, 5)")
        #expect(s.failure("ALTER TABLE t ADD UNIQUE (d)")?.state == .uniqueViolation)
        try s.run("TRUNCATE t")
        #expect(try s.query("SELECT count(*) FROM t") == "0")
        try s.run("INSERT INTO t VALUES (1, 1); DROP TABLE t")
        #expect(s.failure("SELECT * FROM t")?.state == .undefinedTable)
    }

    @Test func copyWhateverTheBoundaries() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY, b text)")
        #expect(
            try s.copy("COPY t FROM STDIN", ["1\ton", "e\n2", "\t\\N\n3\ta\\tb\n", "\\.\n"])
                == "COPY 3")
        #expect(try s.query("SELECT a, b FROM t ORDER BY a") == "1|one\n2|\n3|a\tb")
        #expect(
            try s.copy(
                "COPY t FROM STDIN WITH (FORMAT csv, HEADER)",
                ["a,b\n4,\"x, \"\"y\"\"\nz\"\n5,\n"]) == "COPY 2")
        #expect(try s.query("SELECT b FROM t WHERE a = 4") == "x, \"y\"\nz")
        #expect(try s.query("SELECT b IS NULL FROM t WHERE a = 5") == "t")
        do {
            _ = try s.copy("COPY t FROM STDIN", ["8\tx\nbad\ty\n"])
            Issue.record("bad data was accepted")
        } catch let error as SQLError {
            #expect(error.state == .invalidTextRepresentation)
            #expect(error.context == "COPY t, line 2, column a: \"bad\"")
        }
        #expect(try s.query("SELECT count(*) FROM t") == "5")
        s.sink.copyOut = []
        #expect(try s.tag("COPY t (a, b) TO STDOUT WITH CSV") == "COPY 5")
        #expect(
            String(decoding: s.sink.copyOut, as: UTF8.self)
                == "1,one\n2,\n3,a\tb\n4,\"x, \"\"y\"\"\nz\"\n5,\n")
    }

    @Test func preparedStatementsFollowTheCatalog() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t VALUES (1,'x')")
        #expect(try s.prepared("SELECT b FROM t WHERE a = $1", ["1"]).text == "x")
        #expect(try s.prepared("INSERT INTO t VALUES ($1, $2)", ["2", nil]).tag == "INSERT 0 1")
        try s.run("PREPARE p (int) AS SELECT * FROM t WHERE a = $1")
        #expect(try s.query("EXECUTE p(1)") == "1|x")
        try s.run("ALTER TABLE t ADD COLUMN c int")
        let stale = s.failure("EXECUTE p(1)")
        #expect(stale?.state == .featureNotSupported)
        #expect(stale?.message == "cached plan must not change result type")
        try s.run("DEALLOCATE p")
        #expect(s.failure("EXECUTE p(1)")?.state == .invalidSQLStatementName)
    }

    @Test func plansDoNotOutliveARolledBackDefinition() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t VALUES (1, 'x')")
        let select = "SELECT * FROM t WHERE a = $1"
        try s.run("BEGIN; ALTER TABLE t ADD COLUMN c int DEFAULT 5")
        #expect(try s.prepared(select, ["1"]).text == "1|x|5")
        // The table has the same version again, and so has the catalog but for who sees it.
        try s.run("ROLLBACK; BEGIN; ALTER TABLE t DROP COLUMN b")
        #expect(try s.prepared(select, ["1"]).text == "1")
        try s.run("ROLLBACK; ALTER TABLE t ADD COLUMN d int DEFAULT 6")
        #expect(try s.prepared(select, ["1"]).text == "1|x|6")
    }

    @Test func settingsFollowTheTransaction() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("SET application_name = 'x'")
        #expect(s.sink.parameters.last?.1 == "x")
        try s.run("BEGIN; SET application_name = 'y'; ROLLBACK")
        #expect(try s.query("SHOW application_name") == "x")
        try s.run("BEGIN; SET LOCAL statement_timeout = '5s'")
        #expect(try s.query("SHOW statement_timeout") == "5s")
        try s.run("COMMIT")
        #expect(try s.query("SHOW statement_timeout") == "0")
        #expect(s.failure("SET nonsense = 1")?.state == .undefinedObject)
        #expect(s.failure("SHOW nonsense")?.state == .undefinedObject)
        #expect(s.failure("SET client_encoding = 'KLINGON'")?.state == .invalidParameterValue)
        #expect(try s.query("SHOW transaction isolation level") == "read committed")
    }

    @Test func serialColumnsCountOnAcrossRestarts() throws {
        let database = try TestDatabase()
        defer { database.close() }
        do {
            let s = try database.session()
            try s.run("CREATE TABLE t (id serial PRIMARY KEY, x text)")
            try s.run("INSERT INTO t (x) VALUES ('a'), ('b')")
            try s.run("BEGIN; INSERT INTO t (x) VALUES ('gone'); ROLLBACK")
            #expect(try s.query("INSERT INTO t (x) VALUES ('c') RETURNING id") == "4")
            #expect(try s.query("SELECT currval('t_id_seq'), lastval()") == "4|4")
            #expect(try s.query("SELECT pg_get_serial_sequence('t', 'id')") == "public.t_id_seq")
            s.session.close()
        }
        try database.restart()
        let s = try database.session()
        let next = Int(try s.query("INSERT INTO t (x) VALUES ('d') RETURNING id")) ?? 0
        #expect(next > 4)
        #expect(try s.query("SELECT setval('t_id_seq', 100)") == "100")
        #expect(try s.query("SELECT nextval('t_id_seq')") == "101")
        #expect(s.failure("DROP SEQUENCE t_id_seq")?.state.rawValue == "2BP01")
        try s.run("DROP TABLE t")
        #expect(s.failure("SELECT nextval('t_id_seq')") != nil)
        s.session.close()
    }

    @Test func literalsShareAPlanAndKeepTheirMeaning() throws {
        let stripped = LiteralStripper("select a from t where b = 'it''s' and c>-12 and d = 1.5;")
        #expect(
            stripped.map { String(decoding: $0.text, as: UTF8.self) }
                == "select a from t where b = $1 and c>-$2 and d = $3")
        #expect(stripped?.types == [.unknown, .int4, .numeric])
        for refused in [
            "SELECT a FROM t ORDER BY 1", "SELECT date '2020-01-01'", "SELECT 1::text",
            "SELECT E'x'", "SELECT 1 -- x", "BEGIN", "SELECT $1", "SELECT 1; SELECT 2",
            "SELECT 1e5",
        ] { #expect(LiteralStripper(refused) == nil, "\(refused)") }

        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY, b text, c bigint)")
        for i in 1...5 { try s.run("INSERT INTO t VALUES (\(i), 'v\(i)', \(i)00)") }
        for i in 1...5 {
            #expect(try s.query("SELECT b, c + 1 FROM t WHERE a = \(i)") == "v\(i)|\(i)01")
        }
        for i in 1...3 {
            #expect(try s.tag("UPDATE t SET c = c + -\(i) WHERE b = 'v\(i)'") == "UPDATE 1")
        }
        #expect(try s.query("SELECT c FROM t ORDER BY a") == "99\n198\n297\n400\n500")
        for _ in 1...3 {
            let failure = s.failure("SELECT a FROM t WHERE a = 'x'")
            #expect(failure?.state == .invalidTextRepresentation)
        }
        // A plan that is shared follows the catalog.
        try s.run("ALTER TABLE t DROP COLUMN b; ALTER TABLE t ADD COLUMN b int DEFAULT 9")
        #expect(try s.query("SELECT b, c + 1 FROM t WHERE a = 5") == "9|501")
    }

    @Test func aVolatileDefaultFillsEachRow() throws {
        let s = try TestDatabase().session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1),(2),(3)")
        try s.run("CREATE SEQUENCE q; ALTER TABLE t ADD COLUMN b int NOT NULL DEFAULT nextval('q')")
        #expect(try s.query("SELECT a, b FROM t ORDER BY a") == "1|1\n2|2\n3|3")
        #expect(try s.query("INSERT INTO t VALUES (9) RETURNING b") == "4")
        try s.run("ALTER TABLE t ADD COLUMN c float8 DEFAULT random(), ADD COLUMN d int DEFAULT 5")
        #expect(try s.query("SELECT count(DISTINCT c), min(d) FROM t") == "4|5")
        try s.run("ALTER TABLE t ADD COLUMN e serial UNIQUE")
        #expect(try s.query("SELECT count(DISTINCT e) FROM t WHERE e <= 4") == "4")
        let broken = "ALTER TABLE t ADD COLUMN f float8 DEFAULT random() CHECK (f > 1)"
        #expect(s.failure(broken)?.state == .checkViolation)
        #expect(try s.query("SELECT count(*) FROM t WHERE a > 0") == "4")
    }

    @Test func inquiriesKnowWhatExists() throws {
        let s = try TestDatabase().session()
        try s.run("CREATE TABLE t (a int); CREATE SCHEMA other; CREATE TABLE other.u (a int)")
        for (sql, answer) in [
            ("has_table_privilege('t', 'select, INSERT')", "t"),
            ("has_table_privilege('postgres', 't', 'select with grant option')", "t"),
            ("has_table_privilege(1::oid, 'select')", ""),
            ("has_column_privilege('t', 'a', 'update')", "t"),
            ("has_column_privilege('t', 9::int2, 'update')", ""),
            ("has_schema_privilege('other', 'usage')", "t"),
            ("has_database_privilege('falcon', 'connect')", "t"),
            ("pg_table_is_visible('t'::regclass)", "t"),
            ("pg_table_is_visible('other.u'::regclass)", "f"),
            ("pg_table_is_visible(1::oid)", ""),
            ("true::text || true::varchar", "truetrue"),
            ("pg_typeof(nullif(1, 2.5))", "numeric"),
        ] {
            #expect(try s.query("SELECT \(sql)") == answer, "\(sql)")
        }
        for (sql, state) in [
            ("has_table_privilege('nothing', 'select')", "42P01"),
            ("has_table_privilege('nobody', 't', 'select')", "42704"),
            ("has_table_privilege('t', 'fly')", "22023"),
            ("has_column_privilege('t', 'z', 'select')", "42703"),
            ("has_schema_privilege('nothing', 'usage')", "3F000"),
            ("has_database_privilege('nothing', 'connect')", "3D000"),
            ("has_sequence_privilege('t', 'usage')", "42809"),
        ] {
            #expect(s.failure("SELECT \(sql)")?.state == SQLState(state), "\(sql)")
        }
    }

    @Test func periodsOverlap() throws {
        let s = try TestDatabase().session()
        for (sql, answer) in [
            (
                "(date '2020-01-01', date '2020-02-01') OVERLAPS (date '2020-01-31', date '2021-01-01')",
                "t"
            ),
            (
                "(date '2020-01-01', date '2020-02-01') OVERLAPS (date '2020-02-01', date '2021-01-01')",
                "f"
            ),
            (
                "(date '2020-02-01', date '2020-01-01') OVERLAPS (date '2020-01-15', interval '1 day')",
                "t"
            ),
            ("(time '01:00', interval '1 hour') OVERLAPS (time '01:30', time '05:00')", "t"),
            (
                "(timestamp '2020-01-01', NULL::timestamp) OVERLAPS (timestamp '2020-01-01', timestamp '2020-01-02')",
                ""
            ),
            (
                "(timestamp '2020-01-01', NULL::timestamp) OVERLAPS (timestamp '2019-01-01', timestamp '2020-01-02')",
                "t"
            ),
        ] {
            #expect(try s.query("SELECT \(sql)") == answer, "\(sql)")
        }
    }
}
