import FalconSchema
import FalconStorage
import FalconTestKit
import Testing

@testable import FalconSQL

/// Transactions, locks and queries are charged to the memory budget, refused at its hard level, and give
/// back what they took.
@Suite struct MemoryTests {
    /// A database whose sessions may take about 20 MiB together.
    private final class Database {
        let budget: MemoryBudget
        let engine: StorageEngine
        let sql: SQLDatabase

        init() throws {
            budget = try MemoryBudget(totalBytes: 64 << 20)
            var engineOptions = EngineOptions()
            engineOptions.memoryBudget = budget
            engineOptions.memtableBytes = 1 << 20
            engine = try StorageEngine.open(
                at: "/db", options: engineOptions,
                environment: StorageEnvironment(fileSystem: MemoryFileSystem()))
            var options = SQLDatabaseOptions()
            options.durability = .written
            sql = try SQLDatabase.open(engine: engine, options: options)
        }

        deinit {
            sql.close()
            try? engine.close()
        }

        func session() throws -> TestSession {
            TestSession(
                try sql.makeSession(user: "postgres", database: "falcon", startupParameters: []))
        }

        /// What sessions have taken.
        var taken: [Int] {
            [.transactions, .locks, .queries].map { budget.usedBytes($0) }
        }
    }

    /// Rows of `bytes` each, all different.
    private static func rows(_ count: Int, _ bytes: Int) -> String {
        "SELECT i, lpad(i::text, \(bytes), 'x') AS b FROM generate_series(1, \(count)) AS i"
    }

    @Test func aTransactionsWritesAreCharged() throws {
        let database = try Database()
        let s = try database.session()
        let other = try database.session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY, b text)")
        try s.run("INSERT INTO t VALUES (0, 'small')")
        #expect(database.taken == [0, 0, 0])
        let cache = database.budget.cache.capacityBytes

        try s.run("BEGIN")
        try s.run("INSERT INTO t \(Self.rows(3000, 1000))")
        let held = database.budget.usedBytes(.transactions)
        #expect(held >= 3_000_000 && held < 4_500_000)
        // The cache makes room first.
        #expect(database.budget.cache.capacityBytes <= cache - held)
        // Beyond its share it goes to files.
        try s.run("INSERT INTO t SELECT i + 10000, b FROM (\(Self.rows(40000, 1000))) AS r")
        #expect(database.budget.usedBytes(.transactions) < 6_000_000)
        #expect(database.engine.statistics().spilledTransactions == 1)
        #expect(try s.query("SELECT count(*) FROM t") == "43001")
        #expect(try other.query("SELECT b FROM t WHERE a = 0") == "small")
        #expect(try s.tag("ROLLBACK") == "ROLLBACK")
        #expect(database.taken == [0, 0, 0])

        // The same rows in pieces.
        for piece in 0..<10 {
            try s.run(
                "INSERT INTO t SELECT i + \(piece) * 4000, b FROM (\(Self.rows(4000, 1000))) AS r")
        }
        #expect(try s.query("SELECT count(*) FROM t") == "40001")
        #expect(database.taken == [0, 0, 0])
    }

    /// Where others have taken the memory, a transaction with little to put into files is refused.
    @Test func withoutMemoryWritesAreRefused() throws {
        let database = try Database()
        let s = try database.session()
        let other = try database.session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY, b text)")
        try s.run("INSERT INTO t VALUES (0, 'small')")
        let budget = database.budget
        let used = MemoryBudget.Account.allCases.reduce(0) { $0 + budget.usedBytes($1) }
        let free = budget.hardLevelBytes - used
        #expect(budget.tryCharge(.background, free))
        let error = try #require(s.failure("INSERT INTO t \(Self.rows(4000, 1000))"))
        #expect(error.state == .outOfMemory && error.message == "out of memory")
        #expect(error.detail?.contains("The transaction's writes would take ") == true)
        #expect(error.detail?.contains("transactions ") == true)
        #expect(error.hint?.contains("memory_budget") == true)
        // Who asks for little is served.
        #expect(try other.query("SELECT b FROM t WHERE a = 0") == "small")
        try other.run("INSERT INTO t VALUES (-1, 'small')")
        budget.charge(.background, -free)
        #expect(database.taken == [0, 0, 0])
    }

    /// What a savepoint's rollback undoes stays in memory, and is still charged, until there is too much of it.
    @Test func undoneWritesStayCharged() throws {
        let database = try Database()
        let s = try database.session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY, b text)")
        try s.run("BEGIN; SAVEPOINT p")
        for _ in 0..<20 {
            try s.run("INSERT INTO t \(Self.rows(3000, 1000))")
            try s.run("ROLLBACK TO p")
            #expect(database.budget.usedBytes(.transactions) < 6 << 20)
        }
        // The transaction itself goes on, and can be committed.
        try s.run("INSERT INTO t VALUES (1, 'kept')")
        try s.run("COMMIT")
        #expect(try s.query("SELECT a, b FROM t") == "1|kept")
        #expect(database.taken == [0, 0, 0])
    }

    @Test func rowLocksAreCharged() throws {
        let database = try Database()
        let s = try database.session()
        try s.run("CREATE TABLE t (a int PRIMARY KEY)")
        try s.run("INSERT INTO t SELECT i FROM generate_series(1, 100000) AS i")
        #expect(database.taken == [0, 0, 0])
        try s.run("BEGIN")
        try s.run("SELECT a FROM t FOR UPDATE")
        #expect(database.budget.usedBytes(.locks) >= 64 * 2048 * 24)
        // Nobody has memory left: what would need a larger table is refused.
        let budget = database.budget
        let used = MemoryBudget.Account.allCases.reduce(0) { $0 + budget.usedBytes($1) }
        let free = budget.hardLevelBytes - used
        #expect(budget.tryCharge(.background, free))
        try s.run("INSERT INTO t VALUES (0)")
        let error = s.failure(
            "SELECT pg_advisory_xact_lock(i) FROM generate_series(1, 400000) AS i")
        #expect(error?.state == .outOfMemory && error?.message == "out of shared memory")
        budget.charge(.background, -free)
        try s.run("ROLLBACK")
        #expect(database.taken == [0, 0, 0])
    }

    /// Each way of keeping rows, too many and few enough of them.
    @Test(arguments: [
        "SELECT * FROM (ROWS) AS r ORDER BY b DESC",
        "SELECT DISTINCT b FROM (ROWS) AS r",
        "SELECT count(*) FROM (ROWS) AS r GROUP BY b",
        "SELECT string_agg(b, ',') FROM (ROWS) AS r",
        "SELECT array_agg(b) FROM (ROWS) AS r",
        "SELECT string_agg(b, ',' ORDER BY i DESC) FROM (ROWS) AS r",
        "SELECT count(DISTINCT b) FROM (ROWS) AS r",
        "SELECT b FROM (ROWS) AS r INTERSECT SELECT b FROM (ROWS) AS q",
        "SELECT b FROM (ROWS) AS r UNION SELECT b FROM (ROWS) AS q",
        "SELECT count(*) FROM (ROWS) AS r JOIN (ROWS) AS q ON r.b = q.b",
        "SELECT count(*) FROM (ROWS) AS r JOIN (ROWS) AS q ON r.i = q.i AND r.b <= q.b",
        "WITH r AS MATERIALIZED (ROWS) SELECT count(*) FROM r AS a, r AS b WHERE a.i + b.i < 4",
        "SELECT count(*) FROM generate_series(1, 9) AS g WHERE g::text IN (SELECT b FROM (ROWS) AS r)",
        "INSERT INTO t (ROWS) RETURNING *",
    ])
    func keptRowsAreCharged(_ text: String) throws {
        let database = try Database()
        let s = try database.session()
        try s.run("CREATE TABLE t (a int, b text)")
        let large = text.replacing("ROWS", with: Self.rows(60000, 500))
        let error = try #require(s.failure(large), "\(text)")
        #expect(error.state == .outOfMemory && error.message == "out of memory", "\(error)")
        #expect(database.taken == [0, 0, 0], "\(text)")
        try s.run(text.replacing("ROWS", with: Self.rows(500, 500)))
        #expect(database.taken == [0, 0, 0], "\(text)")
    }

    /// A cursor keeps its sorted rows until it is closed.
    @Test func openPortalsStayCharged() throws {
        let database = try Database()
        let s = try database.session()
        try s.run("BEGIN")
        let text = "SELECT b FROM (\(Self.rows(4000, 1000))) AS r ORDER BY i DESC"
        _ = try s.settle(s.session.parse(name: "", sql: text, parameterTypes: [], s.sink))
        _ = try s.settle(
            s.session.bind(portal: "p", statement: "", parameters: [], resultFormats: [], s.sink))
        _ = try s.settle(s.session.execute(portal: "p", maxRows: 1, s.sink))
        #expect(database.budget.usedBytes(.queries) >= 4_000_000)
        // A statement beside it takes and gives back its own.
        #expect(try s.query("SELECT max(b) FROM (\(Self.rows(9, 9))) AS r") == "xxxxxxxx9")
        #expect(database.budget.usedBytes(.queries) >= 4_000_000)
        try s.run("COMMIT")
        #expect(database.taken == [0, 0, 0])
    }

    /// A line of COPY that never ends.
    @Test func copyBuffersAreCharged() throws {
        let database = try Database()
        let s = try database.session()
        try s.run("CREATE TABLE t (a int, b text)")
        let piece = String(repeating: "x", count: 1 << 20)
        let error = #expect(throws: SQLError.self) {
            _ = try s.copy("COPY t FROM STDIN", ["1\t"] + Array(repeating: piece, count: 40))
        }
        #expect(error?.state == .outOfMemory)
        #expect(database.taken == [0, 0, 0])
        let lines = (0..<5000).map { "\($0)\t\(piece.prefix(500))\n" }
        #expect(try s.copy("COPY t FROM STDIN", lines) == "COPY 5000")
        #expect(database.taken == [0, 0, 0])
    }

    /// Sessions that end in the middle of things.
    @Test func closedSessionsGiveEverythingBack() throws {
        let database = try Database()
        try database.session().run("CREATE TABLE t (a int PRIMARY KEY, b text)")
        do {
            let s = try database.session()
            try s.run("BEGIN")
            try s.run("INSERT INTO t \(Self.rows(2000, 1000))")
            _ = try s.settle(
                s.session.simpleQuery("COPY t FROM STDIN", s.sink))
            _ = try s.settle(
                s.session.copyData(Array(repeating: 0x31, count: 1 << 20), s.sink))
            #expect(database.taken.allSatisfy { $0 >= 0 })
            #expect(database.budget.usedBytes(.transactions) > 2_000_000)
            #expect(database.budget.usedBytes(.queries) > 1 << 19)
        }
        #expect(database.taken == [0, 0, 0])
    }

    /// What a cursor WITH HOLD keeps is charged until it is closed or, when nobody can go back, fetched.
    @Test func heldCursorsAreCharged() throws {
        let database = try Database()
        let s = try database.session()
        let sql = "CURSOR WITH HOLD FOR SELECT i, lpad(i::text, 1000, 'x') AS b FROM"
        try s.run("DECLARE c \(sql) generate_series(1, 4000) AS i")
        let held = database.budget.usedBytes(.queries)
        #expect(held >= 4_000_000 && held < 6_000_000)
        try s.run("FETCH 3000 FROM c")
        #expect(database.budget.usedBytes(.queries) == held)
        #expect(try s.query("FETCH PRIOR FROM c").hasPrefix("2999|"))
        try s.run("CLOSE c")
        #expect(database.taken == [0, 0, 0])
        try s.run("DECLARE c NO SCROLL \(sql) generate_series(1, 4000) AS i")
        #expect(database.budget.usedBytes(.queries) >= 4_000_000)
        try s.run("FETCH 3000 FROM c")
        #expect(database.budget.usedBytes(.queries) < held / 2)
        try s.run("CLOSE c")
        #expect(database.taken == [0, 0, 0])
        try s.run("BEGIN; DECLARE c \(sql) generate_series(1, 400000) AS i")
        let error = try #require(s.failure("COMMIT"))
        #expect(error.state == .outOfMemory)
        #expect(error.detail?.contains("The rows of a cursor WITH HOLD would take ") == true)
        #expect(s.failure("FETCH c")?.state == SQLState("34000"))
        #expect(try s.query("SELECT 1") == "1")
        #expect(database.taken == [0, 0, 0])
    }

    @Test func whatASerializableTransactionReadIsCharged() throws {
        let database = try Database()
        let s = try database.session()
        let other = try database.session()
        try s.run(
            "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 16000)")
        #expect(database.taken[0] == 0)
        try s.run("BEGIN ISOLATION LEVEL SERIALIZABLE")
        _ = try s.query("SELECT count(*) FROM generate_series(1, 16000) i JOIN t ON t.a = i")
        for a in 1...200 {
            _ = try s.query("SELECT a FROM t WHERE a BETWEEN \(a * 3) AND \(a * 3 + 1)")
        }
        let reading = database.taken[0]
        #expect(reading > 16 << 10)
        // What has committed beside an open transaction is kept, and charged too.
        try other.run("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT FROM t WHERE a = 1; COMMIT")
        try s.run("DELETE FROM t WHERE a = 1; COMMIT")
        #expect(database.taken[0] == 0)
        try other.run("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT FROM t WHERE a = 2")
        for a in 3...200 {
            try s.run("BEGIN ISOLATION LEVEL SERIALIZABLE; DELETE FROM t WHERE a = \(a); COMMIT")
        }
        #expect(database.taken[0] > 100 << 10)
        try other.run("ROLLBACK")
        #expect(database.taken[0] == 0)
    }
}
