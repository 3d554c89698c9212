import Synchronization
import Testing

@testable import FalconStorage

/// Engines that are opened read-only beside a writer.
@Suite struct LiveReaderTests {
    private static func reading(_ options: EngineOptions) -> EngineOptions {
        var options = options
        options.isReadOnly = true
        // Every block and value comes from its file.
        options.blockCacheBytes = 0
        return options
    }

    /// Whatever the writer is at, each reader shows the state after one commit, none before those that had been
    /// written to the log when it was opened, and shows it as long as it lives.
    @Test(arguments: [false, true], [3, 4] as [UInt64])
    func eachReaderShowsOneState(encrypted: Bool, seed: UInt64) throws {
        let load = try LoadedEngine(encrypted: encrypted, seed: seed)
        do {
            var kept: (reader: StorageEngine, prefix: Int)?
            for number in 0..<8 {
                try load.letPass(25)
                if number == 4 { try load.engine.checkpoint(to: "/checkpoint") }
                let floor = load.ledger.bounds.written
                let reader = try StorageEngine.open(
                    at: "/db", options: Self.reading(load.options), environment: load.environment)
                let ceiling = load.ledger.count
                let prefix = try LedgerCheck.verify(reader, load.ledger, from: floor, to: ceiling)
                if let kept {
                    try LedgerCheck.verify(
                        kept.reader, load.ledger, from: kept.prefix, to: kept.prefix)
                    try kept.reader.close()
                }
                kept = (reader, prefix)
            }
        } catch { Issue.record("encrypted \(encrypted), seed \(seed): \(error)") }
        try load.stop()
        try load.engine.close()
    }

    /// A blob file that MANIFEST knows to be missing stops the writer's open no more than a reader's beside it.
    @Test func aKnownLossDoesNotStopAReader() throws {
        var options = EngineOptions.smallBlobs
        options.blockCacheBytes = 0
        let fixture = try EngineFixture(options: options)
        try fixture.put([("a", "small"), ("b", EngineFixture.large("b"))])
        try fixture.engine.flush()
        try fixture.put([("c", EngineFixture.large("c"))])
        try fixture.engine.flush()
        let lost = try #require(try fixture.filesOnDisk(".blob").first)
        try fixture.engine.close()
        try fixture.fileSystem.remove("/db/sst/" + lost)
        try fixture.reopen()
        #expect(fixture.engine.corruptionReport().blobFiles.count == 1)
        let reader = try StorageEngine.open(
            at: "/db", options: Self.reading(options), environment: fixture.environment)
        #expect(try reader.value("a") == "small")
        #expect(try reader.value("c") == EngineFixture.large("c"))
        let error = #expect(throws: StorageError.self) { try reader.value("b") }
        #expect(error?.code == .corruption)
        try reader.close()
    }

    /// Names that go while the log is read are not missed: the files were opened before.
    @Test func tablesThatGoWhileTheLogIsReadAreKept() throws {
        let memory = MemoryFileSystem()
        let gone = GoneWhileReading(memory)
        let options = EngineOptions.smallBlobs
        func environment(_ files: any FileSystem) -> StorageEnvironment {
            StorageEnvironment(fileSystem: files, clock: ManualClock(), random: SystemRandom())
        }
        let writer = try StorageEngine.open(
            at: "/db", options: options, environment: environment(memory))
        let first = WriteBatch()
        for row in 0..<30 { try first.put("k\(100 + row)", EngineFixture.large("\(row)")) }
        try writer.commitAndWait(first)
        try writer.flush()
        let second = WriteBatch()
        try second.put("k100", "in the log")
        try writer.commitAndWait(second)
        let expected = try writer.rows()
        // Another thread of the writer's process would do this.
        gone.onFirstSegment = {
            for name in (try? memory.list("/db/sst")) ?? [] {
                try? memory.remove("/db/sst/" + name)
            }
        }
        let reader = try StorageEngine.open(
            at: "/db", options: Self.reading(options), environment: environment(gone))
        #expect(try memory.list("/db/sst") == [])
        #expect(try reader.rows() == expected)
        try reader.close()
        try? writer.close()
    }

    /// One that opens the directory while it is being read, and takes tables away: they are not called missing.
    @Test func aWriterThatComesMeanwhileIsNoticed() throws {
        let memory = MemoryFileSystem()
        let gone = GoneWhileReading(memory)
        var shape = EngineOptions.smallBlobs
        shape.level0CompactionTrigger = 8
        let options = shape
        func environment(_ files: any FileSystem) -> StorageEnvironment {
            StorageEnvironment(fileSystem: files, clock: ManualClock(), random: SystemRandom())
        }
        let first = try StorageEngine.open(
            at: "/db", options: options, environment: environment(memory))
        for round in 0..<2 {
            let batch = WriteBatch()
            for row in 0..<30 {
                try batch.put("k\(100 + row)", EngineFixture.large("\(row)", round))
            }
            try first.commitAndWait(batch)
            try first.flush()
        }
        let expected = try first.rows()
        try first.close()
        func tables() throws -> [String] {
            try memory.list("/db/sst").filter { $0.hasSuffix(".sst") }
        }
        let before = try tables()
        #expect(before.count == 2)
        let writer = Mutex<StorageEngine?>(nil)
        let opening = environment(memory)
        gone.onFirstSegment = {
            let engine = try? StorageEngine.open(
                at: "/db", options: options, environment: opening)
            try? engine?.compact()
            try? engine?.awaitIdle()
            writer.withLock { $0 = engine }
        }
        let reader = try StorageEngine.open(
            at: "/db", options: Self.reading(options), environment: environment(gone))
        #expect(writer.withLock { $0 != nil })
        #expect(try tables().allSatisfy { !before.contains($0) })
        #expect(reader.corruptionReport().isEmpty)
        #expect(try reader.rows() == expected)
        try reader.close()
        try writer.withLock { $0 }?.close()
    }
}
