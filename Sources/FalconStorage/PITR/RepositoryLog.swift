/// A stretch of the archived log without a gap, to look for something in it.
public struct RepositoryLog: Sendable {
    /// Shows the stretch as a directory with nothing but a log.
    public let source: RepositorySource
    /// Up to here the stretch is the past of the branch that was asked for.
    public let endLSN: LSN
    /// The oldest base backup that goes with it, and no more of the log than opening it takes: it knows the schema at
    /// the stretch's beginning or a little behind. Nil: there is none.
    public let base: RepositorySource?
    /// What is missing behind the stretch.
    let gap: RepositoryTimeline.Gap?

    /// The whole archived log that leads to the newest segment of `branch`, or of all, gaps passed over; the stretch
    /// that leads there comes first.
    public static func all(
        _ repository: Repository, _ inventory: Repository.Inventory, branch: UID?
    ) throws(StorageError) -> [RepositoryLog] {
        let timeline = try RepositoryTimeline(inventory.segments, branch: branch)
        var stretches: [[ArchivedSegment]] = [timeline.chain]
        for backup in inventory.backups {
            let stretch = timeline.stretch(of: backup)
            guard timeline.sharedEnd(of: stretch) != nil, let last = stretch.last,
                !stretches.contains(where: { $0.last?.uid == last.uid })
            else { continue }
            stretches.append(stretch)
        }
        var logs: [RepositoryLog] = []
        for stretch in stretches {
            let backup = inventory.backups.first {
                timeline.stretch(of: $0).last?.uid == stretch.last?.uid
            }
            let base = try backup.map { backup throws(StorageError) in
                try RepositorySource(
                    repository, backup: backup, segments: timeline.stretch(of: backup), gap: nil
                ).opening()
            }
            logs.append(
                RepositoryLog(
                    source: try RepositorySource(
                        repository, backup: nil, segments: stretch, gap: nil),
                    endLSN: timeline.sharedEnd(of: stretch) ?? .zero, base: base ?? nil,
                    gap: stretch.last.flatMap { timeline.gap(behind: $0) }))
        }
        return logs
    }
}

extension RepositorySource {
    /// The same with no more of the log than it takes to open the backup's tables: up to the first segment of the
    /// incarnation that made it, which its MANIFEST asks for. Nil without a backup.
    public func opening() throws(StorageError) -> RepositorySource? {
        guard let backup else { return nil }
        var needed: [ArchivedSegment] = []
        for segment in segments {
            let isBegun = needed.contains { $0.footer.incarnation >= backup.incarnation }
            if segment.firstLSN > backup.startLSN, isBegun { break }
            needed.append(segment)
        }
        return try RepositorySource(repository, backup: backup, segments: needed, gap: nil)
    }
}
