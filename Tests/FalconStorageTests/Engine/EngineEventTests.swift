import Synchronization
import Testing

@testable import FalconStorage

/// What an embedding program hears of its engine, and may ask it.
@Suite struct EngineEventTests {
    private final class Recorder: EngineEventListener {
        let events = Mutex<[EngineEvent]>([])
        func engine(at path: String, did event: EngineEvent) {
            #expect(path == "/db")
            events.withLock { $0.append(event) }
        }
        var names: [String] {
            events.withLock { events in
                events.map { event in
                    switch event {
                    case .recovering(let event): "recovering \(event.phase)"
                    case .flushBegan: "flush began"
                    case .flushEnded(let flush):
                        flush.error == nil && flush.writtenBytes > 0
                            ? "flush ended" : "flush failed"
                    case .compactionBegan(let compaction):
                        "compaction \(compaction.inputLevel)-\(compaction.outputLevel) began"
                    case .compactionEnded(let compaction):
                        compaction.error.map { "compaction \($0.code)" }
                            ?? "compaction to \(compaction.outputLevel) ended"
                    case .delayChanged(let reason): "delay \(reason.rawValue)"
                    case .stalled: "stalled"
                    case .stallEnded: "stall ended"
                    case .quarantined: "quarantined"
                    case .blobDamaged: "blob damaged"
                    case .damageNotRepeated: "damage not repeated"
                    case .damageUnsettled: "damage unsettled"
                    case .poisoned: "poisoned"
                    case .keysNotReplaced: "keys not replaced"
                    case .archiveFailed: "archive failed"
                    case .archiveResumed: "archive resumed"
                    case .archiveLost: "archive lost"
                    }
                }
            }
        }
    }

    @Test func flushesAndCompactionsAreHeardInOrder() throws {
        var options = EngineOptions.small
        let recorder = Recorder()
        options.eventListener = recorder
        let fixture = try EngineFixture(options: options)
        try fixture.put("a", "1")
        try fixture.engine.flush()
        #expect(recorder.names == ["flush began", "flush ended"])
        try fixture.put("a", "2")
        try fixture.engine.compact()
        #expect(
            recorder.names == [
                "flush began", "flush ended", "flush began", "flush ended", "compaction 0-6 began",
                "compaction to 6 ended",
            ])
    }

    @Test func aFailedLogIsHeard() throws {
        let faults = FaultInjectingFileSystem(MemoryFileSystem())
        var options = EngineOptions.small
        let recorder = Recorder()
        options.eventListener = recorder
        let engine = try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(
                fileSystem: faults, clock: ManualClock(), random: SystemRandom()))
        faults.setRule(
            FaultRule(.operation(.sync), pathContains: "wal", index: 0, count: .max, errno: 5))
        let batch = WriteBatch()
        try batch.put(key: bytes("k"), value: bytes("v"))
        #expect(throws: StorageError.self) {
            try engine.commitAndWait(batch, CommitOptions(durability: .synced))
        }
        #expect(recorder.names == ["poisoned"])
        try? engine.close()
    }

    @Test func aCompactionReportsAndCanBeGivenUp() throws {
        let fixture = try EngineFixture()
        for round in 0..<2 {
            try fixture.put((0..<9000).map { ("key \(10000 + $0)", "value \(round)") }, .written)
            try fixture.engine.flush()
        }
        let before = fixture.engine.statistics().levels
        let error = #expect(throws: StorageError.self) {
            try fixture.engine.compact { _ in false }
        }
        #expect(error?.code == .cancelled)
        #expect(fixture.engine.statistics().levels == before)
        var seen: [CompactionProgress] = []
        try fixture.engine.compact {
            seen.append($0)
            return true
        }
        #expect(seen.count >= 2)
        #expect(seen.allSatisfy { $0.doneBytes <= $0.totalBytes && $0.totalBytes > 0 })
        #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.doneBytes <= $1.doneBytes })
        #expect(try fixture.get("key 10000") == "value 1")
    }

    @Test func manyKeysAreReadFromOneState() throws {
        let fixture = try EngineFixture()
        try fixture.put([("a", "1"), ("b", "2"), ("d", "4")])
        try fixture.engine.flush()
        let snapshot = fixture.engine.makeSnapshot()
        try fixture.put("b", "22")
        try fixture.delete("d")
        let keys = ["d", "a", "c", "b", ""].map { Array($0.utf8) }
        func texts(_ values: [[UInt8]?]) -> [String?] {
            values.map { $0.map { String(decoding: $0, as: UTF8.self) } }
        }
        #expect(texts(try fixture.engine.multiGet(keys)) == [nil, "1", nil, "22", nil])
        #expect(
            texts(try fixture.engine.multiGet(keys, at: snapshot.timestamp))
                == ["4", "1", nil, "2", nil])
        #expect(try fixture.engine.multiGet([]).isEmpty)
    }

    @Test func theHolderOfOldVersionsIsNamed() throws {
        let fixture = try EngineFixture()
        try fixture.put("a", "1")
        #expect(fixture.engine.safepointReport().holder == .none)
        let nightly = fixture.engine.makeSnapshot(owner: "nightly report")
        fixture.clock.advance(micros: 5_000_000)
        try fixture.put("a", "2")
        let later = fixture.engine.makeSnapshot()
        let report = fixture.engine.safepointReport()
        #expect(report.holder == .snapshot(owner: "nightly report"))
        #expect(report.timestamp == nightly.timestamp)
        #expect(report.lagMicros == 5_000_000)
        #expect(report.snapshots == 2)
        nightly.release()
        #expect(fixture.engine.safepointReport().holder == .snapshot(owner: ""))
        later.release()
        #expect(fixture.engine.safepointReport().holder == .none)
    }
}
