import FalconSchema
import Testing

@testable import FalconSQL

/// What ALTER and DROP do to views that read what is altered, as PostgreSQL 15 does it.
@Suite struct ViewDependencyTests {
    private func prepared() throws -> (TestDatabase, TestSession) {
        let database = try TestDatabase()
        let s = try database.session()
        try s.run("CREATE TABLE t (id int PRIMARY KEY, n int, m int)")
        try s.run("INSERT INTO t VALUES (1, 10, 100), (2, 20, 200)")
        return (database, s)
    }

    @Test func aColumnThatAViewReadsStays() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE VIEW v AS SELECT id FROM t WHERE m > 100")
        try s.run("CREATE VIEW w AS SELECT id FROM v")
        let drop = s.failure("ALTER TABLE t DROP COLUMN m")
        #expect(drop?.state == .dependentObjectsStillExist)
        #expect(
            drop?.message
                == "cannot drop column m of table t because other objects depend on it")
        #expect(
            drop?.detail == "view v depends on column m of table t\nview w depends on view v")
        #expect(drop?.hint == "Use DROP ... CASCADE to drop the dependent objects too.")
        let type = s.failure("ALTER TABLE t ALTER COLUMN m TYPE bigint")
        #expect(type?.state == .featureNotSupported)
        #expect(type?.message == "cannot alter type of a column used by a view or rule")
        #expect(type?.detail == "rule _RETURN on view v depends on column \"m\"")
        #expect(try s.query("SELECT id FROM w") == "2")
        #expect(try s.tag("ALTER TABLE t DROP COLUMN n") == "ALTER TABLE")
        #expect(try s.tag("ALTER TABLE t DROP COLUMN m CASCADE") == "ALTER TABLE")
        #expect(s.failure("SELECT 1 FROM v")?.state == .undefinedTable)
        #expect(s.failure("SELECT 1 FROM w")?.state == .undefinedTable)
    }

    @Test func starsAreThoseOfTheViewsTime() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE VIEW v AS SELECT * FROM t; ALTER TABLE t ADD COLUMN z int DEFAULT 5")
        #expect(try s.query("SELECT * FROM v ORDER BY id") == "1|10|100\n2|20|200")
        #expect(s.failure("ALTER TABLE t DROP COLUMN n")?.state == .dependentObjectsStillExist)
        #expect(try s.tag("ALTER TABLE t DROP COLUMN z") == "ALTER TABLE")
    }

    @Test func viewsFollowNewNames() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE VIEW v AS SELECT t.id, public.t.n AS k, m FROM t ORDER BY t.id")
        try s.run("CREATE VIEW w AS SELECT q.n FROM (SELECT n, m FROM t) AS q WHERE q.m > 100")
        try s.run("ALTER TABLE t RENAME TO \"A b\"; ALTER TABLE \"A b\" RENAME n TO \"select\"")
        try s.run("ALTER TABLE \"A b\" RENAME COLUMN m TO o; CREATE TABLE t (x int)")
        #expect(try s.query("SELECT * FROM v") == "1|10|100\n2|20|200")
        #expect(try s.query("SELECT * FROM w") == "20")
        let text = try s.query("SELECT pg_get_viewdef('v'::regclass)")
        #expect(text.contains("t.\"select\" AS k, t.o AS m FROM \"A b\" AS t"), "\(text)")
        try database.restart()
        #expect(try database.session().query("SELECT n FROM w") == "20")
    }

    @Test func whatAJoinFindsByItsNameKeepsIt() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE VIEW v AS SELECT a.n FROM t a JOIN t b USING (id)")
        try s.run("CREATE TABLE u (id int, k int); INSERT INTO u VALUES (1, 7), (3, 8)")
        try s.run("CREATE VIEW w AS SELECT id, n, k FROM t NATURAL JOIN u")
        #expect(try s.tag("ALTER TABLE t RENAME COLUMN id TO key") == "ALTER TABLE")
        #expect(try s.query("SELECT n FROM v ORDER BY n") == "10\n20")
        #expect(try s.query("SELECT * FROM w") == "1|10|7")
        // A name that both sides have now is none that they are joined by.
        #expect(try s.tag("ALTER TABLE u RENAME COLUMN k TO n") == "ALTER TABLE")
        #expect(try s.query("SELECT * FROM w") == "1|10|7")
        #expect(try s.tag("ALTER TABLE t RENAME COLUMN m TO o") == "ALTER TABLE")
        try database.restart()
        #expect(try database.session().query("SELECT * FROM w") == "1|10|7")
    }

    /// Names that a view gives to columns go by place: the places that are left keep theirs.
    @Test func namesByPlaceFollowTheColumns() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run(
            "CREATE TABLE w (id int, a text, b text, c text); INSERT INTO w VALUES (1, 'A', 'B', 'C')"
        )
        try s.run("CREATE VIEW v AS SELECT q.i, q.k2 FROM w AS q (i, k1, k2, k3)")
        try s.run("CREATE VIEW part AS SELECT x, c FROM w q (x, y)")
        try s.run("CREATE VIEW j AS SELECT n, b FROM t JOIN w USING (id)")
        try s.run("ALTER TABLE w RENAME id TO pid; ALTER TABLE w DROP COLUMN a")
        try database.restart()
        let after = try database.session()
        for view in ["v", "part", "j"] {
            let expected = ["v": "1|B", "part": "1|C", "j": "10|B"][view]
            #expect(try after.query("SELECT * FROM \(view)") == expected, "\(view)")
        }
        try after.run("ALTER TABLE w ADD COLUMN d text DEFAULT 'D'")
        #expect(try after.query("SELECT * FROM v") == "1|B")
        #expect(try after.query("SELECT * FROM j") == "10|B")
        #expect(after.failure("ALTER TABLE w DROP COLUMN b")?.state == .dependentObjectsStillExist)
    }

    /// A column that comes later is not what a join of an older view looks for.
    @Test func aNewColumnDoesNotTakeAJoinsName() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE TABLE u (id int, k int); INSERT INTO u VALUES (1, 2)")
        try s.run("CREATE TABLE third (m int, id2 int); INSERT INTO third VALUES (100, 7)")
        try s.run(
            "CREATE VIEW vj AS SELECT * FROM t JOIN u USING (id); CREATE VIEW over AS SELECT * FROM vj"
        )
        try s.run(
            "CREATE VIEW three AS SELECT n, k, id2 FROM t JOIN third USING (m) JOIN u USING (id)")
        try s.run("ALTER TABLE u RENAME id TO x; ALTER TABLE u ADD COLUMN id int DEFAULT 9")
        try s.run("ALTER TABLE third ADD COLUMN id int DEFAULT 9")
        #expect(try s.query("SELECT * FROM over") == "1|10|100|2")
        #expect(try s.query("SELECT * FROM three") == "10|2|7")
        #expect(s.failure("DROP TABLE u")?.state == .dependentObjectsStillExist)
        try s.run("ALTER TABLE u ADD COLUMN IF NOT EXISTS id int")
        #expect(try s.query("SELECT * FROM vj") == "1|10|100|2")
    }

    @Test func aTableCommandIsOfTheColumnsThatThereAre() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE VIEW v AS TABLE t; CREATE VIEW w AS (TABLE ONLY t) UNION ALL TABLE t")
        try s.run("ALTER TABLE t ADD COLUMN z int DEFAULT 5")
        #expect(try s.query("SELECT * FROM v ORDER BY id") == "1|10|100\n2|20|200")
        #expect(try s.query("SELECT * FROM w WHERE id = 1") == "1|10|100\n1|10|100")
        try s.run("ALTER TABLE t RENAME COLUMN n TO k")
        #expect(try s.query("SELECT n FROM v WHERE id = 2") == "20")
    }

    @Test func viewsGetOtherNamesAndSchemas() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE VIEW v (id, n) AS SELECT id, n FROM t; CREATE SCHEMA s")
        try s.run("CREATE VIEW w AS SELECT v.n, x.id FROM v JOIN v AS x USING (id)")
        #expect(try s.tag("ALTER VIEW v RENAME COLUMN id TO key") == "ALTER VIEW")
        #expect(try s.tag("ALTER VIEW v RENAME TO r") == "ALTER VIEW")
        #expect(try s.tag("ALTER VIEW r SET SCHEMA s") == "ALTER VIEW")
        #expect(try s.tag("ALTER VIEW s.r OWNER TO postgres") == "ALTER VIEW")
        #expect(try s.query("SELECT key, n FROM s.r ORDER BY key") == "1|10\n2|20")
        #expect(try s.query("SELECT * FROM w ORDER BY id") == "10|1\n20|2")
        try s.run("UPDATE s.r SET n = 11 WHERE key = 1")
        try database.restart()
        let later = try database.session()
        #expect(try later.query("SELECT key, n FROM s.r ORDER BY key") == "1|11\n2|20")
        #expect(try later.query("SELECT * FROM w ORDER BY id") == "11|1\n20|2")
        #expect(later.failure("SELECT * FROM r")?.state == .undefinedTable)
        #expect(later.failure("DROP VIEW s.r")?.detail == "view w depends on view s.r")
    }

    @Test func namesAreSettledWhenTheViewIsMade() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE VIEW v AS SELECT count(*) FROM t; CREATE TEMP TABLE t (x int)")
        #expect(try s.query("SELECT * FROM v") == "2")
        #expect(try s.query("SELECT pg_get_viewdef('v'::regclass)").contains("FROM public.t"))
        try s.run("CREATE SCHEMA a; CREATE TABLE a.u (x int); CREATE VIEW w AS SELECT * FROM a.u")
        try s.run("ALTER SCHEMA a RENAME TO b; INSERT INTO b.u VALUES (3)")
        #expect(try s.query("SELECT * FROM w") == "3")
        try s.run("DROP SCHEMA b CASCADE")
        #expect(s.failure("SELECT * FROM w")?.state == .undefinedTable)
    }

    @Test func aReplacedViewKeepsItsColumns() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE VIEW v AS SELECT id, n FROM t")
        for (query, message) in [
            ("SELECT id FROM t", "cannot drop columns from view"),
            ("SELECT id, m FROM t", "cannot change name of view column \"n\" to \"m\""),
            (
                "SELECT id, n::text FROM t",
                "cannot change data type of view column \"n\" from integer to text"
            ),
        ] {
            let error = s.failure("CREATE OR REPLACE VIEW v AS \(query)")
            #expect(error?.state == .invalidTableDefinition, "\(query)")
            #expect(error?.message == message)
        }
        try s.run("CREATE OR REPLACE VIEW v AS SELECT id, n + 1 AS n, m FROM t WHERE id = 1")
        #expect(try s.query("SELECT * FROM v") == "1|11|100")
        #expect(s.failure("CREATE VIEW d AS SELECT id, id FROM t")?.state == .duplicateColumn)
        #expect(s.failure("CREATE OR REPLACE VIEW t AS SELECT 1")?.state == .wrongObjectType)
        try s.run("CREATE OR REPLACE VIEW v AS SELECT id, n, m FROM v")
        #expect(s.failure("SELECT * FROM v")?.state == .invalidObjectDefinition)
        #expect(try s.tag("DROP VIEW v") == "DROP VIEW")
    }

    @Test func pathsInTextsEndWhereTheNameEnds() {
        func path(_ text: String, _ offset: Int = 0) -> Range<Int>? {
            ViewText.pathRange(Array(text.utf8), offset)
        }
        #expect(path("a.b c") == 0..<3)
        #expect(path("x \"a\"\"b\" . \"C d\", e", 2) == 2..<16)
        #expect(path("t.* from t") == 0..<3)
        #expect(path("a[1]") == 0..<1)
        #expect(path("U&\"x\"") == nil)
        #expect(path("\"open") == nil)
        #expect(path("", 0) == nil && path("a", 5) == nil && path("a", -1) == nil)
    }
}
