@testable import FalconStorage

/// A data directory in memory with a log of hand-made commits.
final class LogFixture {
    let memory = MemoryFileSystem()
    let clock = ManualClock()
    let root = "data"
    private(set) var writer: WALWriter
    private(set) var commits: [WALPosition] = []
    private var nextTransaction: UInt64 = 1
    private var nextTimestamp = Timestamp(
        microsSince2000: 1_767_225_600_000_000 - Timestamp.epochMicrosSince1970)
    let encoder = WALOperationEncoder()

    var environment: StorageEnvironment {
        StorageEnvironment(
            fileSystem: memory, clock: clock, random: FalconStorage.SeededRandom(seed: 5))
    }

    init(segmentBytes: Int = 64 << 10) throws(StorageError) {
        try memory.createDirectory("data")
        try memory.syncDirectory("")
        let options = WALOptions(
            segmentBytes: segmentBytes, firstSegmentBytes: segmentBytes, retainBytes: .max,
            idleWatermarkNanos: 3_600_000_000_000)
        writer = try WALWriter.open(
            directory: "data/wal",
            identity: WALIdentity(cluster: .zero, shard: .zero, branch: .zero, incarnation: 1),
            continuation: .beginning, options: options,
            environment: StorageEnvironment(
                fileSystem: memory, clock: clock, random: FalconStorage.SeededRandom(seed: 1)),
            callbacks: WALCallbacks())
    }

    /// One commit, a second after the one before; `operations` are key and value, nil deletes.
    func commit(_ operations: [(key: [UInt8], value: [UInt8]?)], sync: Bool = true)
        throws(StorageError)
    {
        encoder.reset()
        for (key, value) in operations {
            key.withUnsafeBytes { key in
                (value ?? []).withUnsafeBytes { bytes in
                    encoder.add(
                        WALOperation(
                            kind: value == nil ? .delete : .put, operationClass: .row,
                            sql: value == nil ? .delete : .insert, key: key, value: bytes))
                }
            }
        }
        try commitEncoded(sync: sync)
    }

    func commitEncoded(sync: Bool = true, parts: UInt32 = 0) throws(StorageError) {
        clock.advance(micros: 1_000_000)
        nextTimestamp = Timestamp(microsSince2000: nextTimestamp.microsSince2000 + 1_000_000)
        let header = CommitHeader(
            transaction: TransactionID(nextTransaction), timestamp: nextTimestamp,
            wallMicros: clock.wallMicros(), database: DatabaseID(1), partCount: parts)
        nextTransaction += 1
        commits.append(try writer.appendCommit(header, encoder))
        if sync { try writer.sync() }
        writer.setCommitted(writer.syncedLSN)
    }

    /// As SIGKILL leaves it: no seal.
    func crash() throws(StorageError) -> MemoryFileSystem {
        let clone = memory.crashClone(.keepUnsynced)
        try writer.close()
        return clone
    }

    static func patch(
        _ fileSystem: any FileSystem, _ path: String, _ body: (inout [UInt8]) -> Void
    ) throws(StorageError) {
        var bytes = try fileSystem.contents(of: path)
        body(&bytes)
        let file = try fileSystem.open(path, .readWrite)
        try file.truncate(to: UInt64(bytes.count))
        try file.write(bytes, at: 0)
        try file.syncData()
    }
    static let firstSegment = "data/wal/" + FileNames.walSegmentName(WALSegmentNumber(1))
}
