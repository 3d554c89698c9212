import FalconTestKit

@testable import FalconStorage

/// An engine over a disk in memory with faults and a trace between, for one class of corruption.
final class ClassEngine {
    let memory: MemoryFileSystem
    let faulty: FaultInjectingFileSystem
    let tracing: TracingFileSystem
    var options: EngineOptions
    let cache: BlockCache?
    private(set) var engine: StorageEngine

    init(
        _ memory: MemoryFileSystem = MemoryFileSystem(), cache: BlockCache? = nil,
        change: (inout EngineOptions) -> Void = { _ in }
    ) throws {
        self.memory = memory
        self.cache = cache
        faulty = FaultInjectingFileSystem(memory)
        tracing = TracingFileSystem(faulty)
        var options = EngineOptions.small
        options.closedTimestampMicros = 0
        options.diskFullWaitMicros = 0
        options.level0CompactionTrigger = 100
        options.level0SlowdownTrigger = 200
        options.level0StopTrigger = 300
        options.blockCache = cache
        change(&options)
        self.options = options
        engine = try Self.open(tracing, options)
    }

    deinit { try? engine.close() }

    static func open(
        _ fileSystem: any FileSystem, _ options: EngineOptions
    ) throws -> StorageEngine {
        try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(
                fileSystem: fileSystem, clock: ManualClock(), random: SystemRandom()))
    }

    func reopen() throws {
        try? engine.close()
        engine = try Self.open(tracing, options)
    }

    /// The rows that an engine opened on `fileSystem` holds.
    func rows(on fileSystem: MemoryFileSystem) throws -> [String] {
        let engine = try Self.open(fileSystem, options)
        defer { try? engine.close() }
        return try engine.rows()
    }

    @discardableResult
    func put(
        _ key: String, _ value: String, _ durability: Durability = .synced
    ) throws -> CommitReceipt {
        let batch = WriteBatch()
        try batch.put(key: bytes(key), value: bytes(value))
        return try engine.commitAndWait(batch, CommitOptions(durability: durability))
    }

    func delete(_ key: String) throws {
        let batch = WriteBatch()
        try batch.delete(key: bytes(key))
        try engine.commitAndWait(batch)
    }

    func deleteRange(_ lower: String, _ upper: String) throws {
        let batch = WriteBatch()
        try batch.deleteRange(lower: bytes(lower), upper: bytes(upper))
        try engine.commitAndWait(batch)
    }

    /// `k100`... with `value`, `bytes` long.
    func fill(
        _ range: Range<Int>, _ value: String = "v", bytes count: Int = 40,
        durability: Durability = .buffered
    ) throws {
        for row in range {
            try put("k\(100 + row)", value + String(repeating: "x", count: count), durability)
        }
    }

    /// Positions in the trace of the events that fit, in order.
    func positions(_ operation: FileOperation, _ part: String) -> [Int] {
        let events = tracing.events
        return events.indices.filter {
            events[$0].operation == operation
                && (events[$0].path.contains(part) || events[$0].detail.contains(part))
        }
    }

    /// Tables of one level neither overlap nor stand out of order.
    var overlap: String? {
        let version = engine.tree.state.version
        for (number, level) in version.levels.enumerated().dropFirst() {
            for (left, right) in zip(level.files, level.files.dropFirst())
            where !left.metadata.isBefore(right.metadata.smallest) {
                return "level \(number): tables \(left.number) and \(right.number) overlap"
            }
        }
        return nil
    }

    /// Returns once the log has the next segment it has asked for: until then the current one grows.
    func awaitSpare() throws {
        let wal = try engine.writable().wal
        try eventually {
            wal.monitor.lock()
            defer { wal.monitor.unlock() }
            return !wal.wantsSpare
        }
    }

    func files(_ directory: String, _ suffix: String) throws -> [String] {
        try memory.list("/db/" + directory).filter { $0.hasSuffix(suffix) }.sorted()
            .map { "/db/" + directory + "/" + $0 }
    }
}

/// The storage error that `body` throws.
func failure(_ body: () throws -> Void) throws -> StorageError? {
    do {
        try body()
        return nil
    } catch let error as StorageError { return error }
}
