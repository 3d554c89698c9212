import Testing

@testable import FalconStorage

/// The files of spilled batches: made, bounded, and gone with what they are for.
@Suite struct SpillFileTests {
    private var options: EngineOptions {
        var options = EngineOptions.small
        options.closedTimestampMicros = 0
        options.diskFullWaitMicros = 0
        return options
    }

    private func fill(_ batch: WriteBatch, _ rows: Range<Int>, _ value: String = "v") throws {
        for row in rows {
            try batch.put("k\(100_000 + row)", value + String(repeating: "x", count: 90))
        }
    }

    /// A batch of `rows` that has spilled every 100 of them.
    private func spilled(_ engine: StorageEngine, rows: Int) throws -> WriteBatch {
        let batch = WriteBatch()
        for start in stride(from: 0, to: rows, by: 100) {
            try fill(batch, start..<(start + 100))
            try engine.spill(batch)
        }
        return batch
    }

    private func spillFiles(_ fileSystem: any FileSystem) throws -> [String] {
        guard try fileSystem.exists("/db/spill") else { return [] }
        return try fileSystem.list("/db/spill")
    }

    private func tables(_ fileSystem: any FileSystem) throws -> [String] {
        try fileSystem.list("/db/sst")
    }

    @Test func memoryStaysSmall() throws {
        let fixture = try EngineFixture(options: options)
        let batch = WriteBatch()
        var most = 0
        for row in 0..<40_000 {
            try batch.put("k\(1_000_000 + row)", String(repeating: "x", count: 100))
            most = max(most, batch.memoryBytes)
            if batch.memoryBytes > 256 << 10 { try fixture.engine.spill(batch) }
        }
        #expect(batch.byteCount > 4 << 20)
        #expect(most < 1 << 20)
        let figures = fixture.engine.statistics()
        #expect(figures.spilledTransactions == 1)
        #expect(figures.spilledBytes > UInt64(batch.byteCount / 2))
        #expect(figures.spillFileBytes > 0)
        try fixture.engine.commitAndWait(batch)
        #expect(try fixture.rows().count == 40_000)
        batch.removeAll()
        #expect(fixture.engine.statistics().spillFileBytes == 0)
        fixture.engine.store.awaitRemovals()
        #expect(try spillFiles(fixture.fileSystem) == [])
    }

    @Test func aRollbackRemovesThem() throws {
        let fixture = try EngineFixture(options: options)
        try fixture.put("before", "1")
        var batch: WriteBatch? = try spilled(fixture.engine, rows: 500)
        #expect(try spillFiles(fixture.fileSystem).count > 5)
        let before = try tables(fixture.fileSystem)
        batch?.rollback(toOrdinal: 0)
        #expect(batch?.isEmpty == true && batch?.byteCount == 0)
        #expect(try fixture.engine.rows(overlay: batch) == ["before=1"])
        batch = nil
        fixture.engine.store.awaitRemovals()
        #expect(try spillFiles(fixture.fileSystem) == [])
        #expect(try tables(fixture.fileSystem) == before)
        #expect(fixture.engine.statistics().spillFileBytes == 0)
    }

    @Test func whatACrashLeavesIsRemovedAtOpen() throws {
        let fixture = try EngineFixture(options: options)
        try fixture.put("before", "1")
        let batch = try spilled(fixture.engine, rows: 500)
        // Its tables are made, and its record is not.
        try fixture.engine.writable().prepareTables(of: batch)
        let survivor = fixture.fileSystem.crashClone(.keepUnsynced)
        #expect(try spillFiles(survivor).count > 5)
        #expect(try !tables(survivor).isEmpty)
        let engine = try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(
                fileSystem: survivor, clock: ManualClock(), random: SystemRandom()))
        try engine.flush()
        engine.store.awaitRemovals()
        #expect(try spillFiles(survivor) == [])
        #expect(try tables(survivor).count == engine.tree.state.version.fileCount)
        #expect(try engine.rows() == ["before=1"])
        try engine.close()
        withExtendedLifetime(batch) {}
    }

    /// A full disk refuses the spill or the commit; the batch is as it was, and goes on when there is room.
    @Test func aFullDiskLosesNothing() throws {
        let memory = MemoryFileSystem()
        let faulty = FaultInjectingFileSystem(memory)
        let engine = try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(
                fileSystem: faulty, clock: ManualClock(), random: SystemRandom()))
        defer { try? engine.close() }
        func fill(_ path: String, from index: Int = 0) {
            faulty.setRule(
                FaultRule(
                    .operation(.write), pathContains: path, index: index, count: .max, errno: 28))
        }
        let batch = try spilled(engine, rows: 300)
        try self.fill(batch, 300..<400)
        let before = try engine.rows(overlay: batch)
        #expect(before.count == 400)
        for path in [".run", ".ops"] {
            fill(path)
            let error = #expect(throws: StorageError.self) { try engine.spill(batch) }
            #expect(error?.code == .diskFull)
            #expect(try engine.rows(overlay: batch) == before)
            #expect(batch.operationCount == 400)
        }
        faulty.setRule(nil)
        try engine.spill(batch)
        #expect(batch.firstOrdinalInMemory == 400)
        #expect(try engine.rows(overlay: batch) == before)
        fill("/sst/")
        let error = #expect(throws: StorageError.self) { try engine.commitAndWait(batch) }
        #expect(error?.code == .diskFull)
        #expect(try engine.rows() == [])
        #expect(try engine.rows(overlay: batch) == before)
        faulty.setRule(nil)
        #expect(try tables(memory) == [])
        try engine.commitAndWait(batch)
        #expect(try engine.rows() == before)
    }

    /// Damage that reads meet is an error and never a wrong answer.
    @Test func damageIsMet() throws {
        let fixture = try EngineFixture(options: options)
        let batch = try spilled(fixture.engine, rows: 300)
        for name in try spillFiles(fixture.fileSystem) {
            let file = try fixture.fileSystem.open("/db/spill/" + name, .readWrite)
            let size = try file.size()
            let damage = [UInt8](repeating: 0xA5, count: Int(min(size, 64)))
            for offset in stride(from: UInt64(200), to: size - 100, by: 512) {
                try file.write(damage, at: offset)
            }
            try file.close()
        }
        let read = #expect(throws: StorageError.self) { try fixture.engine.rows(overlay: batch) }
        #expect(read?.code == .corruption)
        let asked = #expect(throws: StorageError.self) { try batch.operation(at: 7) }
        #expect(asked?.code == .corruption)
        let commit = #expect(throws: StorageError.self) {
            try fixture.engine.commitAndWait(batch)
        }
        #expect(commit?.code == .corruption)
        #expect(try fixture.rows() == [])
        // A rollback that cannot tell what is left leaves nothing that could be committed.
        batch.rollback(toOrdinal: 250)
        #expect(throws: StorageError.self) { try fixture.engine.commitAndWait(batch) }
        #expect(try fixture.rows() == [])
    }

    /// The crash and fault suites cut through spills and their commits: their workload makes them.
    @Test func theSurvivalWorkloadMakesThem() throws {
        let workload = try SurvivalWorkload(
            MemoryFileSystem(), options: SurvivalWorkload.options(1), seed: 1)
        var spilled: UInt64 = 0
        for _ in 0..<300 {
            try workload.step()
            spilled = max(spilled, workload.engine.statistics().spilledTransactions)
        }
        #expect(spilled > 2)
        try workload.close()
    }

    // MARK: Recovery

    /// A log with a transaction of many times a memtable is replayed through files.
    @Test func replayIsBounded() throws {
        // Nothing is flushed before the crash.
        var roomy = options
        roomy.memtableBytes = 64 << 20
        let fixture = try EngineFixture(options: roomy)
        try fixture.put("a", "before")
        let batch = WriteBatch()
        try fill(batch, 0..<3000, "old")
        try batch.deleteRange("k101000", "k102000")
        try fill(batch, 1500..<1600, "new")
        try fixture.engine.commitAndWait(batch)
        try fixture.put("k100001", "after")
        let rows = try fixture.rows()
        #expect(rows.count == 1 + 3000 - 1000 + 100)
        let survivor = fixture.fileSystem.crashClone(.dropUnsynced)
        let environment = StorageEnvironment(
            fileSystem: survivor, clock: ManualClock(), random: SystemRandom())
        let engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
        #expect(try survivor.exists("/db/spill"))
        #expect(try engine.rows() == rows)
        #expect(engine.statistics().levels.reduce(0) { $0 + $1.fileCount } > 1)
        try engine.flush()
        engine.store.awaitRemovals()
        #expect(try spillFiles(survivor) == [])
        try engine.close()
        let again = try StorageEngine.open(at: "/db", options: options, environment: environment)
        #expect(try again.rows() == rows)
        try again.close()
        // Beside a dead writer nothing is written: it is replayed in memory.
        var readOnly = options
        readOnly.isReadOnly = true
        let copy = fixture.fileSystem.crashClone(.dropUnsynced)
        let reader = try StorageEngine.open(
            at: "/db", options: readOnly,
            environment: StorageEnvironment(
                fileSystem: copy, clock: ManualClock(), random: SystemRandom()))
        #expect(try reader.rows() == rows)
        #expect(try !copy.exists("/db/spill"))
    }
}
