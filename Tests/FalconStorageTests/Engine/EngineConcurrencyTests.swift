import Synchronization
import Testing

@testable import FalconStorage

@Suite struct EngineConcurrencyTests {
    static let keysPerWriter = 5

    /// Writers replace groups of keys atomically while memtables rotate, tables are flushed and
    /// compacted and snapshots come and go: each group is whole in every read, and never goes back.
    @Test(arguments: [EngineShape.tinyTables, .wideLevels])
    func readersSeeWholeCommitsInOrder(_ shape: EngineShape) throws {
        let fixture = try EngineFixture(options: shape.options)
        let engine = fixture.engine
        let writers = 3
        let rounds = 250
        let problems = Mutex<[String]>([])
        let finished = Atomic<Int>(0)
        @Sendable func fail(_ text: String) { problems.withLock { $0.append(text) } }

        var threads: [WorkerThread] = []
        for writer in 0..<writers {
            threads.append(
                try WorkerThread(name: "writer") {
                    defer { finished.wrappingAdd(1, ordering: .releasing) }
                    do {
                        for round in 1...rounds {
                            let batch = WriteBatch()
                            for key in 0..<Self.keysPerWriter {
                                let value =
                                    "\(round)/" + String(repeating: "v", count: round % 90)
                                try batch.put(key: bytes("w\(writer)/\(key)"), value: bytes(value))
                            }
                            let durability: Durability = [.buffered, .written, .synced][round % 3]
                            let receipt = try engine.commitAndWait(
                                batch, CommitOptions(durability: durability))
                            if engine.publishedTimestamp < receipt.timestamp {
                                fail("told before published")
                            }
                            // Read your own commit.
                            let own = try engine.value("w\(writer)/0")
                            if own?.hasPrefix("\(round)/") != true {
                                fail("writer \(writer) wrote \(round) and read \(own ?? "nothing")")
                            }
                        }
                    } catch { fail("writer: \(error)") }
                })
        }
        for reader in 0..<2 {
            threads.append(
                try WorkerThread(name: "reader") {
                    var newest = [Int](repeating: 0, count: writers)
                    var pass = 0
                    do {
                        while finished.load(ordering: .acquiring) < writers {
                            pass += 1
                            let snapshot = engine.makeSnapshot()
                            for writer in 0..<writers {
                                let rows = try Self.group(
                                    engine, writer, snapshot.timestamp, scan: pass % 2 == reader % 2
                                )
                                let counts = Set(rows.map { $0.prefix { $0 != "/" } })
                                guard let round = counts.first.flatMap({ Int($0) }) else {
                                    if rows.isEmpty, newest[writer] == 0 { continue }
                                    fail("group \(writer) is gone")
                                    continue
                                }
                                if counts.count != 1 || rows.count != Self.keysPerWriter {
                                    fail("group \(writer) is torn: \(rows)")
                                }
                                if round < newest[writer] { fail("group \(writer) went back") }
                                newest[writer] = round
                            }
                            snapshot.release()
                        }
                    } catch { fail("reader: \(error)") }
                })
        }
        threads.append(
            try WorkerThread(name: "maintenance") {
                do {
                    while finished.load(ordering: .acquiring) < writers {
                        try engine.flush()
                        try engine.compact()
                    }
                } catch { fail("maintenance: \(error)") }
            })
        for thread in threads { thread.join() }
        let found = problems.withLock { $0 }
        #expect(found.isEmpty, "\(found.prefix(3))")
        #expect(engine.statistics().compactions > 0)
        try fixture.reopen()
        #expect(try fixture.rows().count == writers * Self.keysPerWriter)
    }

    private static func group(
        _ engine: StorageEngine, _ writer: Int, _ at: Timestamp, scan: Bool
    ) throws -> [String] {
        if scan {
            return try engine.rows(KeyRange(prefix: Array("w\(writer)/".utf8)), at: at).map {
                String($0.drop { $0 != "=" }.dropFirst())
            }
        }
        return try (0..<keysPerWriter).compactMap { try engine.value("w\(writer)/\($0)", at: at) }
    }

    /// A state that is replaced while thousands of borrows come and go is neither leaked nor freed
    /// early.
    @Test func readStatesAreFreedOnceAndOnlyOnce() throws {
        final class Probe: @unchecked Sendable { weak var state: ReadState? }
        func layer() throws -> MemtableLayer {
            MemtableLayer(
                table: try MemTable(capacityBytes: 1 << 20), epoch: 1, lastLSN: .zero)
        }
        let shared = try layer()
        func state() -> ReadState {
            ReadState(active: shared, immutables: [], version: .empty)
        }
        let cell = ReadStateCell(state())
        let done = Atomic<Bool>(false)
        let reads = Atomic<Int>(0)
        var threads: [WorkerThread] = []
        for _ in 0..<3 {
            threads.append(
                try WorkerThread(name: "borrower") {
                    while !done.load(ordering: .relaxed) {
                        let outer = cell.borrow()
                        let inner = cell.borrow()
                        let same = outer.state.takeUnretainedValue().active === shared
                        cell.release(outer)
                        if !same { Issue.record("a freed state was borrowed") }
                        let kept = cell.retained()
                        cell.release(inner)
                        if kept.active !== shared { Issue.record("a freed state was kept") }
                        reads.wrappingAdd(1, ordering: .relaxed)
                    }
                })
        }
        var probes: [Probe] = []
        for _ in 0..<2000 {
            let next = state()
            let probe = Probe()
            probe.state = next
            probes.append(probe)
            cell.replace(with: next)
        }
        while reads.load(ordering: .relaxed) < 1000 {}
        done.store(true, ordering: .relaxed)
        for thread in threads { thread.join() }
        let alive = probes.filter { $0.state != nil }.count
        #expect(alive == 1, "only the current state may live")
    }
}

@Suite struct CompactionTests {
    @Test func deadVersionsAndTombstonesDieAtTheBottom() throws {
        let fixture = try EngineFixture()
        for round in 0..<5 {
            for key in 0..<50 { try fixture.put("k\(key)", "\(round)", .buffered) }
            try fixture.engine.flush()
        }
        for key in 0..<25 { try fixture.delete("k\(key)") }
        try fixture.engine.compact()
        var entries = fixture.engine.tree.state.version.entryCount
        #expect(entries == 25)
        try fixture.deleteRange("k", "l")
        try fixture.engine.compact()
        entries = fixture.engine.tree.state.version.entryCount
        #expect(entries == 0)
        #expect(!fixture.engine.tree.state.version.hasRangeTombstones)
        #expect(try fixture.rows().isEmpty)
    }

    @Test func aSnapshotHoldsVersionsThroughCompaction() throws {
        let fixture = try EngineFixture()
        for key in 0..<50 { try fixture.put("k\(key)", "old", .buffered) }
        let snapshot = fixture.engine.makeSnapshot()
        for key in 0..<50 { try fixture.put("k\(key)", "new", .buffered) }
        try fixture.deleteRange("k1", "k2")
        try fixture.engine.compact()
        #expect(try fixture.rows(at: snapshot.timestamp).count == 50)
        #expect(try fixture.get("k1", at: snapshot.timestamp) == "old")
        let held = snapshot.timestamp
        snapshot.release()
        try fixture.put("other", "1")
        try fixture.engine.compact()
        // Only compaction moves the floor of what can be read.
        let error = #expect(throws: StorageError.self) { try fixture.get("k1", at: held) }
        #expect(error?.code == .snapshotTooOld)
        #expect(try fixture.get("k1") == nil)
        #expect(try fixture.get("k2") == "new")
    }

    @Test func orphansGoAtTheNextOpen() throws {
        let fixture = try EngineFixture()
        try fixture.put("a", "1")
        try fixture.engine.flush()
        try fixture.engine.close()
        let stray = try fixture.fileSystem.open("/db/sst/00000000000000ff.sst", .create)
        try stray.write([1, 2, 3], at: 0)
        try stray.close()
        try fixture.reopen()
        try fixture.engine.awaitIdle()
        #expect(try !fixture.fileSystem.exists("/db/sst/00000000000000ff.sst"))
        #expect(try fixture.rows() == ["a=1"])
        // Its number is not given again in this life.
        try fixture.put("b", "2")
        try fixture.engine.flush()
        #expect(try fixture.rows() == ["a=1", "b=2"])
    }

    @Test func fragmentsHoldTheNewestVisibleTombstone() {
        func tombstone(_ lower: String, _ upper: String, _ timestamp: UInt64) -> RangeTombstone {
            RangeTombstone(
                lower: Array(lower.utf8), upper: Array(upper.utf8),
                timestamp: Timestamp(timestamp))
        }
        let all = [
            tombstone("b", "f", 10), tombstone("d", "h", 20), tombstone("a", "z", 5),
            tombstone("e", "e", 50), tombstone("m", "p", 90),
        ]
        for at in [4, 7, 15, 30, 100] as [UInt64] {
            let fragments = RangeTombstoneFragments(all, at: Timestamp(at))
            for key in "abcdefghijklmnopqrstuvwxyz" {
                let key = Array(String(key).utf8)
                let expected =
                    all.filter {
                        $0.timestamp.rawValue <= at && !KeyOrder.less(key, $0.lower)
                            && KeyOrder.less(key, $0.upper)
                    }.map(\.timestamp).max() ?? .zero
                let found = key.withUnsafeBytes { fragments.covering($0) }
                #expect(found == expected, "\(key) at \(at)")
            }
        }
    }

    @Test func theBaseLevelFollowsTheData() {
        func base(_ bytes: [UInt64]) -> LevelTargets {
            LevelTargets(bytes: bytes, baseBytes: 100, multiplier: 10)
        }
        #expect(base([0, 0, 0, 0, 0, 0, 0]).baseLevel == 6)
        #expect(base([0, 0, 0, 0, 0, 0, 90]).baseLevel == 6)
        #expect(base([0, 0, 0, 0, 0, 0, 500]).baseLevel == 5)
        #expect(base([0, 0, 0, 0, 0, 0, 50000]).baseLevel == 3)
        // Data in a level above the computed base keeps level 0 from passing it.
        #expect(base([0, 0, 7, 0, 0, 0, 90]).baseLevel == 2)
    }
}

extension Version {
    var entryCount: UInt64 {
        levels.reduce(0) { $0 + $1.files.reduce(0) { $0 + $1.metadata.entryCount } }
    }
}
