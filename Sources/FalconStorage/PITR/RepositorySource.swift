/// What a repository offers to a restore: a base backup, and the stretch of the log that goes with it.
public struct RepositorySource: Sendable {
    /// Where backup and segments are.
    public let repository: Repository
    /// Nil: of the log alone.
    public let backup: BackupManifest?
    /// What is replayed, oldest first.
    public let segments: [ArchivedSegment]
    /// What is missing behind them.
    public let gap: RepositoryTimeline.Gap?
    /// Beyond it the stretch is another branch's future; nil: it is not.
    let limit: LSN?
    /// Both as one data directory, which a restore reads.
    public let view: RepositoryView

    /// The root of the directory that ``view`` shows.
    public var root: String { view.root }

    init(
        _ repository: Repository, backup: BackupManifest?, segments: [ArchivedSegment],
        gap: RepositoryTimeline.Gap?, limit: LSN? = nil
    ) throws(StorageError) {
        self.limit = limit
        self.repository = repository
        self.backup = backup
        self.segments = segments
        self.gap = gap
        view = RepositoryView(
            repository, backup: backup, segments: segments,
            keys: try Self.keys(repository, backup, segments))
    }

    /// The newest key registry of all that goes along: older keys stay in it.
    private static func keys(
        _ repository: Repository, _ backup: BackupManifest?, _ segments: [ArchivedSegment]
    ) throws(StorageError) -> String? {
        var seen = Set<UID>()
        for segment in segments.reversed() where seen.insert(segment.branch).inserted {
            let path = repository.names.keys(segment.branch)
            if try repository.fileSystem.exists(path) { return path }
        }
        guard let backup else { return nil }
        let path = FileNames(root: repository.names.backup(backup.id)).keys
        return try repository.fileSystem.exists(path) ? path : nil
    }

    /// The environment in which the directory can be read; throws `key-missing` where it is encrypted and the key is
    /// not at hand, or wrong.
    public func environment(
        _ given: StorageEnvironment, _ key: MasterKeySource?
    ) throws(StorageError) -> StorageEnvironment {
        let shown = given.with(view)
        guard try view.exists(FileNames(root: root).keys) else { return shown }
        guard let key else {
            guard segments.contains(where: \.isEncrypted) || backup?.isEncrypted == true else {
                return shown
            }
            throw StorageError(
                .keyMissing, kind: .user,
                "The repository is encrypted, and no master key was given.", cause: keyCause,
                location: .init(path: root),
                hint: "Give a key file, a passphrase file or a key command.")
        }
        return try shown.withKeys(root: root, key)
    }

    /// Which of the keys in KEYS the log is sealed with.
    private var keyCause: String? {
        let ids = Set(segments.map(\.footer.keyID)).subtracting([0]).sorted()
        guard !ids.isEmpty else { return nil }
        return "its log is sealed with the wrapping keys "
            + ids.map(String.init).joined(separator: ", ")
    }
}

extension RepositorySource {
    /// Throws `no-backup` where there is none at all: no target can be reached then.
    public static func checkBackups(
        _ repository: Repository, _ inventory: Repository.Inventory
    ) throws(StorageError) {
        guard inventory.backups.isEmpty else { return }
        throw noBase(repository, "the repository holds no base backup")
    }

    /// Chooses the base for a target: the newest backup at or before it, and the log behind that. The target itself
    /// is judged by ``RestorePlan``; this throws where no backup will do, and names what is missing: `no-backup`
    /// without any, `log-gap` where segments that lead there are not in the repository, else `target-unreachable`.
    public static func choose(
        _ repository: Repository, _ inventory: Repository.Inventory, _ target: RestoreTarget,
        branch: UID?
    ) throws(StorageError) -> RepositorySource {
        try checkBackups(repository, inventory)
        let timeline = try RepositoryTimeline(inventory.segments, branch: branch)
        var bases: [Base] = []
        for backup in inventory.backups {
            let stretch = timeline.stretch(of: backup)
            guard let end = timeline.sharedEnd(of: stretch), end >= backup.startLSN else {
                continue
            }
            bases.append(
                Base(
                    backup: backup, stretch: stretch, end: end,
                    isNewest: stretch.last?.uid == timeline.tip?.uid))
        }
        guard !bases.isEmpty else {
            let count = inventory.backups.count
            let isLogThere = inventory.backups.contains { !timeline.stretch(of: $0).isEmpty }
            throw noBase(
                repository,
                isLogThere
                    ? "the log of none of the \(count) base backups leads to branch "
                        + "\(timeline.tip?.branch ?? .zero)"
                    : "the log of none of the \(count) base backups is in the repository")
        }
        guard let base = pick(bases, target) else {
            throw unreachable(repository, bases, timeline, target)
        }
        let gap = base.stretch.last.flatMap { timeline.gap(behind: $0) }
        if case .latest = target, !base.isNewest {
            throw unreachable(repository, bases, timeline, target)
        }
        let isShared = base.stretch.last?.lastLSN == base.end
        return try RepositorySource(
            repository, backup: base.backup, segments: base.stretch, gap: gap,
            limit: isShared ? nil : base.end)
    }

    /// Throws when what `plan` replays is not the past of the branch that was asked for.
    public func check(_ plan: RestorePlan) throws(StorageError) {
        guard let limit else { return }
        var isBeyond = (plan.last?.endLSN ?? .zero) > limit
        if case .lsn(let lsn) = plan.target, lsn > limit { isBeyond = true }
        guard isBeyond else { return }
        throw StorageError(
            .targetUnreachable, kind: .user,
            "The target lies in a branch that was left at \(limit).",
            location: .init(path: repository.names.root),
            hint: "Name that branch with --branch to restore it: \(plan.branch?.branch ?? .zero).")
    }

    private struct Base {
        var backup: BackupManifest
        var stretch: [ArchivedSegment]
        /// Up to here the stretch is the chosen line's past.
        var end: LSN
        var isNewest: Bool
    }

    private static func pick(_ bases: [Base], _ target: RestoreTarget) -> Base? {
        switch target {
        case .latest:
            return bases.last { $0.isNewest } ?? bases.last
        case .lsn(let lsn):
            if let base = bases.last(where: { $0.backup.startLSN <= lsn && lsn <= $0.end }) {
                return base
            }
            // Its tables may still hold the versions of then.
            return bases.allSatisfy { lsn < $0.backup.startLSN } ? bases.first : nil
        case .time(let micros):
            return bases.last { $0.backup.newestMicros <= micros } ?? bases.first
        }
    }

    private static func noBase(_ repository: Repository, _ cause: String) -> StorageError {
        StorageError(
            .noBackup, kind: .user, "There is no base backup to begin with.", cause: cause,
            location: .init(path: repository.names.backups),
            hint: "Make one while the server runs: SELECT falcon.backup('label').")
    }

    private static func unreachable(
        _ repository: Repository, _ bases: [Base], _ timeline: RepositoryTimeline,
        _ target: RestoreTarget
    ) -> StorageError {
        let gaps = timeline.gaps(among: bases.map(\.stretch))
        let ranges = bases.map { "\($0.backup.startLSN) to \($0.end)" }
        let missing = gaps.map {
            "segments \($0.firstSegment) to \($0.lastSegment) (LSN \($0.from) to \($0.to)) are missing"
        }
        let causes = missing + ["reachable is LSN " + ranges.joined(separator: ", LSN ")]
        return StorageError(
            gaps.isEmpty ? .targetUnreachable : .logGap, kind: .user,
            gaps.isEmpty
                ? "No base backup and log of the repository reach the target."
                : "The archived log has a gap before the target.",
            cause: causes.joined(separator: "; "), location: .init(path: repository.names.root),
            hint: "Choose a target that can be reached"
                + (gaps.isEmpty ? "." : ", or put the missing segments back."))
    }
}
