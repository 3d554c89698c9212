import Testing

@testable import FalconStorage

/// A small closed database of every kind of file, and what it holds: what the tables of damages mutilate copies of.
///
/// Its tables: ``bottom`` was compacted, with partitions and a dictionary; ``middle`` and ``newest`` were flushed on
/// top of it, uncompressed, each with newer versions of some of its rows. The last rows are in the log alone.
struct DamageSource: Sendable {
    static let root = "/db"
    static let keyFile = "/key"
    private static let masterKey = [UInt8](repeating: 7, count: 32)

    let memory: MemoryFileSystem
    let isEncrypted: Bool
    /// The last state of each row that is there, by its key in hex.
    let rows: [String: [UInt8]]
    let bottom: String
    let middle: String
    let newest: String
    /// Of large values, by number: of the bottom, of the middle, of the newest table.
    let blobs: [String]
    var newestBlob: String { blobs[blobs.count - 1] }

    private static let plain = made(isEncrypted: false, seed: 11)
    private static let sealed = made(isEncrypted: true, seed: 12)
    private static let otherPlain = made(isEncrypted: false, seed: 13)
    private static let otherSealed = made(isEncrypted: true, seed: 14)

    private static func made(isEncrypted: Bool, seed: UInt64) -> Result<DamageSource, any Error> {
        Result { try DamageSource(isEncrypted: isEncrypted, seed: seed) }
    }

    static func shared(isEncrypted: Bool) throws -> DamageSource {
        try (isEncrypted ? sealed : plain).get()
    }

    /// Another database, with the same master key.
    static func other(isEncrypted: Bool) throws -> DamageSource {
        try (isEncrypted ? otherSealed : otherPlain).get()
    }

    static func options(isEncrypted: Bool) -> EngineOptions {
        var options = EngineOptions()
        options.compactOnlyWhenAsked()
        options.closedTimestampMicros = 0
        options.blockBytes = 512
        options.partitioningBytes = 2000
        options.compression = .none
        options.bottomCompression = .zstd
        options.bottomDictionaryBytes = 512
        options.blobThresholdBytes = 300
        options.blobGarbagePercent = 100
        options.walRetainBytes = .max
        options.walSegmentBytes = 64 << 10
        if isEncrypted { options.encryption = EncryptionOptions(masterKey: .key(masterKey)) }
        return options
    }

    /// The environment with the directory's keys.
    static func keyed(_ environment: StorageEnvironment) throws -> StorageEnvironment {
        try environment.withKeys(root: root, .key(masterKey))
    }

    private init(isEncrypted: Bool, seed: UInt64) throws {
        self.isEncrypted = isEncrypted
        let memory = MemoryFileSystem()
        let clock = ManualClock()
        let engine = try StorageEngine.open(
            at: Self.root, options: Self.options(isEncrypted: isEncrypted),
            environment: StorageEnvironment(
                fileSystem: memory, clock: clock,
                random: FalconStorage.SeededRandom(seed: seed)))
        var history = DamageHistory()
        try history.fill(engine)
        try engine.compact()
        for round in 1...3 {
            clock.advance(micros: 1_000_000)
            try history.change(engine, round)
            if round < 3 { try engine.flush() }
        }
        try engine.close()
        let tables = try Self.files(memory, ".sst")
        try #require(tables.count == 3, "\(tables)")
        (bottom, middle, newest) = (tables[0], tables[1], tables[2])
        blobs = try Self.files(memory, ".blob")
        try #require(blobs.count >= 2, "\(blobs)")
        rows = history.rows
        try memory.replace(
            Self.keyFile, with: Array(String(repeating: "07", count: 32).utf8))
        self.memory = memory.crashClone(.keepUnsynced)
    }

    /// In the order of their numbers.
    private static func files(
        _ memory: MemoryFileSystem, _ suffix: String
    ) throws -> [String] {
        try memory.list(root + "/sst").filter { $0.hasSuffix(suffix) }.sorted()
            .map { root + "/sst/" + $0 }
    }
}

/// What is written into it.
private struct DamageHistory {
    private(set) var rows: [String: [UInt8]] = [:]

    private func key(_ row: Int) -> [UInt8] {
        [0, 0, 0, 5, 0, 0, 0x20, 0] + Array("row \(1000 + row)".utf8)
    }

    /// As an application has them, so that a dictionary pays. Every fifth is large enough for a blob file.
    private func value(_ row: Int, _ round: Int) -> [UInt8] {
        let names = ["Alice", "Bob", "Carol", "Dave", "Erin", "Frank", "Grace", "Heidi"]
        let states = ["pending", "paid", "shipped", "returned"]
        let filler = String(repeating: "and so on; ", count: row % 5 == 0 ? 40 : 0)
        return Array(
            (#"{"id":\#(1000 + row),"name":"\#(names[row * 5 % 8])","round":\#(round),"#
                + #""state":"\#(states[row * 7 % 4])","total":\#(row * 7919 % 50000)}"# + filler)
                .utf8)
    }

    private mutating func put(_ range: some Sequence<Int>, _ round: Int, _ batch: WriteBatch)
        throws
    {
        for row in range {
            try batch.put(key(row), value(row, round))
            rows[DamagedDirectory.hex(key(row))] = value(row, round)
        }
    }

    mutating func fill(_ engine: StorageEngine) throws {
        let batch = WriteBatch()
        try put(0..<300, 0, batch)
        _ = try engine.commitAndWait(batch)
        try engine.flush()
    }

    /// The first change deletes rows and a range, the others put back none of that range.
    mutating func change(_ engine: StorageEngine, _ round: Int) throws {
        let batch = WriteBatch()
        let isFree = { (row: Int) in !(145..<165).contains(row) }
        switch round {
        case 1:
            try put((0..<300).filter { $0 % 3 == 1 && $0 % 7 != 3 && isFree($0) }, 1, batch)
            for row in 0..<300 where row % 7 == 3 && isFree(row) {
                try batch.delete(key(row))
                rows[DamagedDirectory.hex(key(row))] = nil
            }
            try batch.deleteRange(key(150), key(160))
            for row in 150..<160 { rows[DamagedDirectory.hex(key(row))] = nil }
            try put(300..<340, 1, batch)
        case 2:
            try put((0..<300).filter { $0 % 3 == 2 && isFree($0) }, 2, batch)
            try put(400..<420, 2, batch)
        default:
            try put((0..<300).filter { $0 % 11 == 0 && isFree($0) }, 3, batch)
            try put(500..<510, 3, batch)
        }
        _ = try engine.commitAndWait(batch)
    }
}
