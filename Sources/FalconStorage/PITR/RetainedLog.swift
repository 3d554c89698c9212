/// Decides which log segments stay for the backups that do.
struct RetainedLog {
    /// By branch, oldest first; those of one fate that follow one another are together.
    private(set) var runs: [LogRetention] = []

    private let doubtsClock: Bool
    private var oldestMicros = UInt64.max
    private var lowestLSN = LSN.max
    /// The backup from which a restore replays a segment: the oldest.
    private var replayedFrom: [UID: String] = [:]
    /// What lies before the kept backups in their own log.
    private var before = Set<UID>()
    private let hasBackups: Bool

    /// - Parameters:
    ///   - backups: those that stay, oldest first.
    ///   - lines: every line of the log that a restore may follow, the newest first.
    init(
        _ segments: [ArchivedSegment], _ backups: [BackupManifest], _ lines: [RepositoryTimeline],
        doubtsClock: Bool
    ) {
        self.doubtsClock = doubtsClock
        hasBackups = !backups.isEmpty
        for backup in backups { note(backup, lines) }
        // The run that a segment ends, as far as it is known.
        var ends: [UID: Int] = [:]
        for segment in Self.sorted(segments) {
            let (isKept, reason) = fate(of: segment)
            let previous = segment.footer.predecessor.flatMap { ends[$0.uid] }
            if let previous, runs[previous].reason == reason,
                runs[previous].segments.last?.branch == segment.branch
            {
                runs[previous].segments.append(segment)
                ends[segment.uid] = previous
            } else {
                ends[segment.uid] = runs.count
                runs.append(LogRetention(segments: [segment], isKept: isKept, reason: reason))
            }
        }
    }

    /// The branch that was begun first comes first.
    private static func sorted(_ segments: [ArchivedSegment]) -> [ArchivedSegment] {
        var begun: [UID: UInt64] = [:]
        for segment in segments {
            begun[segment.branch] = min(begun[segment.branch] ?? .max, segment.wallMicros)
        }
        return segments.sorted { a, b in
            if a.branch != b.branch {
                let (first, second) = (begun[a.branch] ?? 0, begun[b.branch] ?? 0)
                return (first, a.branch.high, a.branch.low)
                    < (second, b.branch.high, b.branch.low)
            }
            return (a.firstLSN, a.uid.high, a.uid.low) < (b.firstLSN, b.uid.high, b.uid.low)
        }
    }

    /// All that a restore from the backup may replay, on whatever branch it ends.
    private mutating func note(_ backup: BackupManifest, _ lines: [RepositoryTimeline]) {
        lowestLSN = min(lowestLSN, backup.startLSN)
        var starts: [UID] = [backup.logSegment]
        for (index, line) in lines.enumerated() {
            let own = line.forward(from: backup.logSegment)
            if index == 0 { oldestMicros = min(oldestMicros, own.first?.wallMicros ?? 0) }
            let copied = line.stretch(of: backup)
            starts += copied.map(\.uid)
            for first in [own.first, copied.first] {
                if let first { line.addPast(of: first, to: &before) }
            }
        }
        for uid in lines.first?.futures(of: starts) ?? [] where replayedFrom[uid] == nil {
            replayedFrom[uid] = backup.id
        }
    }

    private func fate(of segment: ArchivedSegment) -> (isKept: Bool, LogRetention.Reason) {
        if let id = replayedFrom[segment.uid] { return (true, .replayed(from: id)) }
        guard hasBackups else { return (true, .withoutBackups) }
        if before.contains(segment.uid) { return (false, .older) }
        guard segment.wallMicros < oldestMicros else { return (true, .notOlder) }
        // A clock that was set back makes what is new look old: then the log's own order must say so, too.
        guard !doubtsClock || segment.lastLSN <= lowestLSN else { return (true, .ageUnknown) }
        return (false, .older)
    }
}
