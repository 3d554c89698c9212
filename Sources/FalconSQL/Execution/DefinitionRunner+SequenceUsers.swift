import FalconSchema
import FalconStorage

/// Tables and their sequences: defaults that name one, and those that a column owns.
extension DefinitionRunner {
    // MARK: Defaults that name a sequence

    /// A new default as it is stored. The sequences that it names keep their names until the transaction
    /// ends: who renames or drops one cannot see it before.
    func keptDefault(
        _ expression: AST.Expression, type: SQLType, column: String
    ) throws(SQLError) -> String {
        var locked: Set<OID> = []
        while true {
            let text = try planner.storedDefault(expression, type: type, column: column)
            // Before its lock is ours a name may come to mean another one.
            let named = try relations(namedBy: text).filter {
                transaction.catalog.sequences[$0] != nil && !locked.contains($0)
            }
            if named.isEmpty { return text }
            for oid in named.sorted() { try transaction.lockRelation(oid, .accessShare) }
            locked.formUnion(named)
        }
    }

    /// Locks the tables whose defaults name some of the sequences, so that nobody else changes them, nor
    /// waits for a sequence with rows written: readers are let through. Their OIDs.
    @discardableResult
    func lockUsers(of sequences: Set<OID>) throws(SQLError) -> Set<OID> {
        var locked: Set<OID> = []
        while true {
            // Before its lock is ours a table's defaults may change.
            var others: [OID] = []
            for table in transaction.catalog.tables.values where !locked.contains(table.oid) {
                let isUser = try renamed(in: table) { sequences.contains($0) ? "" : nil } != nil
                if isUser { others.append(table.oid) }
            }
            if others.isEmpty { return locked }
            for oid in others.sorted() {
                try transaction.lockRelation(oid, .shareRowExclusive)
                locked.insert(oid)
            }
        }
    }

    /// Defaults name sequences as text: those that mean one of `sequences`, which are locked, get its new
    /// name.
    func renameInDefaults(_ sequences: [OID: [String]]) throws(SQLError) {
        let names = sequences.mapValues { path in
            path.map { Identifier.quoted($0) }.joined(separator: ".")
        }
        // Anew: until the sequences' locks were ours another default may have come to name one.
        for oid in try lockUsers(of: Set(sequences.keys)).sorted() {
            guard let table = transaction.catalog.tables[oid],
                var altered = try renamed(in: table, { names[$0] })
            else { continue }
            altered.version += 1
            try transaction.record(.putTable(altered))
        }
    }

    /// The table with other names for sequences in its defaults; nil when none of them names one that
    /// `newName` knows.
    private func renamed(
        in table: TableDescriptor, _ newName: @escaping (OID) -> String?
    ) throws(SQLError) -> TableDescriptor? {
        var altered: TableDescriptor?
        for place in table.columns.indices {
            guard let text = table.columns[place].defaultExpression, text.contains("'")
            else { continue }
            var isNamed = false
            let new = ExpressionDeparser.text(of: try SQLParser.parseExpression(text)) { relation in
                guard let name = relationNamed(relation).flatMap(newName) else { return nil }
                isNamed = true
                return name
            }
            guard isNamed else { continue }
            var table = altered ?? table
            table.columns[place].defaultExpression = new
            altered = table
        }
        return altered
    }

    /// What a regclass in a stored expression means. Of other sessions' temporary tables, too, whose
    /// names this one may not use.
    private func relationNamed(_ text: String) -> OID? {
        guard let parts = Identifier.parse(text), let name = parts.last else { return nil }
        let path = parts.dropLast().last.map {
            [$0 == "pg_temp" ? session.temporarySchema : $0]
        }
        let snapshot = transaction.catalog
        for schema in path ?? catalog.searchPath {
            guard let oid = snapshot.schemaNames[schema] else { continue }
            if let found = snapshot.relation(schema: oid, name: name) { return found.oid }
        }
        return nil
    }

    // MARK: Sequences that go with something

    /// Drops the sequences of a table, or of one of its columns, once nobody uses them any more.
    func dropSequences(ownedBy table: OID, _ attribute: Int16? = nil) throws(SQLError) {
        try dropSequences {
            $0.ownerTable == table && (attribute == nil || attribute == $0.ownerAttribute)
        }
    }

    /// Waits until nobody uses any of the sequences; which they are, ascending.
    func lockSequences(where isDropped: (SequenceEntry) -> Bool) throws(SQLError) -> [OID] {
        let oids = transaction.catalog.sequences.values.filter(isDropped).map(\.oid).sorted()
        for oid in oids { try transaction.lockRelation(oid, .accessExclusive) }
        // Its owner may have been another one until the lock was ours.
        return oids.filter { transaction.catalog.sequences[$0].map(isDropped) ?? false }
    }

    func dropSequences(where isDropped: (SequenceEntry) -> Bool) throws(SQLError) {
        for oid in try lockSequences(where: isDropped) {
            try transaction.record(.dropSequence(oid))
        }
    }

    // MARK: DROP SEQUENCE

    /// DROP SEQUENCE: the defaults that name one go with it, or keep it.
    func dropSequences(named drop: AST.Drop) throws(SQLError) {
        let sequences = try lockNamed(drop, .sequence, ("sequence", "a")) {
            transaction.catalog.sequences[$0] != nil
        }
        guard let first = sequences.first else { return }
        var own: TableDescriptor?
        var seen: Set<OID> = []
        try dropDependents(
            users(of: sequences, seen: &seen) { _, _ in false }.map(\.dependent),
            of: described(first), isCascade: drop.isCascade, isSeveral: sequences.count > 1,
            in: &own)
        for oid in sequences { try transaction.record(.dropSequence(oid)) }
    }

    /// A default and the sequence that it is lost with.
    struct SequenceDefault {
        var table: OID
        var column: Int16
        var sequence: OID
    }

    /// A sequence as PostgreSQL's dependency reports name it.
    private func described(_ sequence: OID) -> String {
        guard let entry = transaction.catalog.sequences[sequence] else { return "" }
        let schema = transaction.catalog.schemas[entry.schemaOID]?.name ?? ""
        let name = Identifier.quoted(entry.name)
        let isFound = catalog.searchPath.contains(schema)
        return "sequence " + (isFound ? name : Identifier.quoted(schema) + "." + name)
    }

    private func asDependent(_ user: SequenceDefault) -> Dependent {
        (.defaultValue(column: user.column, table: user.table), described(user.sequence))
    }

    /// What is lost with some of `sequences`: the defaults that name one, and the views that read one, each once.
    /// In PostgreSQL's order, those of the last one first, but a view that reads several with the first of them.
    /// - Parameters:
    ///   - seen: views that go anyway, or are known to.
    ///   - isDropped: of defaults, by table and column, that go anyway.
    func users(
        of sequences: [OID], seen: inout Set<OID>, except isDropped: (OID, Int16) -> Bool
    ) throws(SQLError) -> [(sequence: OID, dependent: Dependent)] {
        let defaults = try defaults(naming: sequences, except: isDropped)
        var found: [[(sequence: OID, dependent: Dependent)]] = []
        for sequence in sequences {
            let own = defaults.filter { $0.sequence == sequence }.map(asDependent)
            let readers = dependents(of: [(sequence, described(sequence), [])], seen: &seen)
            found.append((own + readers).map { (sequence, $0) })
        }
        return found.reversed().flatMap { $0 }
    }

    /// The defaults that name some of `sequences`, each once: with the first of them that it names. In
    /// PostgreSQL's order, those of the last one first.
    /// - Parameter isDropped: of defaults, by table and column, that go anyway.
    private func defaults(
        naming sequences: [OID], except isDropped: (OID, Int16) -> Bool
    ) throws(SQLError) -> [SequenceDefault] {
        if sequences.isEmpty { return [] }
        let names = sequences.compactMap { transaction.catalog.sequences[$0]?.name }
        let places = Dictionary(
            uniqueKeysWithValues: sequences.enumerated().map { ($0.element, $0.offset) })
        var found: [(place: Int, user: SequenceDefault)] = []
        for table in transaction.catalog.tables.values {
            for column in table.columns {
                guard let text = column.defaultExpression, Self.mayName(names, in: text),
                    !isDropped(table.oid, column.attribute)
                else { continue }
                guard let place = try relations(namedBy: text).compactMap({ places[$0] }).min()
                else { continue }
                let user = SequenceDefault(
                    table: table.oid, column: column.attribute, sequence: sequences[place])
                found.append((place, user))
            }
        }
        return found.sorted {
            (-$0.place, $0.user.table, $0.user.column) < (-$1.place, $1.user.table, $1.user.column)
        }.map(\.user)
    }

    /// False: the default names none of them. Spares reading the defaults of all tables.
    private static func mayName(_ names: [String], in text: String) -> Bool {
        guard text.utf8.contains(UInt8(ascii: "'")) else { return false }
        // With many names reading it is cheaper.
        if names.count > 8 { return true }
        let lower = text.lowercased()
        return names.contains { name in
            Identifier.quoted(name) != name || lower.contains(name)
        }
    }

    private func relations(namedBy text: String) throws(SQLError) -> Set<OID> {
        var found: Set<OID> = []
        _ = ExpressionDeparser.text(of: try SQLParser.parseExpression(text)) { relation in
            if let oid = relationNamed(relation) { found.insert(oid) }
            return nil
        }
        return found
    }

    /// Takes a default away; that of `own`, which is being altered, from it.
    func dropDefault(
        of attribute: Int16, in oid: OID, _ own: inout TableDescriptor?
    ) throws(SQLError) {
        func clear(_ table: inout TableDescriptor) {
            for place in table.columns.indices where table.columns[place].attribute == attribute {
                table.columns[place].defaultExpression = nil
            }
        }
        if var table = own, table.oid == oid {
            clear(&table)
            own = table
            return
        }
        try transaction.lockRelation(oid, .accessExclusive)
        guard var table = transaction.catalog.tables[oid] else { return }
        try checkNotInUse(table, "ALTER TABLE")
        clear(&table)
        table.version += 1
        try transaction.record(.putTable(table))
    }
}
