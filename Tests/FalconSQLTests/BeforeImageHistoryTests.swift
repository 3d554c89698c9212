import FalconSchema
import FalconStorage
import Foundation
import Testing

@testable import FalconSQL

/// Random histories of a table with REPLICA IDENTITY FULL: applied change by change, the stream gives the table, and
/// each change says what its row was.
@Suite struct BeforeImageHistoryTests {
    /// A database whose transactions spill beyond 256 KiB.
    private static func database() throws -> TestDatabase {
        try TestDatabase(durability: .synced, slots: .init()) { options in
            options.memoryBudget = try MemoryBudget(totalBytes: 64 << 20)
            options.memtableBytes = 1 << 20
            options.transactionMemoryBytes = 256 << 10
        }
    }

    /// What a stream has made so far.
    private struct Replica {
        private(set) var rows: [String: [String: Any]] = [:]
        private(set) var images = 0
        /// Rows whose old key went and that have yet to come under the new one.
        private var pendingMoves = 0
        private(set) var problems: [String] = []

        mutating func apply(_ line: String) throws {
            guard let change = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? Row,
                let op = change["op"] as? String
            else { return problems.append("no change: \(line)") }
            if op == "schema" { return takeColumns(change) }
            let key = Self.text(change["key"])
            let known = Self.text(rows[key])
            let before = Self.text(change["before"])
            switch op {
            case "insert":
                if rows[key] != nil || change["before"] != nil { problems.append(line) }
            case "update" where change["before"] == nil:
                pendingMoves -= 1
                if pendingMoves < 0 || rows[key] != nil { problems.append(line) }
            case "update", "delete":
                images += 1
                if rows[key] == nil || before != known {
                    problems.append("\(line), but it was \(known)")
                }
                if change["cause"] != nil { pendingMoves += 1 }
            default: problems.append(line)
            }
            rows[key] = change["after"] as? Row
        }

        private typealias Row = [String: Any]

        /// ALTER TABLE ADD COLUMN gives each row the default.
        private mutating func takeColumns(_ change: Row) {
            for column in change["columns"] as? [Row] ?? [] {
                guard let name = column["name"] as? String else { continue }
                let value = (column["default"] as? String).flatMap { Int($0) }
                for (key, row) in rows where row[name] == nil {
                    var row = row
                    if let value { row[name] = value } else { row[name] = NSNull() }
                    rows[key] = row
                }
            }
        }

        static func text(_ value: Any?) -> String {
            guard let value,
                let data = try? JSONSerialization.data(
                    withJSONObject: value, options: .sortedKeys)
            else { return "-" }
            return String(decoding: data, as: UTF8.self)
        }

        /// `a|b|c` of each row, by `a`.
        var table: String {
            rows.values.sorted { number($0["a"]) < number($1["a"]) }.map { row in
                ["a", "b", "c"].map { row[$0].map(shown) ?? "missing" }.joined(separator: "|")
            }.joined(separator: "\n")
        }

        private func number(_ value: Any?) -> Int { (value as? Int) ?? 0 }
        private func shown(_ value: Any) -> String { value is NSNull ? "" : "\(value)" }
    }

    private static let changes =
        "SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include-transaction', 'false')"

    private func prepare(_ database: TestDatabase) throws -> TestSession {
        let session = try database.session()
        try session.run("CREATE TABLE t (a int PRIMARY KEY, b text, c int)")
        try session.run("CREATE INDEX ON t (c)")
        try session.run("ALTER TABLE t REPLICA IDENTITY FULL")
        try session.run("SELECT * FROM pg_create_logical_replication_slot('s', 'falcon')")
        return session
    }

    private func follow(_ session: TestSession, into replica: inout Replica) throws {
        for line in try session.query(Self.changes).split(separator: "\n") {
            try replica.apply(String(line))
        }
    }

    private func statement(_ random: inout SeededRandom) -> String {
        let key = Int(random.next() % 60)
        let other = Int(random.next() % 60)
        let value = Int(random.next() % 1000)
        switch random.next() % 9 {
        case 0, 1:
            return "INSERT INTO t (a, b, c) SELECT i, 'v\(value) \"é\" ' || i, nullif(i, \(other)) "
                + "FROM generate_series(\(key), \(key + 6)) AS i ON CONFLICT DO NOTHING"
        case 2:
            return "INSERT INTO t (a, b, c) VALUES (\(key), 'u', \(value)) "
                + "ON CONFLICT (a) DO UPDATE SET b = t.b || excluded.b, c = NULL"
        case 3: return "UPDATE t SET c = \(value) WHERE a BETWEEN \(key) AND \(key + 9)"
        case 4: return "UPDATE t SET b = NULL, c = \(value) WHERE a = \(key)"
        case 5: return "UPDATE t SET a = \(other) WHERE a = \(key)"
        case 6: return "UPDATE t SET a = a + 1000 WHERE a BETWEEN \(key) AND \(key + 3)"
        case 7: return "DELETE FROM t WHERE a BETWEEN \(key) AND \(key + 2)"
        default:
            return "MERGE INTO t USING (VALUES (\(key)), (\(key + 1))) AS s (k) ON t.a = s.k "
                + "WHEN MATCHED AND t.a % 2 = 0 THEN DELETE "
                + "WHEN MATCHED THEN UPDATE SET c = coalesce(t.c, 0) + 1 "
                + "WHEN NOT MATCHED THEN INSERT (a, b, c) VALUES (s.k, 'm', \(value))"
        }
    }

    /// Runs it; true when a key that it makes is there already.
    private func isRefused(_ sql: String, _ session: TestSession) -> Bool {
        guard let error = session.failure(sql) else { return false }
        #expect(error.state == .uniqueViolation, "\(sql): \(error.message)")
        return true
    }

    /// Several statements, some of them undone; duplicate keys fail and leave the rest alone.
    private func transaction(_ session: TestSession, _ random: inout SeededRandom) throws {
        try session.run("BEGIN")
        for _ in 0...Int(random.next() % 5) {
            try session.run("SAVEPOINT p")
            let isRefused = isRefused(statement(&random), session)
            if isRefused || random.next() % 4 == 0 { try session.run("ROLLBACK TO p") }
        }
        try session.run(random.next() % 5 == 0 ? "ROLLBACK" : "COMMIT")
    }

    @Test func theOldRowIsWhatTheTableHad() throws {
        for seed in UInt64(1)...8 {
            var random = SeededRandom(seed: seed)
            let database = try Self.database()
            var session = try prepare(database)
            var replica = Replica()
            for step in 0..<80 {
                switch random.next() % 12 {
                case 0: try follow(session, into: &replica)
                case 1 where step % 4 == 0:
                    try database.restart()
                    session = try database.session()
                case 2 where step % 8 == 0:
                    try session.run("ALTER TABLE t ADD COLUMN more\(step) int DEFAULT \(step)")
                case 3...6: try transaction(session, &random)
                default: _ = isRefused(statement(&random), session)
                }
            }
            try follow(session, into: &replica)
            #expect(replica.problems == [], "seed \(seed)")
            #expect(replica.images > 20, "seed \(seed)")
            #expect(
                try session.query("SELECT a, b, c FROM t ORDER BY a") == replica.table,
                "seed \(seed)")
        }
    }

    /// A transaction whose writes went to files has its old rows, too.
    @Test func aSpilledTransactionKeepsThem() throws {
        let database = try Self.database()
        let session = try prepare(database)
        var replica = Replica()
        try session.run(
            "INSERT INTO t SELECT i, lpad(i::text, 100, 'x'), 1 FROM generate_series(1, 4000) AS i")
        let before = database.engine.statistics().spilledTransactions
        try session.run(
            """
            BEGIN; UPDATE t SET c = a; UPDATE t SET b = 'short' WHERE a % 2 = 0;
            DELETE FROM t WHERE a % 3 = 0; UPDATE t SET a = a + 10000 WHERE a < 100; COMMIT
            """)
        #expect(database.engine.statistics().spilledTransactions > before)
        try follow(session, into: &replica)
        #expect(replica.problems == [])
        #expect(replica.images == 4000 + 2000 + 1333 + 66)
        #expect(try session.query("SELECT a, b, c FROM t ORDER BY a") == replica.table)
    }
}
