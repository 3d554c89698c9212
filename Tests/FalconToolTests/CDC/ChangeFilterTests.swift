import FalconSchema
import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// What `--table`, `--column`, `--op` and the key range leave of a stream, alone and together.
@Suite struct ChangeFilterTests {
    private func events(_ log: LogBuilder, _ arguments: [String]) throws -> [[String: Any]] {
        let run = ToolRun(
            CDCTail.self, [log.root, "--rows-only"] + arguments, environment: log.environment)
        #expect(run.exit == .clean, "\(run.diagnostics)")
        return try run.lines.map {
            try #require(
                JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
        }
    }

    /// Keys `(a int4, b text DESC)`: (1, k1), (2, k2) and (3, k3).
    private func kinds() throws -> LogBuilder {
        let log = try LogBuilder()
        let table = KindsTable()
        try log.commit([TestTable.database("shop", 5), table.create])
        for id: Int64 in 1...3 { try log.commit([try table.put(id)]) }
        try log.close()
        return log
    }

    @Test(
        arguments: [
            (["--key-from", "2"], [2, 3]), (["--key-to", "2"], [1, 2]),
            (["--key-from", "2,k2", "--key-to", "2,k2"], [2]),
            // The second column descends: k3 comes before k2, and k1 behind it.
            (["--key-from", "2,k3"], [2, 3]), (["--key-from", "2,k1"], [3]),
            (["--key-to", "2,k1"], [1, 2]), (["--key-to", "2,k3"], [1]),
            (["--key-from", "4"], []),
        ] as [([String], [Int])])
    func keysOfSeveralColumnsAreInTheirOwnOrder(_ range: [String], _ wanted: [Int]) throws {
        let found = try events(try kinds(), range).map {
            ($0["key"] as? [String: Any])?["a"] as? Int
        }
        #expect(found == wanted.map { Optional($0) })
    }

    @Test func rowsWithoutAPrimaryKeyAreChosenByTheirNumber() throws {
        let log = try LogBuilder()
        let journal = TestTable("journal", storage: 1002, keyed: false)
        try log.commit([journal.create])
        for row in 1...5 { try log.commit([try journal.put(row, nil)]) }
        try log.close()
        let found = try events(log, ["--key-from", "2", "--key-to", "4"]).map {
            ($0["key"] as? [String: Any])?["_rowid"] as? Int
        }
        #expect(found == [2, 3, 4])
    }

    /// Each takes away what the others leave; the before image of a REPLICA IDENTITY FULL table has the same columns.
    @Test func filtersHoldTogether() throws {
        let log = try LogBuilder()
        let accounts = TestTable("accounts", storage: 1001)
        let audit = TestTable("audit", storage: 1002)
        var full = accounts.descriptor
        full.replicaIdentity = .full
        var create = accounts.create
        create.value = full.encoded()
        try log.commit([TestTable.database("shop", 5), create, audit.create])
        for id in 1...6 {
            try log.commit([try accounts.put(id, "a\(id)"), try audit.put(id, "b\(id)")])
        }
        for id in 1...6 {
            var delete = try accounts.delete(id)
            delete.before = try accounts.row(id, "a\(id)")
            try log.commit([
                try accounts.put(
                    id, "c\(id)", .update, before: try accounts.row(id, "a\(id)")),
                delete, try audit.delete(id),
            ])
        }
        try log.close()
        let found = try events(
            log,
            [
                "--table", "public.acc*", "--table", "nobody", "--op", "update", "--op", "delete",
                "--key-from", "3", "--key-to", "4", "--column", "n?te",
            ])
        let lines = found.map { "\($0["op"] ?? "") \($0["table"] ?? "")" }
        let pair = ["update public.accounts", "delete public.accounts"]
        #expect(lines == pair + pair)
        for (event, id) in zip(found, [3, 3, 4, 4]) {
            #expect((event["key"] as? [String: Any])?["id"] as? Int == id)
            let before = try #require(event["before"] as? [String: Any])
            #expect(before.keys.sorted() == ["id", "note"])
            #expect(before["note"] as? String == "a\(id)")
            let after = event["after"] as? [String: Any]
            #expect(after.map { $0.keys.sorted() } ?? ["id", "note"] == ["id", "note"])
            #expect((after == nil) == (event["op"] as? String == "delete"))
        }
    }
}
