import Testing

@testable import FalconStorage

/// Disk space comes back as soon as nobody reads a replaced table, without a flush to wait for.
@Suite struct ObsoleteFileTests {
    private func tablesOnDisk(_ fixture: EngineFixture) throws -> Int {
        try fixture.fileSystem.list("/db/sst").count
    }

    private func tablesInVersion(_ fixture: EngineFixture) -> Int {
        fixture.engine.tree.state.version.fileCount
    }

    /// Several tables in level 0, all of which a compaction replaces.
    private func fill(_ fixture: EngineFixture) throws {
        for round in 0..<3 {
            for key in 0..<50 { try fixture.put("k\(key)", "\(round)", .buffered) }
            try fixture.engine.flush()
        }
    }

    @Test func compactionUnlinksWhatItReplaced() throws {
        let fixture = try EngineFixture()
        try fill(fixture)
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(try tablesOnDisk(fixture) == tablesInVersion(fixture))
    }

    @Test func theLastIteratorLetsTablesGo() throws {
        let fixture = try EngineFixture()
        try fill(fixture)
        let before = try tablesOnDisk(fixture)
        var first: RangeIterator? = try fixture.engine.makeIterator(.all, at: .max)
        var second: RangeIterator? = try fixture.engine.makeIterator(.all, at: .max)
        try first?.seekToFirst()
        try second?.seekToFirst()
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(try tablesOnDisk(fixture) == before + tablesInVersion(fixture))
        first = nil
        try fixture.engine.awaitIdle()
        #expect(try tablesOnDisk(fixture) == before + tablesInVersion(fixture))
        var rows = 0
        while second?.isValid == true {
            rows += 1
            try second?.next()
        }
        #expect(rows == 50)
        second = nil
        try fixture.engine.awaitIdle()
        #expect(try tablesOnDisk(fixture) == tablesInVersion(fixture))
    }

    @Test func aHeldReadStateKeepsItsTables() throws {
        let fixture = try EngineFixture()
        try fill(fixture)
        let before = try tablesOnDisk(fixture)
        var held: ReadState? = fixture.engine.cell.retained()
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(try tablesOnDisk(fixture) == before + tablesInVersion(fixture))
        #expect(held != nil)
        held = nil
        try fixture.engine.awaitIdle()
        #expect(try tablesOnDisk(fixture) == tablesInVersion(fixture))
    }

    @Test func aTableThatWillNotGoIsTriedAgainWithTheNext() throws {
        let memory = MemoryFileSystem()
        let faulty = FaultInjectingFileSystem(memory)
        let environment = StorageEnvironment(
            fileSystem: faulty, clock: ManualClock(), random: SystemRandom())
        var options = EngineOptions.small
        options.level0CompactionTrigger = 10
        let engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
        defer { try? engine.close() }
        func fillAndCompact() throws {
            for round in 0..<2 {
                let batch = WriteBatch()
                try batch.put(key: bytes("k"), value: bytes("\(round)"))
                try engine.commitAndWait(batch)
                try engine.flush()
            }
            try engine.compact()
            try engine.awaitIdle()
        }
        faulty.setRule(
            FaultRule(
                .operation(.remove), pathContains: ".sst", index: 0, count: .max, errno: 5))
        try fillAndCompact()
        #expect(faulty.injectedCount > 0)
        #expect(try memory.list("/db/sst").count > engine.tree.state.version.fileCount)
        faulty.setRule(nil)
        try fillAndCompact()
        #expect(try memory.list("/db/sst").count == engine.tree.state.version.fileCount)
    }
}
