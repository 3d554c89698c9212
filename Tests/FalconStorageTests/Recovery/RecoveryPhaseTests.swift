import Synchronization
import Testing

@testable import FalconStorage

/// Opening in phases: all of the log is judged first, then replayed side by side, then checked.
@Suite struct RecoveryPhaseTests {
    private final class Recorder: EngineEventListener {
        private let seen = Mutex<[RecoveryEvent]>([])
        func engine(at path: String, did event: EngineEvent) {
            if case .recovering(let event) = event { seen.withLock { $0.append(event) } }
        }
        var events: [RecoveryEvent] { seen.withLock { $0 } }
    }

    /// A log of many memtables' worth, nothing of it flushed, and the rows it comes to.
    private static func written(seed: UInt64) throws -> (MemoryFileSystem, rows: [String]) {
        var random = SplitMix64(seed: seed)
        var options = EngineOptions.small
        options.memtableBytes = 64 << 20
        options.batchPartBytes = 2048
        let fixture = try EngineFixture(options: options)
        var model: [String: String] = [:]
        for step in 0..<1500 {
            let key = String(1000 + Int(random.next() % 400))
            switch random.next() % 20 {
            case 0:
                try fixture.delete(key)
                model[key] = nil
            case 1 where step % 3 == 0:
                let upper = String(1000 + Int(random.next() % 400))
                guard key < upper else { continue }
                try fixture.deleteRange(key, upper)
                model = model.filter { $0.key < key || $0.key >= upper }
            case 2:
                // Logged in parts, larger than a small memtable now and then.
                let count = step % 7 == 0 ? 900 : 40
                let pairs = (0..<count).map {
                    (String(1000 + ($0 &* 7) % 400), "part \($0) of step \(step)")
                }
                try fixture.put(pairs, .written)
                for (key, value) in pairs { model[key] = value }
            default:
                let value = "step \(step)" + String(repeating: "v", count: Int(random.next() % 90))
                try fixture.put(key, value, .written)
                model[key] = value
            }
        }
        try fixture.engine.close()
        return (
            fixture.fileSystem, model.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        )
    }

    private static func open(
        _ fileSystem: any FileSystem, _ options: EngineOptions
    ) throws -> StorageEngine {
        try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(
                fileSystem: fileSystem, clock: ManualClock(), random: SystemRandom()))
    }

    private static func tables(_ fileSystem: MemoryFileSystem) throws -> [String] {
        try fileSystem.list("/db/sst").filter { $0.hasSuffix(".sst") }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func slicesReplayedSideBySideComeToTheSameRows(seed: UInt64) throws {
        let (memory, rows) = try Self.written(seed: seed)
        for (memtable, kept) in [(64 << 20, 2), (16 << 10, 64), (16 << 10, 2), (4096, 1)] {
            var options = EngineOptions.small
            options.memtableBytes = memtable
            options.maximumImmutableMemtables = kept
            let recorder = Recorder()
            options.eventListener = recorder
            let clone = memory.crashClone(.keepUnsynced)
            var reading = options
            reading.isReadOnly = true
            let reader = try Self.open(clone, reading)
            #expect(try reader.rows() == rows, "read-only, seed \(seed), memtable \(memtable)")
            #expect(try Self.tables(clone).isEmpty)
            try reader.close()
            let engine = try Self.open(clone, options)
            #expect(try engine.rows() == rows, "seed \(seed), memtable \(memtable)")
            // What did not stay in memory is in tables that a crash now leaves in place.
            let crashed = clone.crashClone(.dropUnsynced)
            try engine.close()
            options.eventListener = nil
            let again = try Self.open(crashed, options)
            #expect(try again.rows() == rows, "seed \(seed), memtable \(memtable), after a crash")
            try again.close()
        }
    }

    private static func overflow(
        _ memory: MemoryFileSystem, _ options: EngineOptions
    ) -> ReplayOverflow {
        ReplayOverflow(
            store: TableStore(names: FileNames(root: "/db"), fileSystem: memory, cache: nil),
            random: SystemRandom(), options: options)
    }

    /// What an open for writing finds, before any manifest names it.
    private static func replayed(
        _ memory: MemoryFileSystem, _ options: EngineOptions
    ) throws -> (ReplayOverflow, RecoveredState) {
        let names = FileNames(root: "/db")
        let overflow = overflow(memory, options)
        let state = try RecoveryReader(
            names: names, fileSystem: memory,
            store: TableStore(names: names, fileSystem: memory, cache: nil),
            memtableBytes: options.rotationBytes, forWriting: true,
            progress: RecoveryProgress(path: "/db", listener: nil, clock: ManualClock()),
            overflow: overflow
        ).read()
        return (overflow, state)
    }

    @Test func replayKeepsNoMoreMemtablesThanTheEngineMay() throws {
        let (memory, rows) = try Self.written(seed: 4)
        var options = EngineOptions.small
        options.memtableBytes = 16 << 10
        options.maximumImmutableMemtables = 2
        let (overflow, state) = try Self.replayed(memory, options)
        #expect(state.layers.count == 2)
        #expect(state.version.level0.count > 4)
        let epochs =
            state.layers.map(\.epoch) + state.version.level0.files.map(\.metadata.flushEpoch)
        #expect(epochs == epochs.sorted(by: >) && Set(epochs).count == epochs.count)
        #expect(state.layers.last.map { $0.lastLSN > state.version.flushedLSN } == true)
        overflow.abandon()
        #expect(try Self.tables(memory).isEmpty)
        let engine = try Self.open(memory, options)
        #expect(try engine.rows() == rows)
        try engine.close()
    }

    /// Who restores closes the engine at once: what stays in memory would be replayed again by whoever opens it next.
    @Test func aRestoreKeepsNothingInMemory() throws {
        let (memory, _) = try Self.written(seed: 8)
        var options = EngineOptions.small
        options.isBeingRestored = true
        let (overflow, state) = try Self.replayed(memory, options)
        #expect(state.layers.isEmpty)
        #expect(!state.version.level0.files.isEmpty)
        overflow.abandon()
    }

    /// Two slices' tables are made side by side, and the older slice's fail: the newer ones would leave a hole.
    @Test func noTablesAreNamedBehindASliceThatHasNone() throws {
        let (memory, _) = try Self.written(seed: 9)
        let overflow = Self.overflow(memory, .small)
        var state = RecoveredState()
        overflow.begin(state)
        func layer(_ key: String, _ epoch: UInt64) throws -> MemtableLayer {
            let table = try MemTable(capacityBytes: 1 << 20)
            let bytes = Array(key.utf8)
            try #require(
                bytes.withUnsafeBytes { key in
                    table.insert(
                        key: key, timestamp: Timestamp(epoch), kind: .put, value: key)
                })
            return MemtableLayer(table: table, epoch: epoch, lastLSN: LSN(epoch * 100))
        }
        let (older, newer) = (try layer("a", 1), try layer("b", 2))
        let edit = try #require(overflow.makeTables(of: newer, .zero))
        #expect(try Self.tables(memory).count == 1)
        #expect(try !overflow.take(.init(layer: older, edit: nil), &state))
        #expect(try !overflow.take(.init(layer: newer, edit: edit), &state))
        #expect(state.version.level0.files.isEmpty)
        #expect(try Self.tables(memory).isEmpty)
    }

    @Test func anOpenThatFailsLeavesNoTablesBehind() throws {
        let (memory, rows) = try Self.written(seed: 5)
        var options = EngineOptions.small
        options.memtableBytes = 16 << 10
        options.maximumImmutableMemtables = 1
        let faults = FaultInjectingFileSystem(memory)
        // The new manifest is the first thing made at the top of the directory.
        faults.setRule(
            FaultRule(
                .operation(.create), pathContains: "MANIFEST", index: 0, count: .max, errno: 28))
        let error = #expect(throws: StorageError.self) { _ = try Self.open(faults, options) }
        #expect(error?.code == .diskFull, "\(error as Any)")
        #expect(try Self.tables(memory).isEmpty)
        // Without room for tables they stay in memory, as the log has them.
        faults.setRule(
            FaultRule(.mutating, pathContains: ".sst", index: 0, count: .max, errno: 28))
        let engine = try Self.open(faults, options)
        #expect(try engine.rows() == rows)
        #expect(faults.injectedCount > 0)
        faults.setRule(nil)
        try engine.close()
    }

    /// The placeholder beside a layer that is one transaction has no room for its one value.
    @Test func aLargeValueIsReplayedAsALayerOfItsOwn() throws {
        var options = EngineOptions.small
        options.memtableBytes = 64 << 20
        options.batchPartBytes = 2 << 20
        let fixture = try EngineFixture(options: options)
        let value = String(repeating: "x", count: 1_030_000)
        try fixture.put("large", value, .written)
        try fixture.engine.close()
        options.memtableBytes = 64 << 10
        let engine = try Self.open(fixture.fileSystem, options)
        #expect(try engine.rows() == ["large=" + value])
        try engine.close()
    }

    /// Tables are made side by side, and one of them fails: what is newer is not named without it.
    @Test(arguments: 0..<4)
    func aTableThatIsNotWrittenLeavesNoHole(_ table: Int) throws {
        let (memory, rows) = try Self.written(seed: 7)
        var options = EngineOptions.small
        options.memtableBytes = 16 << 10
        options.maximumImmutableMemtables = 1
        let faults = FaultInjectingFileSystem(memory)
        faults.setRule(
            FaultRule(
                .operation(.create), pathContains: ".sst", index: table, count: 1, errno: 28))
        let engine = try Self.open(faults, options)
        #expect(faults.injectedCount == 1)
        #expect(try engine.rows() == rows, "table \(table)")
        faults.setRule(nil)
        try engine.close()
        let again = try Self.open(memory, options)
        #expect(try again.rows() == rows, "table \(table), opened again")
        try again.close()
    }

    @Test func theWholeLogIsJudgedBeforeAnythingIsApplied() throws {
        let (memory, _) = try Self.written(seed: 6)
        let last = try #require(
            try memory.list("/db/wal").filter { $0.hasSuffix(".wal") }.sorted().last)
        let file = try memory.open("/db/wal/" + last, .readWrite)
        // The first chunk of the last segment; what lies behind vouches for it.
        let place = UInt64(WALFormat.headerBytes + WALFormat.chunkHeaderBytes + 3)
        let byte = try file.readExactly(1, at: place)
        try file.write([byte[0] ^ 1], at: place)
        var options = EngineOptions.small
        options.memtableBytes = 16 << 10
        options.maximumImmutableMemtables = 1
        let recorder = Recorder()
        options.eventListener = recorder
        let tracing = TracingFileSystem(memory)
        let error = #expect(throws: StorageError.self) { _ = try Self.open(tracing, options) }
        #expect(error?.code == .corruption)
        #expect(recorder.events.map(\.phase) == [.scan])
        #expect(!tracing.events.contains { $0.operation == .write || $0.operation == .remove })
    }

    @Test func phasesAreToldWithTheirFigures() throws {
        let fixture = try EngineFixture()
        let recorder = Recorder()
        for row in 0..<50 { try fixture.put("k\(row)", "v") }
        try fixture.engine.flush()
        for row in 0..<7 { try fixture.put("m\(row)", "v") }
        try fixture.engine.close()
        var options = fixture.options
        options.eventListener = recorder
        let bytes = try fixture.fileSystem.fileSize(
            "/db/sst/" + #require(try Self.tables(fixture.fileSystem).first))
        let engine = try Self.open(fixture.fileSystem, options)
        try engine.close()
        let ends = recorder.events.filter(\.isEnd)
        #expect(ends.map(\.phase) == RecoveryEvent.Phase.allCases)
        #expect(ends.allSatisfy { $0.doneBytes == $0.totalBytes && $0.remainingMicros == 0 })
        #expect(ends.map(\.records)[1...] == [7, 7])
        #expect(ends[0].records >= 7 && ends[0].files >= 1 && ends[0].totalBytes > 0)
        #expect(ends[2].files == 1)
        #expect(ends[2].totalBytes == bytes)
        #expect(recorder.events.map(\.phase) == RecoveryEvent.Phase.allCases.flatMap { [$0, $0] })
    }

    @Test func whatIsLeftIsToldByThePaceSoFar() {
        var event = RecoveryEvent(phase: .apply)
        event.totalBytes = 1000
        #expect(event.remainingMicros == nil)
        event.doneBytes = 250
        event.elapsedMicros = 1_000_000
        #expect(event.remainingMicros == 3_000_000)
    }
}
