import Logging
import Synchronization
import Testing

@testable import FalconServer
@testable import FalconStorage

/// What the server's log and terminal show of the engine's events.
@Suite struct EngineLogTests {
    /// Keeps lines of the log.
    private struct Lines: LogHandler {
        final class Kept: Sendable { let lines = Mutex<[String]>([]) }
        let kept: Kept
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            kept.lines.withLock { $0.append("\(event.level): \(event.message)") }
        }
    }
    private let kept = Lines.Kept()
    private var logger: Logger {
        let kept = kept
        return Logger(label: "test") { _ in Lines(kept: kept) }
    }
    private var lines: [String] { kept.lines.withLock { $0 } }

    private func event(
        _ phase: RecoveryEvent.Phase, _ done: UInt64, at micros: UInt64, isEnd: Bool = false
    ) -> EngineEvent {
        var event = RecoveryEvent(phase: phase)
        (event.doneBytes, event.totalBytes) = (done << 20, 100 << 20)
        (event.files, event.records, event.elapsedMicros) = (2, done * 10, micros)
        event.isEnd = isEnd
        return .recovering(event)
    }

    @Test func aRecoveryShowsItsProgressAndIsSummedUp() {
        let shown = Lines.Kept()
        let log = EngineLog(logger: logger) { text in shown.lines.withLock { $0.append(text) } }
        for (done, micros) in [(0, 0), (10, 1_000_000), (50, 5_000_000), (60, 6_000_000)] {
            log.engine(at: "/db", did: event(.scan, UInt64(done), at: UInt64(micros)))
        }
        log.engine(at: "/db", did: event(.scan, 100, at: 10_000_000, isEnd: true))
        log.engine(at: "/db", did: event(.apply, 100, at: 7_000, isEnd: true))
        log.engine(at: "/db", did: event(.validate, 100, at: 1_000, isEnd: true))
        #expect(
            lines == [
                "info: recovering (scan): 50 % of 100 MiB, 500 records, 5 s left",
                "info: recovered 1000 commits from 102400 KiB of log in 2 segments, 2 tables "
                    + "checked: scan 10000 ms, apply 7 ms, validate 1 ms",
            ])
        let texts = shown.lines.withLock { $0 }
        #expect(texts.count == 7 && texts[4...].allSatisfy(\.isEmpty))
        #expect(texts[1] == "recovering (scan): 10 % of 100 MiB, 100 records, 9 s left")
    }

    @Test func aJobThatIsRetriedIsLoggedOnce() {
        let log = EngineLog(logger: logger, show: nil)
        var flush = EngineEvent.Flush(memtableBytes: 1)
        flush.error = StorageError(.diskFull, kind: .transient, "No room.")
        for _ in 0..<3 { log.engine(at: "/db", did: .flushEnded(flush)) }
        flush.error = nil
        for _ in 0..<2 { log.engine(at: "/db", did: .flushEnded(flush)) }
        log.engine(at: "/db", did: .poisoned(StorageError(.io, kind: .transient, "Gone.")))
        #expect(
            lines == [
                "warning: a flush failed and is tried again: disk-full: No room.",
                "notice: a flush succeeded again",
                "error: the engine takes no more writes: io: Gone.",
            ])
    }
}
