import CFalconPlatform

/// Callback commits that the controller holds back wait here, in order, and not on their threads.
final class CommitPacer: @unchecked Sendable {
    private struct Delayed {
        var batch: WriteBatch
        var options: CommitOptions
        var arrivalNanos: UInt64
        var completion: @Sendable (Result<CommitReceipt, StorageError>) -> Void
    }
    private let controller: WriteController
    private let pipeline: CommitPipeline
    private let monitor = Monitor()
    private let changed: MonitorCondition
    private var waiting: [Delayed] = []
    private var thread: WorkerThread?
    private var isStopping = false

    init(controller: WriteController, pipeline: CommitPipeline) {
        self.controller = controller
        self.pipeline = pipeline
        changed = MonitorCondition(monitor)
    }

    /// Hands the commit on once it may go.
    func submit(
        _ batch: WriteBatch, _ options: CommitOptions,
        completion: @escaping @Sendable (Result<CommitReceipt, StorageError>) -> Void
    ) {
        monitor.lock()
        if thread == nil, !isStopping {
            thread = try? WorkerThread(name: "commit-pacer") { [self] in run() }
        }
        guard thread != nil, !isStopping else {
            monitor.unlock()
            return pipeline.commit(batch, options, completion: completion)
        }
        waiting.append(
            Delayed(
                batch: batch, options: options, arrivalNanos: falcon_monotonic_nanos(),
                completion: completion))
        changed.signal()
        monitor.unlock()
    }

    private func run() {
        while true {
            monitor.lock()
            while waiting.isEmpty, !isStopping { changed.wait() }
            let ready = waiting
            waiting = []
            monitor.unlock()
            if ready.isEmpty { return }
            for commit in ready {
                do throws(StorageError) {
                    if controller.needsPacing {
                        try controller.pace(
                            bytes: commit.batch.byteCount, arrivalNanos: commit.arrivalNanos)
                    }
                } catch {
                    commit.completion(.failure(error))
                    continue
                }
                pipeline.commit(commit.batch, commit.options, completion: commit.completion)
            }
        }
    }

    /// After the controller released everybody: passes on what waits and ends the thread.
    func stop() {
        monitor.lock()
        isStopping = true
        let thread = thread
        self.thread = nil
        changed.broadcast()
        monitor.unlock()
        thread?.join()
    }
}
