import CFalconPlatform
import Glibc

/// Has flushes and compactions rest a third of the time while commits come and nothing presses.
///
/// They share processors, caches and memory bandwidth with the threads that commit, which niceness does
/// not help against: beside a merge a commit takes one and a half times as long, and at two thirds of
/// the rate that it can keep up alone a backlog grows as long as the merge lasts
/// (docs/design/write-latency.md). Spread over a longer time the same work lets commits catch up in
/// between. All threads rest at the same moments, by the clock: one after the other they would leave
/// no processor free. Where there are only two processors a compaction gives way to a flush besides: with
/// both at work one of them takes turns with the thread that commits.
struct BackgroundRest {
    /// Each period begins with work and ends with rest.
    static let periodNanos: UInt64 = 1_000_000
    static let workNanos: UInt64 = 680_000
    /// The scheduler would let a thread that was put on a committing thread's processor go on until its next
    /// tick, up to 4 ms: so often it offers its place.
    static let yieldNanos: UInt64 = 100_000

    /// Where the newest commit ends: commits come while it rises.
    private let commitsEnd: () -> UInt64
    /// Commits are held back for the work's sake, or soon would be.
    private let isPressed: () -> Bool
    /// Other work comes first: this rests the whole time while commits come and nothing presses.
    private let givesWay: () -> Bool
    private let onRest: () -> Void
    private var seenEnd: UInt64
    private var yieldedNanos: UInt64 = 0

    init(
        commitsEnd: @escaping () -> UInt64, isPressed: @escaping () -> Bool,
        givesWay: @escaping () -> Bool = { false }, onRest: @escaping () -> Void = {}
    ) {
        self.commitsEnd = commitsEnd
        self.isPressed = isPressed
        self.givesWay = givesWay
        self.onRest = onRest
        seenEnd = commitsEnd()
    }

    /// Sleeps when a rest is due; to be called every few microseconds of work.
    mutating func takeIfDue() {
        let now = falcon_monotonic_nanos()
        if let nanos = restNanos(now: now) {
            usleep(UInt32(nanos / 1000))
            onRest()
        } else if now &- yieldedNanos >= Self.yieldNanos, !isPressed() {
            yieldedNanos = now
            sched_yield()
        }
    }

    /// How long to rest at `now`; nil: not at all.
    mutating func restNanos(now: UInt64) -> UInt64? {
        let phase = now % Self.periodNanos
        guard phase >= Self.workNanos || givesWay(), !isPressed() else { return nil }
        let end = commitsEnd()
        defer { seenEnd = end }
        return end == seenEnd ? nil : Self.periodNanos - phase
    }
}
