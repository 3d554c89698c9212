import Testing

@testable import FalconStorage

/// A compaction that was asked for does all of its work, or says why not.
@Suite struct ManualCompactionTests {
    /// Rows in the last level, and newer ones over them in level 0.
    private func engine() throws -> ClassEngine {
        let fixture = try ClassEngine()
        try fixture.fill(0..<100, "old")
        try fixture.engine.compact()
        try fixture.fill(0..<100, "new")
        try fixture.engine.flush()
        return fixture
    }

    private func occupied(_ engine: StorageEngine) -> [Int] {
        engine.statistics().levels.indices.filter { engine.statistics().levels[$0].fileCount > 0 }
    }

    /// Marks the tables of the last level with rows as taken by another compaction.
    private func occupy(_ engine: StorageEngine, _ isBusy: Bool) throws {
        let background = try engine.writable().background
        background.monitor.lock()
        for file in engine.tree.state.version.levels[LevelTargets.last].files {
            file.isBeingCompacted = isBusy
        }
        background.monitor.unlock()
    }

    @Test func itWaitsForTablesThatAnotherHas() throws {
        let fixture = try engine()
        let engine = fixture.engine
        #expect(occupied(engine) == [0, LevelTargets.last])
        try occupy(engine, true)
        var calls = 0
        try engine.compact { _ in
            calls += 1
            if calls == 3 { try? occupy(engine, false) }
            return true
        }
        #expect(calls >= 3)
        #expect(occupied(engine) == [LevelTargets.last])
        #expect(try engine.rows().allSatisfy { $0.contains("=new") })
    }

    @Test func aWaitIsCancelled() throws {
        let fixture = try engine()
        try occupy(fixture.engine, true)
        var calls = 0
        let error = try failure {
            try fixture.engine.compact { progress in
                calls += 1
                #expect(progress.totalBytes > 0)
                return calls < 2
            }
        }
        #expect(error?.code == .cancelled && calls == 2)
        try occupy(fixture.engine, false)
        try fixture.engine.compact()
        #expect(occupied(fixture.engine) == [LevelTargets.last])
    }

    @Test func theRewritingOfTheLastLevelWaitsToo() throws {
        let fixture = try ClassEngine()
        try fixture.fill(0..<100, "old")
        let snapshot = fixture.engine.makeSnapshot(owner: "test")
        try fixture.fill(0..<100, "new")
        try fixture.engine.compact()
        try occupy(fixture.engine, true)
        snapshot.release()
        var calls = 0
        try fixture.engine.compact { _ in
            calls += 1
            if calls == 3 { try? occupy(fixture.engine, false) }
            return true
        }
        let files = fixture.engine.tree.state.version.levels[LevelTargets.last].files
        #expect(files.reduce(0) { $0 + $1.metadata.entryCount } == 100)
    }

    @Test func ofLevelZeroOnlyWhatTheRangeNeedsGoesDown() throws {
        let fixture = try ClassEngine()
        for first in [0, 200, 400] {
            try fixture.fill(first..<(first + 50), "v")
            try fixture.engine.flush()
        }
        try fixture.engine.compact(KeyRange(lower: Array("k300".utf8), upper: Array("k320".utf8)))
        #expect(fixture.engine.statistics().levels[0].fileCount == 2)
        #expect(try fixture.engine.rows().count == 150)
    }

    /// The newer table alone has keys of the range; it must not sink below the older one.
    @Test func olderTablesGoDownWithTheNewerOnes() throws {
        let fixture = try ClassEngine()
        try fixture.fill(0..<50, "old")
        try fixture.engine.flush()
        try fixture.fill(40..<90, "new")
        try fixture.engine.flush()
        #expect(fixture.engine.statistics().levels[0].fileCount == 2)
        try fixture.engine.compact(KeyRange(lower: Array("k170".utf8), upper: Array("k180".utf8)))
        #expect(fixture.engine.statistics().levels[0].fileCount == 0)
        #expect(try fixture.engine.rows().count { $0.contains("=new") } == 50)
    }
}
