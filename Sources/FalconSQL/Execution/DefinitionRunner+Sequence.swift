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
            named: name, schema: table.schemaOID, type: column.type.oid,
            try SequenceOptions(options.filter { $0.name != "sequence_name" }))
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
        named name: String, schema: OID, type: OID, _ options: SequenceOptions
    ) throws(SQLError) -> SequenceEntry {
        var entry = SequenceEntry(
            oid: try store.allocateOID(), schemaOID: schema, name: name, start: 1, increment: 1,
            minimum: 1, maximum: .max, isCycled: false)
        entry.type = type
        var first = entry.first
        try options.apply(to: &entry, at: &first, isNew: true)
        entry.first = first
        return entry
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
        let options = try SequenceOptions(create.options)
        var entry = try sequence(
            named: create.sequence.name, schema: schema.oid, type: .int8, options)
        if let owner = options.ownedBy { try setOwner(of: &entry, to: owner) }
        try transaction.record(.putSequence(entry))
    }
}
