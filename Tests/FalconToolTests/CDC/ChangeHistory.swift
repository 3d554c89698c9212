import FalconSchema
import Foundation

@testable import FalconStorage

/// A log with one of everything that a stream shows.
enum ChangeHistory {
    static func sample() throws -> LogBuilder {
        let log = try LogBuilder()
        let table = TestTable("t", storage: 1001)
        let kinds = KindsTable()
        try log.commit([TestTable.database("shop", 5), table.create, kinds.create])
        try log.commit([
            try table.put(1, "one"), try table.put(2, "tab\t\"quote\" é"), try table.put(3, nil),
        ])
        try log.commit([
            try kinds.put(1), try kinds.put(2, special: true), try kinds.put(3, nulls: true),
        ])
        try log.commit([
            try table.put(1, "uno", .update, before: try table.row(1, "one")),
            try table.put(2, "dos", .update), try table.delete(3),
        ])
        // A row that moves to another key.
        try log.commit([try table.delete(1, .update), try table.put(5, "uno", .update)])
        // ALTER TABLE ADD COLUMN, and a row under the new version.
        var altered = table.descriptor
        altered.version = 2
        altered.columns.append(
            ColumnDescriptor(
                name: "added", attribute: 7, type: SQLType(.varchar, modifier: 14),
                isNotNull: true, defaultExpression: "'x'::character varying",
                missingValue: .text("x")))
        var row = ByteWriter()
        try RowCodec(altered).encode(
            [
                .int(6), .text("six"), .numeric(NumericValue(mantissa: 650, scale: 2)),
                .int(1 << 60), .null, .null, .text("new"),
            ], to: &row)
        try log.commit([
            .init(operationClass: .catalog, key: table.create.key, value: altered.encoded()),
            .init(sql: .insert, key: try table.key(6), value: row.bytes),
        ])
        try log.commit([table.truncate()])
        // Of a table that no descriptor describes.
        try log.commit([try TestTable("ghost", storage: 1009).put(1, "x")])
        try log.commit([
            .init(kind: .delete, operationClass: .catalog, key: table.create.key),
            table.truncate(.none),
        ])
        try log.close()
        return log
    }
}

/// A table with a column of each kind of value.
struct KindsTable {
    let descriptor: TableDescriptor

    init() {
        let types: [(String, SQLType)] = [
            ("a", .int4), ("b", .text), ("i2", .int2), ("f4", .float4), ("f8", .float8),
            ("num", SQLType(.numeric, modifier: (10 << 16 | 2) + 4)), ("d", .date),
            ("tm", SQLType(.time)), ("ts", .timestamp), ("tz", .timestamptz),
            ("iv", SQLType(.interval)), ("u", SQLType(.uuid)), ("raw", SQLType(.bytea)),
            ("js", SQLType(.json)), ("arr", SQLType(TypeRegistry.arrayType(of: .int4))),
            ("ch", SQLType(.bpchar, modifier: 8)),
        ]
        descriptor = TableDescriptor(
            oid: 20_777, database: DatabaseID(5), schemaOID: 2200, schema: "public",
            name: "kinds", version: 3, storageID: StorageID(1777),
            primaryKey: [KeyColumn(attribute: 1), KeyColumn(attribute: 2, isDescending: true)],
            columns: types.enumerated().map {
                ColumnDescriptor(
                    name: $1.0, attribute: Int16($0 + 1), type: $1.1, isNotNull: $0 == 2)
            })
    }

    var create: LogBuilder.Operation {
        LogBuilder.Operation(
            operationClass: .catalog,
            key: CatalogKeys.key(descriptor.database, CatalogKeys.tables, descriptor.oid),
            value: descriptor.encoded())
    }

    func put(
        _ id: Int64, special: Bool = false, nulls: Bool = false
    ) throws -> LogBuilder.Operation {
        var values: [Datum] = [
            .int(id), .text("k\(id)"), .int(-7), .float(Double(Float(0.1))), .float(1e21),
            .numeric(NumericValue(mantissa: 12_345, scale: 2)), .int(9862), .int(45_296_789_012),
            .int(852_120_000_000_001), .int(852_120_000_000_001),
            .interval(Interval(months: 14, days: 3, micros: 4_000_005)),
            .bytes((0..<16).map { UInt8($0 * 17) }), .bytes([0, 1, 254, 255]),
            .text("{\"a\": [1, \"x\\\\y\"]}"),
            .array(ArrayValue(elementType: .int4, [.int(1), .null, .int(3)])), .text("ab  "),
        ]
        if special {
            values[4] = .float(.nan)
            values[3] = .float(-.infinity)
            values[6] = .int(Int64(Int32.max))
            values[8] = .int(.max)
            values[9] = .int(.min)
            values[12] = .bytes([])
            values[14] = .array(
                ArrayValue(
                    elementType: .int4, dimensions: [(2, 1), (1, 1)],
                    elements: [.int(1), .int(2)]))
        }
        if nulls {
            for index in 2..<values.count { values[index] = .null }
        }
        var key = ByteWriter()
        KeyCodec.appendPrefix(
            database: descriptor.database, storage: descriptor.storageID, to: &key)
        try KeyCodec.append(values[0], type: .int4, to: &key)
        try KeyCodec.append(values[1], type: .text, descending: true, to: &key)
        var row = ByteWriter()
        try RowCodec(descriptor).encode(values, to: &row)
        return LogBuilder.Operation(sql: .insert, key: key.bytes, value: row.bytes)
    }
}
