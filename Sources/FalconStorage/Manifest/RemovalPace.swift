/// How fast obsolete tables are unlinked. A file system frees a table's blocks, and may discard them on
/// the device, within the unlink: dozens of large ones in a row hold up everybody's writes.
struct RemovalPace {
    /// However little there is to remove.
    static let leastBytesPerSecond: UInt64 = 128 << 20
    /// What became obsolete at once is gone after about so long: the rate follows the churn.
    static let spreadSeconds: UInt64 = 10
    /// Shorter pauses are not taken.
    static let leastNanos: UInt64 = 1_000_000
    /// With less than this free on the disk, and twice what waits, space comes back at once.
    static let scarceBytes: UInt64 = 4 << 30

    /// The pause after a table of `bytes`, with `backlog` bytes still to go, itself included.
    static func nanos(after bytes: UInt64, backlog: UInt64) -> UInt64 {
        let rate = max(leastBytesPerSecond, backlog / spreadSeconds)
        let nanos = UInt64(min(Double(bytes) * 1e9 / Double(rate), 1e18))
        return nanos < leastNanos ? 0 : nanos
    }

    static func isScarce(free: UInt64, backlog: UInt64) -> Bool {
        free < max(scarceBytes, backlog.multipliedCapped(by: 2))
    }
}
