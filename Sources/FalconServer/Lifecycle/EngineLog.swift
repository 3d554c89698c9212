import FalconStorage
import Glibc
import Logging
import Synchronization

/// Puts what the engine meets into the server's log, and a progress line on a terminal while a start
/// recovers.
final class EngineLog: EngineEventListener {
    /// Between two lines about one recovery in the log.
    static let intervalMicros: UInt64 = 5_000_000

    private struct State {
        /// Of the phases so far, for the summary.
        var phases: [RecoveryEvent] = []
        var nextLineMicros = EngineLog.intervalMicros
        /// Codes of failures that were logged and have not ended: a retried job fails often.
        var failing: Set<String> = []
    }
    private let logger: Logger
    /// Shows text in place of the one before; nil where nobody looks.
    private let show: (@Sendable (String) -> Void)?
    private let state = Mutex(State())

    init(logger: Logger, show: (@Sendable (String) -> Void)? = EngineLog.terminal) {
        self.logger = logger
        self.show = show
    }

    /// Standard error, when it is a terminal.
    static var terminal: (@Sendable (String) -> Void)? {
        guard isatty(STDERR_FILENO) == 1 else { return nil }
        return { text in _ = ServerProcess.put("\r\u{1B}[K" + text, to: STDERR_FILENO) }
    }

    func engine(at path: String, did event: EngineEvent) {
        switch event {
        case .recovering(let event): recovering(event)
        case .flushEnded(let job): note(job.error, of: "flush")
        case .compactionEnded(let job): note(job.error, of: "compaction")
        case .poisoned(let error): logger.error("the engine takes no more writes: \(error)")
        case .quarantined(let entry): logger.error("\(Self.text(entry))")
        case .blobDamaged(let file): logger.error("\(Self.text(file))")
        case .damageNotRepeated(let error):
            logger.warning(
                "bytes that failed their checks passed when read again; look at memory and device: \(error)"
            )
        case .damageUnsettled(let error, let cause):
            logger.warning("damage was met and could not be settled: \(error); because: \(cause)")
        case .keysNotReplaced(let error):
            logger.warning("data keys beyond their age could not be replaced: \(error)")
        case .archiveFailed(let error):
            logger.warning("the log could not be archived and is tried again: \(error)")
        case .archiveResumed: logger.notice("the log is archived again")
        case .archiveLost(let lsn, let reason):
            logger.error(
                """
                the archive of the log is lost since \(lsn): \(reason). No later point can be restored \
                until the next base backup: SELECT falcon.backup('label')
                """)
        case .stalled(let call):
            let seconds = call.micros / 1_000_000
            logger.warning(
                "a \(call.operation) of \(call.path) has lasted \(seconds) s; the engine waits"
            )
        case .stallEnded(let call):
            let seconds = call.micros / 1_000_000
            logger.notice(
                "the \(call.operation) of \(call.path) is over, after some \(seconds) s")
        default: break
        }
    }

    // MARK: - Recovery

    private func recovering(_ event: RecoveryEvent) {
        if event.isEnd {
            show?("")
            let phases = state.withLock { state in
                state.nextLineMicros = Self.intervalMicros
                state.phases.append(event)
                return state.phases
            }
            if event.phase == .validate { logger.info("\(Self.summary(phases))") }
            return
        }
        show?(Self.text(event))
        let isDue = state.withLock { state in
            guard event.elapsedMicros >= state.nextLineMicros else { return false }
            state.nextLineMicros = event.elapsedMicros + Self.intervalMicros
            return true
        }
        if isDue { logger.info("\(Self.text(event))") }
    }

    /// `recovering (apply): 43 % of 512 MiB, 1200000 commits, 3 s left`
    static func text(_ event: RecoveryEvent) -> String {
        let share = event.totalBytes == 0 ? 100 : event.doneBytes * 100 / event.totalBytes
        var text =
            "recovering (\(event.phase.rawValue)): \(share) % of \(event.totalBytes >> 20) MiB"
        text += ", \(event.records) \(event.phase == .scan ? "records" : "commits")"
        if let left = event.remainingMicros { text += ", \((left + 999_999) / 1_000_000) s left" }
        return text
    }

    /// `recovered 120 commits from 3 MiB of log in 2 segments, 8 tables checked: scan 4 ms, apply 9 ms,
    /// validate 1 ms`
    static func summary(_ phases: [RecoveryEvent]) -> String {
        let apply = phases.first { $0.phase == .apply }
        let tables = phases.first { $0.phase == .validate }?.files ?? 0
        return
            "recovered \(apply?.records ?? 0) commits from \((apply?.totalBytes ?? 0) >> 10) KiB of"
            + " log in \(apply?.files ?? 0) segments, \(tables) tables checked: "
            + phases.map { "\($0.phase.rawValue) \($0.elapsedMicros / 1000) ms" }
            .joined(separator: ", ")
    }

    /// The keys are not shown: they are data.
    static func text(_ entry: CorruptionReport.Entry) -> String {
        let offset = entry.offset.map { " at offset \($0)" } ?? ""
        return "a damaged table is out of service: \(entry.path)\(offset), level \(entry.level), "
            + "\(entry.entryCount) entries: \(entry.reason) \(extent(entry)); "
            + "restore the file or accept the loss (docs/operations/errors.md)"
    }

    static func text(_ file: CorruptionReport.BlobFile) -> String {
        let offset = file.offset.map { " at offset \($0)" } ?? ""
        return
            "a blob file is damaged: \(file.path)\(offset), \(file.liveRecords) values refer to it: "
            + "\(file.reason) Reads of the damaged ones fail with XX001; restore the file, delete or "
            + "overwrite the rows, or accept the loss (docs/operations/errors.md)"
    }

    private static func extent(_ entry: CorruptionReport.Entry) -> String {
        if entry.isWhole { return "Reads of its keys fail with XX001" }
        let ranges = entry.losses.count { $0.keys != nil }
        return ranges == 0
            ? "No row is lost"
            : "Reads of the keys in \(ranges) damaged range(s) of it fail with XX001, its other rows "
                + "are served"
    }

    // MARK: - Jobs

    /// Logs the first of a row of equal failures, and the end of the row.
    private func note(_ error: StorageError?, of job: String) {
        guard let error else {
            let hasFailed = state.withLock { state in
                let before = state.failing.count
                state.failing = state.failing.filter { !$0.hasPrefix(job) }
                return before > state.failing.count
            }
            if hasFailed { logger.notice("a \(job) succeeded again") }
            return
        }
        if error.code == .closed || error.code == .cancelled { return }
        let isNew = state.withLock { $0.failing.insert("\(job) \(error.code)").inserted }
        if isNew { logger.warning("a \(job) failed and is tried again: \(error)") }
    }
}
