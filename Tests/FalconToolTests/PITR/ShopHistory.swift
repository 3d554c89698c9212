import FalconSchema
import FalconToolKit
import Testing

@testable import FalconStorage

/// A database in memory with two tables, `public.orders` and `public.items` of database `shop`, archived to `/repo`.
final class ShopHistory {
    static let orders = TestTable("orders", storage: 1001)
    static let items = TestTable("items", storage: 1002)

    let fileSystem = MemoryFileSystem()
    let clock = ManualClock()
    let environment: StorageEnvironment
    let engine: StorageEngine

    /// - Parameter notesSchema: CHECKPOINTs hold the schema, as a server's do.
    init(notesSchema: Bool = false, key: UInt8? = nil) throws {
        environment = StorageEnvironment(
            fileSystem: fileSystem, clock: clock, random: SeededRandom(seed: 61))
        var options = EngineOptions()
        options.walSegmentBytes = 64 << 10
        options.closedTimestampMicros = 0
        var archive = ArchiveOptions(directory: "/repo")
        archive.timeoutMicros = 0
        options.archive = archive
        options.walRetainBytes = 0
        if let key {
            options.encryption = EncryptionOptions(
                masterKey: .key([UInt8](repeating: key, count: 32)))
            try fileSystem.replace("/key", with: [UInt8](repeating: key, count: 32))
        }
        if notesSchema {
            options.catalogReader = { rows throws(StorageError) in
                try rows(
                    KeyRange(prefix: CatalogKeys.prefix(CatalogKeys.shared, CatalogKeys.databases)))
                    + rows(KeyRange(prefix: CatalogKeys.prefix(DatabaseID(5), CatalogKeys.tables)))
            }
        }
        engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
    }

    deinit { try? engine.close() }

    /// Makes the database and its tables.
    @discardableResult func create() throws -> CommitReceipt {
        try commit([TestTable.database("shop", 5), Self.orders.create, Self.items.create])
    }

    @discardableResult func commit(_ operations: [LogBuilder.Operation]) throws -> CommitReceipt {
        let batch = WriteBatch()
        for operation in operations {
            try operation.key.withStorageBytes { key throws(StorageError) in
                try operation.value.withStorageBytes { value throws(StorageError) in
                    switch operation.kind {
                    case .delete:
                        try batch.delete(
                            key: key, class: operation.operationClass, sql: operation.sql)
                    case .rangeDelete:
                        try batch.deleteRange(
                            lower: key, upper: value, class: operation.operationClass,
                            sql: operation.sql)
                    default:
                        try batch.put(
                            key: key, value: value, class: operation.operationClass,
                            sql: operation.sql, descriptorVersion: 1)
                    }
                }
            }
        }
        clock.advance(micros: 1000)
        return try engine.commitAndWait(batch)
    }

    /// `pitr-restore` with these arguments.
    func tool(_ arguments: String...) -> ToolRun {
        ToolRun(PITRRestore.self, arguments, environment: environment)
    }

    /// How many keys `/new` holds; it is removed.
    func takeRestored() throws -> Int {
        defer { try? fileSystem.removeTree("/new") }
        let engine = try StorageEngine.look(at: "/new", environment)
        defer { try? engine.close() }
        let rows = try engine.makeIterator(.all, at: engine.publishedTimestamp)
        var count = 0
        try rows.seekToFirst()
        while rows.isValid {
            count += 1
            try rows.next()
        }
        return count
    }
}

extension StorageEngine {
    fileprivate static func look(
        at root: String, _ environment: StorageEnvironment
    ) throws(StorageError) -> StorageEngine {
        var options = EngineOptions()
        options.isReadOnly = true
        return try open(at: root, options: options, environment: environment)
    }
}
