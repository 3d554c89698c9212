import FalconSchema
import FalconStorage
import FalconTestKit
import Testing

@testable import FalconSQL

/// A bounded statement runs on an event loop as long as it finds what it reads in memory.
@Suite struct DiskWaitTests {
    private static func open(
        _ fileSystem: ColdFileSystem, cacheBytes: Int = 32 << 20
    ) throws -> (StorageEngine, SQLDatabase) {
        var engineOptions = EngineOptions()
        engineOptions.blockBytes = 512
        engineOptions.blockCacheBytes = cacheBytes
        let engine = try StorageEngine.open(
            at: "/db", options: engineOptions,
            environment: StorageEnvironment(fileSystem: fileSystem))
        var options = SQLDatabaseOptions()
        options.durability = .written
        return (engine, try SQLDatabase.open(engine: engine, options: options))
    }

    private static func session(_ sql: SQLDatabase) throws -> TestSession {
        TestSession(
            try sql.makeSession(user: "postgres", database: "falcon", startupParameters: []))
    }

    /// What a statement answers, and how often it went to a worker.
    private static func run(
        _ text: String, _ s: TestSession
    ) throws -> (answer: String, moves: Int) {
        s.sink.answers = []
        s.sink.current = Answer()
        s.sink.settings = s.session.displaySettings
        var progress = s.session.simpleQuery(text, s.sink)
        var moves = 0
        while case .needsWorker = progress {
            moves += 1
            progress = s.session.resume(s.sink)
        }
        _ = try s.settle(progress)
        let answer = try #require(s.sink.answers.last)
        return (answer.rows.isEmpty ? answer.tag : answer.text, moves)
    }

    /// What is read once in a process, at the first use of a table or a sequence, is not waited for either.
    @Test func countersThatWouldWaitMoveToAWorker() throws {
        let fileSystem = ColdFileSystem(MemoryFileSystem())
        do {
            let (engine, sql) = try Self.open(fileSystem, cacheBytes: 1 << 20)
            let s = try Self.session(sql)
            try s.run("CREATE TABLE t (a int, b text); CREATE SEQUENCE s")
            try s.run("INSERT INTO t SELECT i, 'value ' || i FROM generate_series(1, 2000) AS i")
            try s.run("CREATE TABLE large AS SELECT * FROM generate_series(1, 100000) AS i")
            #expect(try s.query("SELECT nextval('s')") == "1")
            try engine.compact()
            sql.close()
            try engine.close()
        }
        let (engine, sql) = try Self.open(fileSystem, cacheBytes: 1 << 20)
        defer {
            sql.close()
            try? engine.close()
        }
        let s = try Self.session(sql)
        #expect(try s.query("SELECT b FROM t LIMIT 1") == "value 1")
        // Opens every table file, and leaves its own blocks in the cache alone.
        #expect(try s.query("SELECT count(*) FROM large") == "100000")
        fileSystem.isCold = true
        let first = try Self.run("INSERT INTO t VALUES (0, 'new')", s)
        #expect(first.answer == "INSERT 0 1")
        #expect(first.moves == 1)
        #expect(try Self.run("INSERT INTO t VALUES (0, 'new')", s) == ("INSERT 0 1", 0))
        // 32 values were reserved.
        let next = try Self.run("SELECT nextval('s')", s)
        #expect(next.answer == "33")
        #expect(next.moves == 1)
        #expect(try Self.run("SELECT nextval('s')", s) == ("34", 0))
        fileSystem.isCold = false
        #expect(try s.query("SELECT count(*) FROM t") == "2002")
    }

    @Test func readsThatWouldWaitMoveToAWorker() throws {
        let fileSystem = ColdFileSystem(MemoryFileSystem())
        do {
            let (engine, sql) = try Self.open(fileSystem)
            let s = try Self.session(sql)
            try s.run("CREATE TABLE t (a int PRIMARY KEY, b text, c int UNIQUE)")
            try s.run(
                "INSERT INTO t SELECT i, 'value ' || i, -i FROM generate_series(1, 2000) AS i")
            try engine.compact()
            sql.close()
            try engine.close()
        }
        let (engine, sql) = try Self.open(fileSystem)
        defer {
            sql.close()
            try? engine.close()
        }
        let s = try Self.session(sql)
        // The tables are open: what is missing are blocks.
        #expect(try s.query("SELECT b FROM t WHERE a = 1000") == "value 1000")
        fileSystem.isCold = true

        func run(_ text: String) throws -> (answer: String, moves: Int) { try Self.run(text, s) }
        #expect(try run("SELECT b FROM t WHERE a = 500") == ("value 500", 1))
        #expect(try run("SELECT b FROM t WHERE a = 500") == ("value 500", 0))
        #expect(try run("SELECT b FROM t WHERE c = -700") == ("value 700", 1))
        // A scan that has sent rows goes on behind them.
        let range = "SELECT a FROM t WHERE a BETWEEN 1 AND 60 ORDER BY a"
        let expected = (1...60).map(String.init).joined(separator: "\n")
        #expect(try run(range) == (expected, 1))
        #expect(try run("UPDATE t SET b = 'new' WHERE a = 1900") == ("UPDATE 1", 1))
        #expect(try run("UPDATE t SET b = b || '!' WHERE a = 1900") == ("UPDATE 1", 0))
        #expect(try run("SELECT b FROM t WHERE a = 1900") == ("new!", 0))
        #expect(throws: SQLError.self) { try run("INSERT INTO t VALUES (400, 'twice', 1)") }
        #expect(s.failure("INSERT INTO t VALUES (401, 'twice', 1)")?.state == .uniqueViolation)
        // In a transaction the statement's own writes are undone before it runs again.
        #expect(try run("SELECT b FROM t WHERE a = 200").answer == "value 200")
        try s.run("BEGIN")
        #expect(try run("UPDATE t SET b = b || 'x' WHERE a IN (200, 350)") == ("UPDATE 2", 1))
        try s.run("COMMIT")
        #expect(
            try run("SELECT b FROM t WHERE a IN (200, 350) ORDER BY a").answer
                == "value 200x\nvalue 350x")
        // A cursor that must wait goes on where it was, and undoes nothing of what came between.
        #expect(try run("SELECT a FROM t WHERE a = 1000").answer == "1000")
        try s.run("BEGIN; DECLARE c CURSOR FOR SELECT a FROM t WHERE a BETWEEN 1000 AND 1300")
        #expect(try run("FETCH 2 FROM c").answer == "1000\n1001")
        #expect(try run("UPDATE t SET b = 'kept' WHERE a = 1900") == ("UPDATE 1", 0))
        let rest = (1002...1201).map(String.init).joined(separator: "\n")
        #expect(try run("FETCH 200 FROM c") == (rest, 1))
        try s.run("COMMIT")
        #expect(try run("SELECT b FROM t WHERE a = 1900").answer == "kept")
    }
}
