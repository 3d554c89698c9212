import FalconSchema
import FalconStorage

/// Foreign keys that are in the way of a DROP or TRUNCATE, or go with it.
extension DefinitionRunner {
    /// A relation as PostgreSQL's dependency reports name it.
    func described(_ table: TableDescriptor) -> String {
        shown(table.oid, table.schema, table.name)
    }

    /// With its schema when the name alone means another relation, or none.
    func shown(_ oid: OID, _ schema: String, _ name: String) -> String {
        let quoted = Identifier.quoted(name)
        return catalog.relation(named: name)?.oid == oid
            ? quoted : Identifier.quoted(schema) + "." + quoted
    }

    func described(_ reference: ForeignKeyReference) -> String {
        guard let (table, key) = transaction.catalog.foreignKey(reference) else { return "" }
        return "constraint \(Identifier.quoted(key.name)) on table \(described(table))"
    }

    func described(_ dependent: DependentObject) -> String {
        switch dependent {
        case .foreignKey(let reference): return described(reference)
        case .view(let oid): return describedView(oid)
        case .defaultValue(let attribute, let oid):
            guard let table = transaction.catalog.tables[oid] else { return "" }
            return "default value for \(described(attribute, of: table))"
        }
    }

    /// A column as PostgreSQL's dependency reports name it: its own name is never quoted.
    func described(_ attribute: Int16, of table: TableDescriptor) -> String {
        "column \(table.column(attribute).name) of table \(described(table))"
    }

    /// Drops what depends on what is dropped, with a notice, or refuses (2BP01).
    /// - Parameter dependents: each with what it depends on.
    func dropDependents(
        _ dependents: [(object: DependentObject, on: String)], of what: String,
        isCascade: Bool, isSeveral: Bool = false, in own: inout TableDescriptor?
    ) throws(SQLError) {
        if dependents.isEmpty { return }
        guard isCascade else {
            throw SQLError(
                .dependentObjectsStillExist,
                isSeveral
                    ? "cannot drop desired object(s) because other objects depend on them"
                    : "cannot drop \(what) because other objects depend on it",
                detail: dependents.map { "\(described($0.object)) depends on \($0.on)" }
                    .joined(separator: "\n"),
                hint: "Use DROP ... CASCADE to drop the dependent objects too.")
        }
        noticeCascade(dependents.map { described($0.object) })
        try drop(dependents.map(\.object), in: &own)
    }

    /// Drops what depends on something; what belongs to `own`, which is being altered, from it.
    func drop(
        _ dependents: [DependentObject], in own: inout TableDescriptor?
    ) throws(SQLError) {
        for dependent in dependents {
            switch dependent {
            case .foreignKey(let reference): try drop(reference, in: &own)
            case .defaultValue(let column, let table): try dropDefault(of: column, in: table, &own)
            case .view(let oid):
                try transaction.lockRelation(oid, .accessExclusive)
                if transaction.catalog.views[oid] != nil { try transaction.record(.dropView(oid)) }
            }
        }
    }

    private func drop(
        _ reference: ForeignKeyReference, in own: inout TableDescriptor?
    ) throws(SQLError) {
        if own?.oid == reference.table {
            own?.foreignKeys.removeAll { $0.oid == reference.constraint }
            return
        }
        try transaction.lockRelation(reference.table, .accessExclusive)
        guard var table = transaction.catalog.tables[reference.table] else { return }
        try checkNotInUse(table, "ALTER TABLE")
        let keys = table.foreignKeys.filter { $0.oid == reference.constraint }
        table.foreignKeys.removeAll { $0.oid == reference.constraint }
        table.version += 1
        try transaction.record(.putTable(table))
        try renewReferenced(by: keys, except: own?.oid ?? .invalid)
    }

    /// What a dropped column takes along: its own foreign keys, and with CASCADE those on it, and views.
    func dropKeys(
        of attribute: Int16, _ isCascade: Bool, _ table: inout TableDescriptor
    ) throws(SQLError) {
        let what = described(attribute, of: table)
        let oid = table.oid
        let sequences = try lockSequences {
            $0.ownerTable == oid && $0.ownerAttribute == attribute
        }
        // Of INCLUDE, too: the index that such a key relies on goes with the column.
        let lost = Set(table.indexes.filter { $0.mentions(attribute) }.map(\.oid))
        let keys = (transaction.catalog.references[table.oid] ?? []).filter { reference in
            guard let key = transaction.catalog.foreignKey(reference)?.key else { return false }
            return key.referencedColumns.contains(attribute) || lost.contains(key.referencedIndex)
        }
        var seen: Set<OID> = []
        let readers = dependents(of: [(oid, what, keys)], attribute, seen: &seen).map {
            dependent in
            guard case .foreignKey(let reference) = dependent.object,
                let key = transaction.catalog.foreignKey(reference)?.key,
                !key.referencedColumns.contains(attribute),
                let index = table.indexes.first(where: { $0.oid == key.referencedIndex })
            else { return dependent }
            return (dependent.object, "index \(Identifier.quoted(index.name))")
        }
        let dependents =
            try users(of: sequences.reversed(), seen: &seen) {
                $0 == oid && $1 == attribute
            }.map(\.dependent) + readers
        try dropDependents(dependents, of: what, isCascade: isCascade, from: &table)
        let own = table.foreignKeys.filter { $0.columns.contains(attribute) }
        table.foreignKeys.removeAll { $0.columns.contains(attribute) }
        try renewReferenced(by: own, except: table.oid)
    }

    func dropDependents(
        _ dependents: [(object: DependentObject, on: String)], of what: String,
        isCascade: Bool, from table: inout TableDescriptor
    ) throws(SQLError) {
        var own: TableDescriptor? = table
        try dropDependents(dependents, of: what, isCascade: isCascade, in: &own)
        if let own { table = own }
    }

    /// Checks of its rows are still to come, which are written in the form it has now.
    func checkNotInUse(_ table: TableDescriptor, _ what: String) throws(SQLError) {
        guard transaction.foreignKeys.hasDeferred else { return }
        let isAwaited = transaction.foreignKeys.deferred.contains { event in
            if event.isDone { return false }
            if event.isCheckOfRow { return event.reference.table == table.oid }
            return transaction.catalog.foreignKey(event.reference)?.key.referencedTable == table.oid
        }
        if isAwaited {
            throw SQLError(
                .objectInUse,
                "cannot \(what) \"\(table.name)\" because it has pending trigger events")
        }
    }

    /// The tables that TRUNCATE empties: those named, and with CASCADE those that reference them.
    func truncated(_ truncate: AST.Truncate) throws(SQLError) -> [TableDescriptor] {
        var tables: [TableDescriptor] = []
        for name in truncate.tables {
            if let kind = try catalog.relation(schema: name.schema, name: name.name)?.kind,
                kind != .table
            {
                throw SQLError(.wrongObjectType, "\"\(name.name)\" is not a table")
            }
            let table = try lockedTable(name, .accessExclusive)
            // For its indexes, which are made anew; pg_locks shows it.
            try transaction.lockRelation(table.oid, .share)
            if !tables.contains(where: { $0.oid == table.oid }) { tables.append(table) }
        }
        var next = 0
        while next < tables.count {
            let parent = tables[next]
            next += 1
            for reference in transaction.catalog.references[parent.oid] ?? []
            where !tables.contains(where: { $0.oid == reference.table }) {
                guard truncate.isCascade else {
                    let child = transaction.catalog.tables[reference.table]?.name ?? ""
                    throw SQLError(
                        .featureNotSupported,
                        "cannot truncate a table referenced in a foreign key constraint",
                        detail: "Table \"\(child)\" references \"\(parent.name)\".",
                        hint: "Truncate table \"\(child)\" at the same time, or use TRUNCATE ... "
                            + "CASCADE.")
                }
                try transaction.lockRelation(reference.table, .accessExclusive)
                guard let child = transaction.catalog.tables[reference.table] else { continue }
                notice("truncate cascades to table \"\(child.name)\"")
                tables.append(child)
            }
        }
        for table in tables {
            try session.checkUnused(table, "TRUNCATE")
            try checkNotInUse(table, "TRUNCATE")
        }
        return tables
    }

    /// DROP TABLE: all of its tables together, so that they may reference each other.
    func dropTables(_ drop: AST.Drop) throws(SQLError) {
        var tables: [TableDescriptor] = []
        _ = try lockNamed(drop, .table, ("table", "a")) { oid throws(SQLError) in
            guard let table = transaction.catalog.tables[oid] else { return false }
            try session.checkUnused(table, "DROP TABLE")
            try checkNotInUse(table, "DROP TABLE")
            if !tables.contains(where: { $0.oid == oid }) { tables.append(table) }
            return true
        }
        var own: TableDescriptor?
        let oids = Set(tables.map(\.oid))
        let sequences = try lockSequences { oids.contains($0.ownerTable) }
        var seen: Set<OID> = []
        let outside = outsideDependents(of: tables, seen: &seen)
        let users = try users(of: sequences.reversed(), seen: &seen) { table, _ in
            oids.contains(table)
        }
        try dropDependents(
            users.map(\.dependent) + outside,
            of: "table \(tables.first.map(described) ?? "")",
            isCascade: drop.isCascade, isSeveral: tables.count > 1, in: &own)
        try removeTables(tables)
    }

    /// Foreign keys of other tables that reference some of `tables`, and views that read some.
    private func outsideDependents(
        of tables: [TableDescriptor], seen: inout Set<OID>
    ) -> [Dependent] {
        dependents(
            of: tables.map { table in
                (table.oid, "table \(described(table))", outsideKeys(on: table, besides: tables))
            }, seen: &seen)
    }

    /// Foreign keys of other tables that reference some of `tables`.
    func outsideReferences(
        to tables: [TableDescriptor]
    ) -> [(reference: ForeignKeyReference, on: String)] {
        tables.flatMap { table in
            outsideKeys(on: table, besides: tables).map { ($0, "table \(described(table))") }
        }
    }

    private func outsideKeys(
        on table: TableDescriptor, besides tables: [TableDescriptor]
    ) -> [ForeignKeyReference] {
        (transaction.catalog.references[table.oid] ?? []).filter { key in
            !tables.contains { $0.oid == key.table }
        }
    }

    /// Drops tables that nothing outside references.
    func removeTables(_ tables: [TableDescriptor]) throws(SQLError) {
        for table in tables {
            let keys = transaction.catalog.tables[table.oid]?.foreignKeys ?? []
            try deleteBodies(of: table)
            try transaction.record(.dropTable(table.oid))
            try renewReferenced(by: keys, except: table.oid)
            try dropSequences(ownedBy: table.oid)
        }
    }
}
