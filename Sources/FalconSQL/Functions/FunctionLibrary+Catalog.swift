import FalconSchema

/// Functions that need the session's catalog: sequences, and definitions as SQL text.
extension FunctionLibrary {
    private static func bridge(_ context: FunctionContext) throws(SQLError) -> (
        SessionBridge, Session
    ) {
        guard let bridge = context.session as? SessionBridge, let session = bridge.session else {
            throw SQLError(.objectNotInPrerequisiteState, "no session")
        }
        return (bridge, session)
    }

    private static func sequence(
        _ oid: Int64, _ session: Session
    ) throws(SQLError) -> (SequenceEntry, SequenceState) {
        let id = OID(UInt32(truncatingIfNeeded: oid))
        // Whoever is about to change it keeps others waiting, as PostgreSQL does.
        if session.transaction.catalog.sequences[id] != nil {
            try session.transaction.lockRelation(id, .rowExclusive)
        }
        guard let entry = session.transaction.catalog.sequences[id] else {
            throw SQLError(
                .wrongObjectType, "relation with OID \(id) is not a sequence")
        }
        return (
            entry,
            try session.state.sequenceState(
                entry, engine: session.database.engine, mayWait: session.transaction.mayWait)
        )
    }

    private static func setValue(
        _ oid: Int64, _ value: Int64, _ isCalled: Bool, _ context: FunctionContext
    ) throws(SQLError) -> Datum {
        let (bridge, session) = try bridge(context)
        if session.transaction.isReadOnly { throw session.readOnlyRefusal("setval()") }
        let (entry, state) = try sequence(oid, session)
        guard value >= entry.minimum, value <= entry.maximum else {
            throw SQLError(
                .numericValueOutOfRange,
                "setval: value \(value) is out of bounds for sequence \"\(entry.name)\" "
                    + "(\(entry.minimum)..\(entry.maximum))")
        }
        try state.set(value, isCalled: isCalled)
        if isCalled { bridge.lastValues[entry.oid] = value }
        return .int(value)
    }

    mutating func addCatalog() {
        unary("nextval_oid") { (a, c) throws(SQLError) in
            let (bridge, session) = try Self.bridge(c)
            if session.transaction.isReadOnly { throw session.readOnlyRefusal("nextval()") }
            let (entry, state) = try Self.sequence(a.int, session)
            let value = try state.next(entry)
            bridge.lastValues[entry.oid] = value
            bridge.lastSequence = entry.oid
            return .int(value)
        }
        unary("currval_oid") { (a, c) throws(SQLError) in
            let (bridge, session) = try Self.bridge(c)
            let (entry, _) = try Self.sequence(a.int, session)
            guard let value = bridge.lastValues[entry.oid] else {
                throw SQLError(
                    .objectNotInPrerequisiteState,
                    "currval of sequence \"\(entry.name)\" is not yet defined in this session")
            }
            return .int(value)
        }
        nullary("lastval") { c throws(SQLError) in
            let (bridge, _) = try Self.bridge(c)
            guard let last = bridge.lastSequence, let value = bridge.lastValues[last] else {
                throw SQLError(
                    .objectNotInPrerequisiteState, "lastval is not yet defined in this session")
            }
            return .int(value)
        }
        binary("setval_oid") { (a, b, c) throws(SQLError) in
            try Self.setValue(a.int, b.int, true, c)
        }
        ternary("setval3_oid") { (a, b, called, c) throws(SQLError) in
            try Self.setValue(a.int, b.int, called.bool, c)
        }
        binary("pg_get_serial_sequence") { (a, b, c) throws(SQLError) in
            let (bridge, session) = try Self.bridge(c)
            let oid = try bridge.lookup(a.text, as: .regclass)
            let catalog = session.transaction.catalog
            guard let table = catalog.tables[oid] else { return .null }
            guard let column = table.columns.first(where: { $0.name == b.text && !$0.isDropped })
            else {
                throw SQLError(
                    .undefinedColumn,
                    "column \"\(b.text)\" of relation \"\(table.name)\" does not exist")
            }
            for sequence in catalog.sequences.values
            where sequence.ownerTable == oid && sequence.ownerAttribute == column.attribute {
                let schema = catalog.schemas[sequence.schemaOID]?.name ?? ""
                return .text(
                    Identifier.quoted(schema) + "." + Identifier.quoted(sequence.name))
            }
            return .null
        }
        unary("pg_get_replica_identity_index") { (a, c) throws(SQLError) in
            let (bridge, session) = try Self.bridge(c)
            let oid = OID(UInt32(truncatingIfNeeded: a.int))
            guard let table = session.transaction.catalog.tables[oid] else {
                if bridge.relation(oid) != nil { return .null }
                throw SQLError(.internalError, "could not open relation with OID \(oid)")
            }
            let index = table.indexes.first { index in
                switch table.replicaIdentity {
                case .primaryKey: index.isPrimaryKey && index.deferral == nil
                case .index(let named): index.oid == named
                case .full, .nothing: false
                }
            }
            return index.map { .int(Int64($0.oid.rawValue)) } ?? .null
        }
        unary("#1643") { (a, c) throws(SQLError) in try Self.indexDefinition(a, 0, c) }
        ternary("pg_get_indexdef_ext") { (a, b, pretty, c) throws(SQLError) in
            try Self.indexDefinition(a, b.int, c, isPretty: pretty.bool)
        }
        unary("#1387") { (a, c) throws(SQLError) in try Self.constraintDefinition(a, c) }
        binary("pg_get_constraintdef_ext") { (a, pretty, c) throws(SQLError) in
            try Self.constraintDefinition(a, c, isPretty: pretty.bool)
        }
        binary("#1716") { (a, _, _) throws(SQLError) in a }
        ternary("pg_get_expr_ext") { (a, _, _, _) throws(SQLError) in a }
    }

    private static func indexDefinition(
        _ oid: Datum, _ column: Int64, _ context: FunctionContext, isPretty: Bool = false
    ) throws(SQLError) -> Datum {
        let (_, session) = try bridge(context)
        let id = OID(UInt32(truncatingIfNeeded: oid.int))
        let catalog = session.transaction.catalog
        guard let owner = catalog.indexOwners[id], let table = catalog.tables[owner],
            let index = table.indexes.first(where: { $0.oid == id })
        else { return .null }
        if column > 0 {
            let attributes = index.allAttributes
            guard column <= Int64(attributes.count) else { return .text("") }
            return .text(Identifier.quoted(table.column(attributes[Int(column) - 1]).name))
        }
        return .text(
            IndexText.definition(
                index, table, isPretty: isPretty,
                isQualified: !isPretty || !session.searchPath.contains(table.schema)))
    }

    /// The first parenthesis closes at the end: an operator's expression is stored so.
    private static func isEnclosed(_ text: String) -> Bool {
        guard text.hasPrefix("("), text.hasSuffix(")") else { return false }
        var depth = 0
        var inQuotes = false
        for byte in text.utf8.dropLast() {
            if byte == UInt8(ascii: "'") { inQuotes.toggle() }
            if inQuotes { continue }
            if byte == UInt8(ascii: "(") { depth += 1 }
            if byte == UInt8(ascii: ")") { depth -= 1 }
            if depth == 0 { return false }
        }
        return true
    }

    private static func foreignKeyDefinition(
        _ key: ForeignKeyDescriptor, _ table: TableDescriptor, _ session: Session
    ) -> String {
        func list(_ attributes: [Int16], _ table: TableDescriptor?) -> String {
            attributes.map { Identifier.quoted(table?.column($0).name ?? "") }
                .joined(separator: ", ")
        }
        func action(_ action: ForeignKeyDescriptor.Action) -> String? {
            switch action {
            case .noAction: nil
            case .restrict: "RESTRICT"
            case .cascade: "CASCADE"
            case .setNull: "SET NULL"
            case .setDefault: "SET DEFAULT"
            }
        }
        let parent = session.transaction.catalog.tables[key.referencedTable]
        var name = Identifier.quoted(parent?.name ?? "")
        let found = try? session.catalog.relation(schema: nil, name: parent?.name ?? "")
        if found?.oid != parent?.oid {
            name = Identifier.quoted(parent?.schema ?? "") + "." + name
        }
        var text =
            "FOREIGN KEY (\(list(key.columns, table))) REFERENCES \(name)"
            + "(\(list(key.referencedColumns, parent)))"
        if key.isMatchFull { text += " MATCH FULL" }
        if let action = action(key.onUpdate) { text += " ON UPDATE \(action)" }
        if let action = action(key.onDelete) { text += " ON DELETE \(action)" }
        if !key.deleteColumns.isEmpty { text += " (\(list(key.deleteColumns, table)))" }
        if key.isDeferrable { text += " DEFERRABLE" }
        if key.isInitiallyDeferred { text += " INITIALLY DEFERRED" }
        if !key.isValidated { text += " NOT VALID" }
        return text
    }

    private static func constraintDefinition(
        _ oid: Datum, _ context: FunctionContext, isPretty: Bool = false
    ) throws(SQLError) -> Datum {
        let (_, session) = try bridge(context)
        let id = OID(UInt32(truncatingIfNeeded: oid.int))
        for table in session.transaction.catalog.tables.values {
            if let index = table.indexes.first(where: { $0.oid == id && $0.isConstraint }) {
                let names = index.columns.map {
                    Identifier.quoted(table.columns[Int($0.attribute) - 1].name)
                }.joined(separator: ", ")
                var text = "\(index.isPrimaryKey ? "PRIMARY KEY" : "UNIQUE") (\(names))"
                text += IndexText.included(index, table)
                if index.deferral != nil { text += " DEFERRABLE" }
                if index.deferral == .initiallyDeferred { text += " INITIALLY DEFERRED" }
                return .text(text)
            }
            if let check = table.checks.first(where: { $0.oid == id }) {
                let text = check.expression
                let isEnclosed = isEnclosed(text)
                if isPretty, isEnclosed { return .text("CHECK \(text)") }
                return .text(isEnclosed ? "CHECK (\(text))" : "CHECK ((\(text)))")
            }
            if let key = table.foreignKeys.first(where: { $0.oid == id }) {
                return .text(foreignKeyDefinition(key, table, session))
            }
        }
        return .null
    }
}
