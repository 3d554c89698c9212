import FalconSchema
import FalconStorage
import Testing

@testable import FalconSQL

/// Partial indexes, beside the scripts unique-partial*, ssi-partial-index and ddl-partial-index-errors.
struct PartialIndexTests {
    private let database: TestDatabase
    private let a: TestSession
    private let b: TestSession

    init() throws {
        (database, a, b) = try TestDatabase.pair(
            "CREATE TABLE t (id int PRIMARY KEY, u int, s text, live bool, at date)",
            """
            INSERT INTO t SELECT i, i % 100, CASE WHEN i % 50 = 0 THEN 'open' ELSE 'done' END,
                i % 4 = 0, '2024-01-01'::date + i FROM generate_series(1, 1000) AS i
            """)
    }

    private func plan(_ sql: String) throws -> String { try a.query("EXPLAIN (COSTS OFF) " + sql) }

    private func entries(_ index: String) throws -> Int {
        let catalog = try #require(database.sql.database(named: "falcon")).committed
        let table = try #require(catalog.tables.values.first { $0.name == "t" })
        let storage = try #require(table.indexes.first { $0.name == index }).storageID
        return try database.storedKeys(
            KeyRange(prefix: CatalogKeys.prefix(table.database, storage)))
    }

    @Test func onlyRowsInsideHaveEntries() throws {
        try a.run("CREATE INDEX i ON t (u) WHERE s = 'open'")
        #expect(try entries("i") == 20)
        try a.run("INSERT INTO t VALUES (1001, 1, 'open'), (1002, 1, 'done'), (1003, NULL, 'open')")
        #expect(try entries("i") == 22)
        try a.run("UPDATE t SET s = 'done' WHERE id IN (50, 1001)")
        #expect(try entries("i") == 20)
        try a.run("UPDATE t SET s = 'open', u = u + 1 WHERE id IN (1, 2, 3)")
        #expect(try entries("i") == 23)
        try a.run("UPDATE t SET u = u + 1, at = NULL WHERE id <= 10")
        #expect(try entries("i") == 23)
        try a.run("DELETE FROM t WHERE id IN (1, 2, 100, 4)")
        #expect(try entries("i") == 20)
        #expect(
            try a.copy("COPY t (id, u, s) FROM STDIN", ["2001\t7\topen\n", "2002\t7\tdone\n"])
                == "COPY 2")
        #expect(try entries("i") == 21)
        #expect(try a.query("SELECT id FROM t WHERE s = 'open' AND u = 7") == "2001")
        #expect(
            try a.query("SELECT count(*), count(u) FROM t WHERE s = 'open'")
                == a.query("SELECT count(*), count(u) FROM t WHERE s || '' = 'open'"))
        try a.run("ALTER TABLE t ALTER COLUMN u TYPE bigint")
        #expect(try entries("i") == 21)
        try database.restart()
        let c = try database.session()
        #expect(try c.query("SELECT id FROM t WHERE s = 'open' AND u = 7") == "2001")
        try c.run("UPDATE t SET s = 'done' WHERE id = 2001")
        #expect(try entries("i") == 20)
    }

    /// Each query with a condition that implies the predicate, and one that does not.
    @Test func usedWhereItsPredicateIsImplied() throws {
        let cases: [(predicate: String, yes: [String], no: [String])] = [
            (
                "s = 'open'", ["s = 'open' AND u = 1", "'open' = s", "s IN ('open')"],
                ["u = 1", "s <> 'open'", "s = 'done'", "s = 'open' OR u = 1", "s > 'open'"]
            ),
            (
                "u IS NOT NULL",
                ["u = 1", "u > 5 AND live", "u IN (1, 2)", "u + 1 = 2", "u = 1 OR u = 2"],
                ["id > 0", "u IS NULL", "u = 1 OR live", "coalesce(u, 1) = 1"]
            ),
            (
                "u > 90",
                [
                    "u > 90", "u = 95", "u > 91", "u >= 91", "u BETWEEN 91 AND 92", "u IN (91, 92)",
                    "90 < u",
                ],
                ["u >= 90", "u > 89", "u = 90", "u < 95", "u IN (90, 91)", "u <> 3"]
            ),
            (
                "live", ["live", "live = true", "live IS TRUE", "live AND u = 1"],
                ["NOT live", "u = 1"]
            ),
            (
                "NOT live", ["NOT live", "live = false", "live IS FALSE"],
                ["live", "live IS NOT TRUE", "live IS NULL"]
            ),
            (
                "s IN ('open', 'held')",
                ["s = 'open'", "s = 'held' AND u = 1", "s IN ('held', 'open')"],
                ["s = 'done'", "s IN ('open', 'done')"]
            ),
            (
                "u > 10 AND s = 'open'", ["u = 50 AND s = 'open'"], ["u = 50", "s = 'open'"]
            ),
            ("at >= '2026-01-01'", ["at = '2026-01-02'"], ["at = '2025-12-31'"]),
        ]
        for (predicate, yes, no) in cases {
            try a.run("CREATE INDEX i ON t (id, u) WHERE " + predicate)
            for condition in yes {
                let sql = "SELECT id FROM t WHERE " + condition
                #expect(try plan(sql).contains("Scan using i on t"), "\(predicate): \(condition)")
                #expect(
                    try a.query("SELECT count(*) FROM t WHERE " + condition)
                        == a.query(
                            "SELECT count(*) FROM (SELECT * FROM t OFFSET 0) q WHERE " + condition),
                    "\(predicate): \(condition)")
            }
            for condition in no {
                let sql = "SELECT id FROM t WHERE " + condition
                #expect(try !plan(sql).contains("using i on"), "\(predicate): \(condition)")
            }
            try a.run("DROP INDEX i")
        }
    }

    /// The same text with other constants is another plan, also when it has come before.
    @Test func constantsDecide() throws {
        try a.run("CREATE INDEX i ON t (u) WHERE u > 90")
        let catalog = try #require(database.sql.database(named: "falcon")).committed
        let table = try #require(catalog.tables.values.first { $0.name == "t" })
        let rows = try #require(
            CatalogKeys.prefix(table.database, table.storageID).withUnsafeBytes {
                SerializableReads.storage(of: $0)
            })
        for _ in 0..<3 {
            // What has been read shows whether the table was searched or the index.
            try a.run("BEGIN ISOLATION LEVEL SERIALIZABLE")
            #expect(try a.query("SELECT count(*) FROM t WHERE u = 95") == "10")
            let reads = try #require(a.session.transaction.serializable).reads
            #expect(!reads.storages.isEmpty && !(reads.storages[rows]?.isWhole ?? false))
            try a.run("COMMIT")
            #expect(try a.query("SELECT count(*) FROM t WHERE u = 5") == "10")
            #expect(try a.prepared("SELECT count(*) FROM t WHERE u = $1", ["5"]).text == "10")
        }
    }

    /// A predicate that writers could not read is refused when the index is made, not when they write.
    @Test func whatCannotBeKeptIsRefused() throws {
        try a.run("CREATE TABLE r (id int, kind regclass, type regtype)")
        for predicate in [
            "kind = 't'::regclass", "kind = 't'", "type = 'int4'::regtype",
            "id > 't'::regclass::oid",
        ] {
            let error = a.failure("CREATE INDEX i ON r (id) WHERE " + predicate)
            if let error {
                #expect(error.state == .featureNotSupported, "\(predicate)")
            } else {
                try a.run("INSERT INTO r VALUES (1, 't', 'int4'); DROP INDEX i")
            }
        }
        #expect(
            a.failure("CREATE INDEX i ON r (id) WHERE kind = 't'::regclass")?.state
                == .featureNotSupported)
        #expect(try a.tag("INSERT INTO r VALUES (1, 't', 'int4')") == "INSERT 0 1")
    }

    @Test func uniqueInsideOnly() throws {
        let error = try #require(a.failure("CREATE UNIQUE INDEX i ON t (u) WHERE s = 'done'"))
        #expect(error.state == .uniqueViolation)
        try a.run("UPDATE t SET u = id WHERE live")
        try a.run("CREATE UNIQUE INDEX i ON t (u) WHERE live")
        #expect(try a.tag("INSERT INTO t VALUES (1001, 4, '', false)") == "INSERT 0 1")
        #expect(a.failure("INSERT INTO t VALUES (1002, 4, '', true)")?.constraint == "i")
        #expect(a.failure("UPDATE t SET live = true WHERE id = 1001")?.constraint == "i")
        try a.run("BEGIN; UPDATE t SET live = false WHERE id = 4")
        #expect(try a.tag("UPDATE t SET live = true WHERE id = 1001") == "UPDATE 1")
        try a.run("COMMIT")
        #expect(try a.query("SELECT id FROM t WHERE live AND u = 4") == "1001")
        #expect(
            try a.tag("INSERT INTO t VALUES (1003, 4, '', true) ON CONFLICT DO NOTHING")
                == "INSERT 0 0")
    }

    /// Spilled writes are found by index, too.
    @Test func spilledWritesAreFound() throws {
        try a.run("CREATE UNIQUE INDEX i ON t (u) WHERE s = 'new'")
        try a.run("BEGIN; INSERT INTO t SELECT i, i, 'new' FROM generate_series(2001, 4000) AS i")
        try database.engine.spill(a.session.transaction.batch)
        #expect(a.session.transaction.batch.hasSpilled)
        #expect(try a.query("SELECT id FROM t WHERE s = 'new' AND u = 3000") == "3000")
        #expect(
            try a.tag(
                "INSERT INTO t VALUES (9001, 3000, 'new') ON CONFLICT (u) WHERE s = 'new' DO NOTHING"
            )
                == "INSERT 0 0")
        try a.run("UPDATE t SET s = 'old' WHERE id = 3000")
        #expect(try a.query("SELECT id FROM t WHERE s = 'new' AND u = 3000") == "")
        try a.run("COMMIT")
        #expect(try entries("i") == 1999)
    }

    /// Another transaction's index is no use to an older snapshot, one's own neither.
    @Test func snapshotsOlderThanTheIndex() throws {
        try a.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
        try b.run("DELETE FROM t WHERE id = 50")
        try a.run("CREATE INDEX own ON t (u)")
        #expect(try plan("SELECT id FROM t WHERE u = 50").contains("Seq Scan"))
        #expect(try a.query("SELECT count(*) FROM t WHERE u = 50") == "10")
        try a.run("COMMIT")
        #expect(try plan("SELECT id FROM t WHERE u = 50").contains("using own"))
        #expect(try a.query("SELECT count(*) FROM t WHERE u = 50") == "9")
    }
}
