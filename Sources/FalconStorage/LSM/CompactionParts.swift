import Synchronization

/// The key ranges of one compaction, merged one after the other by the thread that owns it and by
/// those that have nothing else to do. The owner waits for nobody to begin: it takes what is left.
final class CompactionParts: @unchecked Sendable {
    /// Merges one range; on failure nothing of it is left. The closure is polled with the range's
    /// entries read so far.
    typealias Merge =
        (KeyRange, @escaping (UInt64) -> Bool) throws(StorageError) -> TableOutput

    private let ranges: [KeyRange]
    private let merge: Merge
    private let monitor = Monitor()
    private let changed: MonitorCondition
    private let isAbandoned = Atomic<Bool>(false)
    // Guarded by the monitor.
    private var next = 0
    private var running = 0
    private var readEntries: [UInt64]
    private var outputs: [TableOutput?]
    private var failure: StorageError?

    init(_ ranges: [KeyRange], merge: @escaping Merge) {
        self.ranges = ranges
        self.merge = merge
        readEntries = Array(repeating: 0, count: ranges.count)
        outputs = Array(repeating: nil, count: ranges.count)
        changed = MonitorCondition(monitor)
    }

    var count: Int { ranges.count }

    /// Whether a helper would find something to do.
    var hasMore: Bool {
        monitor.locked { next < ranges.count && !isAbandoned.load(ordering: .relaxed) }
    }

    /// Merges ranges until none is left; for threads other than the owner's.
    func help() {
        work { _ in false }
    }

    /// Merges what nobody else does, waits for the rest, and returns the outputs in key order. When one
    /// range fails or `isCancelled` says so, nothing is left of any. `isCancelled` is polled on this
    /// thread with the entries read so far for all ranges.
    func run(_ isCancelled: @escaping (UInt64) -> Bool) throws(StorageError) -> [TableOutput] {
        work(isCancelled)
        monitor.lock()
        while running > 0 {
            changed.wait()
            let read = readEntries.reduce(0, +)
            monitor.unlock()
            if isCancelled(read) { abandon(Self.cancelled) }
            monitor.lock()
        }
        let failure = failure
        let finished = outputs.compactMap { $0 }
        outputs = []
        monitor.unlock()
        if let failure {
            for output in finished { output.abandon() }
            throw failure
        }
        return finished
    }

    static let cancelled = StorageError(
        .cancelled, kind: .retryable, "The job was cancelled.")

    private func work(_ isCancelled: @escaping (UInt64) -> Bool) {
        while let index = take() {
            var output: TableOutput?
            var failure: StorageError?
            do throws(StorageError) {
                output = try merge(ranges[index]) { [self] read in
                    isCancelled(note(index, read)) || isAbandoned.load(ordering: .relaxed)
                }
            } catch {
                failure = error
            }
            if let failure { abandon(failure) }
            monitor.lock()
            outputs[index] = output
            running -= 1
            changed.broadcast()
            monitor.unlock()
        }
    }

    private func take() -> Int? {
        monitor.lock()
        defer { monitor.unlock() }
        guard next < ranges.count, !isAbandoned.load(ordering: .relaxed) else { return nil }
        next += 1
        running += 1
        return next - 1
    }

    /// Returns what all ranges have read.
    private func note(_ index: Int, _ read: UInt64) -> UInt64 {
        monitor.lock()
        defer { monitor.unlock() }
        readEntries[index] = read
        changed.broadcast()
        return readEntries.reduce(0, +)
    }

    /// The first cause is kept: the others' is only that they were stopped.
    private func abandon(_ error: StorageError) {
        monitor.lock()
        failure = failure ?? error
        isAbandoned.store(true, ordering: .relaxed)
        monitor.unlock()
    }
}
