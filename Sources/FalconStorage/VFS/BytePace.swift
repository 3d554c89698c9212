import Synchronization

/// Holds what is read or written to so many bytes a second. Threads may share one.
final class BytePace: Sendable {
    /// The longest time that is slept before it is asked again whether to go on.
    static let sleepMillis: UInt64 = 50
    /// What was not used in the time that passed may be used later: as much as this time gives.
    private static let burstNanos: UInt64 = 100_000_000

    /// 0: no limit.
    let bytesPerSecond: UInt64
    private let clock: any StorageClock
    private let sleep: @Sendable (UInt32) -> Void
    /// When everything so far is paid for, by the monotonic clock.
    private let dueNanos = Mutex<UInt64>(0)

    /// - Parameter sleep: waits so many milliseconds.
    init(
        bytesPerSecond: UInt64, clock: any StorageClock,
        sleep: @escaping @Sendable (UInt32) -> Void
    ) {
        self.bytesPerSecond = bytesPerSecond
        self.clock = clock
        self.sleep = sleep
    }

    /// Pays for bytes: returns once they keep within the limit, or soon after `goesOn` is false.
    func spend(_ bytes: UInt64, while goesOn: () -> Bool) {
        guard bytesPerSecond > 0, bytes > 0 else { return }
        let (whole, rest) = bytes.quotientAndRemainder(dividingBy: bytesPerSecond)
        let cost = UInt64(
            clamping: Double(whole) * 1e9 + Double(rest) * 1e9 / Double(bytesPerSecond))
        let due = dueNanos.withLock { due in
            let now = clock.monotonicNanos()
            due = max(due, now &- min(now, Self.burstNanos)) &+ cost
            return due
        }
        while goesOn() {
            let now = clock.monotonicNanos()
            guard due > now else { return }
            let millis = min((due - now) / 1_000_000 + 1, Self.sleepMillis)
            sleep(UInt32(truncatingIfNeeded: millis))
        }
    }
}

extension UInt64 {
    fileprivate init(clamping value: Double) {
        self = value < 1e19 ? UInt64(Swift.max(value, 0)) : .max / 2
    }
}
