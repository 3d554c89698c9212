/// Gives commit timestamps: wall microseconds and a counter, always rising, never below the
/// persisted floor. Used under the commit lock.
///
/// A wall clock that runs ahead of the boot clock by more than ten seconds since the last look is
/// not followed: time goes on by the boot clock until ``confirmJump()``, because a timestamp far in
/// the future could never be taken back.
final class HybridClock {
    static let largestJumpMicros: UInt64 = 10_000_000
    private static let checkEveryMicros: UInt64 = 1_000_000

    private let clock: any StorageClock
    @exclusivity(unchecked) private var last: UInt64
    @exclusivity(unchecked) private var anchorWall: UInt64
    @exclusivity(unchecked) private var anchorBootNanos: UInt64
    private(set) var isJumpPending = false

    init(clock: any StorageClock, floor: Timestamp) {
        self.clock = clock
        last = floor.rawValue
        anchorWall = clock.wallMicros()
        anchorBootNanos = clock.monotonicNanos()
    }

    /// The last timestamp given.
    var newest: Timestamp { Timestamp(last) }

    /// A timestamp greater than every one before, and the wall time it was taken at (microseconds
    /// since 1970).
    func next() -> (timestamp: Timestamp, wallMicros: UInt64) {
        let wall = clock.wallMicros()
        let trusted = trustedMicros(wall)
        let sinceEpoch =
            trusted > Timestamp.epochMicrosSince1970
            ? trusted &- Timestamp.epochMicrosSince1970 : 0
        let candidate = (sinceEpoch & ((1 << 52) - 1)) &<< 12
        last = candidate > last ? candidate : last &+ 1
        return (Timestamp(last), wall)
    }

    /// A timestamp at or above every one given, below every one to come, and the last of its
    /// microsecond: that moment is over. With the wall time it was taken at.
    func close() -> (timestamp: Timestamp, wallMicros: UInt64) {
        let wall = next().wallMicros
        last |= (1 << 12) - 1
        return (Timestamp(last), wall)
    }

    /// Never again gives a timestamp at or below `floor`.
    func raise(to floor: Timestamp) {
        if floor.rawValue > last { last = floor.rawValue }
    }

    /// The wall clock as timestamps follow it, in microseconds since 1970: never before the last one given, nor before
    /// the floor.
    func trustedWallMicros() -> UInt64 {
        max(trustedMicros(clock.wallMicros()), newest.microsSince1970)
    }

    func confirmJump() {
        isJumpPending = false
        anchorWall = clock.wallMicros()
        anchorBootNanos = clock.monotonicNanos()
    }

    private func trustedMicros(_ wall: UInt64) -> UInt64 {
        if !isJumpPending, wall < anchorWall &+ Self.checkEveryMicros { return wall }
        let boot = clock.monotonicNanos()
        let expected = anchorWall &+ (boot &- anchorBootNanos) / 1000
        if wall > expected &+ Self.largestJumpMicros {
            isJumpPending = true
            return expected
        }
        isJumpPending = false
        anchorWall = wall
        anchorBootNanos = boot
        return wall
    }
}
