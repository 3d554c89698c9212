/// Which backups of a repository go, and what goes with them. Pure: decided before anything is removed.
public struct RepositoryRetention: Sendable {
    /// What was asked for.
    public let policy: RetentionPolicy
    /// All base backups, newest first.
    public private(set) var backups: [BackupRetention] = []
    /// All log segments in runs that have one fate: by branch, oldest first.
    public private(set) var log: [LogRetention] = []
    /// What of the repository does not fit the clock. Nothing goes on account of it.
    public private(set) var notices: [RetentionClockNotice] = []
    /// Tables and blob files that no kept backup needs, and what is unfinished.
    public private(set) var removedFiles: [String] = []
    /// What goes with them in the repository; BACKUP files and unfinished backups are not counted.
    public private(set) var removedBytes: UInt64 = 0
    /// The earliest LSN and moment that can be restored afterwards.
    public private(set) var earliest: (lsn: LSN, micros: UInt64)?

    /// Newest first.
    public var keptBackups: [BackupManifest] { backups.filter(\.isKept).map(\.backup) }
    /// Newest first.
    public var removedBackups: [BackupManifest] { backups.filter { !$0.isKept }.map(\.backup) }
    /// Oldest first, of each branch.
    public var removedSegments: [ArchivedSegment] {
        log.filter { !$0.isKept }.flatMap(\.segments)
    }
    /// Every moment of the policy's window can be restored; nil: it has none.
    public var coversWindow: Bool? {
        guard policy.windowMicros != nil else { return nil }
        return backups.contains { $0.reasons.contains(.reachesIntoWindow(branch: nil)) }
    }

    /// Decides what stays by `policy`.
    public init(
        _ repository: Repository, _ inventory: Repository.Inventory, _ policy: RetentionPolicy
    ) throws(StorageError) {
        try self.init(inventory, policy)
        let fileSystem = repository.fileSystem
        let needed = Set(keptBackups.flatMap { $0.files.map(RepositoryNames.fileName) })
        for name in try repository.listIfThere(repository.names.files) where !needed.contains(name)
        {
            removedFiles.append(repository.names.files + "/" + name)
        }
        for path in removedFiles { removedBytes &+= try fileSystem.fileSize(path) }
        removedBytes &+= removedSegments.reduce(0) { $0 &+ $1.storedBytes }
        removedBytes &+= removedBackups.reduce(0) {
            $1.metas.reduce($0) { $0 &+ $1.byteCount }
        }
    }

    /// Backups and log alone.
    init(
        _ inventory: Repository.Inventory, _ policy: RetentionPolicy
    ) throws(StorageError) {
        self.policy = policy
        try policy.check()
        if let problem = inventory.problems.first { throw problem }
        let timeline = try RepositoryTimeline(inventory.segments, branch: nil)
        let order = BackupOrder(inventory.backups, timeline, nowMicros: policy.nowMicros)
        notices = order.notices
        let lines = try Self.lines(
            inventory.segments, timeline, from: policy.windowStartMicros ?? .max,
            doubtsClock: !notices.isEmpty)
        backups = RetentionChoice(policy, order, lines).backups
        // The tables of the one that reaches back furthest hold nothing newer.
        if let oldest = keptBackups.min(by: {
            ($0.newestMicros, $0.startLSN) < ($1.newestMicros, $1.startLSN)
        }) {
            earliest = (oldest.startLSN, oldest.newestMicros)
        }
        log =
            RetainedLog(
                inventory.segments, keptBackups.reversed(), lines, doubtsClock: !notices.isEmpty
            ).runs
    }

    /// The lines of the log that are not given up yet: the newest, and those of other branches that go on after
    /// `start`. Where the clock is in doubt all of them.
    private static func lines(
        _ segments: [ArchivedSegment], _ timeline: RepositoryTimeline, from start: UInt64,
        doubtsClock: Bool
    ) throws(StorageError) -> [RepositoryTimeline] {
        let followed = Set(segments.compactMap { $0.footer.predecessor?.uid })
        let onTip = Set(timeline.chain.map(\.uid))
        // Without a window nothing says when the line of a second server is given up.
        var branches = start == .max ? try concurrentLines(segments, timeline) : []
        for segment in segments
        where !followed.contains(segment.uid) && !onTip.contains(segment.uid)
            && (doubtsClock || segment.archivedMicros >= start)
        {
            branches.insert(segment.branch)
        }
        var lines = [timeline]
        for branch in branches.sorted(by: { $0.description < $1.description }) {
            let line = try RepositoryTimeline(segments, branch: branch)
            if let tip = line.tip, !onTip.contains(tip.uid) { lines.append(line) }
        }
        return lines
    }

    /// The branches of other lines than the newest that were written at the same time as another.
    private static func concurrentLines(
        _ segments: [ArchivedSegment], _ timeline: RepositoryTimeline
    ) throws(StorageError) -> Set<UID> {
        let concurrent = Set(timeline.concurrentBranches.flatMap { [$0.first, $0.second] })
        guard !concurrent.isEmpty else { return [] }
        let onTip = Set(timeline.chain.map(\.uid))
        var branches = Set<UID>()
        for tip in timeline.otherTips {
            // A restart of its server begins another branch of the line.
            let line = try RepositoryTimeline(segments, branch: tip.branch)
            if line.chain.contains(where: {
                concurrent.contains($0.branch) && !onTip.contains($0.uid)
            }) {
                branches.insert(tip.branch)
            }
        }
        return branches
    }

    /// Removes it. Killed anywhere, every backup that has its name still has its files and its log.
    public func apply(_ repository: Repository) throws(StorageError) {
        let names = repository.names
        let fileSystem = repository.fileSystem
        let lock = try fileSystem.lock(names.lock)
        defer { lock.release() }
        // A backup that was made since may use files that no older one kept.
        guard
            try repository.inventory().backups.map(\.id).sorted()
                == (keptBackups + removedBackups).map(\.id).sorted()
        else {
            throw StorageError(
                .inUse, kind: .retryable, "The repository has changed since it was looked at.",
                location: .init(path: names.root), hint: "Try again.")
        }
        for backup in removedBackups {
            let partial = names.backup(backup.id) + RepositoryNames.partialSuffix
            try fileSystem.rename(names.backup(backup.id), to: partial)
        }
        try fileSystem.syncDirectory(names.backups)
        try repository.removeUnfinishedBackups()
        for path in removedFiles { try fileSystem.remove(path) }
        for segment in removedSegments { try fileSystem.remove(segment.path) }
        for directory in [names.backups, names.files, names.log] {
            try fileSystem.syncDirectory(directory)
        }
    }
}
