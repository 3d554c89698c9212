import FalconSchema
import FalconStorage

/// Tables and their sequences: defaults that name one, and those that a column owns.
extension DefinitionRunner {
    // MARK: Defaults that name a sequence

    /// Locks the tables whose defaults name the sequence, so that nobody else changes them, nor waits for
    /// the sequence with rows written: readers are let through. Their OIDs.
    @discardableResult
    func lockUsers(of sequence: OID) throws(SQLError) -> Set<OID> {
        var locked: Set<OID> = []
        while true {
            // Before its lock is ours a table's defaults may change.
            var others: [OID] = []
            for table in transaction.catalog.tables.values where !locked.contains(table.oid) {
                if try renamed(sequence, to: "", in: table) != nil { others.append(table.oid) }
            }
            if others.isEmpty { return locked }
            for oid in others.sorted() {
                try transaction.lockRelation(oid, .shareRowExclusive)
                locked.insert(oid)
            }
        }
    }

    /// Defaults name the sequence as text: those that mean `sequence` get its new name.
    func renameInDefaults(_ sequence: OID, to path: [String]) throws(SQLError) {
        let name = path.map { Identifier.quoted($0) }.joined(separator: ".")
        for oid in try lockUsers(of: sequence).sorted() {
            guard let table = transaction.catalog.tables[oid],
                var altered = try renamed(sequence, to: name, in: table)
            else { continue }
            altered.version += 1
            try transaction.record(.putTable(altered))
        }
    }

    /// The table with `name` in its defaults for the sequence; nil when none of them names it.
    private func renamed(
        _ sequence: OID, to name: String, in table: TableDescriptor
    ) throws(SQLError) -> TableDescriptor? {
        var altered: TableDescriptor?
        for place in table.columns.indices {
            guard let text = table.columns[place].defaultExpression, text.contains("'")
            else { continue }
            var isNamed = false
            let new = ExpressionDeparser.text(of: try SQLParser.parseExpression(text)) { relation in
                guard relationNamed(relation) == sequence else { return nil }
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
        let path = parts.dropLast().last.map { [$0] } ?? catalog.searchPath
        let snapshot = transaction.catalog
        for schema in path {
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

    /// Waits until nobody uses any of the sequences.
    func lockSequences(where isDropped: (SequenceEntry) -> Bool) throws(SQLError) -> [OID] {
        let oids = transaction.catalog.sequences.values.filter(isDropped).map(\.oid).sorted()
        for oid in oids { try transaction.lockRelation(oid, .accessExclusive) }
        return oids
    }

    func dropSequences(where isDropped: (SequenceEntry) -> Bool) throws(SQLError) {
        for oid in try lockSequences(where: isDropped) {
            // Its owner may have been another one until the lock was ours.
            guard let entry = transaction.catalog.sequences[oid], isDropped(entry) else { continue }
            try transaction.record(.dropSequence(oid))
        }
    }
}
