import FalconSchema
import FalconStorage
import Testing

@testable import FalconSQL

/// ORDER BY with LIMIT: which index is read, and how much of it.
@Suite struct OrderedLimitTests {
    private var catalog: TestCatalog {
        let catalog = TestCatalog()
        catalog.add(
            "job",
            [
                ("id", .int8), ("state", .text), ("kind", .int4), ("rank", .int4),
                ("made", .timestamp),
            ], key: ["id"],
            indexes: [
                ("job_state", ["state"], false), ("job_kind", ["kind"], false),
                ("job_rank", ["rank"], false), ("job_made", ["made"], true),
            ], rows: 100_000)
        catalog.add(
            "heap", [("id", .int8), ("state", .text)],
            indexes: [("heap_state", ["state"], false)], rows: 100_000)
        return catalog
    }

    /// The entries of one value are in the order of the primary key: nothing is sorted, however many there are.
    @Test func anIndexThatIsNotUniqueGoesOnInTheOrderOfThePrimaryKey() throws {
        for (column, value, shown) in [("state", "'ready'", "'ready'::text"), ("kind", "3", "3")] {
            let query = "SELECT id FROM job WHERE \(column) = \(value) ORDER BY id"
            let scan = "using job_\(column) on job"
            let condition = "Index Cond: (\(column) = \(shown))"
            #expect(
                try catalog.explain(query + " LIMIT 1 FOR UPDATE SKIP LOCKED") == [
                    "Limit", "  ->  LockRows", "        ->  Index Scan \(scan)",
                    "              \(condition)",
                ])
            #expect(
                try catalog.explain(query + " DESC LIMIT $1") == [
                    "Limit", "  ->  Index Scan Backward \(scan)", "        \(condition)",
                ])
        }
        #expect(
            try catalog.explain("SELECT id FROM job WHERE kind IS NULL ORDER BY id LIMIT 1")
                .dropFirst()
                .first == "  ->  Index Scan using job_kind on job")
        #expect(
            try catalog.explain("SELECT id FROM job ORDER BY rank, id LIMIT 5") == [
                "Limit", "  ->  Index Scan using job_rank on job",
            ])
    }

    /// Two values, a range, NULLs among what is unique, rows without a primary key: none is in order.
    @Test func whatIsNotInOrderIsSorted() throws {
        for query in [
            "SELECT id FROM job WHERE kind IN (1, 2) ORDER BY id LIMIT 100000",
            "SELECT id FROM job WHERE kind = 1 ORDER BY id, state DESC, rank LIMIT 100000",
            "SELECT id FROM job ORDER BY rank, id DESC LIMIT 1",
            "SELECT id FROM job ORDER BY made, rank LIMIT 1",
            "SELECT id FROM heap WHERE state = 'ready' ORDER BY id LIMIT 1",
        ] {
            let plan = try catalog.explain(query)
            let isSorted = plan.contains { $0.contains("Sort") }
            #expect(isSorted == !query.contains("id, state"), "\(query): \(plan)")
        }
    }

    private func scan(_ query: String) throws -> String {
        let lines = try catalog.explain(query)
        return String(try #require(lines.last { $0.contains("Scan") }).drop { $0 == " " })
    }

    /// An ordered walk reads on until as many rows have passed as are asked for; a value of which nothing is
    /// known is looked up.
    @Test func theLimitDecides() throws {
        let range = "SELECT id FROM job WHERE kind > 5 ORDER BY id"
        #expect(try scan(range + " LIMIT 1") == "->  Seq Scan on job")
        #expect(try scan(range + " LIMIT 10 OFFSET 5") == "->  Seq Scan on job")
        let rank = "SELECT id FROM job WHERE kind > 5 ORDER BY rank"
        #expect(try scan(rank + " LIMIT 10") == "->  Index Scan using job_rank on job")
        #expect(try scan(rank + " LIMIT $1") == "->  Index Scan using job_rank on job")
        let value = "SELECT id FROM job WHERE kind = 5 ORDER BY rank"
        for limit in [
            " LIMIT 1", " LIMIT 1000", " LIMIT $1", " LIMIT 1 OFFSET $1", " LIMIT NULL", "",
        ] {
            #expect(try scan(value + limit) == "->  Index Scan using job_kind on job", "\(limit)")
        }
    }

    /// Of constants the engine tells how many entries there are.
    @Test func whatIsCommonIsWalkedAndWhatIsRareLookedUp() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE t (id int PRIMARY KEY, kind int, rank int)")
        try s.run("CREATE INDEX t_kind ON t (kind); CREATE INDEX t_rank ON t (rank)")
        try s.run(
            "INSERT INTO t SELECT i, CASE WHEN i % 1000 = 0 THEN 5 ELSE 7 END, -i "
                + "FROM generate_series(1, 20000) i")
        func plan(_ query: String) throws -> String {
            try s.query("EXPLAIN (COSTS off) SELECT id FROM t WHERE \(query) LIMIT 1")
        }
        #expect(try plan("kind = 7 ORDER BY rank").contains("using t_rank"))
        #expect(try plan("kind = 5 ORDER BY rank").contains("using t_kind"))
        #expect(try plan("kind = 6 ORDER BY rank").contains("using t_kind"))
        #expect(try plan("kind IN (5, 6) ORDER BY rank").contains("using t_kind"))
        #expect(try plan("kind IN (5, 7) ORDER BY rank").contains("using t_rank"))
        #expect(try plan("rank < -19990 ORDER BY id").contains("using t_rank"))
        #expect(try plan("rank < -5 ORDER BY id").contains("Seq Scan"))
        try s.run("PREPARE p AS SELECT id FROM t WHERE kind = $1 ORDER BY rank LIMIT 1")
        #expect(try s.query("EXPLAIN (COSTS off) EXECUTE p (7)").contains("using t_kind"))
        #expect(try s.query("SELECT id FROM t WHERE kind = 7 ORDER BY rank LIMIT 1") == "19999")
        #expect(try s.query("SELECT id FROM t WHERE kind = 5 ORDER BY rank LIMIT 1") == "20000")
    }

    private static let bare = "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) "

    /// Also where most is done, and where nothing is ready.
    @Test func aQueueReadsWhatItTakes() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE job (id int PRIMARY KEY, state text, kind int)")
        try s.run("CREATE INDEX ON job (state); CREATE INDEX ON job (kind)")
        try s.run("INSERT INTO job SELECT i, 'ready', 7 FROM generate_series(1, 3000) i")
        func rows(_ condition: String, _ count: Int) throws {
            let plan = try s.query(
                Self.bare + "SELECT id FROM job WHERE \(condition) ORDER BY id LIMIT 1 "
                    + "FOR UPDATE SKIP LOCKED")
            #expect(plan.contains("Index Scan using job_"), "\(plan)")
            #expect(plan.contains("on job (actual rows=\(count) loops=1)"), "\(plan)")
            #expect(!plan.contains("Sort") && !plan.contains("Removed"), "\(plan)")
        }
        try rows("state = 'ready'", 1)
        try rows("kind = 7", 1)
        try s.run("UPDATE job SET state = 'done', kind = 8 WHERE id < 2990")
        try rows("state = 'ready'", 1)
        try rows("kind = 7", 1)
        #expect(try s.query("SELECT id FROM job WHERE kind = 7 ORDER BY id LIMIT 1") == "2990")
        #expect(try s.query("SELECT id FROM job WHERE kind = 7 ORDER BY id DESC LIMIT 1") == "3000")
        try s.run("UPDATE job SET state = 'done'")
        try rows("state = 'ready'", 0)
    }

    private static let tables = [
        "CREATE TABLE t (id int, a int, b text, c int NOT NULL, u int, PRIMARY KEY (id))",
        "CREATE TABLE t (id int, a int, b text, c int NOT NULL, u int, PRIMARY KEY (b, id))",
        "CREATE TABLE t (id int, a int, b text, c int NOT NULL, u int)",
    ]
    private static let indexes = """
        CREATE INDEX ON t (a); CREATE INDEX ON t (b DESC NULLS LAST); CREATE INDEX ON t (a DESC, b);
        CREATE UNIQUE INDEX ON t (u); CREATE UNIQUE INDEX ON t (c, u); CREATE INDEX ON t (id)
        """

    private static func query(_ random: SeededRandom) -> String {
        func pick(_ choices: [String]) -> String {
            choices[Int(random.next() % UInt64(choices.count))]
        }
        let value = Int(random.next() % 5)
        let conditions = (0..<Int(random.next() % 3)).map { _ in
            pick([
                "a = \(value)", "b = 'v\(value)'", "a IS NULL", "u IS NULL", "a IN (\(value), 3)",
                "a > \(value)", "u < 40", "c = \(value)", "b IS NULL", "b >= 'v2'",
                "id > \(value * 9)",
                "id BETWEEN 10 AND \(value * 12)", "id IN (7, \(value))", "id < \(value * 12)",
            ])
        }
        let keys = (0..<Int(random.next() % 4)).map { _ in
            pick(["a", "b", "c", "u", "id"])
                + pick(["", " DESC", " NULLS FIRST", " DESC NULLS LAST"])
        }
        let limit = pick([
            "", " LIMIT 1", " LIMIT 3 OFFSET 2", " LIMIT 1000", " OFFSET 7", " LIMIT 20",
        ])
        return (conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND "))
            + " ORDER BY " + (keys + [pick(["id", "id DESC"])]).joined(separator: ", ") + limit
    }

    /// Entries end with the primary key: what bounds that bounds what is read of them.
    @Test func pagesBeginWhereTheKeySays() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE q (id int PRIMARY KEY, kind int); CREATE INDEX q_kind ON q (kind)")
        try s.run("INSERT INTO q SELECT i, i % 3 FROM generate_series(1, 3000) AS i")
        try s.run(
            "PREPARE page AS SELECT id FROM q WHERE kind = $1 AND id > $2 ORDER BY id LIMIT 3")
        #expect(try s.query("EXECUTE page(1, 2000)") == "2002\n2005\n2008")
        let plan = try s.query("EXPLAIN (ANALYZE, TIMING OFF) EXECUTE page(1, 2000)")
        #expect(plan.contains("Index Cond: ((kind = $1) AND (id > $2))"), "\(plan)")
        #expect(!plan.contains("Rows Removed by Filter"), "\(plan)")
        #expect(
            try s.query("SELECT id FROM q WHERE kind = 2 AND id < 12 ORDER BY id DESC LIMIT 9")
                == "11\n8\n5\n2")
        #expect(try s.query("SELECT kind FROM q WHERE kind = 2 AND id = 11") == "2")
        #expect(try s.query("SELECT kind FROM q WHERE kind = 2 AND id = 12") == "")
        try s.run("DELETE FROM q WHERE kind = 2 AND id BETWEEN 5 AND 11")
        #expect(try s.query("SELECT count(*), sum(id) FROM q WHERE kind = 2") == "997|1500476")
    }

    /// The order is one of all rows, so that there is one answer: it is the same with indexes and without.
    @Test(arguments: UInt64(1)...6)
    func ordersAreRightWhateverGivesThem(seed: UInt64) throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        let random = SeededRandom(seed: seed)
        try s.run(Self.tables[Int(seed % 3)] + ";" + Self.indexes)
        try s.run("CREATE TABLE plain (id int, a int, b text, c int, u int)")
        let isNullable = seed % 3 != 1
        let rows = (1...60).map { id in
            let a = random.next() % 4 == 0 ? "NULL" : "\(random.next() % 4)"
            let b = isNullable && random.next() % 4 == 0 ? "NULL" : "'v\(random.next() % 4)'"
            let u = random.next() % 3 == 0 ? "NULL" : "\(id * 7 % 61)"
            return "(\(id), \(a), \(b), \(random.next() % 4), \(u))"
        }
        for table in ["t", "plain"] {
            try s.run("INSERT INTO \(table) VALUES " + rows.joined(separator: ", "))
        }
        var ordered = 0
        for _ in 0..<150 {
            let query = Self.query(random)
            let expected = try s.query("SELECT id, a, b, c, u FROM plain" + query)
            #expect(
                try s.query("SELECT id, a, b, c, u FROM t" + query) == expected,
                "seed \(seed): \(query)")
            let plan = try s.query("EXPLAIN (COSTS off) SELECT id FROM t" + query)
            if !plan.contains("Sort"), plan.contains("Index Scan") { ordered += 1 }
        }
        #expect(ordered > 0, "seed \(seed)")
    }
}
