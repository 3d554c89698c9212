/// How far an open has come with what the last life of the engine left.
///
/// The phases follow on one another, each with at least a first and a last event:
///
/// 1. **scan** reads the log and judges all of it; nothing is applied or changed before.
/// 2. **apply** replays the log's commits into memtables, and writes those that do not fit in memory.
/// 3. **validate** compares what was applied with what was scanned, and each table file with MANIFEST.
public struct RecoveryEvent: Sendable, Equatable {
    /// In the order in which they follow.
    public enum Phase: String, Sendable, CaseIterable { case scan, apply, validate }

    /// What the open is at.
    public var phase: Phase
    /// Bytes of the log in `scan` and `apply`, of table files in `validate`.
    public var doneBytes: UInt64 = 0
    /// What ``doneBytes`` comes to at the end of the phase.
    public var totalBytes: UInt64 = 0
    /// Log segments that hold what is to be replayed, in `validate` table files.
    public var files = 0
    /// Log records so far in `scan`, commits replayed so far from `apply` on.
    public var records: UInt64 = 0
    /// Since the phase began.
    public var elapsedMicros: UInt64 = 0
    /// The phase is over.
    public var isEnd = false

    /// The beginning of `phase`: nothing done, nothing known.
    public init(phase: Phase) { self.phase = phase }

    /// What is left of the phase at its pace so far; nil while nobody can tell.
    public var remainingMicros: UInt64? {
        if isEnd { return 0 }
        guard doneBytes > 0, totalBytes > doneBytes, elapsedMicros > 10_000 else { return nil }
        let rate = Double(elapsedMicros) / Double(doneBytes)
        return UInt64(Double(totalBytes - doneBytes) * rate)
    }
}
