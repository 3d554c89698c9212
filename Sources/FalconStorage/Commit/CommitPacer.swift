import CFalconPlatform

/// Callback commits that the controller holds back wait here, in order, and not on their threads.
final class CommitPacer: @unchecked Sendable {
    private struct Delayed {
        var ticket: CommitTicket
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

    /// Hands the commit on once it may go. Nil: at once.
    func submit(
        _ batch: WriteBatch, _ options: CommitOptions,
        completion: @escaping @Sendable (Result<CommitReceipt, StorageError>) -> Void
    ) -> CommitTicket? {
        monitor.lock()
        if thread == nil, !isStopping {
            thread = try? WorkerThread(name: "commit-pacer") { [self] in run() }
        }
        guard thread != nil, !isStopping else {
            monitor.unlock()
            pipeline.commit(batch, options, completion: completion)
            return nil
        }
        let ticket = CommitTicket(pacer: self)
        waiting.append(
            Delayed(
                ticket: ticket, batch: batch, options: options,
                arrivalNanos: falcon_monotonic_nanos(),
                completion: completion))
        changed.signal()
        monitor.unlock()
        return ticket
    }

    func cancel(_ ticket: CommitTicket) {
        monitor.lock()
        let place = waiting.firstIndex { $0.ticket === ticket }
        let taken = place.map { waiting.remove(at: $0) }
        monitor.unlock()
        taken?.completion(
            .failure(
                StorageError(
                    .cancelled, kind: .user, "The commit was taken back before it was begun.")))
    }

    private func run() {
        while true {
            monitor.lock()
            while waiting.isEmpty, !isStopping { changed.wait() }
            let first = waiting.first
            monitor.unlock()
            guard let first else { return }
            // It stays in line meanwhile, where ``cancel(_:)`` finds it.
            let refusal = pace(first)
            guard remove(first.ticket) else { continue }
            if let refusal {
                first.completion(.failure(refusal))
            } else {
                pipeline.commit(first.batch, first.options, completion: first.completion)
            }
        }
    }

    private func pace(_ commit: Delayed) -> StorageError? {
        guard controller.needsPacing else { return nil }
        do throws(StorageError) {
            try controller.pace(
                bytes: commit.batch.byteCount, arrivalNanos: commit.arrivalNanos)
            return nil
        } catch {
            return error
        }
    }

    /// False when it was taken back.
    private func remove(_ ticket: CommitTicket) -> Bool {
        monitor.lock()
        defer { monitor.unlock() }
        guard let place = waiting.firstIndex(where: { $0.ticket === ticket }) else { return false }
        waiting.remove(at: place)
        return true
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
