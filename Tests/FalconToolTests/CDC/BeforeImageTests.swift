import FalconSchema
import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// What the dialects show of the rows as they were, by the table's REPLICA IDENTITY.
@Suite struct BeforeImageTests {
    /// `t (id int4, note text, …)`, and a unique index on `note`.
    private static let noteIndex = IndexDescriptor(
        oid: 30_001, name: "t_note", storageID: StorageID(1002), isUnique: true, isPrimary: false,
        isConstraint: false, columns: [KeyColumn(attribute: 2)])

    private let table = TestTable("t", storage: 1001)

    private func define(
        _ identity: ReplicaIdentity, version: UInt32 = 1, hasIndex: Bool = true
    ) -> LogBuilder.Operation {
        var descriptor = table.descriptor
        descriptor.replicaIdentity = identity
        descriptor.version = version
        descriptor.indexes = hasIndex ? [Self.noteIndex] : []
        var create = table.create
        create.value = descriptor.encoded()
        return create
    }

    /// A row of which only the index's column is known.
    private func image(_ note: String) throws -> [UInt8] {
        var writer = ByteWriter()
        try RowCodec(table.descriptor).encode(
            [.null, .text(note), .null, .null, .null, .null], to: &writer)
        return writer.bytes
    }

    private func delete(
        _ id: Int, before: [UInt8]?, _ sql: SQLOperation = .delete
    ) throws -> LogBuilder.Operation {
        var delete = try table.delete(id, sql)
        delete.before = before
        return delete
    }

    /// The lines of rows, as objects.
    private func lines(
        _ log: LogBuilder, _ dialect: String, _ more: String...
    ) throws -> [[String: Any]] {
        let run = ToolRun(
            CDCTail.self, [log.root, "--dialect", dialect, "--rows-only"] + more,
            environment: log.environment)
        #expect(run.exit == .clean, "\(run.diagnostics)")
        return try run.lines.map {
            try #require(
                JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
        }
    }

    private func text(_ value: Any?) throws -> String {
        guard let value else { return "-" }
        if value is NSNull { return "null" }
        return String(
            decoding: try JSONSerialization.data(withJSONObject: value, options: .sortedKeys),
            as: UTF8.self)
    }

    private func names(_ value: Any?) -> [String]? {
        (value as? [[String: Any]])?.compactMap { $0["name"] as? String }
    }

    private static let columns = ["id", "note", "amount", "big", "raw", "flag"]

    /// One update, one delete and one change of the key.
    private func history(
        _ identity: ReplicaIdentity, hasIndex: Bool = true, before: (String) throws -> [UInt8]?
    ) throws -> LogBuilder {
        let log = try LogBuilder()
        try log.commit([
            TestTable.database("shop", 5), define(identity, hasIndex: hasIndex),
        ])
        try log.commit([try table.put(1, "one"), try table.put(2, "two"), try table.put(3, "six")])
        try log.commit([
            try table.put(1, "uno", .update, before: try before("one")),
            try delete(2, before: try before("two")),
            try delete(3, before: try before("six"), .update),
            try table.put(6, "six", .update),
        ])
        try log.close()
        return log
    }

    @Test func fullShowsTheWholeRow() throws {
        let ids = ["one": 1, "two": 2, "six": 3]
        let log = try history(.full) { try table.row(ids[$0] ?? 0, $0) }
        let falcon = try lines(log, "falcon", "--op", "update", "--op", "delete")
        #expect(
            falcon.map { ($0["before"] as? [String: Any])?["note"] as? String }
                == ["one", "two", "six", nil])
        let first = try #require(falcon.first?["before"] as? [String: Any])
        #expect(first.keys.sorted() == Self.columns.sorted())
        for line in try lines(log, "cloudevents", "--op", "delete") {
            let data = try #require(line["data"] as? [String: Any])
            #expect((data["before"] as? [String: Any])?.count == Self.columns.count)
        }
        let identities = try lines(log, "wal2json-v2").dropFirst(3).map { names($0["identity"]) }
        #expect(identities == [Self.columns, Self.columns, Self.columns, nil])
        let debezium = try lines(log, "debezium").dropFirst(3)
        #expect(debezium.map { $0["op"] as? String } == ["u", "d", "d", "c"])
        #expect(
            debezium.map { ($0["before"] as? [String: Any])?["note"] as? String }
                == ["one", "two", "six", nil])
    }

    @Test func anIndexShowsItsColumns() throws {
        let log = try history(.index(Self.noteIndex.oid)) { try image($0) }
        let falcon = try lines(log, "falcon", "--op", "update", "--op", "delete")
        #expect(
            try falcon.map { try text($0["before"]) } == [
                #"{"note":"one"}"#, #"{"note":"two"}"#, #"{"note":"six"}"#, "-",
            ])
        let wal2json = try lines(log, "wal2json-v2").dropFirst(3)
        #expect(
            wal2json.map { names($0["identity"]) } == [["note"], ["note"], ["note"], nil])
        let debezium = try #require(try lines(log, "debezium").dropFirst(3).first)
        let before = try #require(debezium["before"] as? [String: Any])
        #expect(before["note"] as? String == "one" && before["id"] is NSNull)
        // The columns that name a row are shown whatever --column asks for.
        let narrow = try lines(log, "falcon", "--column", "big", "--op", "delete")
        #expect(try narrow.map { try text($0["before"]) }.first == #"{"note":"two"}"#)
    }

    /// While an update leaves the index's columns alone the log has no image: the new row has them.
    @Test func anIndexNamesAnUpdatedRowByTheNewOne() throws {
        let log = try LogBuilder()
        try log.commit([
            TestTable.database("shop", 5), define(.index(Self.noteIndex.oid)),
            try table.put(1, "one"),
        ])
        try log.commit([try table.put(1, "one", .update, big: 8)])
        try log.close()
        let line = try #require(try lines(log, "wal2json-v2").last)
        #expect(
            try text(line["identity"])
                == #"[{"name":"note","type":"text","value":"one"}]"#)
        let falcon = try #require(try lines(log, "falcon").last)
        #expect(falcon["op"] as? String == "update" && falcon["before"] == nil)
        let debezium = try #require(try lines(log, "debezium").last)
        #expect(debezium["op"] as? String == "u" && debezium["before"] is NSNull)
    }

    @Test(arguments: [true, false])
    func nothingNamesNoRow(hasIndex: Bool) throws {
        // An index that was dropped is as NOTHING.
        let identity: ReplicaIdentity = hasIndex ? .nothing : .index(Self.noteIndex.oid)
        let log = try history(identity, hasIndex: hasIndex) { _ in nil }
        let wal2json = try lines(log, "wal2json-v2").dropFirst(3)
        #expect(wal2json.map { $0["action"] as? String } == ["U", "D", "D", "I"])
        #expect(wal2json.allSatisfy { $0["identity"] == nil })
        #expect(try lines(log, "debezium").dropFirst(3).allSatisfy { $0["before"] is NSNull })
        // The log names each row by its key all the same.
        let falcon = try lines(log, "falcon", "--op", "delete")
        #expect(try falcon.map { try text($0["key"]) } == [#"{"id":2}"#, #"{"id":3}"#])
    }

    @Test func theKeyNamesRowsByDefault() throws {
        let log = try history(.primaryKey) { _ in nil }
        let wal2json = try lines(log, "wal2json-v2").dropFirst(3)
        #expect(wal2json.map { names($0["identity"]) } == [["id"], ["id"], ["id"], nil])
        #expect(try lines(log, "falcon").allSatisfy { $0["before"] == nil })
    }

    /// ALTER TABLE amid the stream, also amid a transaction: each row as its time had it.
    @Test func theIdentityIsThatOfTheTime() throws {
        let log = try LogBuilder()
        try log.commit([
            TestTable.database("shop", 5), define(.primaryKey), try table.put(1, "a"),
        ])
        try log.commit([try table.put(1, "b", .update)])
        try log.commit([
            try table.put(1, "c", .update),
            define(.full, version: 2),
            try table.put(1, "d", .update, before: try table.row(1, "c")),
            define(.index(Self.noteIndex.oid), version: 3),
            try table.put(1, "e", .update, before: try image("d")),
        ])
        try log.commit([define(.nothing, version: 4), try table.put(1, "f", .update)])
        try log.close()
        let rows = try lines(log, "wal2json-v2", "--op", "update")
        #expect(
            rows.map { names($0["identity"]) } == [["id"], ["id"], Self.columns, ["note"], nil])
        let schemas = ToolRun(
            CDCTail.self, [log.root, "--op", "schema"], environment: log.environment)
        let identities = try schemas.lines.compactMap { line -> String? in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard object?["op"] as? String == "schema" else { return nil }
            return [object?["replica_identity"], object?["replica_identity_index"]]
                .compactMap { $0 as? String }.joined(separator: " ")
        }
        #expect(identities == ["", "full", "index t_note", "nothing"])
    }

    /// wal-inspect says which operations carry one, and how large it is.
    @Test func walInspectShowsThem() throws {
        let log = try history(.full) { try table.row(1, $0) }
        let run = ToolRun(
            WALInspect.self, [log.root, "--operations", "--format", "jsonl"],
            environment: log.environment)
        let sizes = try run.lines.compactMap { line -> Int? in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard object?["tag"] as? String == "OPERATION" else { return nil }
            return object?["before_bytes"] as? Int
        }
        let whole = try table.row(1, "one").count
        #expect(sizes == [whole, whole, whole])
    }
}
