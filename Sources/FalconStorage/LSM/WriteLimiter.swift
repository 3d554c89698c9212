import CFalconPlatform

/// Holds the writes of flushes and compactions to a rate. Flushes go first: they are delayed by each
/// other alone, and what they write is taken from what compactions may. Thread-safe.
final class WriteLimiter: @unchecked Sendable {
    /// When writes may begin, in nanoseconds of one clock; no clock of its own.
    struct Schedule {
        let bytesPerSecond: UInt64
        private var flushesFree: UInt64 = 0
        private var compactionsFree: UInt64 = 0

        init(bytesPerSecond: UInt64) { self.bytesPerSecond = max(bytesPerSecond, 1) }

        /// Takes `bytes` and tells when they may be written.
        mutating func reserve(_ bytes: Int, isFlush: Bool, now: UInt64) -> UInt64 {
            let cost = UInt64(min(Double(bytes) * 1e9 / Double(bytesPerSecond), 1e18))
            let start = max(isFlush ? flushesFree : compactionsFree, now)
            if isFlush { flushesFree = start &+ cost }
            compactionsFree = max(compactionsFree, now) &+ cost
            return start
        }

        mutating func forget() { (flushesFree, compactionsFree) = (0, 0) }
    }

    private let monitor = Monitor()
    private let changed: MonitorCondition
    // Guarded by the monitor.
    private var schedule: Schedule
    private var isLifted = false

    init(bytesPerSecond: UInt64) {
        schedule = Schedule(bytesPerSecond: bytesPerSecond)
        changed = MonitorCondition(monitor)
    }

    /// Blocks until `bytes` may be written.
    func acquire(_ bytes: Int, isFlush: Bool) {
        monitor.lock()
        defer { monitor.unlock() }
        if isLifted { return }
        let start = schedule.reserve(bytes, isFlush: isFlush, now: falcon_monotonic_nanos())
        while !isLifted {
            let now = falcon_monotonic_nanos()
            if now >= start { return }
            _ = changed.wait(nanos: start - now)
        }
    }

    /// While it is lifted nothing is held back: commits wait for what it delays, or the engine closes.
    func setLifted(_ lifted: Bool) {
        monitor.lock()
        if lifted != isLifted {
            isLifted = lifted
            schedule.forget()
            changed.broadcast()
        }
        monitor.unlock()
    }
}
