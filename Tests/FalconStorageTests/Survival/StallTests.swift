import Synchronization
import Testing

@testable import FalconStorage

/// Calls of the file system that last too long are told of while they last.
@Suite struct StallTests {
    private final class Recorder: EngineEventListener {
        private let seen = Mutex<[String]>([])
        func engine(at path: String, did event: EngineEvent) {
            switch event {
            case .stalled(let call): note("stalled", call)
            case .stallEnded(let call): note("ended", call)
            default: break
            }
        }
        private func note(_ word: String, _ call: StalledOperation) {
            let name = call.path.contains("/wal/") ? "log" : call.path
            seen.withLock { $0.append("\(word) \(call.operation) \(name) \(call.micros)") }
        }
        var lines: [String] { seen.withLock { $0 } }
    }

    @Test(arguments: [FileOperation.sync, .write])
    func aLogThatDoesNotAnswerIsReportedWhileItDoesNot(operation: FileOperation) throws {
        let gate = Gate()
        let clock = ManualClock()
        let recorder = Recorder()
        var options = EngineOptions.small
        options.eventListener = recorder
        options.closedTimestampMicros = 0
        let observed = ObservedFileSystem(MemoryFileSystem()) { call, path in
            if call == operation, path.contains("/wal/") { gate.pass() }
        }
        let engine = try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(
                fileSystem: observed, clock: clock, random: SystemRandom()))
        let stalls = try #require(engine.writable().stalls)
        // A clock at zero cannot tell a begin from none.
        clock.advance(micros: 1)
        stalls.check()
        #expect(recorder.lines.isEmpty)
        gate.close()
        let committer = try WorkerThread(name: "committer") {
            let batch = WriteBatch()
            try? batch.put(key: bytes("k"), value: bytes("v"))
            _ = try? engine.commitAndWait(batch, CommitOptions(durability: .synced))
        }
        gate.awaitVisitor()
        clock.advance(micros: 9_000_000)
        stalls.check()
        #expect(recorder.lines.isEmpty)
        #expect(engine.statistics().stalledOperations.isEmpty)
        clock.advance(micros: 2_000_000)
        stalls.check()
        stalls.check()
        #expect(recorder.lines == ["stalled \(operation) log 11000000"])
        let statistics = engine.statistics()
        #expect(statistics.stalledOperations.map(\.operation) == [operation.rawValue])
        #expect(statistics.stalledOperations.first?.micros == 11_000_000)
        #expect(statistics.stalls == 1 && statistics.delayReason == .stalledIO)
        // Told again when it has lasted twice as long; reads go on.
        clock.advance(micros: 12_000_000)
        stalls.check()
        #expect(recorder.lines.count == 2 && recorder.lines.last?.hasSuffix("23000000") == true)
        #expect(try engine.value("k") == nil)
        gate.open()
        committer.join()
        stalls.check()
        #expect(recorder.lines.last == "ended \(operation) log 23000000")
        #expect(engine.statistics().stalledOperations.isEmpty)
        #expect(engine.statistics().delayReason == .none)
        #expect(try engine.value("k") == "v")
        try engine.close()
    }

    @Test func aThreadsCallsAreToldApart() throws {
        let clock = ManualClock()
        let watch = StallWatch(clock: clock)
        let file = watch.register("/db/x")
        clock.advance(micros: 1)
        let slot = try #require(watch.begin(file, .read))
        // A second call in the same slot goes unwatched and does not end the first.
        let second = watch.begin(file, .write)
        #expect(second == nil)
        watch.end(second)
        clock.advance(micros: 50)
        let found = watch.lasting(nanos: 50_000)
        #expect(
            found.map(\.operation) == [
                StalledOperation(operation: "read", path: "/db/x", micros: 50)
            ])
        #expect(watch.lasting(nanos: 50_001).isEmpty)
        watch.end(slot)
        #expect(watch.lasting(nanos: 0).isEmpty)
    }

    @Test func nothingIsWatchedWhereNobodyWantsToKnow() throws {
        var options = EngineOptions.small
        options.stallReportMicros = 0
        let fixture = try EngineFixture(options: options)
        try fixture.put("a", "1")
        #expect(try fixture.engine.writable().stalls == nil)
        #expect(
            (fixture.engine.environment.fileSystem as? RoomMakingFileSystem)?.base
                === fixture.fileSystem)
    }

    /// Holds who passes while it is closed.
    private final class Gate: @unchecked Sendable {
        private let monitor = Monitor()
        private let changed: MonitorCondition
        private var isClosed = false
        private var visitors = 0

        init() { changed = MonitorCondition(monitor) }

        func close() { monitor.locked { isClosed = true } }
        func open() {
            monitor.lock()
            isClosed = false
            changed.broadcast()
            monitor.unlock()
        }
        func pass() {
            monitor.lock()
            if isClosed { visitors += 1 }
            changed.broadcast()
            while isClosed { changed.wait() }
            monitor.unlock()
        }
        func awaitVisitor() {
            monitor.lock()
            while visitors == 0 { changed.wait() }
            monitor.unlock()
        }
    }
}
