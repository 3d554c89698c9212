/// The base backups of a repository in the order in which they were made. The log says which of two came first where
/// it can; the clock, which may have been set back or ahead, only where it has to.
struct BackupOrder {
    struct Entry {
        var backup: BackupManifest
        /// When it ended, as far as the other backups and the time now allow to believe it. Never less than what an
        /// earlier backup of the same log has: windows keep more rather than less.
        var endedMicros: UInt64
        /// Its own time does not fit those of others, or the time now: how old it is nobody knows.
        var isDoubted: Bool
    }

    /// Clocks of two machines may differ by so much without a word.
    static let toleranceMicros: UInt64 = 10_000_000

    private(set) var newestFirst: [Entry] = []
    private(set) var notices: [RetentionClockNotice] = []

    init(_ backups: [BackupManifest], _ timeline: RepositoryTimeline, nowMicros: UInt64) {
        let latest = nowMicros.addingCapped(Self.toleranceMicros)
        let reaches = backups.map { Set(timeline.stretch(of: $0).map(\.uid)) }
        /// For each backup those that were made before it, as the log says.
        let earlier = backups.indices.map { later in
            backups.indices.filter { index in
                index != later && Self.precedes(backups[index], reaches[index], backups[later])
            }
        }
        var believed = backups.map(\.endedMicros)
        let isFuture = backups.map { $0.endedMicros > latest }
        var isDoubted = isFuture
        for index in backups.indices where !isFuture[index] {
            let before = earlier[index].filter { !isFuture[$0] }
            for other in before {
                believed[index] = max(believed[index], backups[other].endedMicros)
            }
            if let newest = before.max(by: { backups[$0].endedMicros < backups[$1].endedMicros }),
                backups[newest].endedMicros > backups[index].endedMicros
            {
                isDoubted[index] = true
                notices.append(
                    .clockWentBack(
                        id: backups[index].id, endedMicros: backups[index].endedMicros,
                        earlier: backups[newest].id,
                        earlierEndedMicros: backups[newest].endedMicros))
            }
        }
        for index in backups.indices where isFuture[index] {
            let after = backups.indices.filter { !isFuture[$0] && earlier[$0].contains(index) }
            let before = earlier[index].filter { !isFuture[$0] }
            let bound = after.map { believed[$0] }.min() ?? nowMicros
            believed[index] = before.reduce(bound) { max($0, believed[$1]) }
            notices.append(
                .backupFromFuture(id: backups[index].id, endedMicros: backups[index].endedMicros))
        }
        if let tip = timeline.tip, tip.archivedMicros > latest {
            notices.append(.logFromFuture(archivedMicros: tip.archivedMicros))
        }
        newestFirst = backups.indices.map {
            Entry(
                backup: backups[$0], endedMicros: believed[$0], isDoubted: isDoubted[$0])
        }.sorted {
            ($0.endedMicros, $0.backup.startLSN, $0.backup.id)
                > ($1.endedMicros, $1.backup.startLSN, $1.backup.id)
        }
    }

    /// The log says that `backup`, whose log has the segments `reach`, was made before `other`.
    private static func precedes(
        _ backup: BackupManifest, _ reach: Set<UID>, _ other: BackupManifest
    ) -> Bool {
        if backup.branch == other.branch {
            return (backup.startLSN, backup.endLSN) < (other.startLSN, other.endLSN)
        }
        return backup.startLSN < other.startLSN && reach.contains(other.logSegment)
    }
}
