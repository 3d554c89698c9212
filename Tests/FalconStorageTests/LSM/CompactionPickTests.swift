import Testing

@testable import FalconStorage

/// Which compaction is picked when, beside those that sizes ask for.
@Suite struct CompactionPickTests {
    private func fixture(_ change: (inout EngineOptions) -> Void = { _ in }) throws -> EngineFixture
    {
        var options = EngineOptions.small
        options.memtableBytes = 4 << 20
        options.compression = .none
        options.bottomCompression = .none
        change(&options)
        return try EngineFixture(options: options)
    }

    private func fill(_ fixture: EngineFixture, _ keys: Range<Int>) throws {
        try fixture.put(keys.map { ("key \(10000 + $0)", "a value of key number \($0)") }, .written)
        try fixture.engine.flush()
    }

    private func delete(_ fixture: EngineFixture, _ keys: Range<Int>) throws {
        let batch = WriteBatch()
        for key in keys { try batch.delete(key: bytes("key \(10000 + key)")) }
        try fixture.engine.commitAndWait(batch)
        try fixture.engine.flush()
    }

    private func counts(_ fixture: EngineFixture) -> [Int] {
        fixture.engine.statistics().levels.map(\.fileCount)
    }

    // MARK: - Deletes

    // In one table: what is left of them where it is cut may be too few to be worth a compaction.

    @Test func manyDeletesAreCompactedAtOnce() throws {
        let fixture = try fixture { $0.targetFileBytes = 1 << 20 }
        try fill(fixture, 0..<1000)
        try fixture.engine.compact()
        try delete(fixture, 0..<50)
        try fixture.engine.awaitIdle()
        #expect(counts(fixture)[0] == 1, "a few deletes wait")
        try delete(fixture, 0..<500)
        try fixture.engine.awaitIdle()
        #expect(counts(fixture)[0] == 0)
        let deletes = fixture.engine.tree.state.version.levels.flatMap(\.files)
            .reduce(0) { $0 + $1.metadata.tombstoneCount }
        #expect(deletes == 0)
        #expect(try fixture.rows().count == 500)
    }

    @Test func deletesThatASnapshotNeedsStayUntilItGoes() throws {
        let fixture = try fixture { $0.targetFileBytes = 1 << 20 }
        try fill(fixture, 0..<1000)
        try fixture.engine.compact()
        let snapshot = fixture.engine.makeSnapshot()
        try delete(fixture, 0..<500)
        try fixture.engine.awaitIdle()
        #expect(counts(fixture)[0] > 0)
        #expect(try fixture.rows(at: snapshot.timestamp).count == 1000)
        snapshot.release()
        try fixture.engine.awaitIdle()
        #expect(counts(fixture)[0] == 0)
        #expect(try fixture.rows().count == 500)
    }

    @Test func deletesLeftAtTheBottomGoWhenTheyMay() throws {
        let fixture = try fixture { $0.targetFileBytes = 1 << 20 }
        try fill(fixture, 0..<1000)
        let snapshot = fixture.engine.makeSnapshot()
        try delete(fixture, 0..<700)
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        func deletes() -> UInt64 {
            fixture.engine.tree.state.version.levels[LevelTargets.last].files
                .reduce(0) { $0 + $1.metadata.tombstoneCount }
        }
        #expect(deletes() == 700)
        snapshot.release()
        try fixture.engine.awaitIdle()
        #expect(deletes() == 0)
        #expect(try fixture.rows().count == 300)
    }

    // MARK: - Range tombstones

    @Test func tablesBeneathARangeTombstoneGoUnread() throws {
        let fixture = try fixture()
        try fill(fixture, 0..<3000)
        try fixture.engine.compact()
        let before = counts(fixture)[LevelTargets.last]
        #expect(before >= 4)
        let snapshot = fixture.engine.makeSnapshot()
        try fixture.deleteRange("key 10100", "key 12900")
        try fixture.engine.flush()
        try fixture.engine.awaitIdle()
        #expect(fixture.engine.statistics().tablesDroppedUnread == 0)
        #expect(try fixture.rows(at: snapshot.timestamp).count == 3000)
        let reading = try fixture.engine.makeIterator(.all, at: snapshot.timestamp)
        try reading.seekToFirst()
        snapshot.release()
        try fixture.engine.awaitIdle()
        let dropped = fixture.engine.statistics().tablesDroppedUnread
        #expect(dropped >= UInt64(before - 4) && dropped > 0)
        #expect(try fixture.rows().count == 200)
        var rows = 0
        while reading.isValid {
            rows += 1
            try reading.next()
        }
        #expect(rows == 3000, "who reads them keeps them")
        try fixture.reopen()
        #expect(try fixture.rows().count == 200)
    }

    @Test func whatIsNewerThanTheRangeTombstoneStays() throws {
        let fixture = try fixture {
            $0.level0CompactionTrigger = 50; $0.level0SlowdownTrigger = 100;
            $0.level0StopTrigger = 200
        }
        try fill(fixture, 0..<300)
        try fixture.deleteRange("key 1", "key 2")
        try fill(fixture, 100..<200)
        try fixture.engine.awaitIdle()
        #expect(fixture.engine.statistics().tablesDroppedUnread == 1)
        #expect(try fixture.rows().count == 100)
    }

    @Test func fragmentsHideOnlyWhatTheyCoverWhole() {
        func tombstone(_ lower: String, _ upper: String, _ at: UInt64) -> RangeTombstone {
            RangeTombstone(
                lower: Array(lower.utf8), upper: Array(upper.utf8), timestamp: Timestamp(at))
        }
        let pieces = RangeTombstoneFragments(
            [tombstone("b", "d", 20), tombstone("d", "f", 10), tombstone("h", "k", 20)],
            at: Timestamp(100))
        func hides(_ lower: String, _ upper: String, _ exclusive: Bool, _ below: UInt64) -> Bool {
            pieces.hides(
                bytes(lower), through: bytes(upper), isExclusive: exclusive,
                below: Timestamp(below))
        }
        #expect(hides("b", "c", false, 19) && !hides("b", "c", false, 20))
        #expect(hides("b", "e", false, 9) && !hides("b", "e", false, 10))
        #expect(hides("c", "f", true, 9) && !hides("c", "f", false, 9))
        #expect(!hides("a", "c", false, 1) && !hides("e", "i", false, 1))
    }

    // MARK: - Reads

    @Test func seeksInVainBringTablesDown() throws {
        let fixture = try fixture()
        try fill(fixture, 0..<500)
        try fixture.engine.compact()
        try fill(fixture, 0..<50)
        func seek(_ times: Int) throws {
            for _ in 0..<times {
                let rows = try fixture.engine.makeIterator(
                    KeyRange(lower: Array("key 10020".utf8)), at: .max)
                try rows.seekToFirst()
                #expect(rows.isValid)
            }
        }
        try seek(60)
        try fixture.engine.awaitIdle()
        #expect(counts(fixture)[0] == 1)
        try seek(300)
        try fixture.engine.awaitIdle()
        #expect(counts(fixture)[0] == 0)
        #expect(try fixture.rows().count == 500)
    }

    @Test func onlyTheUpperOfTwoTablesIsCharged() throws {
        let fixture = try fixture()
        try fill(fixture, 0..<500)
        try fixture.engine.compact()
        try fill(fixture, 100..<150)
        let version = fixture.engine.tree.state.version
        #expect(version.tableSoughtInVain(bytes("key 10120")) === version.level0.files[0])
        #expect(version.tableSoughtInVain(bytes("key 10120x")) === version.level0.files[0])
        #expect(version.tableSoughtInVain(bytes("key 10200")) == nil)
        #expect(version.tableSoughtInVain(bytes("a")) == nil)
    }
}
