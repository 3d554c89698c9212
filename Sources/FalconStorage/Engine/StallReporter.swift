import Synchronization

/// Tells of calls of the file system that last too long, while they last: a device that does not answer, a
/// network file system whose server has gone. It ends nothing and gives up nothing.
final class StallReporter: @unchecked Sendable {
    private let watch: StallWatch
    private let limitNanos: UInt64
    private let events: EngineEvents
    private let monitor = Monitor()
    private let changed: MonitorCondition
    private var thread: WorkerThread?
    // Guarded by the monitor.
    private var isStopping = false
    private var current: [StallWatch.Key: Stall] = [:]
    private var total: UInt64 = 0

    private struct Stall {
        var operation: StalledOperation
        /// When it is told of again.
        var nextMicros: UInt64
    }

    init(_ watch: StallWatch, limitMicros: UInt64, events: EngineEvents) {
        self.watch = watch
        limitNanos = limitMicros.multipliedCapped(by: 1000)
        self.events = events
        changed = MonitorCondition(monitor)
    }

    func start() throws(StorageError) {
        thread = try WorkerThread(name: "falcon-stalls") { [self] in run() }
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
        monitor.lock()
        while !isStopping {
            if changed.wait(nanos: max(limitNanos / 4, 1_000_000)) { continue }
            monitor.unlock()
            check()
            monitor.lock()
        }
        monitor.unlock()
    }

    /// Looks once: tells of what has passed the limit, of what has lasted twice as long since it was told,
    /// and of what is over.
    func check() {
        let found = watch.lasting(nanos: limitNanos)
        var news: [EngineEvent] = []
        monitor.lock()
        for item in found {
            let known = current[item.key]
            let isDue = known.map { item.operation.micros >= $0.nextMicros } ?? true
            if known == nil { total &+= 1 }
            if isDue { news.append(.stalled(item.operation)) }
            current[item.key] = Stall(
                operation: item.operation,
                nextMicros: isDue
                    ? item.operation.micros.multipliedCapped(by: 2) : known?.nextMicros ?? 0)
        }
        let lasting = Set(found.map(\.key))
        for (key, stall) in current where !lasting.contains(key) {
            news.append(.stallEnded(stall.operation))
            current[key] = nil
        }
        monitor.unlock()
        for event in news { events.send(event) }
    }

    func addStatistics(to statistics: inout EngineStatistics) {
        monitor.lock()
        statistics.stalls = total
        statistics.stalledOperations = current.values.map(\.operation).sorted {
            $0.micros > $1.micros
        }
        monitor.unlock()
        if statistics.delayReason == .none, !statistics.stalledOperations.isEmpty {
            statistics.delayReason = .stalledIO
        }
    }
}
