import Synchronization

/// One base backup and a stretch of the archived log, shown as the data directory they would make: what reads a
/// directory reads a repository, and nothing is unpacked.
///
/// The root is the backup's own directory; its tables and log segments come from elsewhere in the repository. Segments
/// of a restored directory follow those of its source under numbers that go on from theirs.
public final class RepositoryView: WrappingFileSystem {
    public let base: any FileSystem
    /// The data directory that is shown: the backup's own; without one, a path in the repository where
    /// nothing is.
    public let root: String
    /// By what their paths would be in a data directory.
    private let segments: [String: ShownSegment]
    private let files: [String: String]
    private let names: FileNames
    private let readahead = Mutex<FrameReadahead?>(nil)

    /// - Parameters:
    ///   - backup: nil shows the log alone.
    ///   - segments: oldest first, each going on where the one before it ends.
    init(
        _ repository: Repository, backup: BackupManifest?, segments: [ArchivedSegment],
        keys: String?
    ) {
        base = repository.fileSystem
        root = backup.map { repository.names.backup($0.id) } ?? repository.names.root + "/view"
        let names = FileNames(root: root)
        self.names = names
        var shown: [String: ShownSegment] = [:]
        var previous: ShownSegment?
        for segment in segments {
            let next = ShownSegment(segment, after: previous)
            shown[names.walSegment(next.number)] = next
            previous = next
        }
        self.segments = shown
        var files: [String: String] = [:]
        for file in backup?.files ?? [] {
            files[names.dataFile(file.kind, file.number)] = repository.names.file(file)
        }
        if let keys { files[names.keys] = keys }
        self.files = files
    }

    /// From now on so many threads unpack the segments that are read, ahead of whoever reads them.
    public func readAhead(threads: Int) throws(StorageError) {
        let made = try FrameReadahead(threads: threads)
        readahead.withLock { $0 = made }
    }

    private func real(_ path: String) -> String { files[path] ?? path }

    private func isVirtual(_ path: String) -> Bool {
        path == names.walDirectory || path == names.sstDirectory
    }

    public func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        if let segment = segments[path] {
            guard mode == .read else { throw readOnly(path) }
            return try segment.open(
                shownAs: path, base, readahead: readahead.withLock { $0 })
        }
        if files[path] != nil, mode != .read { throw readOnly(path) }
        return try base.open(real(path), mode)
    }

    public func exists(_ path: String) throws(StorageError) -> Bool {
        if segments[path] != nil || isVirtual(path) { return true }
        return try base.exists(real(path))
    }

    public func list(_ directory: String) throws(StorageError) -> [String] {
        if directory == names.walDirectory { return segments.keys.map(VFSPath.name) }
        if directory == names.sstDirectory {
            return files.keys.filter { VFSPath.parent(of: $0) == directory }.map(VFSPath.name)
        }
        var found = try base.list(directory)
        guard directory == root else { return found }
        // What is shown at other places than where it lies.
        for path in [names.walDirectory, names.sstDirectory] + Array(files.keys)
        where VFSPath.parent(of: path) == root && !found.contains(VFSPath.name(of: path)) {
            found.append(VFSPath.name(of: path))
        }
        return found
    }

    public func isDirectory(_ path: String) throws(StorageError) -> Bool {
        if isVirtual(path) { return true }
        return try base.isDirectory(real(path))
    }

    public func fileSize(_ path: String) throws(StorageError) -> UInt64 {
        if let shown = segments[path] { return shown.segment.rawBytes }
        return try base.fileSize(real(path))
    }

    public func linkCount(_ path: String) throws(StorageError) -> Int {
        segments[path] == nil ? try base.linkCount(real(path)) : 1
    }

    public func isLocked(_ path: String) -> Bool {
        path == names.lock ? false : base.isLocked(path)
    }

    private func readOnly(_ path: String) -> StorageError {
        StorageError(
            .readOnly, kind: .bug, "A backup repository is not written to by a restore.",
            location: .init(path: path))
    }
}
