import FalconTestKit
import Synchronization
import Testing

@testable import FalconStorage

/// What an old snapshot held comes back when it is released, without a write.
@Suite struct GarbageTests {
    private func key(_ row: Int) -> String { "k\(100 + row)" }

    private func entries(_ engine: StorageEngine) -> (all: UInt64, deletes: UInt64) {
        let files = engine.tree.state.version.levels.flatMap(\.files)
        return (
            files.reduce(0) { $0 + $1.metadata.entryCount },
            files.reduce(0) { $0 + $1.metadata.tombstoneCount }
        )
    }

    /// 200 rows, all written again and the last 50 deleted while a snapshot sees the first state; in the last
    /// level, or in level 0 as one flush left them.
    private func held(
        compacted: Bool, change: (inout EngineOptions) -> Void = { _ in }
    ) throws -> (ClassEngine, Snapshot) {
        let fixture = try ClassEngine {
            $0.memtableBytes = 1 << 20
            change(&$0)
        }
        try fixture.fill(0..<200, "old")
        let snapshot = fixture.engine.makeSnapshot(owner: "test")
        try fixture.fill(0..<200, "new")
        for row in 150..<200 { try fixture.delete(key(row)) }
        if compacted { try fixture.engine.compact() } else { try fixture.engine.flush() }
        return (fixture, snapshot)
    }

    private func expectRows(_ engine: StorageEngine) throws {
        let rows = try engine.rows()
        #expect(rows.count == 150 && rows.allSatisfy { $0.contains("=new") })
    }

    @Test(arguments: [false, true])
    func whatASnapshotHeldComesBackWhenItIsReleased(compacted: Bool) throws {
        let (fixture, snapshot) = try held(compacted: compacted)
        let engine = fixture.engine
        try engine.awaitIdle()
        #expect(entries(engine) == (450, 50))
        #expect(try engine.rows(at: snapshot.timestamp).count == 200)
        let compactions = engine.statistics().compactions
        snapshot.release()
        try engine.awaitIdle()
        // In level 0 deletes may hide something older for all one knows.
        #expect(entries(engine) == (compacted ? (150, 0) : (200, 50)))
        #expect(engine.statistics().compactions > compactions)
        try expectRows(engine)
        let settled = engine.statistics().compactions
        try engine.awaitIdle()
        #expect(engine.statistics().compactions == settled)
        try fixture.reopen()
        try fixture.engine.awaitIdle()
        #expect(entries(fixture.engine) == (compacted ? (150, 0) : (200, 50)))
        try expectRows(fixture.engine)
    }

    @Test func whatIsBetweenTwoSnapshotsGoesWithTheOlder() throws {
        let (fixture, older) = try held(compacted: false)
        let newer = fixture.engine.makeSnapshot(owner: "test")
        try fixture.fill(0..<100, "last")
        try fixture.engine.compact()
        #expect(entries(fixture.engine) == (550, 50))
        older.release()
        try fixture.engine.awaitIdle()
        // 100 rows that the newer sees have a newer version each.
        #expect(entries(fixture.engine) == (250, 0))
        #expect(try fixture.engine.rows(at: newer.timestamp).count == 150)
        newer.release()
        try fixture.engine.awaitIdle()
        #expect(entries(fixture.engine) == (150, 0))
    }

    @Test func anOpenFindsWhatASnapshotHeld() throws {
        let (fixture, snapshot) = try held(compacted: true)
        #expect(entries(fixture.engine) == (450, 50))
        snapshot.release()
        // The clock of the engine may have collected meanwhile: either way it is gone after the next open.
        try fixture.reopen()
        try fixture.engine.awaitIdle()
        #expect(entries(fixture.engine) == (150, 0))
        try expectRows(fixture.engine)
    }

    private final class Ends: EngineEventListener {
        let monitor = Monitor()
        let changed: MonitorCondition
        nonisolated(unsafe) var count = 0
        init() { changed = MonitorCondition(monitor) }
        func engine(at path: String, did event: EngineEvent) {
            guard case .compactionEnded = event else { return }
            monitor.lock()
            count += 1
            changed.broadcast()
            monitor.unlock()
        }
    }

    @Test func nobodyHasToAsk() throws {
        let ends = Ends()
        let (fixture, snapshot) = try held(compacted: true) { $0.eventListener = ends }
        let before = ends.monitor.locked { ends.count }
        snapshot.release()
        ends.monitor.lock()
        let limit = 200
        var waits = 0
        while ends.count == before, waits < limit {
            _ = ends.changed.wait(nanos: 50_000_000)
            waits += 1
        }
        ends.monitor.unlock()
        #expect(waits < limit)
        try fixture.engine.awaitIdle()
        #expect(entries(fixture.engine) == (150, 0))
    }

    @Test func agesAreCountedOrUnderestimated() {
        let seed = SurvivalSettings.seed
        var random = SplitMix64(seed: seed)
        for size in [1, 2, 7, 8, 9, 100, 4095, 4096, 30_000] {
            var counter = AgeCounter()
            var all: [UInt64] = []
            for _ in 0..<size {
                let timestamp = 1000 + random.next() % 5000
                all.append(timestamp)
                counter.add(timestamp)
            }
            let ages = counter.finish()
            #expect(ages.entries == UInt64(size))
            #expect(ages.count(at: Timestamp(999)) == 0)
            #expect(ages.count(at: .max) == UInt64(size))
            for probe in stride(from: UInt64(1000), to: 6000, by: 250) {
                let exact = all.count { $0 <= probe }
                let told = Int(ages.count(at: Timestamp(probe)))
                #expect((told == 0) == (exact == 0), "\(size), \(probe), seed \(seed)")
                // Samples of large numbers are right within a few percent.
                let slack = size > 4000 ? size / 20 : 0
                #expect(told <= exact + slack && told + size / 7 + 1 + slack >= exact)
            }
            var writer = ByteWriter()
            let garbage = VersionGarbage(shadowed: ages, deletes: size % 2 == 0 ? ages : .init())
            garbage.encode(into: &writer)
            let decoded = writer.bytes.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                return VersionGarbage(&reader)
            }
            #expect(decoded == garbage)
        }
    }

    @Test func onlyWhatIsWorthItIsRewritten() throws {
        func ages(_ entries: UInt64, _ timestamp: UInt64) -> VersionGarbage.Ages {
            .init(
                entries: entries,
                due: Array(repeating: Timestamp(timestamp), count: VersionGarbage.Ages.steps))
        }
        let picker = CompactionPicker(options: .small)
        let context = PickContext(safepoint: Timestamp(100))
        var versions = VersionBuilder()
        versions.add(6, "a", "b", garbage: .init(shadowed: ages(62, 50)))
        versions.add(6, "c", "d", garbage: .init(shadowed: ages(900, 101)))
        #expect(picker.pickGarbage(versions.version, context)?.numbers == nil)
        #expect(picker.awaitsGarbage(versions.version, context))
        let more = versions.add(6, "e", "f", garbage: .init(shadowed: ages(70, 50)))
        let most = versions.add(5, "g", "h", garbage: .init(shadowed: ages(80, 100)))
        // Deletes count where nothing lies beneath.
        versions.add(5, "e", "f", garbage: .init(deletes: ages(500, 10)))
        let version = versions.version
        #expect(picker.pickGarbage(version, context)?.numbers == [[most], []])
        for file in version.levels[5].files { file.isBeingCompacted = true }
        #expect(picker.pickGarbage(version, context)?.numbers == [[more], []])
        let last = versions.add(6, "i", "j", garbage: .init(deletes: ages(500, 10)))
        #expect(picker.pickGarbage(versions.version, context)?.numbers == [[last], []])
    }
}
