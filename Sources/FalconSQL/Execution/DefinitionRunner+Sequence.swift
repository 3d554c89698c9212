import FalconSchema
import FalconStorage

extension DefinitionRunner {
    /// The integer type behind SERIAL and its sizes.
    static func serialType(_ name: AST.TypeName) -> OID? {
        guard name.name.parts.count == 1, name.arrayDimensions == 0 else { return nil }
        switch name.name.last {
        case "serial", "serial4": return .int4
        case "bigserial", "serial8": return .int8
        case "smallserial", "serial2": return .int2
        default: return nil
        }
    }

    /// Makes the sequence behind a SERIAL or identity column, and the column's default.
    func makeSerial(
        _ column: inout ColumnDescriptor, _ table: TableDescriptor, options: [AST.Option]
    ) throws(SQLError) {
        let name = freeName(table.schemaOID, [table.name, column.name], "seq")
        try lockName(table.schemaOID, name)
        var sequence = try sequence(
            named: name, schema: table.schemaOID, type: column.type.oid, options)
        sequence.ownerTable = table.oid
        sequence.ownerAttribute = column.attribute
        try transaction.record(.putSequence(sequence))
        column.isNotNull = true
        let full = Identifier.quoted(table.schema) + "." + Identifier.quoted(name)
        let literal = full.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "''")
        column.defaultExpression = "nextval('\(literal)'::regclass)"
    }

    private func sequence(
        named name: String, schema: OID, type: OID, _ options: [AST.Option]
    ) throws(SQLError) -> SequenceEntry {
        func integer(_ option: AST.Option) throws(SQLError) -> Int64 {
            switch option.value {
            case .integer(let value): return value
            case .number(let text), .string(let text):
                if let value = Int64(text) { return value }
            default: break
            }
            throw SQLError(
                .invalidParameterValue, "invalid value for sequence option \"\(option.name)\"")
        }
        let high: Int64
        let low: Int64
        switch type {
        case .int2:
            high = Int64(Int16.max)
            low = Int64(Int16.min)
        case .int4:
            high = Int64(Int32.max)
            low = Int64(Int32.min)
        default:
            high = .max
            low = .min
        }
        var increment: Int64 = 1
        var start: Int64?
        var minimum: Int64?
        var maximum: Int64?
        var isCycled = false
        for option in options {
            switch option.name {
            case "increment": increment = try integer(option)
            case "start": start = try integer(option)
            case "minvalue": if option.value != nil { minimum = try integer(option) }
            case "maxvalue": if option.value != nil { maximum = try integer(option) }
            case "cycle": isCycled = option.boolValue ?? true
            default: continue
            }
        }
        if increment == 0 {
            throw SQLError(.invalidParameterValue, "INCREMENT must not be zero")
        }
        let least = minimum ?? (increment > 0 ? 1 : low)
        let most = maximum ?? (increment > 0 ? high : -1)
        if least >= most {
            throw SQLError(
                .invalidParameterValue,
                "MINVALUE (\(least)) must be less than MAXVALUE (\(most))")
        }
        let first = start ?? (increment > 0 ? least : most)
        if first < least {
            throw SQLError(
                .invalidParameterValue,
                "START value (\(first)) cannot be less than MINVALUE (\(least))")
        }
        if first > most {
            throw SQLError(
                .invalidParameterValue,
                "START value (\(first)) cannot be greater than MAXVALUE (\(most))")
        }
        return SequenceEntry(
            oid: try store.allocateOID(), schemaOID: schema, name: name, start: first,
            increment: increment, minimum: least, maximum: most, isCycled: isCycled)
    }

    func createSequence(_ create: AST.CreateSequence) throws(SQLError) {
        let schema = try creationSchema(of: create.sequence)
        try lockName(schema.oid, create.sequence.name)
        if transaction.catalog.relation(schema: schema.oid, name: create.sequence.name) != nil {
            if create.ifNotExists {
                notice(
                    "relation \"\(create.sequence.name)\" already exists, skipping",
                    .duplicateTable)
                return
            }
            throw Self.exists(create.sequence.name)
        }
        try transaction.record(
            .putSequence(
                try sequence(
                    named: create.sequence.name, schema: schema.oid, type: .int8,
                    create.options)))
    }
}
