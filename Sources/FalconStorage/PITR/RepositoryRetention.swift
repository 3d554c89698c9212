/// Which backups of a repository go, and what goes with them. Pure: decided before anything is removed.
public struct RepositoryRetention: Sendable {
    /// Newest first.
    public var keptBackups: [BackupManifest] = []
    /// Newest first.
    public var removedBackups: [BackupManifest] = []
    /// Oldest first.
    public var removedSegments: [ArchivedSegment] = []
    /// Tables and blob files that no kept backup needs, and what is unfinished.
    public var removedFiles: [String] = []
    /// What goes with them in the repository; BACKUP files and unfinished backups are not counted.
    public var removedBytes: UInt64 = 0
    /// The earliest LSN and moment that can be restored afterwards.
    public var earliest: (lsn: LSN, micros: UInt64)?

    /// Keeps the newest `count` backups and the log from the oldest of them on.
    public init(
        _ repository: Repository, _ inventory: Repository.Inventory, keeping count: Int
    ) throws(StorageError) {
        guard count > 0 else { throw .invalidArgument("At least one backup must be kept.") }
        guard inventory.problems.isEmpty else {
            throw inventory.problems[0]
        }
        let newest = inventory.backups.sorted {
            ($0.endedMicros, $0.id) > ($1.endedMicros, $1.id)
        }
        keptBackups = Array(newest.prefix(count))
        removedBackups = Array(newest.dropFirst(count))
        let fileSystem = repository.fileSystem
        if let oldest = keptBackups.min(by: { $0.startLSN < $1.startLSN }) {
            earliest = (oldest.startLSN, oldest.newestMicros)
            try findSegments(inventory)
        }
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

    private mutating func findSegments(_ inventory: Repository.Inventory) throws(StorageError) {
        let timeline = try RepositoryTimeline(inventory.segments, branch: nil)
        var needed = Set<UID>()
        var oldestMicros = UInt64.max
        for backup in keptBackups {
            let stretch = timeline.forward(from: backup.logSegment)
            needed.formUnion(stretch.map(\.uid))
            needed.formUnion(timeline.stretch(of: backup).map(\.uid))
            oldestMicros = min(oldestMicros, stretch.first?.wallMicros ?? 0)
        }
        removedSegments = inventory.segments.filter {
            !needed.contains($0.uid) && $0.wallMicros < oldestMicros
        }.sorted { ($0.wallMicros, $0.segment.rawValue) < ($1.wallMicros, $1.segment.rawValue) }
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
        for name in try fileSystem.list(names.backups)
        where name.hasSuffix(RepositoryNames.partialSuffix) {
            try fileSystem.removeTree(names.backups + "/" + name)
        }
        for path in removedFiles { try fileSystem.remove(path) }
        for segment in removedSegments { try fileSystem.remove(segment.path) }
        for directory in [names.backups, names.files, names.log] {
            try fileSystem.syncDirectory(directory)
        }
    }
}
