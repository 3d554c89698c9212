import Testing

@testable import FalconStorage

/// In the last level, versions below the safepoint lose the low bits of their time and nothing else.
@Suite struct CoarseTimestampTests {
    private func lastLevelTimestamps(_ engine: StorageEngine) throws -> [UInt64] {
        let version = engine.tree.state.version
        var found: [UInt64] = []
        for file in version.levels[LevelTargets.last].files {
            let iterator = try file.reader().makeIterator()
            try iterator.seekToFirst()
            while iterator.isValid {
                found.append(iterator.timestamp.rawValue)
                try iterator.next()
            }
        }
        return found
    }

    @Test func coarseNeverGrowsAndNeverVanishes() {
        for raw in [0, 1, 4096, 0xFF_FFFF_FFFF, 0x100_0000_0000, 0x30_4512_3456_789A] as [UInt64] {
            let coarse = Timestamp(raw).coarse
            #expect(coarse.rawValue <= raw)
            #expect((coarse.rawValue == 0) == (raw == 0))
            #expect(raw < 1 << 40 || coarse.rawValue % (1 << 40) == 0)
        }
    }

    @Test func theLastLevelKeepsMinutesAndReadersSeeTheSame() throws {
        let fixture = try EngineFixture()
        for key in ["a", "b", "c"] { try fixture.put(key, "old " + key) }
        try fixture.engine.flush()
        let snapshot = fixture.engine.makeSnapshot()
        try fixture.put("b", "new b")
        try fixture.delete("c")
        try fixture.engine.flush()
        try fixture.engine.compact()
        let timestamps = try lastLevelTimestamps(fixture.engine)
        // a, b's two versions, c's delete and its old version.
        #expect(timestamps.count == 5)
        #expect(timestamps.filter { $0 % (1 << 40) == 0 }.count == 3)
        let at = snapshot.timestamp
        #expect(
            try ["a", "b", "c"].map { try fixture.get($0, at: at) } == ["old a", "old b", "old c"])
        #expect(try ["a", "b", "c"].map { try fixture.get($0) } == ["old a", "new b", nil])
    }
}
