import FalconSchema
import Foundation
import Testing

@testable import FalconStorage

/// Writes a log in memory, as the engine would, and keeps what it wrote.
final class LogBuilder {
    /// One operation as it goes into a COMMIT.
    struct Operation {
        var kind = OperationKind.put
        var operationClass = OperationClass.row
        var sql = SQLOperation.none
        var key: [UInt8]
        var value: [UInt8] = []
        var before: [UInt8]?
    }

    let fileSystem: MemoryFileSystem
    let clock = ManualClock()
    let environment: StorageEnvironment
    let root = "/db"
    private(set) var writer: WALWriter
    private var incarnation: UInt64 = 1
    private var transaction: UInt64 = 0
    private var timestamp: UInt64 = 0
    /// Every commit: where it begins and ends.
    private(set) var commits: [WALPosition] = []

    /// - Parameter image: what is left of another log, which this one goes on from.
    init(
        segmentBytes: Int = 64 << 10, retainBytes: UInt64 = .max,
        after image: MemoryFileSystem? = nil
    ) throws {
        fileSystem = image ?? MemoryFileSystem()
        environment = StorageEnvironment(
            fileSystem: fileSystem, clock: clock, random: SeededRandom(seed: 1))
        try fileSystem.createDirectoryIfMissing(root)
        var continuation = WALContinuation.beginning
        if image != nil {
            let reader = try WALReader(
                directory: FileNames(root: root).walDirectory, fileSystem: fileSystem)
            while try reader.next() != nil {}
            continuation = reader.continuation
            incarnation = 2
        }
        writer = try Self.open(
            environment, root, continuation, incarnation, segmentBytes, retainBytes)
    }

    private static func open(
        _ environment: StorageEnvironment, _ root: String, _ continuation: WALContinuation,
        _ incarnation: UInt64, _ segmentBytes: Int, _ retainBytes: UInt64
    ) throws -> WALWriter {
        try WALWriter.open(
            directory: FileNames(root: root).walDirectory,
            identity: WALIdentity(
                cluster: UID(high: 1, low: 1), shard: UID(high: 2, low: 2),
                branch: UID(high: 3, low: incarnation), incarnation: incarnation),
            continuation: continuation,
            options: WALOptions(
                segmentBytes: segmentBytes, firstSegmentBytes: segmentBytes, chunkBytes: 512,
                retainBytes: retainBytes, recycles: false),
            environment: environment, callbacks: WALCallbacks())
    }

    /// Ends this incarnation and begins the next.
    func reopen(segmentBytes: Int = 64 << 10) throws {
        try writer.close()
        let reader = try WALReader(
            directory: FileNames(root: root).walDirectory, fileSystem: fileSystem)
        while try reader.next() != nil {}
        incarnation += 1
        writer = try Self.open(
            environment, root, reader.continuation, incarnation, segmentBytes, .max)
    }

    /// Appends a COMMIT, in `parts` BATCH_PARTs and itself, and syncs it.
    @discardableResult
    func commit(
        _ operations: [Operation], database: UInt32 = 5, parts: Int = 0, publishes: Bool = true
    ) throws -> WALPosition {
        transaction += 1
        clock.advance(micros: 10)
        timestamp = max(
            timestamp + 1, (clock.wallMicros() - Timestamp.epochMicrosSince1970) << 12)
        let encoder = WALOperationEncoder()
        let share = operations.count / (parts + 1)
        for part in 0..<parts {
            encoder.reset()
            for operation in operations[(part * share)..<((part + 1) * share)] {
                add(operation, to: encoder)
            }
            try writer.appendBatchPart(
                transaction: TransactionID(transaction), part: UInt32(part), encoder)
        }
        encoder.reset()
        for operation in operations[(parts * share)...] { add(operation, to: encoder) }
        let position = try writer.appendCommit(
            CommitHeader(
                transaction: TransactionID(transaction), timestamp: Timestamp(timestamp),
                wallMicros: clock.wallMicros(), database: DatabaseID(database),
                partCount: UInt32(parts)), encoder)
        commits.append(position)
        try writer.sync()
        if publishes { writer.setCommitted(position.end) }
        return position
    }

    private func add(_ operation: Operation, to encoder: WALOperationEncoder) {
        operation.key.withUnsafeBytes { key in
            operation.value.withUnsafeBytes { value in
                var logged = WALOperation(
                    kind: operation.kind, operationClass: operation.operationClass,
                    sql: operation.sql, descriptorVersion: 1, key: key, value: value)
                if let before = operation.before {
                    before.withUnsafeBytes {
                        logged.before = $0
                        encoder.add(logged)
                    }
                } else {
                    encoder.add(logged)
                }
            }
        }
    }

    func close() throws { try writer.close() }

    /// All files with their bytes: what a read-only tool may not change.
    func fingerprint() throws -> [String: [UInt8]] {
        var state: [String: [UInt8]] = [:]
        var folders = [root]
        while let folder = folders.popLast() {
            for name in try fileSystem.list(folder) {
                let path = folder + "/" + name
                if try fileSystem.isDirectory(path) {
                    folders.append(path)
                    state[path] = []
                } else {
                    state[path] = try fileSystem.contents(of: path)
                }
            }
        }
        return state
    }
}

/// A table whose rows tests write.
struct TestTable {
    let descriptor: TableDescriptor

    /// `(id int4, note text, amount numeric, big int8, raw bytea, flag bool)`, keyed by id or by
    /// the hidden row id.
    init(
        _ name: String, storage: UInt32, keyed: Bool = true, database: UInt32 = 5,
        oid: UInt32? = nil
    ) {
        let types: [(String, SQLType)] = [
            ("id", .int4), ("note", .text), ("amount", .numeric), ("big", .int8), ("raw", .bytea),
            ("flag", .bool),
        ]
        descriptor = TableDescriptor(
            oid: OID(oid ?? 20_000 + storage), database: DatabaseID(database), schemaOID: 2200,
            schema: "public", name: name, version: 1, storageID: StorageID(storage),
            primaryKey: keyed ? [KeyColumn(attribute: 1)] : [],
            columns: types.enumerated().map {
                ColumnDescriptor(name: $1.0, attribute: Int16($0 + 1), type: $1.1)
            })
    }

    var create: LogBuilder.Operation {
        LogBuilder.Operation(
            operationClass: .catalog,
            key: CatalogKeys.key(descriptor.database, CatalogKeys.tables, descriptor.oid),
            value: descriptor.encoded())
    }

    /// The table's catalog row under another OID: a later version of the table of that OID.
    func create(oid: UInt32) -> LogBuilder.Operation {
        var descriptor = descriptor
        descriptor.oid = OID(oid)
        return LogBuilder.Operation(
            operationClass: .catalog,
            key: CatalogKeys.key(descriptor.database, CatalogKeys.tables, descriptor.oid),
            value: descriptor.encoded())
    }

    func drop(oid: UInt32) -> LogBuilder.Operation {
        LogBuilder.Operation(
            kind: .delete, operationClass: .catalog,
            key: CatalogKeys.key(descriptor.database, CatalogKeys.tables, OID(oid)))
    }

    static func database(_ name: String, _ id: UInt32) -> LogBuilder.Operation {
        var value = ByteWriter()
        value.appendFixed(id)
        value.appendLengthPrefixed(name)
        return LogBuilder.Operation(
            operationClass: .catalog,
            key: CatalogKeys.key(CatalogKeys.shared, CatalogKeys.databases, OID(id)),
            value: value.bytes)
    }

    func key(_ id: Int) throws -> [UInt8] {
        var writer = ByteWriter()
        KeyCodec.appendPrefix(
            database: descriptor.database, storage: descriptor.storageID, to: &writer)
        if descriptor.hasHiddenRowID {
            KeyCodec.appendRowID(UInt64(id), to: &writer)
        } else {
            try KeyCodec.append(.int(Int64(id)), type: .int4, to: &writer)
        }
        return writer.bytes
    }

    func row(_ id: Int, _ note: String?, big: Int64 = 7) throws -> [UInt8] {
        var writer = ByteWriter()
        try RowCodec(descriptor).encode(
            [
                .int(Int64(id)), note.map(Datum.text) ?? .null,
                .numeric(NumericValue(mantissa: Int64(id), scale: 2)), .int(big),
                .bytes([0, 255]), .bool(id % 2 == 0),
            ], to: &writer)
        return writer.bytes
    }

    func put(
        _ id: Int, _ note: String?, _ sql: SQLOperation = .insert, big: Int64 = 7,
        before: [UInt8]? = nil
    ) throws -> LogBuilder.Operation {
        LogBuilder.Operation(
            sql: sql, key: try key(id), value: try row(id, note, big: big), before: before)
    }

    func delete(_ id: Int, _ sql: SQLOperation = .delete) throws -> LogBuilder.Operation {
        LogBuilder.Operation(kind: .delete, sql: sql, key: try key(id))
    }

    func truncate(_ sql: SQLOperation = .truncate) -> LogBuilder.Operation {
        let prefix = CatalogKeys.prefix(descriptor.database, descriptor.storageID)
        return LogBuilder.Operation(
            kind: .rangeDelete, sql: sql, key: prefix,
            value: KeyOrder.prefixSuccessor(prefix) ?? [])
    }
}
