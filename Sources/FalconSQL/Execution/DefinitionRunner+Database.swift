import FalconSchema
import FalconStorage

/// CREATE and DROP DATABASE: a database is a prefix of all keys. A new one gets a copy of what is under
/// its template's prefix, and a dropped one's keys are deleted as one range.
extension DefinitionRunner {
    /// Keeps others from changing what has this name in a store of the cluster until the transaction ends.
    func lockSharedName(_ name: String, in store: StorageID) throws(SQLError) {
        let hash = Array(name.utf8).withRaw { Checksum.xxh3($0, seed: UInt64(store.rawValue)) }
        try transaction.lock(hash: LockTable.mix(hash, UInt64.max), .accessExclusive)
    }

    // MARK: CREATE DATABASE

    func createDatabase(_ create: AST.CreateDatabase) throws(SQLError) {
        try session.forbidBlock("CREATE DATABASE")
        let options = try DatabaseOptions(create.options) { session.tell($0, sink) }
        let cluster = session.database
        if let owner = options.owner { try checkMayOwn(owner) }
        guard let known = cluster.database(named: options.template) else {
            throw noTemplate(options.template)
        }
        try transaction.lockDatabase(known.oid, .share)
        guard let template = cluster.database(named: options.template), template === known else {
            throw noTemplate(options.template)
        }
        try options.checkEncoding()
        try lockSharedName(create.name, in: CatalogKeys.databases)
        if cluster.database(named: create.name) != nil {
            throw SQLError(
                SQLState("42P04"), "database \"\(create.name)\" already exists")
        }
        try waitUntilIdle(template, "source database")
        let oid = try store.allocateOID()
        // OIDs are never given twice: old keys of a dropped database are never found again.
        var entry = DatabaseEntry(
            oid: oid, id: DatabaseID(oid.rawValue), name: create.name)
        entry.isTemplate = options.isTemplate
        entry.allowsConnections = options.allowsConnections
        entry.connectionLimit = options.connectionLimit
        try put(entry.key, entry.encoded, .catalog)
        let catalog = try copy(template, to: entry.id)
        let state = DatabaseState(
            entry, catalog: catalog, budget: cluster.engine.options.memoryBudget)
        state.rowEstimates.copy(from: template.rowEstimates)
        transaction.note(.created(state))
    }

    private func noTemplate(_ name: String) -> SQLError {
        SQLError(.invalidCatalogName, "template database \"\(name)\" does not exist")
    }

    func put(
        _ key: [UInt8], _ value: [UInt8], _ class: OperationClass
    ) throws(SQLError) {
        try key.withRaw { key throws(SQLError) in
            try value.withRaw { value throws(SQLError) in try put(key, value, `class`) }
        }
    }

    private func put(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ class: OperationClass
    ) throws(SQLError) {
        let batch = transaction.batch
        try storage { () throws(StorageError) in
            try batch.put(key: key, value: value, class: `class`)
        }
        try transaction.chargeWrites()
    }

    /// Everything a database has: [its prefix, the next one's).
    private static func range(_ id: DatabaseID) -> KeyRange {
        let last = id.rawValue.addingReportingOverflow(1)
        return KeyRange(
            lower: CatalogKeys.prefix(id, StorageID(0)),
            upper: last.overflow
                ? nil : CatalogKeys.prefix(DatabaseID(last.partialValue), StorageID(0)))
    }

    /// Writes what `template` has under the prefix of `id`; the catalog that comes of it. Temporary
    /// relations that a session has just left behind stay where they are.
    private func copy(
        _ template: DatabaseState, to id: DatabaseID
    ) throws(SQLError) -> CatalogSnapshot {
        let engine = session.database.engine
        let snapshot = engine.makeSnapshot(owner: transaction.snapshotOwner)
        defer { snapshot.release() }
        // As of the snapshot, like the rows: sessions may come and change both meanwhile.
        let source = try session.database.store.load(template.id, at: snapshot.timestamp)
        let temporary = Set(
            source.schemas.values.filter { $0.name.hasPrefix(SessionCatalog.temporaryPrefix) }
                .map(\.oid))
        var bodies: [StorageID: OperationClass] = [:]
        for table in source.tables.values where !temporary.contains(table.schemaOID) {
            for index in table.indexes { bodies[index.storageID] = .index }
            bodies[table.storageID] = .row
        }
        var changes: [CatalogChange] = []
        let range = Self.range(template.id)
        let iterator = try storage { () throws(StorageError) in
            let iterator = try engine.makeIterator(range, at: snapshot.timestamp)
            try iterator.seekToFirst()
            return iterator
        }
        let prefix = Array(CatalogKeys.prefix(id, StorageID(0)).prefix(4))
        while iterator.isValid {
            try session.interrupt.check()
            let key = prefix + iterator.key.dropFirst(4)
            guard let (_, storageID) = KeyCodec.parsePrefix(iterator.key) else {
                throw SQLError(.dataCorrupted, "a key of database \"\(template.name)\" is damaged")
            }
            if let body = bodies[storageID] {
                try key.withRaw { key throws(SQLError) in try put(key, iterator.value, body) }
            } else if storageID.rawValue < CatalogKeys.firstUserStorage {
                if let change = try copyCatalog(
                    key, iterator.value, storageID, to: id, temporary)
                {
                    changes.append(change)
                }
            }
            try storage { () throws(StorageError) in try iterator.next() }
        }
        return CatalogSnapshot(version: 0).applying(changes, version: 1)
    }

    /// One catalog row; what it says, if sessions have to know.
    private func copyCatalog(
        _ key: [UInt8], _ value: UnsafeRawBufferPointer, _ storageID: StorageID,
        to id: DatabaseID, _ temporary: Set<OID>
    ) throws(SQLError) -> CatalogChange? {
        if storageID == CatalogKeys.comments {
            try key.withRaw { key throws(SQLError) in try put(key, value, .catalog) }
        }
        guard key.count == 12 else { return nil }
        let oid = OID(
            key.withUnsafeBytes {
                UInt32(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
            })
        func copied(_ change: CatalogChange?, _ schema: OID?) throws(SQLError) -> CatalogChange? {
            if let schema, temporary.contains(schema) { return nil }
            try key.withRaw { key throws(SQLError) in
                try put(key, value, change == nil ? .system : .catalog)
            }
            return change
        }
        switch storageID {
        case CatalogKeys.schemas:
            return try copied(.putSchema(try CatalogStore.decodeSchema(oid, value)), oid)
        case CatalogKeys.views:
            let view = try CatalogStore.decodeView(oid, value)
            return try copied(.putView(view), view.schemaOID)
        case CatalogKeys.sequences:
            let sequence = try CatalogStore.decodeSequence(oid, value)
            return try copied(.putSequence(sequence), sequence.schemaOID)
        case CatalogKeys.tables:
            var table = try TableDescriptor(decoding: value)
            if temporary.contains(table.schemaOID) { return nil }
            table.database = id
            try put(key, table.encoded(), .catalog)
            return .putTable(table)
        default: return try copied(nil, nil)
        }
    }

    // MARK: Other sessions

    /// As PostgreSQL, gives others five seconds to leave.
    private func waitUntilIdle(_ database: DatabaseState, _ what: String) throws(SQLError) {
        let cluster = session.database
        for _ in 0..<50 {
            if try isIdle(database, cluster) { return }
            try session.block(session.startTimer(100))
        }
        if try isIdle(database, cluster) { return }
        throw busy(database, what)
    }

    private func isIdle(
        _ database: DatabaseState, _ cluster: SQLDatabase
    ) throws(SQLError) -> Bool {
        // Prepared transactions do not go away by themselves.
        if cluster.prepared.count(of: database) > 0 { return false }
        return cluster.sessionCount(on: database, except: session.processID) == 0
    }

    private func busy(_ database: DatabaseState, _ what: String) -> SQLError {
        let cluster = session.database
        let others = cluster.sessionCount(on: database, except: session.processID)
        let prepared = cluster.prepared.count(of: database)
        let detail: String?
        switch (others, prepared) {
        // They have left since.
        case (0, 0): detail = nil
        case (0, 1): detail = "There is 1 prepared transaction using the database."
        case (0, _): detail = "There are \(prepared) prepared transactions using the database."
        case (1, 0): detail = "There is 1 other session using the database."
        case (_, 0): detail = "There are \(others) other sessions using the database."
        default:
            detail =
                "There are \(others) other session(s) and \(prepared) prepared transaction(s) "
                + "using the database."
        }
        return SQLError(
            .objectInUse, "\(what) \"\(database.name)\" is being accessed by other users",
            detail: detail)
    }

    // MARK: DROP DATABASE

    func dropDatabase(_ drop: AST.DropDatabase) throws(SQLError) {
        try session.forbidBlock("DROP DATABASE")
        let cluster = session.database
        guard let known = cluster.database(named: drop.name) else { return try missing(drop) }
        try transaction.lockDatabase(known.oid, .accessExclusive)
        guard let database = cluster.database(named: drop.name), database === known else {
            return try missing(drop)
        }
        if database === session.state {
            throw SQLError(.objectInUse, "cannot drop the currently open database")
        }
        if database.entry.isTemplate {
            throw SQLError(.wrongObjectType, "cannot drop a template database")
        }
        if drop.isForced {
            if cluster.prepared.count(of: database) > 0 {
                throw SQLError(
                    .objectInUse,
                    "database \"\(drop.name)\" is being used by prepared transactions")
            }
            cluster.terminateSessions(on: database)
        }
        try waitUntilIdle(database, "database")
        guard cluster.close(database) else { throw busy(database, "database") }
        // From here on whatever fails lets others in again.
        transaction.note(.dropped(database))
        // Whoever was there until now may have left one.
        if cluster.prepared.count(of: database) > 0 { throw busy(database, "database") }
        try dropSlots(of: database)
        try transaction.dropComments(on: database.oid, isShared: true)
        let batch = transaction.batch
        let range = Self.range(database.id)
        try storage { () throws(StorageError) in
            try database.entry.key.withRaw { key throws(StorageError) in
                try batch.delete(key: key, class: .catalog)
            }
            guard let lower = range.lower, let upper = range.upper else { return }
            try lower.withRaw { lower throws(StorageError) in
                try upper.withRaw { upper throws(StorageError) in
                    try batch.deleteRange(lower: lower, upper: upper, class: .row)
                }
            }
        }
    }

    /// Its replication slots go first, each for good, as in PostgreSQL: also when the rest then fails.
    private func dropSlots(of database: DatabaseState) throws(SQLError) {
        let slots = session.database.slots
        do throws(StorageError) {
            for slot in try slots.list() where slot.database == database.id {
                try slots.drop(slot.name)
                session.database.slotStatistics.forget(slot.name)
            }
        } catch {
            guard error.code == .inUse else { throw SQLError(storage: error) }
            throw SQLError(
                .objectInUse,
                "database \"\(database.name)\" is used by an active logical replication slot")
        }
    }

    private func missing(_ drop: AST.DropDatabase) throws(SQLError) {
        guard drop.ifExists else {
            throw SQLError(
                .invalidCatalogName, "database \"\(drop.name)\" does not exist")
        }
        notice("database \"\(drop.name)\" does not exist, skipping")
    }
}
