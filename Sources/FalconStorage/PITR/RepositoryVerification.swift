/// Reads every byte of a repository and compares it with what was written. No key is needed.
public struct RepositoryVerification {
    /// What is wrong with one file.
    public struct Problem: Sendable {
        /// What the file belongs to: the archived log, or base backups.
        public enum Subject: Sendable { case segment, backup }
        /// Where the file belongs.
        public var subject: Subject
        /// `corruption` or `not-found`; `unsupported-format` of what a later version wrote.
        public var error: StorageError
        /// Backups that cannot be restored for it.
        public var backups: [String]
    }

    let repository: Repository
    let inventory: Repository.Inventory
    /// The inventory's, then those found, in order.
    public private(set) var problems: [Problem] = []
    /// Segments of the inventory that were looked at, damaged ones, too.
    public private(set) var checkedSegments = 0
    /// Tables and blob files that were looked at, damaged and missing ones, too; each once.
    public private(set) var checkedFiles = 0
    /// Of those segments, before compression, and those files; ends at ``byteCount``.
    public private(set) var checkedBytes: UInt64 = 0
    /// By backups that come before them.
    public private(set) var gaps: [RepositoryTimeline.Gap] = []

    /// Of what `inventory` lists; reads nothing before ``run(_:)``.
    public init(_ repository: Repository, _ inventory: Repository.Inventory) {
        self.repository = repository
        self.inventory = inventory
    }

    /// Bytes that ``run(_:)`` reads.
    public var byteCount: UInt64 {
        let files = Set(inventory.backups.flatMap(\.files).map { repository.names.file($0) })
        let counts = inventory.backups.flatMap(\.files).reduce(into: [String: UInt64]()) {
            $0[repository.names.file($1)] = $1.byteCount
        }
        return files.reduce(0) { $0 &+ (counts[$1] ?? 0) }
            &+ inventory.segments.reduce(0) { $0 &+ $1.rawBytes }
    }

    /// Reads it all, to be called once. What is damaged or missing is among the problems; throws only where a
    /// file cannot be read at all, or `progress` throws.
    /// - Parameter progress: called with ``checkedBytes`` after each segment and data file; throws to end it.
    public mutating func run(
        _ progress: (UInt64) throws(StorageError) -> Void = { _ throws(StorageError) in }
    ) throws(StorageError) {
        for error in inventory.problems {
            let isSegment = error.location?.path.hasSuffix(RepositoryNames.segmentSuffix) ?? false
            problems.append(
                Problem(subject: isSegment ? .segment : .backup, error: error, backups: []))
        }
        let fileSystem = repository.fileSystem
        for segment in inventory.segments {
            try check(.segment, []) { () throws(StorageError) in
                let file = try ArchivedSegmentFile(segment.path, fileSystem)
                defer { try? file.close() }
                try file.verify()
            }
            checkedSegments += 1
            checkedBytes &+= segment.rawBytes
            try progress(checkedBytes)
        }
        try checkKeys()
        var seen = Set<String>()
        for backup in inventory.backups {
            for meta in backup.metas {
                let path = repository.names.backup(backup.id) + "/" + meta.name
                try check(path, meta.byteCount, meta.hash, [backup.id])
            }
            for file in backup.files {
                let path = repository.names.file(file)
                guard seen.insert(path).inserted else { continue }
                let users = inventory.backups.filter { other in
                    other.files.contains { $0.uid == file.uid && $0.hash == file.hash }
                }
                try check(path, file.byteCount, file.hash, users.map(\.id))
                checkedFiles += 1
                checkedBytes &+= file.byteCount
                try progress(checkedBytes)
            }
        }
        let timeline = try RepositoryTimeline(inventory.segments, branch: nil)
        let stretches = inventory.backups.map { timeline.stretch(of: $0) }
        for (backup, stretch) in zip(inventory.backups, stretches) where stretch.isEmpty {
            let error = StorageError.corruption(
                "The backup's first log segment is not in the repository.",
                path: repository.names.manifest(backup.id),
                hint: "The backup cannot be restored; make another one.")
            problems.append(Problem(subject: .backup, error: error, backups: [backup.id]))
        }
        gaps = timeline.gaps(among: stretches)
    }

    /// The key registry of each branch whose log is encrypted: whole, as far as can be told without a key.
    private mutating func checkKeys() throws(StorageError) {
        let fileSystem = repository.fileSystem
        let branches = Set(inventory.segments.filter(\.isEncrypted).map(\.branch))
        for path in branches.map({ repository.names.keys($0) }).sorted() {
            try check(.segment, []) { () throws(StorageError) in
                guard try fileSystem.exists(path) else {
                    throw .corruption(
                        "The key registry of the archived log is missing.", path: path)
                }
                try KeyRegistryFile.check(fileSystem.contents(of: path), path: path)
            }
        }
    }

    private mutating func check(
        _ path: String, _ byteCount: UInt64, _ hash: UInt64, _ backups: [String]
    ) throws(StorageError) {
        let fileSystem = repository.fileSystem
        try check(.backup, backups) { () throws(StorageError) in
            guard try fileSystem.exists(path) else {
                throw .corruption("A file of the backup is missing.", path: path)
            }
            guard try fileSystem.hash(of: path, byteCount: byteCount) == hash else {
                throw .corruption(
                    "The file's bytes are not those that were written.", path: path, offset: 0)
            }
        }
    }

    private mutating func check(
        _ subject: Problem.Subject, _ backups: [String], _ body: () throws(StorageError) -> Void
    ) throws(StorageError) {
        do throws(StorageError) {
            try body()
        } catch  where error.code == .corruption || error.code == .notFound {
            problems.append(Problem(subject: subject, error: error, backups: backups))
        }
    }
}
