import FalconSchema
import FalconStorage

/// A table as of some point of the log, ready to decode its rows.
package final class TableView {
    package let descriptor: TableDescriptor
    package let codec: RowCodec
    /// `schema.table`
    package let name: String

    init(_ descriptor: TableDescriptor) {
        self.descriptor = descriptor
        codec = RowCodec(descriptor)
        name = descriptor.schema + "." + descriptor.name
    }

    /// A row or key of the table that makes no sense.
    package func damaged(_ what: String, _ error: SQLError?) -> StorageError {
        StorageError(
            .corruption, kind: .bug, "A \(what) of \(name) cannot be decoded.",
            cause: error?.message)
    }

    /// Every change of a table's columns raises its version.
    func isSameShape(_ other: TableView) -> Bool {
        descriptor.version == other.descriptor.version && name == other.name
    }
}

/// The tables and databases as of the point of the log that has been read: built from the catalog
/// rows in the log, from CHECKPOINTs, or from the catalog of the directory itself.
package final class SchemaHistory {
    /// By the eight bytes that begin a row's key. Dropped tables stay: their last rows may follow.
    private var tables: [UInt64: TableView] = [:] { didSet { last = nil } }
    /// What was asked for last: rows of one table come together.
    @exclusivity(unchecked) private var last: (prefix: UInt64, table: TableView)?
    /// Indexes with their tables, in the same way.
    private var indexes: [UInt64: (index: IndexDescriptor, table: TableView)] = [:]
    private var databases: [DatabaseID: String] = [:]
    /// The newest version of each table that is there, by its catalog key.
    private var newest: [[UInt8]: TableView] = [:]

    package init() {}

    /// The table whose body `key` lies in.
    package func table(of key: UnsafeRawBufferPointer) -> TableView? {
        guard key.count >= KeyCodec.prefixLength else { return nil }
        let prefix = key.loadUnaligned(as: UInt64.self)
        if let last, last.prefix == prefix { return last.table }
        guard let table = tables[prefix] else { return nil }
        last = (prefix, table)
        return table
    }

    /// The index whose body `key` lies in.
    package func index(
        of key: UnsafeRawBufferPointer
    ) -> (index: IndexDescriptor, table: TableView)? {
        guard key.count >= KeyCodec.prefixLength else { return nil }
        return indexes[key.loadUnaligned(as: UInt64.self)]
    }

    /// The newest version of the table that a catalog key names.
    package func table(ofCatalogKey key: UnsafeRawBufferPointer) -> TableView? {
        key.count == 12 ? newest[Array(key)] : nil
    }

    /// Forgets which versions are the newest, before a catalog of an earlier time is taken in. The tables'
    /// bodies stay known.
    package func forgetNewest() { newest = [:] }

    /// The tables that are there, by database and storage.
    package var currentTables: [TableView] {
        newest.values.sorted {
            ($0.descriptor.database, $0.descriptor.storageID)
                < ($1.descriptor.database, $1.descriptor.storageID)
        }
    }

    /// Takes in that a catalog row was deleted. The table's bodies stay known.
    package func forget(catalogKey key: UnsafeRawBufferPointer) { newest[Array(key)] = nil }

    package func databaseName(_ id: DatabaseID) -> String { databases[id] ?? String(id.rawValue) }

    /// Takes in a catalog row.
    package func apply(
        key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
    ) throws(StorageError) {
        guard let (_, storage) = KeyCodec.parsePrefix(key) else { return }
        switch storage {
        case CatalogKeys.tables:
            do throws(SQLError) {
                let table = TableView(try TableDescriptor(decoding: value))
                let prefix = CatalogKeys.prefix(
                    table.descriptor.database, table.descriptor.storageID)
                prefix.withUnsafeBytes { tables[$0.loadUnaligned(as: UInt64.self)] = table }
                for index in table.descriptor.indexes {
                    let body = CatalogKeys.prefix(table.descriptor.database, index.storageID)
                    body.withUnsafeBytes {
                        indexes[$0.loadUnaligned(as: UInt64.self)] = (index, table)
                    }
                }
                newest[Array(key)] = table
            } catch {
                throw StorageError(
                    error.state == .featureNotSupported ? .unsupportedFormat : .corruption,
                    kind: .bug, "A table's catalog row cannot be decoded.", cause: error.message)
            }
        case CatalogKeys.databases:
            var reader = ByteReader(value)
            if let id = reader.readFixed(UInt32.self), let name = reader.readString() {
                databases[DatabaseID(id)] = name
            }
        default:
            break
        }
    }

    /// Takes in an operation on the catalog.
    package func take(_ operation: WALOperation) throws(StorageError) {
        switch operation.kind {
        case .put: try apply(key: operation.key, value: operation.value)
        case .delete: forget(catalogKey: operation.key)
        default: break
        }
    }

    package func apply(_ checkpoint: CheckpointRecord) throws(StorageError) {
        for entry in checkpoint.catalog { try apply(key: entry.key, value: entry.value) }
    }

    package func apply(key: [UInt8], value: [UInt8]) throws(StorageError) {
        try key.withRawBytes { key throws(StorageError) in
            try value.withRawBytes { value throws(StorageError) in
                try apply(key: key, value: value)
            }
        }
    }

    /// Takes in the newest catalog of a directory, for a log that does not reach back to its
    /// beginning.
    package func load(root: String, environment: StorageEnvironment) throws(StorageError) {
        let engine = try StorageEngine.look(at: root, environment: environment)
        defer { try? engine.close() }
        try load(engine, at: engine.publishedTimestamp)
    }

    /// Takes in the catalog as of `now`.
    package func load(_ engine: StorageEngine, at now: Timestamp) throws(StorageError) {
        try scan(engine, CatalogKeys.shared, CatalogKeys.databases, now)
        for database in databases.keys.sorted() {
            try scan(engine, database, CatalogKeys.tables, now)
        }
    }

    private func scan(
        _ engine: StorageEngine, _ database: DatabaseID, _ storage: StorageID, _ time: Timestamp
    ) throws(StorageError) {
        let rows = try engine.makeIterator(
            KeyRange(prefix: CatalogKeys.prefix(database, storage)), at: time)
        try rows.seekToFirst()
        while rows.isValid {
            try apply(key: rows.key, value: rows.value)
            try rows.next()
        }
    }
}

extension [UInt8] {
    /// The bytes, borrowed for the call; keeps the thrown type.
    func withRawBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        let result = withUnsafeBytes { bytes -> Result<R, E> in
            do throws(E) { return .success(try body(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
