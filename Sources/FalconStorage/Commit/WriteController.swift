import CFalconPlatform
import Synchronization

/// Holds writers back as flushes and compactions fall behind: a delay that grows with the debt
/// instead of a cliff, and a stop only where memory would run out.
final class WriteController: @unchecked Sendable {
    /// What the tree looks like.
    struct Load {
        var immutables = 0
        var maximumImmutables = 2
        var level0Files = 0
        var level0Slowdown = 12
        var level0Stop = 24
        var debtBytes: UInt64 = 0
        var softDebtBytes: UInt64 = .max
        var hardDebtBytes: UInt64 = .max
        var isDiskFull = false
    }

    /// The slowest pace: 1 MiB/s.
    static let ceilingNanosPerKiB: Double = 1_000_000
    /// The pace while every immutable memtable waits: about half of what a flush writes.
    static let flushNanosPerKiB: Double = 10_000

    private let monitor = Monitor()
    private let changed: MonitorCondition
    /// 0: no delay. Read on every commit.
    private let nanosPerKiB = Atomic<UInt64>(0)
    private let isStopped = Atomic<Bool>(false)
    private let isActive = Atomic<Bool>(false)
    private let totalDelay = Atomic<UInt64>(0)
    // Guarded by the monitor.
    private var nextFreeNanos: UInt64 = 0
    private var reason = EngineStatistics.DelayReason.none
    private var isReleased = false

    init() { changed = MonitorCondition(monitor) }

    /// Whether ``pace(bytes:)`` would wait.
    @inline(__always)
    var needsPacing: Bool { isActive.load(ordering: .relaxed) }

    func update(_ load: Load) {
        var pace = 0.0
        var reason = EngineStatistics.DelayReason.none
        func consider(_ value: Double, _ why: EngineStatistics.DelayReason) {
            if value > pace { (pace, reason) = (value, why) }
        }
        if load.immutables >= load.maximumImmutables {
            consider(Self.flushNanosPerKiB, .immutableMemtables)
        }
        if load.level0Files > load.level0Slowdown {
            let over = Double(load.level0Files - load.level0Slowdown)
            let share = min(1, over / Double(load.level0Stop - load.level0Slowdown))
            consider(share * share * Self.ceilingNanosPerKiB, .level0Files)
        }
        if load.debtBytes > load.softDebtBytes {
            let over = Double(load.debtBytes - load.softDebtBytes)
            let share = min(1, over / Double(load.hardDebtBytes - load.softDebtBytes))
            consider(share * share * Self.ceilingNanosPerKiB, .compactionDebt)
        }
        if load.isDiskFull { consider(Self.ceilingNanosPerKiB, .diskFull) }
        let stops = load.immutables > load.maximumImmutables
        monitor.lock()
        self.reason = stops && reason == .none ? .immutableMemtables : reason
        nanosPerKiB.store(UInt64(pace), ordering: .relaxed)
        isStopped.store(stops, ordering: .relaxed)
        isActive.store((stops || pace >= 1) && !isReleased, ordering: .relaxed)
        changed.broadcast()
        monitor.unlock()
    }

    /// Blocks the caller for its share of the delay. Returns at once after ``releaseAll()``.
    func pace(bytes: Int) {
        let began = falcon_monotonic_nanos()
        monitor.lock()
        while isStopped.load(ordering: .relaxed), !isReleased { changed.wait() }
        let cost = nanosPerKiB.load(ordering: .relaxed) &* UInt64(bytes + 128) / 1024
        let start = max(nextFreeNanos, falcon_monotonic_nanos())
        nextFreeNanos = start &+ cost
        let deadline = nextFreeNanos
        while !isReleased, nanosPerKiB.load(ordering: .relaxed) > 0 {
            let now = falcon_monotonic_nanos()
            if now >= deadline { break }
            _ = changed.wait(nanos: deadline - now)
        }
        if nanosPerKiB.load(ordering: .relaxed) == 0 { nextFreeNanos = 0 }
        monitor.unlock()
        totalDelay.wrappingAdd(falcon_monotonic_nanos() &- began, ordering: .relaxed)
    }

    /// Nobody waits any more: the engine is closing or poisoned.
    func releaseAll() {
        monitor.lock()
        isReleased = true
        isActive.store(false, ordering: .relaxed)
        changed.broadcast()
        monitor.unlock()
    }

    func addStatistics(to statistics: inout EngineStatistics) {
        monitor.lock()
        statistics.delayReason = reason
        monitor.unlock()
        statistics.delayNanos = nanosPerKiB.load(ordering: .relaxed)
        statistics.totalDelayNanos = totalDelay.load(ordering: .relaxed)
    }
}
