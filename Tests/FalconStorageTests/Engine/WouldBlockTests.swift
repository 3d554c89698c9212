import FalconTestKit
import Testing

@testable import FalconStorage

/// Reads that may not wait: answered from memory or refused, never wrong.
@Suite struct WouldBlockTests {
    private static func key(_ i: Int) -> String { "key" + String(10_000 + i) }
    private static func value(_ i: Int) -> String {
        String(repeating: "v", count: i % 10 == 0 ? 200 : 20) + String(i)
    }

    private struct Database {
        let fileSystem: ColdFileSystem
        let engine: StorageEngine
    }

    /// 2000 rows in tables that nobody has read, and one in the memtable.
    private static func database(cacheBytes: Int) throws -> Database {
        var options = EngineOptions.small
        options.blockBytes = 512
        options.partitioningBytes = 256
        options.blobThresholdBytes = 100
        options.blockCacheBytes = cacheBytes
        let fileSystem = ColdFileSystem(MemoryFileSystem())
        let environment = StorageEnvironment(
            fileSystem: fileSystem, clock: ManualClock(), random: SystemRandom())
        func open() throws -> StorageEngine {
            try StorageEngine.open(at: "/db", options: options, environment: environment)
        }
        let first = try open()
        let batch = WriteBatch()
        for i in 0..<2000 { try batch.put(key: bytes(key(i)), value: bytes(value(i))) }
        _ = try first.commitAndWait(batch)
        try first.compact()
        try first.close()
        let engine = try open()
        let last = WriteBatch()
        try last.put(key: bytes("zz"), value: bytes("in memory"))
        _ = try engine.commitAndWait(last)
        return Database(fileSystem: fileSystem, engine: engine)
    }

    /// Nil: the read would have to wait.
    private static func get(_ engine: StorageEngine, _ key: String) throws -> String?? {
        do throws(StorageError) {
            return .some(
                try engine.get(bytes(key), at: .max, mayWait: false).map {
                    String(decoding: $0, as: UTF8.self)
                })
        } catch {
            #expect(error.code == .wouldBlock && error.kind == .retryable)
            return nil
        }
    }

    @Test(arguments: [0, 8 << 20])
    func pointReads(cacheBytes: Int) throws {
        let database = try Self.database(cacheBytes: cacheBytes)
        let engine = database.engine
        defer { try? engine.close() }
        database.fileSystem.isCold = true
        #expect(try Self.get(engine, "zz") == "in memory")
        // No table is open yet.
        #expect(try Self.get(engine, Self.key(7)) == nil)
        var refused = 0
        for i in stride(from: 0, to: 2000, by: 13) {
            if try Self.get(engine, Self.key(i)) == nil { refused += 1 }
            #expect(try engine.value(Self.key(i)) == Self.value(i))
            let again = try Self.get(engine, Self.key(i))
            // Read a moment ago, it is in the cache; without a cache it never is.
            let expected: String?? = cacheBytes > 0 ? .some(Self.value(i)) : .none
            #expect(again == expected)
        }
        #expect(refused > 100)
        // All is in the system's cache now: nothing is refused, whatever ours has.
        database.fileSystem.isCold = false
        for i in 0..<2000 { #expect(try Self.get(engine, Self.key(i)) == Self.value(i)) }
        #expect(try Self.get(engine, Self.key(3) + "x") == .some(nil))
    }

    @Test func batchesOfReadsAreWholeOrRefused() throws {
        let database = try Self.database(cacheBytes: 1 << 20)
        let engine = database.engine
        defer { try? engine.close() }
        database.fileSystem.isCold = true
        let keys = ["zz", Self.key(1), Self.key(1500)].map { Array($0.utf8) }
        #expect(throws: StorageError.self) { try engine.multiGet(keys, mayWait: false) }
        let found = try engine.multiGet(keys)
        #expect(try engine.multiGet(keys, mayWait: false) == found)
    }

    @Test(arguments: [0, 8 << 20])
    func scans(cacheBytes: Int) throws {
        let database = try Self.database(cacheBytes: cacheBytes)
        let engine = database.engine
        defer { try? engine.close() }
        let expected = try engine.rows()
        #expect(expected.count == 2001)
        var options = ReadOptions()
        options.mayWait = false
        /// The rows seen before the scan had to be given up, and whether it had to.
        func scan(backward: Bool) throws -> (rows: [String], refused: Bool) {
            var rows: [String] = []
            do throws(StorageError) {
                let iterator = try engine.makeIterator(.all, at: .max, options: options)
                if backward { try iterator.seekToLast() } else { try iterator.seekToFirst() }
                while iterator.isValid {
                    rows.append(text(iterator.key) + "=" + text(iterator.value))
                    if backward { try iterator.previous() } else { try iterator.next() }
                }
                return (rows, false)
            } catch {
                #expect(error.code == .wouldBlock)
                return (rows, true)
            }
        }
        for backward in [false, true] {
            let all = backward ? Array(expected.reversed()) : expected
            database.fileSystem.isCold = false
            #expect(try scan(backward: backward) == (all, false))
            database.fileSystem.isCold = true
            let cold = try scan(backward: backward)
            #expect(cold.rows == Array(all.prefix(cold.rows.count)))
            #expect(cold.refused == (cacheBytes == 0))
        }
    }

    /// A file that was ingested and that nobody has read yet is as cold as any other table, also while it waits for
    /// MANIFEST.
    @Test func ingestedFilesAreNotOpened() throws {
        let gate = FlushGate()
        defer { gate.open() }
        var options = EngineOptions.small
        options.eventListener = gate
        let fixture = try EngineFixture(options: options)
        try fixture.put("old", "1")
        try fixture.ingest([.put("k", "in")])
        #expect(fixture.engine.statistics().immutableMemtables == 2)
        #expect(try Self.get(fixture.engine, "k") == nil)
        #expect(try fixture.get("k") == "in")
        #expect(try Self.get(fixture.engine, "k") == "in")
        gate.open()
        try fixture.engine.flush()
    }
}
