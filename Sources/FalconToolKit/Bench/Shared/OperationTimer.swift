import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Times the operations of one thread.
///
/// Closed loop, as `db_bench` does it: an operation lasts from the end of the one before to its own.
/// Open loop: operations are due at fixed intervals, and one lasts from the moment it was due. What
/// waits behind a slow operation is slow too, which a closed loop leaves out ("coordinated omission").
final class OperationTimer {
    /// Beyond this the wait for an operation's moment sleeps; a shorter one spins, because a sleep
    /// ends some 60 microseconds late.
    private static let spinNanos: UInt64 = 100_000

    let latency = LatencyHistogram()
    /// From when an operation was really begun; open loop only.
    let service: LatencyHistogram?
    /// Operations that took this long are stalls.
    let stallNanos: UInt64
    @exclusivity(unchecked) private(set) var stalls: UInt64 = 0
    @exclusivity(unchecked) private(set) var longestNanos: UInt64 = 0

    private let clock: any StorageClock
    /// Nanoseconds between two of this thread's operations; nil: closed loop.
    private let interval: Double?
    private let phase: Double
    @exclusivity(unchecked) private var origin: UInt64 = 0
    @exclusivity(unchecked) private var turn: UInt64 = 0
    @exclusivity(unchecked) private var dueNanos: UInt64 = 0
    @exclusivity(unchecked) private var begunNanos: UInt64 = 0
    /// When the operation before ended; open loop only.
    @exclusivity(unchecked) private var endedNanos: UInt64 = 0

    /// `phase` is the share of an interval that this thread begins later.
    init(
        _ clock: any StorageClock, interval: Double? = nil, phase: Double = 0, stallNanos: UInt64
    ) {
        self.clock = clock
        self.interval = interval
        self.phase = phase
        self.stallNanos = stallNanos
        service = interval == nil ? nil : LatencyHistogram()
    }

    var isPaced: Bool { interval != nil }

    func start(at nanos: UInt64) {
        origin = nanos
        begunNanos = nanos
    }

    /// Before an operation: waits for its moment in an open loop.
    @inline(__always)
    func begin() {
        guard let interval else { return }
        dueNanos = origin &+ UInt64((Double(turn) + phase) * interval)
        turn &+= 1
        // One that is late begins where the one before it ended.
        begunNanos = endedNanos >= dueNanos ? endedNanos : wait(until: dueNanos)
    }

    /// Time since the last operation does not count: the thread waited for leave to go on.
    func restart() {
        begunNanos = clock.monotonicNanos()
        endedNanos = begunNanos
    }

    @inline(__always)
    func finish() {
        let now = clock.monotonicNanos()
        let served = now &- begunNanos
        if let service {
            endedNanos = now
            service.record(served)
            latency.record(now &- dueNanos)
        } else {
            latency.record(served)
            begunNanos = now
        }
        if served >= stallNanos { stalls &+= 1 }
        if served > longestNanos { longestNanos = served }
    }

    private func wait(until nanos: UInt64) -> UInt64 {
        while true {
            let now = clock.monotonicNanos()
            if now >= nanos { return now }
            let left = nanos - now
            if left > Self.spinNanos { usleep(UInt32(clamping: (left - Self.spinNanos) / 1000)) }
        }
    }
}
