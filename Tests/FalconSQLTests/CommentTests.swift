import FalconSchema
import FalconStorage
import Testing

@testable import FalconSQL

/// COMMENT ON, beside the scripts ddl-comment*: what outlives the server, and what belongs to the cluster.
struct CommentTests {
    private let database: TestDatabase
    private let s: TestSession

    init() throws {
        database = try TestDatabase(durability: .synced)
        s = try database.session()
    }

    /// How many comments are stored, of all databases and the cluster.
    private func stored() throws -> Int {
        try ["falcon", "template1"].reduce(0) { count, name in
            let id = try #require(database.sql.database(named: name)).id
            return count
                + (try database.storedKeys(
                    KeyRange(prefix: CatalogKeys.prefix(id, CatalogKeys.comments))))
        }
            + database.storedKeys(
                KeyRange(prefix: CatalogKeys.prefix(CatalogKeys.shared, CatalogKeys.comments)))
    }

    @Test func commentsOutliveTheServer() throws {
        defer { database.close() }
        try s.run("CREATE TABLE t (a int PRIMARY KEY, b int); CREATE ROLE r")
        try s.run("COMMENT ON TABLE t IS 'table'; COMMENT ON COLUMN t.b IS 'Größe'")
        try s.run("COMMENT ON CONSTRAINT t_pkey ON t IS 'key'")
        try s.run("COMMENT ON SCHEMA public IS 'schema'")
        try s.run("COMMENT ON DATABASE falcon IS 'database'; COMMENT ON ROLE r IS 'role'")
        try s.run("COMMENT ON ROLE postgres IS 'superuser'")
        try database.crash()
        let later = try database.session()
        #expect(
            try later.query(
                """
                SELECT obj_description('t'::regclass), col_description('t'::regclass, 2),
                    obj_description('public'::regnamespace, 'pg_namespace'),
                    (SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint)
                """) == "table|Größe|schema|key")
        #expect(
            try later.query(
                """
                SELECT (SELECT shobj_description(oid, 'pg_database') FROM pg_database
                        WHERE datname = 'falcon'),
                    shobj_description('r'::regrole, 'pg_authid'),
                    shobj_description('postgres'::regrole, 'pg_authid')
                """) == "database|role|superuser")
        #expect(
            try later.query(
                "SELECT classoid::regclass, description FROM pg_shdescription ORDER BY 2")
                == "pg_database|database\npg_authid|role\npg_authid|superuser")
        #expect(try stored() == 7)
        try later.run("DROP TABLE t; DROP ROLE r; COMMENT ON SCHEMA public IS NULL")
        try later.run("COMMENT ON DATABASE falcon IS NULL; COMMENT ON ROLE postgres IS ''")
        #expect(try stored() == 0)
    }

    @Test func databasesAreCommentedOnAndCopied() throws {
        defer { database.close() }
        let template = try database.session(database: "template1")
        try template.run("CREATE TABLE t (a int); COMMENT ON COLUMN t.a IS 'of the template'")
        template.session.close()
        try s.run("CREATE DATABASE d")
        try s.run("COMMENT ON DATABASE d IS 'd'")
        let inside = try database.session(database: "d")
        #expect(try inside.query("SELECT col_description('t'::regclass, 1)") == "of the template")
        try inside.run("COMMENT ON TABLE t IS 'of d'")
        #expect(try inside.query("SELECT count(*) FROM pg_description") == "2")
        #expect(try inside.query("SELECT description FROM pg_shdescription") == "d")
        #expect(try s.query("SELECT count(*) FROM pg_description") == "0")
        inside.session.close()
        #expect(try stored() == 2)
        try s.run("DROP DATABASE d")
        #expect(try stored() == 1)
    }

    /// As of an aborted or a closed session nothing is left.
    @Test func whatGoesTakesItsCommentsAlong() throws {
        defer { database.close() }
        let other = try database.session()
        try other.run("CREATE TEMP TABLE m (n int PRIMARY KEY); COMMENT ON TABLE m IS 'm'")
        try other.run("COMMENT ON CONSTRAINT m_pkey ON m IS 'key'; COMMENT ON COLUMN m.n IS 'n'")
        #expect(try stored() == 3)
        other.session.close()
        // Nobody waits for the end of a session; what commits after it is visible after it.
        try s.run("CREATE TEMP TABLE m (n int); COMMENT ON TABLE m IS 'm'")
        #expect(try stored() == 1)
        try database.crash()
        #expect(try stored() == 0)
    }

    @Test func refusals() throws {
        defer { database.close() }
        try s.run("CREATE ROLE r")
        let other = try database.session(user: "somebody")
        let refusals: [(TestSession, String, String)] = [
            (other, "COMMENT ON ROLE r IS 'x'", "42501 must have CREATEROLE privilege"),
            (other, "COMMENT ON ROLE postgres IS 'x'", "42501 must be superuser"),
            (s, "COMMENT ON TYPE int4 IS 'x'", "0A000 COMMENT ON TYPE is not supported yet"),
            (
                s, "COMMENT ON TABLE pg_class IS 'x'",
                "0A000 comments on system relations are not supported yet"
            ),
        ]
        for (session, sql, expected) in refusals {
            let error = session.failure(sql)
            #expect("\(error?.state.rawValue ?? "") \(error?.message ?? "")" == expected)
        }
        #expect(try s.tag("COMMENT ON DATABASE nix IS 'x'") == "COMMENT")
    }
}
