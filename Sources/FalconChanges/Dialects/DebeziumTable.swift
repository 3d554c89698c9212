import FalconSchema

/// A table as Debezium's schema change events describe it.
enum DebeziumTable {
    static func append(_ change: SchemaChange, to line: inout JSONLineWriter) {
        let table = change.table
        line.raw("{\"type\":\"")
        switch change.kind {
        case .create, .read: line.raw("CREATE")
        case .alter: line.raw("ALTER")
        case .drop: line.raw("DROP")
        }
        line.raw("\",\"id\":")
        line.quoted("\"\(table.descriptor.schema)\".\"\(table.descriptor.name)\"")
        if change.kind == .drop { return line.raw(",\"table\":null}") }
        line.raw(",\"table\":{\"defaultCharsetName\":null,\"primaryKeyColumnNames\":[")
        for (index, part) in table.keyParts.enumerated() {
            if index > 0 { line.raw(",") }
            line.raw(Array(part.label.dropLast()))
        }
        line.raw("],\"columns\":[")
        for (index, column) in table.columns.enumerated() {
            if index > 0 { line.raw(",") }
            append(column, to: &line)
        }
        line.raw("]}}")
    }

    private static func append(_ column: TableForm.Column, to line: inout JSONLineWriter) {
        let name = TypeRegistry.descriptor(column.type.oid)?.name ?? "unknown"
        let (length, scale) = size(column.type)
        line.raw("{\"name\":")
        line.quoted(column.descriptor.name)
        line.raw(",\"jdbcType\":")
        line.number(jdbcType(column.type.oid))
        line.raw(",\"nativeType\":")
        line.number(UInt64(column.type.oid.rawValue))
        line.raw(",\"typeName\":")
        line.quoted(name)
        line.raw(",\"typeExpression\":")
        line.quoted(name)
        line.raw(",\"charsetName\":null,\"length\":")
        append(length, to: &line)
        line.raw(",\"scale\":")
        append(scale, to: &line)
        line.raw(",\"position\":")
        line.number(Int(column.descriptor.attribute))
        line.raw(",\"optional\":")
        column.descriptor.isNotNull || column.isKey ? line.raw("false") : line.raw("true")
        line.raw(",\"autoIncremented\":false,\"generated\":false}")
    }

    private static func append(_ value: Int?, to line: inout JSONLineWriter) {
        if let value { line.number(value) } else { line.raw("null") }
    }

    /// Of a modifier: the length and scale it gives.
    private static func size(_ type: SQLType) -> (length: Int?, scale: Int?) {
        guard type.modifier >= 4 else { return (nil, nil) }
        let bits = Int(type.modifier) - 4
        switch type.oid {
        case .varchar, .bpchar: return (bits, nil)
        case .numeric: return (bits >> 16 & 0xFFFF, bits & 0x7FF)
        default: return (nil, nil)
        }
    }

    /// `java.sql.Types`.
    private static func jdbcType(_ oid: OID) -> Int {
        switch oid {
        case .bool: -7
        case .int2: 5
        case .int4: 4
        case .int8, .oid: -5
        case .float4: 7
        case .float8: 8
        case .numeric: 2
        case .text, .varchar, .name: 12
        case .bpchar: 1
        case .bytea: -2
        case .date: 91
        case .time: 92
        case .timestamp: 93
        case .timestamptz: 2014
        default: 1111
        }
    }
}
