import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// A small engine in memory with a random history, and what it held after every commit.
final class EngineHistory {
    struct Commit {
        var receipt: CommitReceipt
        var rows: [String: String]
    }

    let fileSystem = MemoryFileSystem()
    let clock = ManualClock()
    let environment: StorageEnvironment
    let root = "/db"
    var options: EngineOptions
    private(set) var engine: StorageEngine
    private(set) var commits: [Commit] = []
    private var rows: [String: String] = [:]
    private var random: SplitMix64

    init(seed: UInt64, _ change: (inout EngineOptions) -> Void = { _ in }) throws {
        var options = EngineOptions()
        options.memtableBytes = 64 << 10
        options.walSegmentBytes = 64 << 10
        options.targetFileBytes = 16 << 10
        options.levelBaseBytes = 64 << 10
        options.blockCacheBytes = 1 << 20
        options.walRetainBytes = .max
        options.closedTimestampMicros = 0
        // Every other history keeps its values in blob files.
        options.blobThresholdBytes = seed % 2 == 1 ? 24 : 1024
        change(&options)
        self.options = options
        random = SplitMix64(seed: seed)
        environment = StorageEnvironment(
            fileSystem: fileSystem, clock: clock, random: SeededRandom(seed: seed))
        engine = try StorageEngine.open(at: root, options: options, environment: environment)
    }

    deinit { try? engine.close() }

    /// A closed history of 305 commits whose tables have every version of the first 300, and whose log begins later
    /// than they do.
    static func withVersionsOlderThanItsLog(seed: UInt64) throws -> EngineHistory {
        let history = try EngineHistory(seed: seed) {
            $0.walRetainBytes = 0
            $0.versionRetentionMicros = 1 << 40
        }
        try history.run(300, valueBytes: 2000, maintains: false)
        try history.engine.flush()
        try history.run(5, maintains: false)
        try history.close()
        let first = FileNames(root: history.root).walSegment(WALSegmentNumber(1))
        try #require(try !history.fileSystem.exists(first))
        return history
    }

    /// Commits so many random batches; now and then flushes, compacts or reopens.
    func run(_ count: Int, valueBytes: Int = 40, maintains: Bool = true) throws {
        for _ in 0..<count {
            let batch = WriteBatch()
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let key = "k\(Int.random(in: 10..<60, using: &random))"
                switch Int.random(in: 0..<12, using: &random) {
                case 0:
                    let upper = key + "~"
                    try Array(key.utf8).withRaw { low throws(StorageError) in
                        var failure: StorageError?
                        Array(upper.utf8).withUnsafeBytes { high in
                            do throws(StorageError) {
                                try batch.deleteRange(lower: low, upper: high)
                            } catch { failure = error }
                        }
                        if let failure { throw failure }
                    }
                    rows = rows.filter { !($0.key >= key && $0.key < upper) }
                case 1...3:
                    try Array(key.utf8).withRaw { key throws(StorageError) in
                        try batch.delete(key: key)
                    }
                    rows[key] = nil
                default:
                    let value =
                        "v\(commits.count)-" + String(repeating: "x", count: valueBytes)
                    try put(key, value, into: batch)
                    rows[key] = value
                }
            }
            clock.advance(micros: 1000)
            commits.append(Commit(receipt: try engine.commitAndWait(batch), rows: rows))
            guard maintains else { continue }
            switch Int.random(in: 0..<40, using: &random) {
            case 0: try engine.flush()
            case 1: try engine.compact()
            case 2: try reopen()
            default: break
            }
        }
    }

    func put(_ key: String, _ value: String, into batch: WriteBatch) throws {
        try Array(key.utf8).withRaw { key throws(StorageError) in
            var failure: StorageError?
            Array(value.utf8).withUnsafeBytes { value in
                do throws(StorageError) { try batch.put(key: key, value: value) } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }
    }

    func reopen() throws {
        try engine.close()
        engine = try StorageEngine.open(at: root, options: options, environment: environment)
    }

    func close() throws { try engine.close() }

    /// What the directory at `path` holds, opened read-only.
    func rows(
        at path: String, _ encryption: EncryptionOptions? = nil
    ) throws -> [String: String] {
        try environment.rows(at: path, encryption)
    }

    /// All files below `path` with their bytes.
    func fingerprint(_ path: String = "/db") throws -> [String: [UInt8]] {
        var state: [String: [UInt8]] = [:]
        var folders = [path]
        while let folder = folders.popLast() {
            for name in try fileSystem.list(folder) {
                let inner = folder + "/" + name
                if try fileSystem.isDirectory(inner) {
                    folders.append(inner)
                } else {
                    state[inner] = try fileSystem.contents(of: inner)
                }
            }
        }
        return state
    }

    func restore(_ arguments: String..., out: String? = "/new") -> ToolRun {
        ToolRun(
            PITRRestore.self, [root] + arguments + (out.map { ["--out", $0] } ?? []),
            environment: environment)
    }
}

extension [UInt8] {
    /// The bytes, borrowed for the call.
    func withRaw(_ body: (UnsafeRawBufferPointer) throws(StorageError) -> Void) throws {
        var failure: StorageError?
        withUnsafeBytes { raw in
            do throws(StorageError) { try body(raw) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
