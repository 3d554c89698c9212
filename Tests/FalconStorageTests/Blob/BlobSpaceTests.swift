import FalconTestKit
import Synchronization
import Testing

@testable import FalconStorage

/// Overwriting large values for ever takes bounded room.
@Suite struct BlobSpaceTests {
    private static let keys = 200
    private static let valueBytes = 500

    private func overwrite(
        _ fixture: EngineFixture, _ random: inout SplitMix64, _ newest: inout [Int], round: Int
    ) throws {
        let batch = WriteBatch()
        for _ in 0..<60 {
            // Some keys are hot, some are hardly ever written again.
            let wide = Int(random.next() % UInt64(Self.keys))
            let key = random.next() % 3 == 0 ? wide : wide / 4
            newest[key] = round
            try batch.put(
                key: bytes("k\(1000 + key)"),
                value: bytes(EngineFixture.large("k\(key)", round, count: Self.valueBytes)))
        }
        try fixture.engine.commitAndWait(batch, CommitOptions(durability: .buffered))
    }

    @Test(arguments: [25, 50])
    func overwritingTakesBoundedRoom(percent: Int) throws {
        let seed = SurvivalSettings.seed
        var random = SplitMix64(seed: seed)
        var options = EngineOptions.smallBlobs
        options.blobGarbagePercent = percent
        options.memtableBytes = 32 << 10
        let fixture = try EngineFixture(options: options)
        var newest = [Int](repeating: 0, count: Self.keys)
        let all = WriteBatch()
        for key in 0..<Self.keys {
            try all.put(
                key: bytes("k\(1000 + key)"),
                value: bytes(EngineFixture.large("k\(key)", 0, count: Self.valueBytes)))
        }
        try fixture.engine.commitAndWait(all)
        let live = UInt64(Self.keys * (Self.valueBytes + 40))
        // Level 0 may hold its trigger's worth of files, each as much as a memtable.
        let unmerged = UInt64(options.level0CompactionTrigger + 1) * UInt64(options.memtableBytes)
        let bound = (live + unmerged) * 100 / UInt64(100 - percent)
        for round in 1...60 {
            try overwrite(fixture, &random, &newest, round: round)
            if round % 4 != 0 { continue }
            try fixture.engine.flush()
            try fixture.engine.awaitIdle()
            let bytes = fixture.blobs.bytes
            #expect(bytes <= bound, "round \(round): \(bytes) of \(bound), seed \(seed)")
        }
        #expect(fixture.blobs.movedBytes > 0)
        #expect(try fixture.filesMatchVersion())
        // Merged, what is left is what is live, and garbage within its limit.
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(fixture.blobs.bytes <= live * 100 / UInt64(100 - percent) + 2000)
        try check(fixture, newest)
        try fixture.reopen()
        try check(fixture, newest)
    }

    private func check(_ fixture: EngineFixture, _ newest: [Int]) throws {
        for key in 0..<Self.keys {
            #expect(
                try fixture.get("k\(1000 + key)")
                    == EngineFixture.large("k\(key)", newest[key], count: Self.valueBytes))
        }
    }

    /// A writer that never waits for collection is held back by it: room stays bounded all the time.
    @Test func aWriterInAHurryTakesBoundedRoom() throws {
        let seed = SurvivalSettings.seed
        var random = SplitMix64(seed: seed)
        var options = EngineOptions.smallBlobs
        options.memtableBytes = 32 << 10
        let fixture = try EngineFixture(options: options)
        var newest = [Int](repeating: 0, count: Self.keys)
        // Twice what lives, what is not merged yet, and twice what may become garbage at once.
        let live = UInt64(Self.keys * (Self.valueBytes + 40))
        let slack = UInt64(8 * max(options.memtableBytes, options.targetFileBytes))
        let unmerged = UInt64(options.level0StopTrigger * options.memtableBytes)
        let bound = (live + unmerged + slack) * 2
        var most: UInt64 = 0
        for round in 1...250 {
            try overwrite(fixture, &random, &newest, round: round)
            most = max(most, fixture.blobs.bytes)
        }
        #expect(most <= bound, "\(most) of \(bound), seed \(seed)")
    }

    private final class Gate: EngineEventListener, @unchecked Sendable {
        let isShut = Atomic<Bool>(false)
        private let monitor = Monitor()
        private let changed: MonitorCondition
        init() { changed = MonitorCondition(monitor) }
        func engine(at path: String, did event: EngineEvent) {
            guard case .compactionBegan = event else { return }
            monitor.lock()
            while isShut.load(ordering: .acquiring) { changed.wait() }
            monitor.unlock()
        }
        func open() {
            monitor.lock()
            isShut.store(false, ordering: .releasing)
            changed.broadcast()
            monitor.unlock()
        }
    }

    /// Garbage that collection has yet to remove is debt, with its own reason and numbers.
    @Test func garbageHoldsWritersBackUntilItIsCollected() throws {
        var options = EngineOptions.smallBlobs
        options.blobGarbagePercent = 100
        options.memtableBytes = 16 << 10
        options.targetFileBytes = 16 << 10
        let gate = Gate()
        options.eventListener = gate
        let fixture = try EngineFixture(options: options)
        // One value of each file stays; the others die.
        for round in 0..<60 {
            let batch = WriteBatch()
            try batch.put(
                key: bytes("keep\(100 + round)"), value: bytes(EngineFixture.large("\(round)")))
            for key in 0..<30 {
                try batch.put(
                    key: bytes("die\(100 + key)"),
                    value: bytes(EngineFixture.large("\(key)", round)))
            }
            try fixture.engine.commitAndWait(batch, CommitOptions(durability: .buffered))
            try fixture.engine.flush()
        }
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        let before = fixture.engine.statistics()
        #expect(before.blobs.garbageBytes > 500_000 && before.delayReason == .none)
        #expect(before.compactionDebtBytes < before.blobs.garbageBytes)
        fixture.options.blobGarbagePercent = 50
        gate.isShut.store(true, ordering: .releasing)
        try fixture.reopen()
        let held = fixture.engine.statistics()
        #expect(held.delayReason == .blobGarbage && held.delayNanos > 0)
        let measure = try #require(held.delayMeasure)
        #expect(measure.value == held.blobs.garbageBytes)
        #expect(measure.softLimit == held.blobs.liveBytes + (8 * 16 << 10))
        #expect(held.compactionDebtBytes >= measure.value - held.blobs.liveBytes)
        gate.open()
        try fixture.engine.awaitIdle()
        let after = fixture.engine.statistics()
        #expect(after.delayReason == .none)
        #expect(after.blobs.garbageBytes <= after.blobs.liveBytes)
        #expect(try fixture.rows().count == 90)
    }

    /// Tables are rewritten for a file that is mostly garbage, though no level is due.
    @Test func aFileIsCollectedWithoutAnotherReason() throws {
        var options = EngineOptions.smallBlobs
        options.blobGarbagePercent = 100
        let fixture = try EngineFixture(options: options)
        let first = WriteBatch()
        for key in 0..<30 {
            try first.put(
                key: bytes("k\(100 + key)"), value: bytes(EngineFixture.large("\(key)")))
        }
        try fixture.engine.commitAndWait(first)
        try fixture.engine.flush()
        let second = WriteBatch()
        for key in 0..<25 { try second.delete(key: bytes("k\(100 + key)")) }
        try fixture.engine.commitAndWait(second)
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(fixture.blobs.garbageBytes > 0)
        let before = try fixture.filesOnDisk(".blob")
        fixture.options.blobGarbagePercent = 40
        try fixture.reopen()
        try fixture.engine.awaitIdle()
        #expect(fixture.blobs.garbageBytes == 0)
        #expect(try fixture.filesOnDisk(".blob") != before)
        #expect(try fixture.filesMatchVersion())
        #expect(try fixture.rows().count == 5)
    }

    /// The threshold may change between two opens: compactions follow it, reads do not care.
    @Test func theThresholdMayChange() throws {
        let fixture = try EngineFixture(options: .smallBlobs)
        func fill(_ round: Int, _ keys: Range<Int>) throws {
            for key in keys {
                try fixture.put(
                    "k\(100 + key)", EngineFixture.large("\(key)", round), .buffered)
            }
            try fixture.engine.flush()
        }
        func check(_ expected: (Int) -> Int) throws {
            #expect(
                try fixture.rows()
                    == (0..<30).map {
                        "k\(100 + $0)=" + EngineFixture.large("\($0)", expected($0))
                    })
        }
        try fill(1, 0..<30)
        fixture.options.blobThresholdBytes = 0
        try fixture.reopen()
        try check { _ in 1 }
        try fill(2, 0..<20)
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(fixture.blobs.fileCount == 0, "what was left of the file moved into tables")
        try check { $0 < 20 ? 2 : 1 }
        fixture.options.blobThresholdBytes = 100
        try fixture.reopen()
        try fill(3, 10..<11)
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(fixture.blobs.liveBytes > 30 * 400, "all large values left the tables")
        try check { $0 == 10 ? 3 : $0 < 20 ? 2 : 1 }
    }

    /// An open reader beside the writer keeps what it opened, whatever goes meanwhile.
    @Test func aReadOnlyEngineBesideTheWriterKeepsItsFiles() throws {
        let fixture = try EngineFixture(options: .smallBlobs)
        for key in 0..<20 { try fixture.put("k\(100 + key)", EngineFixture.large("\(key)", 1)) }
        try fixture.engine.flush()
        var options = fixture.options
        options.isReadOnly = true
        options.blockCacheBytes = 0
        let reader = try StorageEngine.open(
            at: "/db", options: options, environment: fixture.environment)
        let before = try fixture.filesOnDisk(".blob")
        for key in 0..<20 { try fixture.put("k\(100 + key)", EngineFixture.large("\(key)", 2)) }
        try fixture.engine.compact()
        try fixture.engine.awaitIdle()
        #expect(try fixture.filesOnDisk(".blob").allSatisfy { !before.contains($0) })
        #expect(
            try reader.rows()
                == (0..<20).map { "k\(100 + $0)=" + EngineFixture.large("\($0)", 1) })
    }
}
