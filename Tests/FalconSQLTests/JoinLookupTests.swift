import FalconSchema
import FalconStorage
import Testing

@testable import FalconSQL

/// Joins by ranges, OR and IN look rows up in the inner table's index.
@Suite struct JoinLookupTests {
    private var catalog: TestCatalog {
        let catalog = TestCatalog()
        let bounds: [(String, SQLType)] = [
            ("id", .int4), ("lo", .int4), ("hi", .int4), ("x", .int4), ("y", .int4),
        ]
        catalog.add("a", bounds, key: ["id"], rows: 1000)
        catalog.add("many", bounds, key: ["id"], rows: 200_000)
        let columns: [(String, SQLType)] = [("id", .int4), ("k", .int4), ("n", .numeric)]
        for (name, rows) in [("b", 100_000.0), ("few", 1000)] {
            catalog.add(
                name, columns, key: ["id"],
                indexes: [(name + "_k", ["k"], false), (name + "_n", ["n"], false)], rows: rows)
        }
        return catalog
    }

    private let range = "b.k BETWEEN a.lo AND a.hi"

    @Test func boundsAreTheOuterRows() throws {
        for (condition, shown) in [
            (range, "((b.k >= a.lo) AND (b.k <= a.hi))"),
            ("b.k = a.x OR b.k = a.y", "(b.k = ANY (ARRAY[a.x, a.y]))"),
            ("b.k IN (a.x, a.y)", "(b.k = ANY (ARRAY[a.x, a.y]))"),
        ] {
            let inner = [
                "  ->  Seq Scan on a", "  ->  Index Scan using b_k on b",
                "        Index Cond: \(shown)",
            ]
            #expect(
                try catalog.explain("SELECT * FROM a JOIN b ON \(condition)")
                    == ["Nested Loop"] + inner, "\(condition)")
            #expect(
                try catalog.explain("SELECT * FROM b, a WHERE \(condition)") == ["Nested Loop"]
                    + inner,
                "\(condition)")
            #expect(
                try catalog.explain("SELECT * FROM a LEFT JOIN b ON \(condition)")
                    == ["Nested Loop Left Join"] + inner, "\(condition)")
            let exists = "EXISTS (SELECT 1 FROM b WHERE \(condition))"
            #expect(
                try catalog.explain("SELECT * FROM a WHERE " + exists)
                    == ["Nested Loop Semi Join"] + inner, "\(condition)")
            #expect(
                try catalog.explain("SELECT * FROM a WHERE NOT " + exists)
                    == ["Nested Loop Anti Join"] + inner, "\(condition)")
        }
    }

    /// How many rows a condition leaves is known of its index, though another path is taken.
    @Test func aCommonValueBesideTheRangeIsNoReasonToTryAllPairs() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run(
            "CREATE TABLE ev (id int PRIMARY KEY, kind text, n int); CREATE INDEX ON ev (kind, n)")
        try s.run("CREATE TABLE o (x int, y int)")
        try s.run(
            "INSERT INTO ev SELECT i, CASE i % 3 WHEN 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 20000) i"
        )
        try s.run("INSERT INTO o SELECT i * 50, i * 50 + 3 FROM generate_series(1, 200) i")
        try s.run("ANALYZE")
        let query = "FROM o JOIN ev ON ev.id BETWEEN o.x AND o.y WHERE ev.kind = 'b'"
        let plan = try s.query("EXPLAIN SELECT count(*) \(query)")
        #expect(plan.contains("Index Cond: ((ev.id >= o.x) AND (ev.id <= o.y))"), "\(plan)")
        #expect(
            try s.query("SELECT count(*) \(query)")
                == s.query("SELECT count(*) FROM o, generate_series(x, y) n WHERE n % 3 <> 0"))
    }

    /// The larger table comes first when the other one can be looked up by it only.
    @Test func theTableWithTheIndexIsTheInnerOne() throws {
        let plan = try catalog.explain(
            "SELECT * FROM few JOIN many ON few.k BETWEEN many.lo AND many.hi")
        #expect(
            plan == [
                "Nested Loop", "  ->  Seq Scan on many", "  ->  Index Scan using few_k on few",
                "        Index Cond: ((few.k >= many.lo) AND (few.k <= many.hi))",
            ])
    }

    /// Most rows, or values that the index does not hold: all pairs are tried, of rows that are read once.
    @Test func whatNoIndexSinglesOutIsTried() throws {
        for condition in [
            "b.k >= a.lo", "b.k <> a.lo", "b.n > a.x::float8", "b.k = a.x OR b.n = a.y",
        ] {
            let plan = try catalog.explain("SELECT * FROM a JOIN b ON \(condition)")
            #expect(plan.first == "Nested Loop" && plan[1].hasPrefix("  Join Filter: "), "\(plan)")
            #expect(
                plan.suffix(2) == ["  ->  Materialize", "        ->  Seq Scan on b"], "\(plan)")
        }
    }

    private static let conditions = [
        "b.i BETWEEN a.i AND a.l", "b.i > a.l AND b.i < a.j", "b.l BETWEEN a.i AND a.j",
        "b.n BETWEEN a.i AND a.n", "b.n >= a.n AND b.n <= a.l", "b.i BETWEEN a.n AND a.j",
        "b.t BETWEEN a.t AND a.v", "b.t > a.v AND b.t <= a.t AND b.i = a.i",
        "b.i = a.i OR b.i = a.j", "b.i IN (a.i, a.j, a.l)", "b.l IN (a.i, a.l, 3)",
        "b.n = a.n OR b.n = a.i", "b.t IN (a.t, a.v)",
        "b.t = a.t OR b.t = a.v OR b.t IN ('v1', 'v2')",
        "b.i IN (a.i, a.j) AND b.l BETWEEN a.i AND a.l", "b.i = ANY (ARRAY[a.i, a.j, NULL])",
        "b.i BETWEEN SYMMETRIC a.i AND a.j", "b.i = a.i OR b.l = a.j", "b.i = a.n OR b.i = a.j",
        "b.i BETWEEN a.i AND a.j OR b.i = a.l", "b.i >= a.i AND b.i <= a.j AND b.i <> a.l",
    ]

    private static func value(_ random: SeededRandom, _ choices: [String]) -> String {
        random.next() % 5 == 0 ? "NULL" : choices[Int(random.next() % UInt64(choices.count))]
    }

    /// Rows with NULLs, duplicates, and values beyond what the other side's type holds.
    private static func rows(_ random: SeededRandom, _ count: Int) -> String {
        let integers = (0..<6).map { "\($0)" }
        let longs = integers + ["5000000000", "-5000000000"]
        let numbers = integers + ["1.5", "2.50", "'NaN'"]
        let texts = ["''", "'v1'", "'v2'", "'v10'", "'V1'", "'w'"]
        return (1...count).map { id in
            let values = [
                integers, integers, longs, numbers, texts, texts,
            ].map { value(random, $0) }
            return "(\(id), " + values.joined(separator: ", ") + ")"
        }.joined(separator: ", ")
    }

    private static func queries(_ table: String, _ condition: String) -> [String] {
        let exists = "EXISTS (SELECT 1 FROM \(table) b WHERE \(condition)) ORDER BY 1"
        return [
            "SELECT a.id, b.id FROM a JOIN \(table) b ON \(condition) ORDER BY 1, 2",
            "SELECT a.id, b.id FROM \(table) b, a WHERE (\(condition)) AND a.id > 3 ORDER BY 1, 2",
            "SELECT a.id, b.id FROM a LEFT JOIN \(table) b ON (\(condition)) AND a.id < 20 "
                + "ORDER BY 1, 2",
            "SELECT a.id FROM a WHERE " + exists, "SELECT a.id FROM a WHERE NOT " + exists,
        ]
    }

    /// Each join gives what it gives of tables without indexes, where all pairs are tried.
    @Test(arguments: UInt64(1)...4)
    func lookupsFindWhatTryingAllPairsFinds(seed: UInt64) throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        let random = SeededRandom(seed: seed)
        let columns = "(id int, i int, j int, l bigint, n numeric, t text, v varchar(9))"
        try s.run(
            "CREATE TABLE a \(columns); CREATE TABLE indexed \(columns); CREATE TABLE plain \(columns)"
        )
        let direction = seed % 2 == 0 ? " DESC" : ""
        try s.run(
            ["i", "l", "n", "t"].map { "CREATE INDEX ON indexed (\($0)\(direction))" }
                .joined(separator: ";"))
        try s.run("INSERT INTO a VALUES " + Self.rows(random, 25))
        let inner = Self.rows(random, 40)
        for table in ["indexed", "plain"] { try s.run("INSERT INTO \(table) VALUES " + inner) }
        var lookups = 0
        for condition in Self.conditions {
            for (query, expected) in zip(
                Self.queries("indexed", condition), Self.queries("plain", condition))
            {
                #expect(try s.query(query) == s.query(expected), "seed \(seed): \(query)")
                let plan = try s.query("EXPLAIN (COSTS off) " + query)
                if plan.contains("Index Scan using indexed_") { lookups += 1 }
            }
        }
        #expect(lookups >= 50, "seed \(seed): \(lookups)")
    }

    /// No row is read that is not in the range of one outer row.
    @Test func onlyWhatIsInsideIsRead() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("CREATE TABLE a (id int PRIMARY KEY, lo int, hi int)")
        try s.run("CREATE TABLE b (id int PRIMARY KEY, k int); CREATE INDEX b_k ON b (k)")
        try s.run("INSERT INTO a SELECT i, i * 7, i * 7 + 2 FROM generate_series(1, 200) i")
        try s.run("INSERT INTO b SELECT i, i FROM generate_series(1, 3000) i")
        for (condition, each) in [
            ("b.k BETWEEN a.lo AND a.hi", 3), ("b.k = a.lo OR b.k = a.hi", 2),
            ("b.k IN (a.lo, a.lo)", 1),
        ] {
            let query = "SELECT count(*) FROM a JOIN b ON \(condition)"
            #expect(try s.query(query) == "\(200 * each)")
            let plan = try s.query(
                "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) " + query)
            #expect(plan.contains("b_k on b (actual rows=\(each) loops=200)"), "\(plan)")
            #expect(!plan.contains("Removed"), "\(plan)")
        }
    }

    /// What a loop keeps of its inner side is of one outer row.
    @Test func keptRowsAreOfTheRowOutside() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run(
            "CREATE TABLE a (id int PRIMARY KEY, y int); INSERT INTO a VALUES (1, 10), (2, 20)")
        try s.run("CREATE TABLE b (z int, w int); INSERT INTO b VALUES (1, 10), (1, 20), (2, 20)")
        try s.run("CREATE TABLE c (z int, w int); INSERT INTO c VALUES (2, 10), (3, 20)")
        let inner =
            "SELECT b.z AS bz, c.z AS cz FROM b JOIN c ON b.z < c.z WHERE b.w = a.y AND c.w = a.y"
        #expect(
            try s.query("SELECT a.id, q.* FROM a, LATERAL (\(inner)) q ORDER BY 1, 2")
                == "1|1|2\n2|1|3\n2|2|3")
    }
}
