/// A directory with the archived log and the base backups of one database.
///
/// Everything in it is written under a temporary name and renamed when it is whole and durable, so that whatever has
/// its name can be used; what a crash leaves is passed over, and replaced by the next try.
public struct Repository: Sendable {
    /// Where its files are.
    public let names: RepositoryNames
    let fileSystem: any FileSystem
    /// Whose log and backups it holds.
    public let shard: UID
    private static let format = "falcon-repository 0"

    /// Opens a repository that is there.
    public static func open(
        _ path: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> Repository {
        let names = RepositoryNames(root: path)
        let fileSystem = fileSystem.unkeyed
        guard try fileSystem.exists(names.marker) else {
            throw StorageError(
                .notFound, kind: .user, "There is no backup repository in the directory.",
                location: .init(path: path),
                hint: "Name the directory that archive.directory of the server names.")
        }
        let bytes = try fileSystem.contents(of: names.marker)
        guard let shard = try decode(bytes, names.marker) else {
            throw .corruption(
                "The file REPOSITORY is damaged.", path: names.marker, offset: 0,
                hint:
                    "Restore it from a copy of the repository; archive and backups are as they were."
            )
        }
        return Repository(names: names, fileSystem: fileSystem, shard: shard)
    }

    /// Opens the repository of `shard`, and makes it where there is none. Its parent must be there.
    static func openOrCreate(
        _ path: String, shard: UID, _ fileSystem: any FileSystem
    ) throws(StorageError) -> Repository {
        let names = RepositoryNames(root: path)
        let fileSystem = fileSystem.unkeyed
        if try !fileSystem.exists(names.marker) {
            try fileSystem.createDirectoryIfMissing(names.root)
            if let stranger = try fileSystem.list(names.root).first(where: isForeign) {
                throw StorageError(
                    .invalidArgument, kind: .user,
                    "The directory is not empty and holds no backup repository: \(stranger) is there.",
                    location: .init(path: names.root), hint: "Choose an empty or a new directory.")
            }
            for directory in [names.log, names.files, names.backups] {
                try fileSystem.createDirectoryIfMissing(directory)
            }
            try fileSystem.syncDirectory(VFSPath.parent(of: names.root))
            try fileSystem.replace(names.marker, with: encode(shard))
        }
        let repository = try open(path, fileSystem)
        guard repository.shard == shard else {
            throw StorageError(
                .invalidArgument, kind: .user,
                "The backup repository belongs to another database.",
                cause: "it holds \(repository.shard), and this is \(shard)",
                location: .init(path: names.root),
                hint: "Give each database a repository of its own.")
        }
        return repository
    }

    private static func isForeign(_ name: String) -> Bool {
        !["log", "files", "backups", "LOCK", "REPOSITORY.tmp", "lost+found"].contains(name)
    }

    private static func encode(_ shard: UID) -> [UInt8] {
        let text = Array("\(format)\nshard \(shard)\n".utf8)
        let sum = text.withUnsafeBytes { Checksum.xxh3($0) }
        return text + Array("\(FileNames.hex(sum))\n".utf8)
    }

    /// Nil: damaged.
    private static func decode(_ bytes: [UInt8], _ path: String) throws(StorageError) -> UID? {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard lines.count >= 2, lines[0].hasPrefix("falcon-repository ") else { return nil }
        guard lines[0] == format else {
            throw StorageError(
                .unsupportedFormat, kind: .user,
                "The backup repository has a format that this program does not know.",
                cause: String(lines[0]), location: .init(path: path),
                hint: "Use the version that wrote it, or a later one.")
        }
        guard lines[1].hasPrefix("shard "), let shard = UID(text: lines[1].dropFirst(6)),
            encode(shard) == bytes
        else { return nil }
        return shard
    }

    // MARK: - What there is

    /// What the repository holds, and what of it cannot be used.
    public struct Inventory: Sendable {
        /// By branch and LSN.
        public var segments: [ArchivedSegment] = []
        /// Oldest first.
        public var backups: [BackupManifest] = []
        /// Of segments and backups that are left out: `corruption`, `unsupported-format`, or `not-found` for
        /// a backup without its manifest.
        public var problems: [StorageError] = []
        /// Unfinished files and directories.
        public var leftovers: [String] = []
    }

    /// Reads each segment's footer and each backup's manifest, and no more: ``RepositoryVerification`` reads
    /// the rest. What is damaged is among the problems; throws only where a file or directory cannot be read.
    public func inventory() throws(StorageError) -> Inventory {
        var result = Inventory()
        for branch in try listIfThere(names.log) {
            guard UID(text: branch) != nil else { continue }
            let directory = names.log + "/" + branch
            for name in try fileSystem.list(directory).sorted() {
                let path = directory + "/" + name
                if name.hasSuffix(".tmp") { result.leftovers.append(path) }
                guard name.hasSuffix(RepositoryNames.segmentSuffix) else { continue }
                do throws(StorageError) {
                    result.segments.append(try segment(path))
                } catch  where error.code == .corruption || error.code == .unsupportedFormat {
                    result.problems.append(error)
                } catch  where error.code == .notFound {
                    // Retention has taken it meanwhile.
                }
            }
        }
        for id in try listIfThere(names.backups) {
            if id.hasSuffix(RepositoryNames.partialSuffix) {
                result.leftovers.append(names.backup(id))
            }
            guard RepositoryNames.isBackupID(id) else { continue }
            do throws(StorageError) {
                result.backups.append(try backup(id))
            } catch  where error.code == .corruption || error.code == .unsupportedFormat {
                result.problems.append(error)
            } catch  where error.code == .notFound {
                let isThere = try fileSystem.exists(names.backup(id))
                if isThere { result.problems.append(error) }
            }
        }
        result.backups.sort {
            ($0.startLSN, $0.endedMicros, $0.id) < ($1.startLSN, $1.endedMicros, $1.id)
        }
        for name in try listIfThere(names.files) where name.hasSuffix(".tmp") {
            result.leftovers.append(names.files + "/" + name)
        }
        return result
    }

    func listIfThere(_ directory: String) throws(StorageError) -> [String] {
        guard try fileSystem.exists(directory) else { return [] }
        return try fileSystem.list(directory).sorted()
    }

    /// Of all archived segments; by their names, which only whole ones have.
    func archivedUIDs() throws(StorageError) -> Set<UID> {
        var found = Set<UID>()
        for branch in try listIfThere(names.log) where UID(text: branch) != nil {
            for name in try fileSystem.list(names.log + "/" + branch)
            where name.hasSuffix(RepositoryNames.segmentSuffix) {
                if let uid = UID(
                    text: name.dropLast(RepositoryNames.segmentSuffix.count).suffix(32))
                {
                    found.insert(uid)
                }
            }
        }
        return found
    }

    func segment(_ path: String) throws(StorageError) -> ArchivedSegment {
        let file = try fileSystem.open(path, .read)
        defer { try? file.close() }
        let footer = try ArchivedSegmentFooter.read(file).0
        guard names.segment(footer.branch, footer.firstLSN, footer.uid) == path else {
            throw .corruption(
                "The archived segment is not the one that its name says.", path: path, offset: 0)
        }
        guard footer.shard == shard else { throw foreign("archived segment", path) }
        return ArchivedSegment(footer: footer, path: path, storedBytes: try file.size())
    }

    /// The manifest of the backup `id`; throws `not-found` where there is none, `corruption` where it is
    /// damaged or another backup's, `unsupported-format` where a later version wrote it.
    public func backup(_ id: String) throws(StorageError) -> BackupManifest {
        let path = names.manifest(id)
        let manifest = try BackupManifest.decode(fileSystem.contents(of: path), path: path)
        guard manifest.id == id else {
            throw .corruption(
                "The backup's manifest is that of backup \(manifest.id).", path: path, offset: 0)
        }
        guard manifest.shard == shard else { throw foreign("backup", path) }
        return manifest
    }

    private func foreign(_ what: String, _ path: String) -> StorageError {
        .corruption(
            "The \(what) is another database's than the repository.", path: path, offset: 0,
            hint: "Put it into that database's repository, and what belongs here in its place.")
    }
}

// MARK: - What was killed

/// For who holds ``RepositoryNames/lock``: nobody else makes a backup then, or removes one.
extension Repository {
    /// Removes backups that did not end.
    func removeUnfinishedBackups() throws(StorageError) {
        for name in try listIfThere(names.backups)
        where name.hasSuffix(RepositoryNames.partialSuffix) {
            try fileSystem.removeTree(names.backups + "/" + name)
        }
    }

    /// Removes copies of tables and blob files that did not end.
    func removeUnfinishedCopies() throws(StorageError) {
        for name in try listIfThere(names.files) where name.hasSuffix(".tmp") {
            try fileSystem.remove(names.files + "/" + name)
        }
    }
}
