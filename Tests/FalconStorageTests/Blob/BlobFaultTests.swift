import Testing

@testable import FalconStorage

/// A full disk, failed syncs and damaged records, met while blob files are written or collected.
@Suite struct BlobFaultTests {
    private struct Faulty {
        let memory = MemoryFileSystem()
        let faulty: FaultInjectingFileSystem
        let engine: StorageEngine

        init(_ change: (inout EngineOptions) -> Void = { _ in }) throws {
            faulty = FaultInjectingFileSystem(memory)
            var options = EngineOptions.smallBlobs
            options.diskFullWaitMicros = 0
            options.memtableBytes = 1 << 20
            change(&options)
            engine = try StorageEngine.open(
                at: "/db", options: options,
                environment: StorageEnvironment(
                    fileSystem: faulty, clock: ManualClock(), random: SystemRandom()))
        }

        func put(_ keys: Range<Int>, round: Int) throws {
            let batch = WriteBatch()
            for key in keys {
                try batch.put(
                    key: bytes("k\(100 + key)"),
                    value: bytes(EngineFixture.large("k\(100 + key)", round)))
            }
            try engine.commitAndWait(batch)
        }

        var files: [String] {
            get throws { try memory.list("/db/sst").sorted() }
        }
    }

    /// The job ends, what it wrote is gone, the memtable is still there; with room the next try works.
    @Test(arguments: [FileOperation.write, .sync, .create])
    func aFlushThatCannotWriteItsBlobsLeavesNothing(_ operation: FileOperation) throws {
        let faulty = try Faulty()
        defer { try? faulty.engine.close() }
        try faulty.put(0..<20, round: 1)
        faulty.faulty.setRule(
            FaultRule(
                .operation(operation), pathContains: ".blob", index: 0, count: .max,
                errno: operation == .sync ? 5 : 28))
        let error = #expect(throws: StorageError.self) { try faulty.engine.flush() }
        #expect(error?.code == (operation == .sync ? .io : .diskFull))
        #expect(faulty.faulty.injectedCount > 0)
        #expect(try faulty.engine.value("k105") == EngineFixture.large("k105", 1))
        faulty.faulty.setRule(nil)
        try faulty.engine.flush()
        try faulty.engine.awaitIdle()
        let version = faulty.engine.tree.state.version
        #expect(try faulty.files.count == version.fileCount + version.blobs.entries.count)
        #expect(try faulty.engine.value("k105") == EngineFixture.large("k105", 1))
    }

    /// A compaction that cannot move values is given up; the old tables and files stay and are read.
    @Test func aCollectionThatMeetsAFullDiskHarmsNothing() throws {
        let faulty = try Faulty()
        defer { try? faulty.engine.close() }
        try faulty.put(0..<40, round: 1)
        try faulty.engine.flush()
        try faulty.put(0..<30, round: 2)
        try faulty.engine.flush()
        faulty.faulty.setRule(
            FaultRule(
                .operation(.write), pathContains: ".blob", index: 0, count: .max, errno: 28))
        try? faulty.engine.compact()
        for key in 0..<40 {
            #expect(
                try faulty.engine.value("k\(100 + key)")
                    == EngineFixture.large("k\(100 + key)", key < 30 ? 2 : 1))
        }
        faulty.faulty.setRule(nil)
        try faulty.engine.compact()
        try faulty.engine.awaitIdle()
        let version = faulty.engine.tree.state.version
        #expect(try faulty.files.count == version.fileCount + version.blobs.entries.count)
        #expect(faulty.engine.statistics().blobs.movedBytes > 0)
    }

    /// A record that cannot be moved stays and is told of; everything else goes on.
    @Test func aDamagedRecordDoesNotStopCompactions() throws {
        let faulty = try Faulty { $0.targetFileBytes = 1 << 20 }
        defer { try? faulty.engine.close() }
        try faulty.put(0..<40, round: 1)
        try faulty.engine.flush()
        let name = try #require(try faulty.files.first { $0.hasSuffix(".blob") })
        let file = try faulty.memory.open("/db/sst/" + name, .readWrite)
        // Somewhere in the value of the last key, which is live for ever.
        let place = try file.size() - 100
        let byte = try file.readExactly(1, at: place)[0]
        try file.write([byte ^ 1], at: place)
        try faulty.put(0..<30, round: 2)
        try faulty.engine.compact()
        try faulty.engine.awaitIdle()
        #expect(faulty.engine.statistics().blobs.damagedFiles == 1)
        #expect(try faulty.files.contains(name))
        let error = #expect(throws: StorageError.self) { try faulty.engine.value("k139") }
        #expect(error?.code == .corruption)
        #expect(error?.location?.path == "/db/sst/" + name)
        for key in 0..<39 {
            #expect(
                try faulty.engine.value("k\(100 + key)")
                    == EngineFixture.large("k\(100 + key)", key < 30 ? 2 : 1))
        }
        // Writing it again is the cure: then nothing needs the file any more.
        try faulty.put(30..<40, round: 3)
        try faulty.engine.compact()
        try faulty.engine.awaitIdle()
        #expect(try !faulty.files.contains(name))
        #expect(try faulty.engine.value("k139") == EngineFixture.large("k139", 3))
    }

    /// A read that fails once is an error once, and not remembered.
    @Test func aReadErrorPasses() throws {
        let faulty = try Faulty { $0.blockCacheBytes = 0 }
        defer { try? faulty.engine.close() }
        try faulty.put(0..<5, round: 1)
        try faulty.engine.flush()
        faulty.faulty.setRule(
            FaultRule(.operation(.read), pathContains: ".blob", index: 0, count: 1, errno: 5))
        let error = #expect(throws: StorageError.self) { try faulty.engine.value("k101") }
        #expect(error?.code == .io)
        #expect(try faulty.engine.value("k101") == EngineFixture.large("k101", 1))
    }

    /// A value that cannot be read just now is carried on, and the file is not damaged for it.
    @Test func aReadErrorOfACollectionIsNoDamage() throws {
        let faulty = try Faulty {
            $0.targetFileBytes = 1 << 20
            $0.blockCacheBytes = 0
        }
        defer { try? faulty.engine.close() }
        try faulty.put(0..<40, round: 1)
        try faulty.engine.flush()
        try faulty.put(0..<30, round: 2)
        // Before the flush: collection may begin by itself behind it.
        faulty.faulty.setRule(
            FaultRule(.operation(.read), pathContains: ".blob", index: 0, count: .max, errno: 24))
        try faulty.engine.flush()
        try faulty.engine.compact()
        // What is garbage is known by now; collection begins by itself.
        try faulty.engine.awaitIdle()
        #expect(faulty.faulty.injectedCount > 0)
        // The file rests: writers do not wait for what nobody collects.
        let blobs = faulty.engine.tree.state.version.blobs
        #expect(blobs.garbageBytes > 0 && blobs.garbage(percent: 50).bytes == 0)
        faulty.faulty.setRule(nil)
        try faulty.engine.awaitIdle()
        #expect(faulty.engine.statistics().blobs.damagedFiles == 0)
        for key in 0..<40 {
            #expect(
                try faulty.engine.value("k\(100 + key)")
                    == EngineFixture.large("k\(100 + key)", key < 30 ? 2 : 1))
        }
    }

    /// What MANIFEST had no room for is noted when it is met again.
    @Test func damageThatCouldNotBeNotedIsNotedLater() throws {
        let faulty = try Faulty { $0.blockCacheBytes = 0 }
        try faulty.put(0..<5, round: 1)
        try faulty.engine.flush()
        let name = try #require(try faulty.files.first { $0.hasSuffix(".blob") })
        let file = try faulty.memory.open("/db/sst/" + name, .readWrite)
        let byte = try file.readExactly(1, at: 200)[0]
        try file.write([byte ^ 1], at: 200)
        for round in 0..<2 {
            faulty.faulty.setRule(
                round == 1
                    ? nil
                    : FaultRule(
                        .operation(.write), pathContains: "MANIFEST", index: 0, count: .max,
                        errno: 28))
            #expect(throws: StorageError.self) { try faulty.engine.value("k100") }
            try faulty.engine.writable().background.keeper.awaitIdle()
        }
        #expect(faulty.engine.corruptionReport().blobFiles.count == 1)
        try faulty.engine.close()
        let again = try StorageEngine.open(
            at: "/db", options: .smallBlobs,
            environment: StorageEnvironment(
                fileSystem: faulty.memory, clock: ManualClock(), random: SystemRandom()))
        #expect(again.corruptionReport().blobFiles.count == 1)
        try again.close()
    }
}
