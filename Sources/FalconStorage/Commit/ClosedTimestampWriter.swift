/// Closes timestamps in the log, so that restores and change capture know how far time has come
/// although nothing is committed.
///
/// Under load once per interval. With nothing committed since, ever more rarely: an idle disk sleeps.
/// The first commit after such a pause wakes it; no other commit pays.
final class ClosedTimestampWriter: @unchecked Sendable {
    /// The first and the longest pause while nothing is committed.
    static let idleNanos: ClosedRange<UInt64> = 10_000_000_000...60_000_000_000

    private let pipeline: CommitPipeline
    private let intervalNanos: UInt64
    private let idleNanos: ClosedRange<UInt64>
    private let monitor = Monitor()
    private let changed: MonitorCondition
    private var thread: WorkerThread?
    // Guarded by the monitor.
    private var isStopping = false
    private var hasCommits = false

    init(
        pipeline: CommitPipeline, intervalNanos: UInt64,
        idleNanos: ClosedRange<UInt64> = ClosedTimestampWriter.idleNanos
    ) {
        self.pipeline = pipeline
        self.intervalNanos = intervalNanos
        self.idleNanos =
            max(
                idleNanos.lowerBound, intervalNanos)...max(
                idleNanos.upperBound, intervalNanos)
        changed = MonitorCondition(monitor)
    }

    func start() throws(StorageError) {
        thread = try WorkerThread(name: "falcon-closer") { [self] in run() }
    }

    /// A commit after a pause. Called inside the commit section.
    func noteCommit() {
        monitor.lock()
        hasCommits = true
        changed.signal()
        monitor.unlock()
    }

    func stop() {
        monitor.lock()
        isStopping = true
        changed.broadcast()
        monitor.unlock()
        thread?.join()
        thread = nil
    }

    private func run() {
        var pause = idleNanos.lowerBound
        monitor.lock()
        while !isStopping {
            if hasCommits {
                pause = idleNanos.lowerBound
                while !isStopping, changed.wait(nanos: intervalNanos) {}
            } else {
                let wasWoken = changed.wait(nanos: pause)
                if hasCommits || wasWoken { continue }
                pause = min(pause * 2, idleNanos.upperBound)
            }
            if isStopping { break }
            hasCommits = false
            monitor.unlock()
            let goesOn = close()
            monitor.lock()
            if !goesOn { break }
        }
        monitor.unlock()
    }

    /// False when the log takes nothing any more.
    private func close() -> Bool {
        do throws(StorageError) {
            try pipeline.closeTimestamp()
            return true
        } catch {
            // The commits learn the cause; there is nobody to tell here.
            return false
        }
    }
}
