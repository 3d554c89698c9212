import FalconSchema
import FalconTestKit

@testable import FalconSQL
@testable import FalconStorage

extension FormatFixture {
    /// Small parts, so that every kind of file and block is in a few hundred kilobytes.
    var engineOptions: EngineOptions {
        var options = EngineOptions()
        options.memtableBytes = 1 << 20
        options.walSegmentBytes = 64 << 10
        options.walRetainBytes = 256 << 10
        options.blockBytes = 1024
        options.partitioningBytes = 2048
        options.blobThresholdBytes = 600
        options.bottomCompression = .zstd
        options.bottomDictionaryBytes = 2048
        options.catalogStorageLimit = CatalogKeys.firstUserStorage
        options.catalogReader = CatalogCheckpoint.reader
        var archive = ArchiveOptions(directory: Self.repository)
        archive.timeoutMicros = 0
        options.archive = archive
        options.slots.maximumAgeMicros = .max
        if self == .encrypted {
            options.encryption = EncryptionOptions(masterKey: .key(Self.key))
        }
        return options
    }

    /// Opens the database in `memory` and gives it to `body`; closes it.
    func withDatabase(
        _ memory: MemoryFileSystem, _ body: (StorageEngine, TestSession) throws -> Void
    ) throws {
        let engine = try StorageEngine.open(
            at: Self.database, options: engineOptions,
            environment: StorageEnvironment(fileSystem: memory))
        defer { try? engine.close() }
        let sql = try SQLDatabase.open(engine: engine, options: SQLDatabaseOptions())
        defer { sql.close() }
        let session = TestSession(
            try sql.makeSession(user: "postgres", database: "falcon", startupParameters: []))
        try session.run("SET timezone = 'UTC'")
        try body(engine, session)
    }
}
