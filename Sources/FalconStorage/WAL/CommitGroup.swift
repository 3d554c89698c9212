/// Who shares the next sync of the log. Guarded by the writer's monitor.
///
/// Natural group commit splits clients that commit in a tight loop into two halves, each waiting for
/// the other's sync: those released by one come back a moment after the next has begun. Whoever is
/// about to sync therefore waits for them, shortly, as long as that has lately been worth it.
struct CommitGroup {
    /// Commits that asked for a sync since the last one began.
    private(set) var waiting = 0
    /// Commits that the running or last sync covers.
    private var covered = 0
    /// Those it released and those that came meanwhile: so many may soon be there.
    private var expected = 0
    private var averageSyncNanos: UInt64 = 0
    /// Chances to be left out, doubled by each wait in vain.
    private var penalty = 0
    private var skips = 0

    /// Counts a commit that waits for the next sync.
    @inline(__always) mutating func join() { waiting &+= 1 }

    /// How long to wait for others before the next sync begins; 0: not at all.
    mutating func patienceNanos() -> UInt64 {
        guard waiting > 0, waiting < expected else { return 0 }
        if skips > 0 {
            skips -= 1
            return 0
        }
        let nanos = min(averageSyncNanos / 3, 200_000)
        return nanos < 10_000 ? 0 : nanos
    }

    var isComplete: Bool { waiting >= expected }

    /// - Parameter before: ``waiting`` when the wait began.
    mutating func endGathering(before: Int) {
        // Worth it: at least half of those hoped for came.
        if (waiting - before) * 2 >= expected - before {
            penalty = 0
        } else {
            penalty = min(max(penalty * 2, 1), 256)
            skips = penalty
        }
    }

    mutating func beginSync() {
        covered = waiting
        waiting = 0
    }

    mutating func endSync(nanos: UInt64) {
        expected = covered + waiting
        averageSyncNanos =
            averageSyncNanos == 0 ? nanos : averageSyncNanos - averageSyncNanos / 8 + nanos / 8
    }
}
