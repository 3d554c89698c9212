import CFalconPlatform
import Synchronization

/// Holds writers back as flushes and compactions fall behind: a delay that grows with the debt
/// instead of a cliff, and a stop only where memory would run out or the log has no room.
///
/// A stop by a full disk or by flushes that fail is bounded: commits are refused after
/// ``init(diskFullWaitNanos:)``, since nobody knows when it will be over. They are taken again as soon
/// as it is.
final class WriteController: @unchecked Sendable {
    /// What the tree looks like.
    struct Load {
        var immutables = 0
        var maximumImmutables = 2
        /// Sublevels of level 0.
        var level0Files = 0
        var level0Slowdown = 12
        var level0Stop = 24
        var debtBytes: UInt64 = 0
        var softDebtBytes: UInt64 = .max
        var hardDebtBytes: UInt64 = .max
        /// Dead bytes in blob files.
        var blobGarbageBytes: UInt64 = 0
        var softBlobGarbageBytes: UInt64 = .max
        /// Log that a recovery would replay.
        var logBytes: UInt64 = 0
        var softLogBytes: UInt64 = .max
        /// Memtables and table metadata take nearly the whole memory budget.
        var isMemoryShort = false
        /// Bytes of the memory budget in use, and where it runs short.
        var memory: EngineStatistics.DelayMeasure?
        var isDiskFull = false
        /// Why the last flush failed.
        var flushFailure: StorageError?

        /// Half of what is allowed before commits are held back.
        var isHalfway: Bool {
            immutables >= max(maximumImmutables, 2) || level0Files > level0Slowdown / 2
                || debtBytes > softDebtBytes / 2 || blobGarbageBytes > softBlobGarbageBytes / 2
                || logBytes > softLogBytes / 2
        }
    }

    /// The slowest pace: 1 MiB/s.
    static let ceilingNanosPerKiB: Double = 1_000_000
    /// The pace while every immutable memtable waits: about half of what a flush writes.
    static let flushNanosPerKiB: Double = 10_000

    /// The pace while memory is short: 10 MiB/s.
    static let memoryNanosPerKiB: Double = 100_000

    private let monitor = Monitor()
    private let changed: MonitorCondition
    /// 0: no delay. Read on every commit.
    private let nanosPerKiB = Atomic<UInt64>(0)
    private let isStopped = Atomic<Bool>(false)
    private let isActive = Atomic<Bool>(false)
    private let pressed = Atomic<Bool>(false)
    private let totalDelay = Atomic<UInt64>(0)
    // Guarded by the monitor.
    private var nextFreeNanos: UInt64 = 0
    private var reason = EngineStatistics.DelayReason.none
    private var measure: EngineStatistics.DelayMeasure?
    private var isReleased = false
    private var load = Load()
    private var isLogStalled = false
    private let diskFullWaitNanos: UInt64
    private let onReasonChange: @Sendable (EngineStatistics.DelayReason) -> Void

    /// - Parameter diskFullWaitNanos: how long a commit waits for room on a full disk.
    /// - Parameter onReasonChange: called without locks held.
    init(
        diskFullWaitNanos: UInt64 = 30_000_000_000,
        onReasonChange: @escaping @Sendable (EngineStatistics.DelayReason) -> Void = { _ in }
    ) {
        self.diskFullWaitNanos = diskFullWaitNanos
        self.onReasonChange = onReasonChange
        changed = MonitorCondition(monitor)
    }

    /// Whether ``pace(bytes:)`` would wait.
    @inline(__always)
    var needsPacing: Bool { isActive.load(ordering: .relaxed) }

    /// Flushes and compactions are behind, or near it: what is left until commits are held back is half gone.
    var isPressed: Bool { pressed.load(ordering: .relaxed) }

    func update(_ load: Load) {
        change { self.load = load }
    }

    /// The log cannot be written for want of space, or can again.
    func setLogStalled(_ isStalled: Bool) {
        change { isLogStalled = isStalled }
    }

    private func change(_ body: () -> Void) {
        monitor.lock()
        let before = reason
        body()
        decide()
        let after = reason
        monitor.unlock()
        if after != before { onReasonChange(after) }
    }

    /// With the monitor held.
    private func decide() {
        var pace = 0.0
        var reason = EngineStatistics.DelayReason.none
        var measure: EngineStatistics.DelayMeasure?
        func consider(
            _ value: Double, _ why: EngineStatistics.DelayReason,
            _ how: EngineStatistics.DelayMeasure?
        ) {
            if value > pace { (pace, reason, measure) = (value, why, how) }
        }
        /// None up to `soft`, the ceiling from `hard` on, and quadratic between.
        func grow(
            _ value: UInt64, _ soft: UInt64, _ hard: UInt64, _ why: EngineStatistics.DelayReason
        ) {
            guard value > soft, hard > soft else { return }
            let share = min(1, Double(value - soft) / Double(hard - soft))
            consider(
                share * share * Self.ceilingNanosPerKiB, why,
                .init(value: value, softLimit: soft, hardLimit: hard))
        }
        let waiting = EngineStatistics.DelayMeasure(
            value: UInt64(clamping: load.immutables),
            softLimit: UInt64(clamping: load.maximumImmutables),
            hardLimit: UInt64(clamping: load.maximumImmutables + 1))
        if load.immutables >= load.maximumImmutables {
            consider(Self.flushNanosPerKiB, .immutableMemtables, waiting)
        }
        grow(
            UInt64(clamping: load.level0Files), UInt64(clamping: load.level0Slowdown),
            UInt64(clamping: load.level0Stop), .level0Files)
        grow(load.debtBytes, load.softDebtBytes, load.hardDebtBytes, .compactionDebt)
        grow(
            load.blobGarbageBytes, load.softBlobGarbageBytes,
            load.softBlobGarbageBytes.multipliedCapped(by: 2), .blobGarbage)
        grow(load.logBytes, load.softLogBytes, load.softLogBytes.multipliedCapped(by: 2), .log)
        // The slower of the two paces that only a flush ends.
        if load.isMemoryShort { consider(Self.memoryNanosPerKiB, .memory, load.memory) }
        if load.isDiskFull { consider(Self.ceilingNanosPerKiB, .diskFull, nil) }
        let stops = load.immutables > load.maximumImmutables || isLogStalled
        if isLogStalled { (reason, measure) = (.diskFull, nil) }
        if stops, reason == .none { (reason, measure) = (.immutableMemtables, waiting) }
        self.reason = reason
        self.measure = reason == .none ? nil : measure
        nanosPerKiB.store(UInt64(pace), ordering: .relaxed)
        isStopped.store(stops, ordering: .relaxed)
        pressed.store(pace > 0 || stops || load.isHalfway, ordering: .relaxed)
        isActive.store((stops || pace >= 1) && !isReleased, ordering: .relaxed)
        changed.broadcast()
    }

    /// Blocks the caller for its share of the delay. Returns at once after ``releaseAll()``. Throws
    /// `disk-full` when a full disk, and `io` when failing flushes have held the commit up for too long.
    /// - Parameter arrivalNanos: when the commit came, where it has already waited in line.
    func pace(bytes: Int, arrivalNanos: UInt64? = nil) throws(StorageError) {
        let began = falcon_monotonic_nanos()
        let limit = (arrivalNanos ?? began) &+ diskFullWaitNanos
        defer { totalDelay.wrappingAdd(falcon_monotonic_nanos() &- began, ordering: .relaxed) }
        monitor.lock()
        while isStopped.load(ordering: .relaxed), !isReleased {
            guard isLogStalled || load.isDiskFull || load.flushFailure != nil else {
                changed.wait()
                continue
            }
            let now = falcon_monotonic_nanos()
            guard now < limit else {
                let failure = isLogStalled || load.isDiskFull ? nil : load.flushFailure
                monitor.unlock()
                throw failure.map(Self.flushesFail) ?? Self.diskFull
            }
            _ = changed.wait(nanos: limit - now)
        }
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
    }

    private static let diskFull = StorageError(
        .diskFull, kind: .retryable, "The disk is full: the commit was not begun.",
        hint: "Free space and try again; no restart is needed.")

    private static func flushesFail(_ cause: StorageError) -> StorageError {
        StorageError(
            .io, kind: .retryable, "Memtables cannot be flushed: the commit was not begun.",
            cause: cause.description, location: cause.location,
            hint: "Cure the cause and try again; no restart is needed.", errno: cause.errno)
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
        statistics.delayMeasure = measure
        monitor.unlock()
        statistics.delayNanos = nanosPerKiB.load(ordering: .relaxed)
        statistics.totalDelayNanos = totalDelay.load(ordering: .relaxed)
    }
}
