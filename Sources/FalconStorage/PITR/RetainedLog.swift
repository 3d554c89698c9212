/// Decides which log segments stay for the backups that do.
struct RetainedLog {
    /// By branch, oldest first; neighbours of one fate together.
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
        let begun = Dictionary(grouping: segments, by: \.branch).mapValues {
            $0.map(\.wallMicros).min() ?? 0
        }
        let sorted = segments.sorted {
            (begun[$0.branch] ?? 0, $0.branch.description, $0.firstLSN, $0.uid.description)
                < (begun[$1.branch] ?? 0, $1.branch.description, $1.firstLSN, $1.uid.description)
        }
        for segment in sorted {
            let (isKept, reason) = fate(of: segment)
            if let last = runs.indices.last, runs[last].reason == reason,
                runs[last].segments.first?.branch == segment.branch
            {
                runs[last].segments.append(segment)
            } else {
                runs.append(LogRetention(segments: [segment], isKept: isKept, reason: reason))
            }
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
