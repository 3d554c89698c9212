import FalconSchema
import FalconStorage
import Synchronization

/// The catalog's rows on disk: reading them at open, bootstrap at first open, and the counters of
/// OIDs and storage ids.
final class CatalogStore: Sendable {
    private struct Counters {
        var nextOID: UInt32
        var nextStorage: UInt32
        /// What the stored counters promise: numbers below are reserved for this process.
        var oidLimit: UInt32
        var storageLimit: UInt32
    }
    private static let reservation: UInt32 = 4096

    let engine: StorageEngine
    private let counters: Mutex<Counters>

    /// Reads the counters, or begins them.
    init(engine: StorageEngine) throws(SQLError) {
        self.engine = engine
        let key = CatalogKeys.key(CatalogKeys.shared, CatalogKeys.counters, .invalid)
        var oid = CatalogKeys.firstUserOID
        var storage = CatalogKeys.firstUserStorage
        do throws(StorageError) {
            let bytes = try key.withRaw { key throws(StorageError) in
                try engine.get(key, at: engine.publishedTimestamp)
            }
            if let bytes {
                let stored = bytes.withUnsafeBytes { raw -> (UInt32, UInt32)? in
                    var reader = ByteReader(raw)
                    guard let oid = reader.readFixed(UInt32.self),
                        let storage = reader.readFixed(UInt32.self)
                    else { return nil }
                    return (oid, storage)
                }
                guard let stored else {
                    throw StorageError(
                        .corruption, kind: .bug, "The catalog's counters are damaged.")
                }
                oid = stored.0
                storage = stored.1
            }
        } catch { throw SQLError(storage: error) }
        counters = Mutex(
            Counters(nextOID: oid, nextStorage: storage, oidLimit: oid, storageLimit: storage))
        // Who only reads gives out none.
        if engine.options.isReadOnly { return }
        try counters.withLock { counters throws(SQLError) in try self.reserve(&counters) }
    }

    func allocateOID() throws(SQLError) -> OID {
        try counters.withLock { counters throws(SQLError) in
            if counters.nextOID >= counters.oidLimit { try self.reserve(&counters) }
            counters.nextOID += 1
            return OID(counters.nextOID - 1)
        }
    }

    func allocateStorageID() throws(SQLError) -> StorageID {
        try counters.withLock { counters throws(SQLError) in
            if counters.nextStorage >= counters.storageLimit { try self.reserve(&counters) }
            counters.nextStorage += 1
            return StorageID(counters.nextStorage - 1)
        }
    }

    /// Persists a higher promise before any number of it is given out.
    private func reserve(_ counters: inout Counters) throws(SQLError) {
        let (oid, o1) = counters.nextOID.addingReportingOverflow(Self.reservation)
        let (storage, o2) = counters.nextStorage.addingReportingOverflow(Self.reservation)
        if o1 || o2 { throw SQLError(.outOfMemory, "out of object identifiers") }
        var value = ByteWriter(capacity: 8)
        value.appendFixed(oid)
        value.appendFixed(storage)
        try commitSystem([
            (CatalogKeys.key(CatalogKeys.shared, CatalogKeys.counters, .invalid), value.bytes)
        ])
        counters.oidLimit = oid
        counters.storageLimit = storage
    }

    private func commitSystem(_ rows: [(key: [UInt8], value: [UInt8])]) throws(SQLError) {
        do throws(StorageError) {
            let batch = WriteBatch()
            for row in rows {
                try row.key.withRaw { key throws(StorageError) in
                    try row.value.withRaw { value throws(StorageError) in
                        try batch.put(key: key, value: value, class: .catalog)
                    }
                }
            }
            _ = try engine.commitAndWait(batch)
        } catch { throw SQLError(storage: error) }
    }

    // MARK: Reading

    private func scan(
        _ database: DatabaseID, _ storage: StorageID, at timestamp: Timestamp,
        _ body: (OID, UnsafeRawBufferPointer) throws(SQLError) -> Void
    ) throws(SQLError) {
        do throws(StorageError) {
            let iterator = try engine.makeIterator(
                KeyRange(prefix: CatalogKeys.prefix(database, storage)), at: timestamp)
            try iterator.seekToFirst()
            while iterator.isValid {
                guard iterator.key.count == 12 else {
                    throw StorageError(.corruption, kind: .bug, "A catalog key is damaged.")
                }
                let oid = UInt32(
                    bigEndian: iterator.key.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
                do throws(SQLError) {
                    try body(OID(oid), iterator.value)
                } catch {
                    throw StorageError(.corruption, kind: .bug, error.message)
                }
                try iterator.next()
            }
        } catch { throw SQLError(storage: error) }
    }

    /// Every database with its catalog; makes `names` at the first open, and the templates when they
    /// are missing.
    func loadDatabases(creating names: [String]) throws(SQLError) -> [DatabaseState] {
        var found: [DatabaseEntry] = []
        let now = engine.publishedTimestamp
        try scan(CatalogKeys.shared, CatalogKeys.databases, at: now) {
            oid, value throws(SQLError) in
            found.append(try DatabaseEntry(oid, decoding: value))
        }
        // Whoever has dropped one of them does not want it back.
        let templates = [DatabaseEntry.template1, DatabaseEntry.template0]
        let wanted = engine.options.isReadOnly ? [] : (found.isEmpty ? names : []) + templates
        var rows: [(key: [UInt8], value: [UInt8])] = []
        for name in wanted where !found.contains(where: { $0.name == name }) {
            let oid: OID
            if let known = DatabaseEntry.builtInOIDs[name] {
                oid = known
            } else {
                oid = try allocateOID()
            }
            // Those of CREATE DATABASE are above: see ``DefinitionRunner/createDatabase(_:)``.
            let used = Set(found.map(\.id.rawValue))
            let id = (1..<CatalogKeys.firstUserOID).first { !used.contains($0) }
            let entry = DatabaseEntry(oid: oid, id: DatabaseID(id ?? oid.rawValue), name: name)
            found.append(entry)
            rows.append((entry.key, entry.encoded))
            rows.append(
                Self.row(
                    entry.id, .init(oid: CatalogSnapshot.publicSchema, name: "public", ownerOID: 10)
                ))
        }
        if !rows.isEmpty { try commitSystem(rows) }
        var result: [DatabaseState] = []
        for entry in found {
            let state = DatabaseState(
                entry, catalog: try load(entry.id, at: engine.publishedTimestamp),
                budget: engine.options.memoryBudget)
            try loadStatistics(of: state)
            result.append(state)
        }
        return result
    }

    private func loadStatistics(of state: DatabaseState) throws(SQLError) {
        try scan(state.id, CatalogKeys.statistics, at: engine.publishedTimestamp) {
            oid, value throws(SQLError) in
            // A damaged one is as none: plans are guessed then.
            guard let statistics = TableStatistics(decoding: value) else { return }
            state.rowEstimates.set(statistics, of: StorageID(oid.rawValue))
        }
    }

    /// The roles of the cluster.
    func loadRoles() throws(SQLError) -> [RoleEntry] {
        var roles: [RoleEntry] = []
        try scan(CatalogKeys.shared, CatalogKeys.roles, at: engine.publishedTimestamp) {
            oid, value throws(SQLError) in roles.append(try RoleEntry(oid, decoding: value))
        }
        return roles
    }

    /// The catalog as its rows are at `timestamp`.
    func load(
        _ database: DatabaseID, at timestamp: Timestamp
    ) throws(SQLError) -> CatalogSnapshot {
        var changes: [CatalogChange] = []
        try scan(database, CatalogKeys.schemas, at: timestamp) { oid, value throws(SQLError) in
            changes.append(.putSchema(try Self.decodeSchema(oid, value)))
        }
        try scan(database, CatalogKeys.tables, at: timestamp) { _, value throws(SQLError) in
            changes.append(.putTable(try TableDescriptor(decoding: value)))
        }
        try scan(database, CatalogKeys.views, at: timestamp) { oid, value throws(SQLError) in
            changes.append(.putView(try Self.decodeView(oid, value)))
        }
        try scan(database, CatalogKeys.sequences, at: timestamp) { oid, value throws(SQLError) in
            changes.append(.putSequence(try Self.decodeSequence(oid, value)))
        }
        return CatalogSnapshot(version: 0).applying(changes, version: 1)
    }

    // MARK: Rows

    static func row(
        _ database: DatabaseID, _ schema: SchemaEntry
    ) -> (key: [UInt8], value: [UInt8]) {
        var value = ByteWriter()
        value.appendFixed(schema.ownerOID.rawValue)
        value.appendLengthPrefixed(schema.name)
        return (CatalogKeys.key(database, CatalogKeys.schemas, schema.oid), value.bytes)
    }

    static func row(_ database: DatabaseID, _ view: ViewEntry) -> (key: [UInt8], value: [UInt8]) {
        var value = ByteWriter()
        value.appendFixed(UInt32(10))
        value.appendFixed(view.schemaOID.rawValue)
        value.appendLengthPrefixed(view.name)
        value.appendLengthPrefixed(view.query)
        value.appendVarint(UInt64(view.columns.count))
        for column in view.columns { value.appendLengthPrefixed(column) }
        // Rows of views without it may end here.
        if view.checkOption != .none { value.append(view.checkOption.rawValue) }
        return (CatalogKeys.key(database, CatalogKeys.views, view.oid), value.bytes)
    }

    static func row(
        _ database: DatabaseID, _ sequence: SequenceEntry
    ) -> (key: [UInt8], value: [UInt8]) {
        var value = ByteWriter()
        value.appendFixed(sequence.schemaOID.rawValue)
        value.appendLengthPrefixed(sequence.name)
        for number in [
            sequence.start, sequence.increment, sequence.minimum, sequence.maximum,
        ] { value.appendFixed(number) }
        value.append(sequence.isCycled ? 1 : 0)
        value.appendFixed(sequence.ownerTable.rawValue)
        value.appendFixed(sequence.ownerAttribute)
        let isPlain =
            sequence.type == .int8 && sequence.cache == 1 && sequence.state == sequence.oid
            && sequence.first == SequencePosition(last: sequence.start, isCalled: false)
        if !isPlain {
            value.appendFixed(sequence.type.rawValue)
            value.appendFixed(sequence.cache)
            value.appendFixed(sequence.state.rawValue)
            value.appendFixed(sequence.first.last)
            value.append(sequence.first.isCalled ? 1 : 0)
        }
        return (CatalogKeys.key(database, CatalogKeys.sequences, sequence.oid), value.bytes)
    }

    static func decodeSchema(
        _ oid: OID, _ value: UnsafeRawBufferPointer
    ) throws(SQLError) -> SchemaEntry {
        var reader = ByteReader(value)
        guard let owner = reader.readFixed(UInt32.self), let name = reader.readString() else {
            throw SQLError(.dataCorrupted, "catalog row of a schema is damaged")
        }
        return SchemaEntry(oid: oid, name: name, ownerOID: OID(owner))
    }

    static func decodeSequence(
        _ oid: OID, _ value: UnsafeRawBufferPointer
    ) throws(SQLError) -> SequenceEntry {
        var reader = ByteReader(value)
        guard let schema = reader.readFixed(UInt32.self), let name = reader.readString(),
            let start = reader.readFixed(Int64.self), let increment = reader.readFixed(Int64.self),
            let minimum = reader.readFixed(Int64.self), let maximum = reader.readFixed(Int64.self),
            let cycled = reader.readByte(), let owner = reader.readFixed(UInt32.self),
            let attribute = reader.readFixed(Int16.self)
        else { throw SQLError(.dataCorrupted, "catalog row of a sequence is damaged") }
        var entry = SequenceEntry(
            oid: oid, schemaOID: OID(schema), name: name, start: start, increment: increment,
            minimum: minimum, maximum: maximum, isCycled: cycled != 0, ownerTable: OID(owner),
            ownerAttribute: attribute)
        if reader.remaining > 0 {
            guard let type = reader.readFixed(UInt32.self),
                let cache = reader.readFixed(Int64.self),
                let state = reader.readFixed(UInt32.self),
                let last = reader.readFixed(Int64.self), let isCalled = reader.readByte()
            else { throw SQLError(.dataCorrupted, "catalog row of a sequence is damaged") }
            entry.type = OID(type)
            entry.cache = cache
            entry.state = OID(state)
            entry.first = SequencePosition(last: last, isCalled: isCalled != 0)
        }
        return entry
    }

    static func decodeView(
        _ oid: OID, _ value: UnsafeRawBufferPointer
    ) throws(SQLError) -> ViewEntry {
        var reader = ByteReader(value)
        guard reader.readFixed(UInt32.self) != nil, let schema = reader.readFixed(UInt32.self),
            let name = reader.readString(), let query = reader.readString(),
            let count = reader.readVarint(), count <= UInt64(reader.remaining)
        else { throw SQLError(.dataCorrupted, "catalog row of a view is damaged") }
        var columns: [String] = []
        for _ in 0..<Int(count) {
            guard let column = reader.readString() else {
                throw SQLError(.dataCorrupted, "catalog row of a view is damaged")
            }
            columns.append(column)
        }
        var option = ViewDefinition.CheckOption.none
        if reader.remaining > 0 {
            guard let code = reader.readFixed(UInt8.self),
                let known = ViewDefinition.CheckOption(rawValue: code)
            else { throw SQLError(.dataCorrupted, "catalog row of a view is damaged") }
            option = known
        }
        return ViewEntry(
            oid: oid, schemaOID: OID(schema), name: name, columns: columns, query: query,
            checkOption: option)
    }
}
