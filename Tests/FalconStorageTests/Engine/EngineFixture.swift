@testable import FalconStorage

/// An engine on a file system in memory, with shorthand for the tests.
final class EngineFixture {
    let fileSystem: MemoryFileSystem
    let clock = ManualClock()
    let environment: StorageEnvironment
    var options: EngineOptions
    private(set) var engine: StorageEngine

    init(
        _ fileSystem: MemoryFileSystem = MemoryFileSystem(), options: EngineOptions = .small
    ) throws {
        self.fileSystem = fileSystem
        self.options = options
        environment = StorageEnvironment(
            fileSystem: fileSystem, clock: clock, random: SystemRandom())
        engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
    }

    deinit { try? engine.close() }

    func reopen() throws {
        try engine.close()
        engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
    }

    @discardableResult
    func put(
        _ pairs: [(String, String)], _ durability: Durability = .synced
    ) throws -> CommitReceipt {
        let batch = WriteBatch()
        for (key, value) in pairs {
            try batch.put(key: bytes(key), value: bytes(value))
        }
        return try engine.commitAndWait(batch, CommitOptions(durability: durability))
    }

    @discardableResult
    func put(
        _ key: String, _ value: String, _ durability: Durability = .synced
    ) throws -> CommitReceipt { try put([(key, value)], durability) }

    @discardableResult
    func delete(_ key: String) throws -> CommitReceipt {
        let batch = WriteBatch()
        try batch.delete(key: bytes(key))
        return try engine.commitAndWait(batch)
    }

    @discardableResult
    func deleteRange(_ lower: String, _ upper: String) throws -> CommitReceipt {
        let batch = WriteBatch()
        try batch.deleteRange(lower: bytes(lower), upper: bytes(upper))
        return try engine.commitAndWait(batch)
    }

    func get(_ key: String, at timestamp: Timestamp = .max) throws -> String? {
        try engine.value(key, at: timestamp)
    }

    func rows(
        _ range: KeyRange = .all, at timestamp: Timestamp = .max, backward: Bool = false
    ) throws -> [String] {
        try engine.rows(range, at: timestamp, backward: backward)
    }
}

/// Bytes that live as long as the process: for test literals.
func bytes(_ text: String) -> UnsafeRawBufferPointer {
    let utf8 = Array(text.utf8)
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(utf8.count, 1), alignment: 8)
    copy.copyBytes(from: utf8)
    return UnsafeRawBufferPointer(rebasing: copy[..<utf8.count])
}

func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }

extension StorageEngine {
    func value(_ key: String, at timestamp: Timestamp = .max) throws -> String? {
        let utf8 = Array(key.utf8)
        var result: Result<[UInt8]?, StorageError> = .success(nil)
        utf8.withUnsafeBytes { key in
            do throws(StorageError) { result = .success(try get(key, at: timestamp)) } catch {
                result = .failure(error)
            }
        }
        return try result.get().map { String(decoding: $0, as: UTF8.self) }
    }

    func rows(
        _ range: KeyRange = .all, at timestamp: Timestamp = .max, backward: Bool = false,
        overlay: WriteBatch? = nil
    ) throws -> [String] {
        let iterator = try makeIterator(range, at: timestamp, overlay: overlay)
        var rows: [String] = []
        if backward { try iterator.seekToLast() } else { try iterator.seekToFirst() }
        while iterator.isValid {
            rows.append(text(iterator.key) + "=" + text(iterator.value))
            if backward { try iterator.previous() } else { try iterator.next() }
        }
        return rows
    }
}

extension EngineOptions {
    /// Small enough that a few hundred rows rotate, flush and compact.
    static var small: EngineOptions {
        var options = EngineOptions()
        options.memtableBytes = 64 << 10
        options.walSegmentBytes = 64 << 10
        options.targetFileBytes = 16 << 10
        options.levelBaseBytes = 64 << 10
        options.blockCacheBytes = 1 << 20
        return options
    }
}
