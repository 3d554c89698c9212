import FalconSchema
import FalconStorage
import Testing

@testable import FalconSQL

/// CREATE and DROP DATABASE, beside the scripts ddl-database and ddl-not-in-block.
struct DatabaseTests {
    private let database: TestDatabase
    private let a: TestSession

    init() throws {
        database = try TestDatabase()
        a = try database.session()
        try a.run(
            """
            CREATE TABLE t (id serial PRIMARY KEY, u int UNIQUE, s text);
            INSERT INTO t (u, s) SELECT i, repeat('x', i) FROM generate_series(1, 100) AS i;
            CREATE VIEW v AS SELECT id FROM t WHERE u < 3;
            CREATE INDEX p ON t (s) WHERE u > 50;
            CREATE TABLE c (t int REFERENCES t)
            """)
    }

    private func refusal(_ name: String) -> SQLError? {
        do {
            _ = try database.session(database: name)
            return nil
        } catch { return error as? SQLError }
    }

    @Test func databasesAreApart() throws {
        #expect(refusal("d")?.state == .invalidCatalogName)
        #expect(try a.tag("CREATE DATABASE d") == "CREATE DATABASE")
        let d = try database.session(database: "d")
        #expect(try d.query("SELECT current_database()") == "d")
        #expect(d.failure("SELECT * FROM t")?.state == .undefinedTable)
        try d.run("CREATE TABLE t (x int); INSERT INTO t VALUES (1); BEGIN; LOCK TABLE t")
        #expect(try a.query("SELECT count(*) FROM t") == "100")
        try d.run("COMMIT")
        try database.restart()
        #expect(try database.session(database: "d").query("SELECT * FROM t") == "1")
    }

    @Test func copiesItsTemplate() throws {
        try a.run("CREATE TEMP TABLE mine (x int)")
        let other = try database.session(database: "postgres")
        let busy = Pending(other, "CREATE DATABASE d TEMPLATE falcon")
        let error = try #require(try busy.result().error)
        #expect(error.state == .objectInUse)
        #expect(error.message == "source database \"falcon\" is being accessed by other users")
        #expect(error.detail == "There is 1 other session using the database.")
        // From inside it may be copied.
        try a.run("CREATE DATABASE d TEMPLATE falcon")
        let d = try database.session(database: "d")
        #expect(try d.query("SELECT count(*), sum(length(s)) FROM t") == "100|5050")
        #expect(try d.query("SELECT id FROM t WHERE u = 42") == "42")
        #expect(try d.query("SELECT * FROM v ORDER BY id") == "1\n2")
        #expect(try d.query("SELECT u FROM t WHERE u > 50 AND s = repeat('x', 60)") == "60")
        #expect(d.failure("INSERT INTO c VALUES (1000)")?.state == .foreignKeyViolation)
        #expect(d.failure("INSERT INTO t (u) VALUES (42)")?.state == .uniqueViolation)
        #expect(d.failure("SELECT * FROM mine")?.state == .undefinedTable)
        try d.run("INSERT INTO t (u) VALUES (200); DELETE FROM t WHERE u = 1")
        #expect(try a.query("SELECT count(*), max(u) FROM t") == "100|100")
        #expect(try a.query("SELECT count(*) FROM t WHERE u = 1") == "1")
        try database.restart()
        let e = try database.session(database: "d")
        #expect(try e.query("SELECT count(*), max(u) FROM t") == "100|200")
        #expect(
            try e.query("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pg_temp%'") == "0")
    }

    /// Keys under a database's prefix.
    private func stored(_ id: DatabaseID) throws -> Int {
        try database.storedKeys(
            KeyRange(
                lower: CatalogKeys.prefix(id, StorageID(0)),
                upper: CatalogKeys.prefix(DatabaseID(id.rawValue + 1), StorageID(0))))
    }

    @Test func dropsAllOfIt() throws {
        try a.run("CREATE DATABASE d TEMPLATE falcon")
        let id = try #require(database.sql.database(named: "d")).id
        #expect(try stored(id) > 250)
        #expect(try a.tag("DROP DATABASE d") == "DROP DATABASE")
        #expect(try stored(id) == 0)
        #expect(refusal("d")?.state == .invalidCatalogName)
        #expect(try a.query("SELECT count(*) FROM t") == "100")
        try a.run("CREATE DATABASE d")
        #expect(try #require(database.sql.database(named: "d")).id != id)
        try a.run("DROP DATABASE d")
        try database.restart()
        #expect(refusal("d")?.state == .invalidCatalogName)
        #expect(try database.session().query("SELECT count(*) FROM t") == "100")
    }

    /// A dropped one of those made at the first open does not come back.
    @Test func firstDatabasesMayGo() throws {
        let postgres = try database.session(database: "postgres")
        a.session.close()
        try postgres.run("DROP DATABASE falcon")
        postgres.session.close()
        try database.restart()
        #expect(refusal("falcon")?.state == .invalidCatalogName)
        let c = try database.session(database: "postgres")
        #expect(
            try c.query("SELECT datname FROM pg_database ORDER BY 1")
                == "postgres\ntemplate0\ntemplate1")
    }

    @Test func othersAreInTheWay() throws {
        try a.run("CREATE DATABASE d")
        let d = try database.session(database: "d")
        let error = try #require(a.failure("DROP DATABASE d"))
        #expect(error.state == .objectInUse)
        #expect(error.message == "database \"d\" is being accessed by other users")
        #expect(error.detail == "There is 1 other session using the database.")
        #expect(try d.query("SELECT 1") == "1")
        try d.run(
            "CREATE TABLE x (n int); BEGIN; INSERT INTO x VALUES (1); PREPARE TRANSACTION 'p'")
        d.session.close()
        let prepared = try #require(a.failure("DROP DATABASE d WITH (FORCE)"))
        #expect(prepared.message == "database \"d\" is being used by prepared transactions")
        let e = try database.session(database: "d")
        try e.run("ROLLBACK PREPARED 'p'")
        // It ends when it is told to.
        let drop = Pending(a, "DROP DATABASE d WITH (FORCE)")
        #expect(e.failure("SELECT pg_sleep(60)")?.state == .adminShutdown)
        e.session.close()
        #expect(try drop.result().error == nil)
        #expect(refusal("d")?.state == .invalidCatalogName)
    }

    @Test func notEverybodyMayConnect() throws {
        let template0 = try #require(refusal("template0"))
        #expect(template0.state == .objectNotInPrerequisiteState && template0.severity == .fatal)
        #expect(refusal("template1") == nil)
        try a.run("CREATE DATABASE d CONNECTION LIMIT 1 IS_TEMPLATE true")
        let first = try database.sql.makeSession(user: "u", database: "d", startupParameters: [])
        let full = #expect(throws: SQLError.self) {
            try database.sql.makeSession(user: "u", database: "d", startupParameters: [])
        }
        #expect(full?.state == .tooManyConnections && full?.severity == .fatal)
        #expect(refusal("d") == nil)
        first.close()
        #expect(a.failure("DROP DATABASE d")?.state == .wrongObjectType)
        #expect(
            a.failure("DROP DATABASE falcon")?.message == "cannot drop the currently open database")
        #expect(a.failure("CREATE DATABASE x; SELECT 1")?.state == .activeSQLTransaction)
    }
}
