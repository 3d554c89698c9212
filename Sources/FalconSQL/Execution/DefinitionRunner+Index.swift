import FalconSchema
import FalconStorage

extension DefinitionRunner {
    // MARK: Reading a whole table

    /// Calls `body` with every row of `table` as this transaction sees the newest commits.
    func forEachRow(
        _ table: TableDescriptor,
        _ body: (UnsafeRawBufferPointer, [Datum]) throws(SQLError) -> Void
    ) throws(SQLError) {
        let snapshot = transaction.engine.makeSnapshot(owner: transaction.snapshotOwner)
        defer { snapshot.release() }
        let codec = RowCodec(table)
        let iterator = try transaction.iterate(
            KeyRange(prefix: CatalogKeys.prefix(table.database, table.storageID)),
            at: snapshot.timestamp)
        while iterator.isValid {
            try session.interrupt.check()
            var row = try codec.decodeAll(iterator.value)
            while row.count < table.columns.count { row.append(.null) }
            try body(iterator.key, row)
            try storage { () throws(StorageError) in try iterator.next() }
        }
    }

    func isEmpty(_ table: TableDescriptor) throws(SQLError) -> Bool {
        var isEmpty = true
        do throws(SQLError) {
            try forEachRow(table) { _, _ throws(SQLError) in
                isEmpty = false
                throw SQLError(.internalError, "stop")
            }
        } catch {
            if !isEmpty { return false }
            throw error
        }
        return true
    }

    // MARK: CREATE INDEX

    func createIndex(_ create: AST.CreateIndex) throws(SQLError) {
        if create.isConcurrent { try session.forbidBlock("CREATE INDEX CONCURRENTLY") }
        guard ["btree", "hash", ""].contains(create.accessMethod) else {
            throw SQLError(
                .featureNotSupported,
                "access method \"\(create.accessMethod)\" is not supported yet")
        }
        if create.nullsNotDistinct {
            throw SQLError(.featureNotSupported, "NULLS NOT DISTINCT is not supported yet")
        }
        let table = try lockedTable(create.table, .share)
        var keys: [KeyColumn] = []
        var names: [String] = []
        for element in create.elements {
            guard let name = element.column else {
                throw SQLError(.featureNotSupported, "expression indexes are not supported yet")
            }
            guard
                let index = table.columns.firstIndex(where: { $0.name == name && !$0.isDropped })
            else {
                throw SQLError(.undefinedColumn, "column \"\(name)\" does not exist")
            }
            try checkKeyable(table.columns[index])
            names.append(name)
            keys.append(
                KeyColumn(
                    attribute: table.columns[index].attribute, isDescending: element.isDescending,
                    nullsFirst: element.nullsFirst ?? element.isDescending))
        }
        let included = try included(create, of: table)
        names += included.map { table.column($0).name }
        let name: String
        if let given = create.name {
            name = given
            try lockName(table.schemaOID, name)
            if transaction.catalog.relation(schema: table.schemaOID, name: name) != nil {
                if create.ifNotExists {
                    notice("relation \"\(name)\" already exists, skipping", .duplicateTable)
                    return
                }
                throw Self.exists(name)
            }
        } else {
            name = freeName(table.schemaOID, [table.name] + Self.distinct(names), "idx")
            try lockName(table.schemaOID, name)
        }
        let predicate = try create.filter.map { filter throws(SQLError) in
            try keptPredicate(filter, table)
        }
        var index = IndexDescriptor(
            oid: try store.allocateOID(), name: name, storageID: try store.allocateStorageID(),
            isUnique: create.isUnique, isPrimary: false, isConstraint: false, columns: keys,
            predicate: predicate)
        index.included = included
        transaction.noteCreated(index.storageID)
        let ordinal = transaction.batch.nextOrdinal
        var filled = table
        filled.indexes.append(index)
        filled.version += 1
        do throws(SQLError) {
            try fillIndex(index, of: filled)
        } catch {
            guard create.isConcurrent, error.state == .uniqueViolation else { throw error }
            // As in PostgreSQL the index stays, of no use until somebody drops or makes it anew.
            transaction.rollbackStatement(
                to: ordinal, changeCount: transaction.changes.count)
            index.isValid = false
            filled = table
            filled.indexes.append(index)
            filled.version += 1
            session.failureAfterCommit = error
        }
        try transaction.record(.putTable(filled))
    }

    /// The predicate as it is stored. Whoever writes rows reads it without a catalog and a session: what
    /// cannot be read so would keep everybody from writing.
    private func keptPredicate(
        _ filter: AST.Expression, _ table: TableDescriptor
    ) throws(SQLError) -> IndexPredicate {
        let predicate = try planner.storedPredicate(filter, table: table)
        do throws(SQLError) {
            _ = try IndexPredicateTest(predicate, of: table)
        } catch {
            throw SQLError(
                .featureNotSupported,
                "this index predicate is not supported yet", detail: error.message,
                hint: "Names of relations, types, functions and roles cannot be in it.")
        }
        return predicate
    }

    /// Writes the entries of a new index for the rows the table has.
    func fillIndex(_ descriptor: IndexDescriptor, of table: TableDescriptor) throws(SQLError) {
        let writer = RowWriter(table: table, transaction: transaction)
        let index = RowWriter.Index(descriptor, table, isLocked: false)
        try forEachRow(table) { key, row throws(SQLError) in
            do throws(SQLError) {
                try writer.addIndexEntry(
                    index, row, rowSuffix: UnsafeRawBufferPointer(rebasing: key[8...]))
            } catch {
                guard error.state == .uniqueViolation else { throw error }
                var error = error
                error.message = "could not create unique index \"\(descriptor.name)\""
                error.detail = error.detail.map { detail in
                    let end = " already exists."
                    return detail.hasSuffix(end)
                        ? String(detail.dropLast(end.count)) + " is duplicated." : detail
                }
                throw error
            }
        }
    }

    // MARK: Rewrites

    /// Moves every row of `old` into new storage under `new` (same columns, other keys or other
    /// column list), with fresh storage for every index, and deletes the old storage.
    func rewrite(
        _ old: TableDescriptor, as new: inout TableDescriptor,
        transform: ((inout [Datum]) throws(SQLError) -> Void)? = nil
    ) throws(SQLError) {
        new.storageID = try store.allocateStorageID()
        transaction.noteCreated(new.storageID)
        for index in new.indexes.indices {
            if new.indexes[index].isPrimary {
                new.indexes[index].storageID = new.storageID
            } else {
                new.indexes[index].storageID = try store.allocateStorageID()
                new.indexes[index].isValid = true
                transaction.noteCreated(new.indexes[index].storageID)
            }
        }
        let writer = RowWriter(table: new, transaction: transaction)
        let width = new.columns.count
        let newTable = new
        try forEachRow(old) { _, row throws(SQLError) in
            var row = row
            while row.count < width { row.append(.null) }
            try transform?(&row)
            for index in newTable.columns.indices
            where newTable.columns[index].isNotNull && row[index].isNull
                && !newTable.columns[index].isDropped
            {
                throw self.containsNulls(newTable, newTable.columns[index])
            }
            do throws(SQLError) {
                _ = try writer.insert(row, sql: .none)
            } catch {
                guard error.state == .uniqueViolation, let name = error.constraint else {
                    throw error
                }
                var error = error
                error.message = "could not create unique index \"\(name)\""
                error.detail = error.detail.map { detail in
                    let end = " already exists."
                    return detail.hasSuffix(end)
                        ? String(detail.dropLast(end.count)) + " is duplicated." : detail
                }
                throw error
            }
        }
        try deleteBodies(of: old)
    }

    func containsNulls(_ table: TableDescriptor, _ column: ColumnDescriptor) -> SQLError {
        var error = SQLError(
            .notNullViolation,
            "column \"\(column.name)\" of relation \"\(table.name)\" contains null values")
        error.schema = table.schema
        error.table = table.name
        error.column = column.name
        return error
    }

    /// Deletes what a table and its indexes have stored.
    func deleteBodies(
        of table: TableDescriptor, sql: SQLOperation = .none
    ) throws(SQLError) {
        try transaction.deleteStorage(table.storageID, sql: sql)
        for index in table.indexes where !index.isPrimary {
            try transaction.deleteStorage(index.storageID, sql: .none)
        }
    }

    // MARK: TRUNCATE

    func truncate(_ truncate: AST.Truncate) throws(SQLError) {
        for old in try truncated(truncate) {
            var new = old
            new.version += 1
            new.storageID = try store.allocateStorageID()
            transaction.noteCreated(new.storageID)
            for index in new.indexes.indices {
                if new.indexes[index].isPrimary {
                    new.indexes[index].storageID = new.storageID
                } else {
                    new.indexes[index].storageID = try store.allocateStorageID()
                    transaction.noteCreated(new.indexes[index].storageID)
                }
            }
            try deleteBodies(of: old, sql: .truncate)
            try transaction.record(.putTable(new))
            if truncate.restartIdentity { try restartSequences(of: new) }
        }
    }

    // MARK: DROP

    func drop(_ drop: AST.Drop) throws(SQLError) {
        if drop.kind == .table { return try dropTables(drop) }
        if drop.kind == .sequence { return try dropSequences(named: drop) }
        if drop.kind == .view { return try dropViews(drop) }
        if drop.isConcurrent { try checkMayBeConcurrent(drop) }
        for name in drop.names {
            switch drop.kind {
            case .index: try dropIndex(name, drop)
            case .schema: try dropSchema(name.last, drop)
            default:
                if drop.ifExists {
                    notice(
                        "\(drop.tag.dropFirst(5).lowercased()) \"\(name.last)\" does not exist, "
                            + "skipping")
                    continue
                }
                throw SQLError(
                    .featureNotSupported, "\(drop.tag) is not supported yet")
            }
        }
    }

    /// DROP INDEX CONCURRENTLY: it does what DROP INDEX does, and is refused where PostgreSQL refuses it.
    private func checkMayBeConcurrent(_ drop: AST.Drop) throws(SQLError) {
        try session.forbidBlock("DROP INDEX CONCURRENTLY")
        if drop.names.count > 1 {
            throw SQLError(
                .featureNotSupported,
                "DROP INDEX CONCURRENTLY does not support dropping multiple objects")
        }
        if drop.isCascade {
            throw SQLError(
                .featureNotSupported, "DROP INDEX CONCURRENTLY does not support CASCADE")
        }
    }

    func missing(
        _ what: String, _ name: AST.Name, _ drop: AST.Drop
    ) throws(SQLError) {
        if drop.ifExists {
            if let schema = name.schema, transaction.catalog.schemaNames[schema] == nil {
                notice("schema \"\(schema)\" does not exist, skipping")
            } else {
                notice("\(what) \"\(name.last)\" does not exist, skipping")
            }
            return
        }
        throw SQLError(
            what == "index" ? .undefinedObject : .undefinedTable,
            "\(what) \"\(name.last)\" does not exist")
    }

    /// The relations that a DROP names, locked, each once.
    /// - Parameters:
    ///   - what: the kind as messages name it, and with its article.
    ///   - isThere: with the lock; false when it went before the lock was ours.
    func lockNamed(
        _ drop: AST.Drop, _ kind: RelationKind, _ what: (name: String, article: String),
        _ isThere: (OID) throws(SQLError) -> Bool
    ) throws(SQLError) -> [OID] {
        var oids: [OID] = []
        for name in drop.names {
            guard let found = try catalog.relation(schema: name.schema, name: name.last) else {
                try missing(what.name, name, drop)
                continue
            }
            guard found.kind == kind else {
                throw wrongKind(name, "\(what.article) \(what.name)", found.kind)
            }
            try transaction.lockRelation(found.oid, .accessExclusive)
            guard try isThere(found.oid) else {
                try missing(what.name, name, drop)
                continue
            }
            if !oids.contains(found.oid) { oids.append(found.oid) }
        }
        return oids
    }

    func wrongKind(
        _ name: AST.Name, _ wanted: String, _ kind: RelationKind
    ) -> SQLError {
        let (command, what) =
            switch kind {
            case .table: ("TABLE", "a table")
            case .index: ("INDEX", "an index")
            case .view: ("VIEW", "a view")
            case .sequence: ("SEQUENCE", "a sequence")
            }
        return SQLError(
            .wrongObjectType, "\"\(name.last)\" is not \(wanted)",
            hint: "Use DROP \(command) to remove \(what).")
    }

    private func dropIndex(_ name: AST.Name, _ drop: AST.Drop) throws(SQLError) {
        guard let found = try catalog.relation(schema: name.schema, name: name.last) else {
            return try missing("index", name, drop)
        }
        guard found.kind == .index, let owner = transaction.catalog.indexOwners[found.oid] else {
            throw wrongKind(name, "an index", found.kind)
        }
        try transaction.lockRelation(owner, .accessExclusive)
        guard var table = transaction.catalog.tables[owner],
            let place = table.indexes.firstIndex(where: { $0.oid == found.oid })
        else { return try missing("index", name, drop) }
        let index = table.indexes[place]
        if index.isConstraint {
            throw SQLError(
                SQLState("2BP01"),
                "cannot drop index \(index.name) because constraint \(index.name) on table "
                    + "\(table.name) requires it",
                hint: "You can drop constraint \(index.name) on table \(table.name) instead.")
        }
        let dependents = (transaction.catalog.references[owner] ?? []).filter {
            transaction.catalog.foreignKey($0)?.key.referencedIndex == index.oid
        }
        let what = "index \(Identifier.quoted(index.name))"
        var altered: TableDescriptor? = table
        try dropDependents(
            dependents.map { (.foreignKey($0), what) }, of: what, isCascade: drop.isCascade,
            in: &altered)
        if let altered { table = altered }
        table.indexes.remove(at: place)
        table.version += 1
        try transaction.deleteStorage(index.storageID)
        try transaction.record(.putTable(table))
    }

    /// What DROP … CASCADE takes along.
    func noticeCascade(_ texts: [String]) {
        guard let first = texts.first else { return }
        if texts.count == 1 { return notice("drop cascades to \(first)") }
        session.tell(
            SQLError(
                SQLState("00000"), "drop cascades to \(texts.count) other objects",
                detail: texts.map { "drop cascades to \($0)" }.joined(separator: "\n"),
                severity: .notice), sink)
    }
}
