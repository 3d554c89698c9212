import Synchronization

@testable import FalconStorage

/// A log on an in-memory file system, with what its callbacks said.
final class WALFixture: Sendable {
    struct Seen {
        var written = LSN.zero
        var synced = LSN.zero
        var failures: [StorageError] = []
        var stalls = 0
        var resumes = 0
    }
    let fileSystem: any FileSystem
    let directory = "wal"
    let seen = Mutex(Seen())
    let options: WALOptions
    let random: FalconStorage.SeededRandom

    init(
        _ fileSystem: any FileSystem = MemoryFileSystem(), segmentBytes: Int = 64 << 10,
        chunkBytes: Int = 4 << 10, retainBytes: UInt64 = 1 << 40, idleNanos: UInt64 = 5_000_000,
        seed: UInt64 = 1
    ) {
        self.fileSystem = fileSystem
        options = WALOptions(
            segmentBytes: segmentBytes, firstSegmentBytes: segmentBytes, chunkBytes: chunkBytes,
            retainBytes: retainBytes, idleWatermarkNanos: idleNanos)
        random = FalconStorage.SeededRandom(seed: seed)
    }

    func open(_ continuation: WALContinuation = .beginning, incarnation: UInt64 = 1)
        throws(StorageError) -> WALWriter
    {
        let identity = WALIdentity(
            cluster: UID(high: 1, low: 2), shard: UID(high: 3, low: 4), branch: random.nextUID(),
            incarnation: incarnation)
        let callbacks = WALCallbacks(
            progress: { [self] written, synced in
                seen.withLock {
                    $0.written = written
                    $0.synced = synced
                }
            },
            failure: { [self] error in seen.withLock { $0.failures.append(error) } },
            stall: { [self] error in
                seen.withLock { if error == nil { $0.resumes += 1 } else { $0.stalls += 1 } }
            })
        return try WALWriter.open(
            directory: directory, identity: identity, continuation: continuation,
            options: options,
            environment: StorageEnvironment(
                fileSystem: fileSystem, clock: ManualClock(), random: random),
            callbacks: callbacks)
    }

    /// Everything a reader finds, as (LSN, body), and the reader at its end.
    static func readAll(
        _ fileSystem: any FileSystem, from start: LSN = .zero, mode: WALReader.Mode = .strict
    ) throws(StorageError) -> (records: [(lsn: LSN, body: [UInt8])], reader: WALReader) {
        let reader = try WALReader(
            directory: "wal", fileSystem: fileSystem, from: start, mode: mode)
        var records: [(lsn: LSN, body: [UInt8])] = []
        while let record = try reader.next() { records.append((record.lsn, Array(record.body))) }
        return (records, reader)
    }

    /// A body that differs from record to record.
    static func body(_ index: Int, _ count: Int = 100) -> [UInt8] {
        var random = SplitMix64(seed: UInt64(index) &* 7919)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
}
