import FalconSchema
import FalconStorage
import FalconTestKit
import Testing

@testable import FalconSQL

/// A transaction that writes several times what its memory may be.
@Suite struct SpilledTransactionTests {
    /// A database whose transactions spill beyond 256 KiB, and whose sessions may take 20 MiB together.
    private final class Database {
        let memory: MemoryFileSystem
        let faulty: FaultInjectingFileSystem
        private(set) var engine: StorageEngine
        private(set) var sql: SQLDatabase
        let budget: MemoryBudget

        init(_ memory: MemoryFileSystem = MemoryFileSystem()) throws {
            self.memory = memory
            faulty = FaultInjectingFileSystem(memory)
            budget = try MemoryBudget(totalBytes: 64 << 20)
            (engine, sql) = try Self.open(faulty, budget)
        }

        private static func open(
            _ fileSystem: any FileSystem, _ budget: MemoryBudget
        ) throws -> (StorageEngine, SQLDatabase) {
            var engineOptions = EngineOptions()
            engineOptions.memoryBudget = budget
            engineOptions.memtableBytes = 1 << 20
            engineOptions.transactionMemoryBytes = 256 << 10
            engineOptions.diskFullWaitMicros = 0
            engineOptions.catalogStorageLimit = CatalogKeys.firstUserStorage
            let engine = try StorageEngine.open(
                at: "/db", options: engineOptions,
                environment: StorageEnvironment(fileSystem: fileSystem))
            var options = SQLDatabaseOptions()
            options.durability = .written
            return (engine, try SQLDatabase.open(engine: engine, options: options))
        }

        func restart() throws {
            sql.close()
            try engine.close()
            (engine, sql) = try Self.open(faulty, budget)
        }

        deinit {
            sql.close()
            try? engine.close()
        }

        func session() throws -> TestSession {
            TestSession(
                try sql.makeSession(user: "postgres", database: "falcon", startupParameters: []))
        }

        var spills: UInt64 { engine.statistics().spilledTransactions }
    }

    private static let sums = "SELECT count(*), sum(a), sum(c), min(b), max(b) FROM t"

    /// Rows (i, text of 100 bytes, 1).
    private static func rows(_ first: Int, _ last: Int) -> String {
        "SELECT i, lpad(i::text, 100, 'x'), 1 FROM generate_series(\(first), \(last)) AS i"
    }

    private func table(_ s: TestSession, more: String = "") throws {
        try s.run("CREATE TABLE t (a int PRIMARY KEY, b text, c int\(more))")
    }

    @Test func itReadsWhatItWrote() throws {
        let database = try Database()
        var s = try database.session()
        try table(s)
        try s.run("CREATE INDEX ON t (c, a)")
        try s.run("INSERT INTO t \(Self.rows(-10, 0))")

        try s.run("BEGIN")
        try s.run("INSERT INTO t \(Self.rows(1, 20000))")
        #expect(database.spills == 1)
        #expect(database.budget.usedBytes(.transactions) < 1 << 20)
        #expect(try s.query("SELECT count(*), sum(a), sum(c) FROM t") == "20011|200009945|20011")
        let lines = (20001...30000).map { "\($0)\t\(String(repeating: "y", count: 100))\t1\n" }
        #expect(try s.copy("COPY t FROM STDIN", lines) == "COPY 10000")
        // Rows of memory, of files and of earlier commits; twice, so that versions lie in several files.
        #expect(try s.tag("UPDATE t SET c = c + a % 7") == "UPDATE 30011")
        #expect(try s.tag("UPDATE t SET c = c + 1 WHERE a % 2 = 0") == "UPDATE 15006")
        let inside = try s.query(Self.sums)
        #expect(try s.query("SELECT b FROM t WHERE a = 17").hasSuffix("x17"))
        #expect(try s.query("SELECT a FROM t ORDER BY a DESC LIMIT 1") == "30000")
        #expect(
            try s.query("SELECT count(*) FROM t WHERE c = 4")
                == s.query(
                    "SELECT count(*) FROM t WHERE c + 0 = 4"))

        try s.run("SAVEPOINT p")
        try s.run("UPDATE t SET c = -1, b = 'undone'")
        #expect(try s.tag("DELETE FROM t WHERE a > 100") == "DELETE 29900")
        #expect(try s.query("SELECT count(*), max(b) FROM t") == "111|undone")
        try s.run("ROLLBACK TO p")
        #expect(try s.query(Self.sums) == inside)
        #expect(try s.tag("INSERT INTO t VALUES (40000, 'last', 0)") == "INSERT 0 1")
        let whole = try s.query(Self.sums)

        // Nobody else sees any of it, and then all.
        let other = try database.session()
        #expect(try other.query("SELECT count(*) FROM t") == "11")
        try s.run("COMMIT")
        #expect(database.spills == 1)
        #expect(try other.query(Self.sums) == whole)
        #expect(database.budget.usedBytes(.transactions) == 0)
        #expect(database.engine.statistics().spillFileBytes == 0)

        try database.restart()
        s = try database.session()
        #expect(try s.query(Self.sums) == whole)
        #expect(
            try s.query("SELECT count(*) FROM t WHERE c = 4")
                == s.query(
                    "SELECT count(*) FROM t WHERE c + 0 = 4"))
        try database.engine.compact()
        #expect(try s.query(Self.sums) == whole)
    }

    /// A statement reads the transaction's writes while its own go to files, and sees none of these.
    @Test func aStatementNeverSeesItsOwnWrites() throws {
        let database = try Database()
        let s = try database.session()
        try table(s)
        try s.run("BEGIN")
        try s.run("INSERT INTO t \(Self.rows(1, 3000))")
        for round in 0..<3 {
            let count = 3000 << round
            #expect(
                try s.tag("INSERT INTO t SELECT a + \(count), b, c FROM t")
                    == "INSERT 0 \(count)")
        }
        #expect(try s.query("SELECT count(*), max(a) FROM t") == "24000|24000")
        #expect(try s.tag("UPDATE t SET a = a + 100000") == "UPDATE 24000")
        #expect(try s.query("SELECT count(*), min(a) FROM t") == "24000|100001")
        try s.run("COMMIT")
        #expect(try s.query("SELECT count(*), min(a), max(a) FROM t") == "24000|100001|124000")
        #expect(database.spills == 1)
    }

    @Test func constraintsLookIntoFiles() throws {
        let database = try Database()
        let s = try database.session()
        try table(s, more: ", d int UNIQUE")
        try s.run(
            "CREATE TABLE child (p int REFERENCES t DEFERRABLE INITIALLY DEFERRED, f text)")
        try s.run("BEGIN")
        try s.run(
            "INSERT INTO t SELECT i, lpad('', 100, 'x'), 1, -i FROM generate_series(1, 20000) AS i")
        try s.run("SAVEPOINT p")
        #expect(s.failure("INSERT INTO t VALUES (5, '', 1, 5)")?.state == .uniqueViolation)
        try s.run("ROLLBACK TO p")
        #expect(s.failure("INSERT INTO t VALUES (50000, '', 1, -7)")?.state == .uniqueViolation)
        try s.run("ROLLBACK TO p")
        try s.run(
            "INSERT INTO t SELECT i, 'new', 1, -i FROM generate_series(1, 20010) AS i "
                + "ON CONFLICT (a) DO UPDATE SET b = t.b || 'y', c = t.c + 1")
        #expect(try s.query("SELECT count(*), sum(c), max(length(b)) FROM t") == "20010|40010|101")
        #expect(
            s.failure(
                "INSERT INTO t VALUES (9, 'a', 1, -9), (9, 'b', 1, -9) ON CONFLICT (a) DO UPDATE SET c = 0"
            )?.state == .cardinalityViolation)
        try s.run("ROLLBACK TO p")
        try s.run(
            "INSERT INTO child SELECT i, lpad('', 200, 'c') FROM generate_series(1, 5000) AS i")
        try s.run("SAVEPOINT q")
        try s.run("INSERT INTO child VALUES (-1)")
        #expect(s.failure("COMMIT")?.state == .foreignKeyViolation)
        #expect(try s.query("SELECT count(*) FROM t") == "0")
        #expect(database.engine.statistics().spillFileBytes == 0)
    }

    @Test func itsSnapshotAndSerializableChecksStayWhatTheyAre() throws {
        let database = try Database()
        let (a, b) = (try database.session(), try database.session())
        try table(a)
        try a.run("INSERT INTO t \(Self.rows(1, 10))")
        for s in [a, b] {
            try s.run("BEGIN ISOLATION LEVEL SERIALIZABLE")
            #expect(try s.query("SELECT count(*) FROM t WHERE a < 100000") == "10")
        }
        try a.run("INSERT INTO t \(Self.rows(1000, 9000))")
        try b.run("INSERT INTO t \(Self.rows(11000, 19000))")
        #expect(database.spills == 2)
        try a.run("COMMIT")
        #expect(s(b.failure("COMMIT")) == "40001")
        #expect(try b.query("SELECT count(*) FROM t") == "8011")
    }

    private func s(_ error: SQLError?) -> String { error?.state.rawValue ?? "none" }

    @Test func aCursorShowsWhatWasThere() throws {
        let database = try Database()
        let s = try database.session()
        try table(s)
        try s.run("BEGIN")
        try s.run("INSERT INTO t \(Self.rows(1, 5000))")
        try s.run("DECLARE c CURSOR FOR SELECT a FROM t ORDER BY a")
        #expect(try s.query("FETCH 2 FROM c") == "1\n2")
        try s.run("UPDATE t SET b = 'changed'")
        try s.run("DELETE FROM t WHERE a > 10")
        try s.run("INSERT INTO t \(Self.rows(6000, 9000))")
        #expect(try s.tag("MOVE 4000 FROM c") == "MOVE 4000")
        #expect(try s.query("FETCH 1 FROM c") == "4003")
        #expect(try s.query("SELECT count(*) FROM t") == "3011")
        try s.run("COMMIT")
    }

    @Test func itCannotBePrepared() throws {
        let database = try Database()
        let s = try database.session()
        try table(s)
        try s.run("BEGIN")
        try s.run("INSERT INTO t \(Self.rows(1, 5000))")
        let error = try #require(s.failure("PREPARE TRANSACTION 'large'"))
        #expect(error.state == .programLimitExceeded)
        #expect(error.detail?.contains("beyond 262144 bytes") == true)
        #expect(error.hint?.contains("memory_budget") == true)
        #expect(try s.query("SELECT count(*) FROM t") == "0")
        #expect(database.engine.statistics().spillFileBytes == 0)
    }

    /// 53100, and the transaction is over; nothing of it is left, and the next one has room.
    @Test(arguments: [".run", ".ops", "/sst/"])
    func aFullDiskEndsIt(_ path: String) throws {
        let database = try Database()
        let s = try database.session()
        try table(s)
        try s.run("INSERT INTO t \(Self.rows(1, 10))")
        try database.engine.flush()
        try s.run("BEGIN")
        database.faulty.setRule(
            FaultRule(.operation(.write), pathContains: path, index: 0, count: .max, errno: 28))
        let insert = "INSERT INTO t \(Self.rows(11, 9000))"
        var error = s.failure(insert)
        if path == "/sst/" {
            #expect(error == nil)
            error = s.failure("COMMIT")
        } else {
            #expect(s.failure("SELECT 1")?.state == SQLState("25P02"))
            try s.run("ROLLBACK")
        }
        #expect(error?.state == .diskFull, "\(String(describing: error))")
        #expect(try s.query("SELECT count(*) FROM t") == "10")
        database.faulty.setRule(nil)
        #expect(database.engine.statistics().spillFileBytes == 0)
        try s.run(insert)
        #expect(try s.query("SELECT count(*) FROM t") == "9000")
    }

    /// Limits count what has spilled, too.
    @Test func limitsStillHold() throws {
        let database = try Database()
        let s = try database.session()
        try table(s)
        try s.run("SET max_txn_write_keys = 10000")
        let error = try #require(s.failure("INSERT INTO t \(Self.rows(1, 20000))"))
        #expect(error.state == .programLimitExceeded)
        #expect(error.message == "transaction writes too many keys")
        #expect(error.detail?.contains("10001") == true)
        try s.run("SET max_txn_write_keys = 0; SET max_txn_write_bytes = 3000000")
        let bytes = try #require(s.failure("INSERT INTO t \(Self.rows(1, 60000))"))
        #expect(bytes.message == "transaction writes too many bytes")
        #expect(try s.query("SELECT count(*) FROM t") == "0")
    }
}
