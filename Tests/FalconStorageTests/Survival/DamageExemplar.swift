@testable import FalconStorage

/// A small directory of every kind of file, whose damage is to be noticed.
struct DamageExemplar: Sendable {
    enum Ending: String, CaseIterable, Sendable {
        /// Closed: the log is sealed and MANIFEST knows its end.
        case closed
        /// Killed while idle: a watermark vouches for every commit.
        case killed
    }
    let ending: Ending
    let fileSystem: MemoryFileSystem
    let options: EngineOptions
    let rows: RowDigest
    let keys: [String]
    let values: [String: String]
    /// Path and size of what may be damaged, in a fixed order.
    let files: [(path: String, bytes: Int)]

    init(_ ending: Ending, seed: UInt64, isEncrypted: Bool = false) throws {
        self.ending = ending
        var options = EngineOptions.small
        if isEncrypted {
            options.encryption = EncryptionOptions(masterKey: EncryptedFixture.key)
        }
        options.memtableBytes = 24 << 10
        options.targetFileBytes = 16 << 10
        options.blockBytes = 512
        options.level0CompactionTrigger = 3
        options.levelBaseBytes = 16 << 10
        options.walRetainBytes = 40 << 10
        options.batchPartBytes = 700
        options.closedTimestampMicros = 0
        options.compression = seed % 2 == 0 ? .lz4 : .zstd
        options.bottomCompression = seed % 2 == 0 ? .none : .zstd
        options.bottomDictionaryBytes = 256
        options.blobThresholdBytes = 100
        options.partitioningBytes = 600
        self.options = options
        let memory = MemoryFileSystem()
        let workload = try SurvivalWorkload(memory, options: options, seed: seed)
        for step in 0..<220 {
            try workload.commit()
            if step % 60 == 59 { try workload.engine.flush() }
        }
        try workload.engine.awaitIdle()
        for _ in 0..<12 { try workload.commit() }
        try workload.engine.writable().wal.sync()
        rows = workload.ledger.digest(after: workload.ledger.count) ?? RowDigest()
        keys = workload.ledger.keys
        var values: [String: String] = [:]
        for key in keys { values[key] = workload.ledger.value(key) }
        self.values = values
        switch ending {
        case .closed:
            try workload.close()
            fileSystem = memory.crashClone(.keepUnsynced)
        case .killed:
            fileSystem = try Self.killed(memory, isEncrypted: isEncrypted)
            try workload.close()
        }
        files = fileSystem.snapshotContents().filter { path, bytes in
            !bytes.isEmpty && !path.hasSuffix("LOCK") && !path.hasSuffix(".spare")
        }.map { ("/" + $0.key, $0.value.count) }.sorted { $0.0 < $1.0 }
    }

    /// A moment at which the log vouches for all of itself.
    private static func killed(
        _ memory: MemoryFileSystem, isEncrypted: Bool
    ) throws -> MemoryFileSystem {
        while true {
            let clone = memory.crashClone(.keepUnsynced)
            let files: any FileSystem =
                isEncrypted
                ? KeyedFileSystem(
                    clone, try KeyRing.open(root: "/db", EncryptedFixture.key, clone))
                : clone
            let reader = try WALReader(directory: "/db/wal", fileSystem: files)
            while try reader.next() != nil {}
            if let last = reader.summaries.last, last.vouchedBytes >= last.recordsEnd {
                return clone
            }
        }
    }

    /// Files whose name contains `part`.
    func files(_ part: String) -> [(path: String, bytes: Int)] {
        files.filter { $0.path.contains(part) }
    }
}
