import CFalconPlatform

/// Opens the data files of one directory and unlinks those no reader needs any more.
///
/// The last reader of an obsolete file may be a query on an event loop, so it only notes the file; a
/// thread of its own unlinks, whatever flushes and compactions are busy with: they may be waiting for
/// the very space.
final class TableStore: @unchecked Sendable {
    let names: FileNames
    let fileSystem: any FileSystem
    let cache: BlockCache?
    let budget: MemoryBudget?
    /// Through which data files are opened.
    let files: FilePool
    /// Told of damage that fails no read; set before tables are opened for reading.
    @exclusivity(unchecked) var noteDamage: (@Sendable (StorageError) -> Void)?
    /// A leaf among the locks: files die under many of them.
    private let monitor = Monitor()
    private let changed: MonitorCondition
    private struct Doomed {
        var path: String
        var byteCount: UInt64
    }
    // Guarded by the monitor.
    /// Files that the manifest no longer lists and nobody reads.
    private var doomed: [Doomed] = []
    /// The bytes of ``doomed``.
    private var doomedBytes: UInt64 = 0
    /// Tried in vain; tried again with the next.
    private var stubborn: [String] = []
    private var isRemoving = false
    private var isStopping = false
    /// Somebody waits for the space, or for the end.
    private var hurried = 0
    private var isDiskFull = false

    /// - Parameter keepsFilesOpen: files may lose their names meanwhile, beside a live writer: what was
    ///   opened once stays open, however many there are.
    init(
        names: FileNames, fileSystem: any FileSystem, cache: BlockCache?,
        budget: MemoryBudget? = nil, keepsFilesOpen: Bool = false
    ) {
        files = FilePool(
            fileSystem,
            limit: keepsFilesOpen ? .max : FilePool.share(of: fileSystem.openFileLimit))
        self.budget = budget
        self.names = names
        self.fileSystem = fileSystem
        self.cache = cache
        changed = MonitorCondition(monitor)
    }

    func path(of metadata: FileMetadata) -> String {
        metadata.kind == .blob ? names.blob(metadata.number) : names.table(metadata.number)
    }

    /// - Parameter usesCache: false reads every block from the file.
    func open(
        _ metadata: FileMetadata, usesCache: Bool = true
    ) throws(StorageError) -> TableReader {
        let path = names.table(metadata.number)
        guard metadata.kind == .rowTable else {
            throw StorageError(
                .unsupportedFormat, kind: .user,
                "The manifest lists a kind of file that this program cannot read.",
                location: .init(path: path))
        }
        let file: any File
        do throws(StorageError) {
            file = try files.open(path)
        } catch  where error.code == .notFound {
            throw Self.missing(metadata, path)
        }
        do throws(StorageError) {
            let reader = try TableReader.open(
                file: file, uid: metadata.uid, size: metadata.byteCount,
                cache: usesCache ? cache : nil, budget: budget,
                ingestTimestamp: metadata.ingestTimestamp, keys: fileSystem.keys)
            if usesCache { reader.noteDamage = noteDamage }
            return reader
        } catch {
            try? file.close()
            throw error
        }
    }

    /// Throws `corruption` when the file is not there or has another size than MANIFEST says.
    func checkSize(_ metadata: FileMetadata) throws(StorageError) {
        let path = path(of: metadata)
        let size: UInt64
        do throws(StorageError) {
            size = try fileSystem.fileSize(path)
        } catch  where error.code == .notFound {
            throw Self.missing(metadata, path)
        }
        guard size == metadata.byteCount else {
            throw .corruption(
                "The \(Self.noun(metadata)) has \(size) bytes; MANIFEST says \(metadata.byteCount).",
                path: path, offset: min(size, metadata.byteCount), hint: Self.damageHint)
        }
    }

    private static let damageHint =
        "Restore it from a backup; sst-verify lists what it held."

    private static func noun(_ metadata: FileMetadata) -> String {
        metadata.kind == .blob ? "blob file" : "table"
    }

    private static func missing(_ metadata: FileMetadata, _ path: String) -> StorageError {
        .corruption(
            "The manifest names a \(noun(metadata)) that is missing.", path: path,
            hint: damageHint)
    }

    /// - Parameter usesCache: false reads every value from the file.
    func openBlob(
        _ metadata: FileMetadata, usesCache: Bool = true
    ) throws(StorageError) -> BlobReader {
        let path = names.blob(metadata.number)
        let file: PooledFile
        do throws(StorageError) {
            file = try files.open(path)
        } catch  where error.code == .notFound {
            throw Self.missing(metadata, path)
        }
        do throws(StorageError) {
            return try BlobReader(
                file: file, uid: metadata.uid, size: metadata.byteCount,
                cache: usesCache ? cache : nil, keys: fileSystem.keys)
        } catch {
            try? file.close()
            throw error
        }
    }

    /// Notes a file for removal. Called from its end, on any thread and under any lock.
    func doom(_ kind: DataFileKind, _ number: FileNumber, byteCount: UInt64) {
        doom(names.dataFile(kind, number), byteCount: byteCount)
    }

    /// Notes for removal a file that a crash has left and nothing names.
    func doom(orphan path: String) {
        // Of a file that cannot be looked at only the pause after it is unknown.
        doom(path, byteCount: (try? fileSystem.fileSize(path)) ?? 0)
    }

    /// Notes for removal a file of that size which no manifest has named.
    func doom(_ path: String, byteCount: UInt64) {
        monitor.lock()
        doomed.append(Doomed(path: path, byteCount: byteCount))
        doomedBytes &+= byteCount
        changed.broadcast()
        monitor.unlock()
    }

    /// Bytes of the files that are still to be unlinked.
    var obsoleteBytes: UInt64 { monitor.locked { doomedBytes } }

    /// Unlinks what is doomed until ``stopRemovals()``; the body of the removing thread. Large files go
    /// one by one at a ``RemovalPace``, unless space is scarce.
    ///
    /// A file that will not go becomes an orphan, reported on the next open, and harms nothing.
    func runRemovals() {
        monitor.lock()
        while true {
            while doomed.isEmpty, !isStopping { changed.wait() }
            if doomed.isEmpty { break }
            let next = doomed.removeFirst()
            let paths = [next.path] + stubborn
            stubborn = []
            let backlog = doomedBytes
            isRemoving = true
            monitor.unlock()
            let failed = paths.filter { !remove($0) }
            let nanos = pause(after: next.byteCount, backlog)
            monitor.lock()
            stubborn += failed
            doomedBytes &-= next.byteCount
            isRemoving = false
            changed.broadcast()
            let end = falcon_monotonic_nanos() &+ nanos
            while nanos > 0, hurried == 0, !isStopping, !isDiskFull {
                let now = falcon_monotonic_nanos()
                if now >= end { break }
                _ = changed.wait(nanos: end - now)
            }
        }
        monitor.unlock()
    }

    /// Nothing is paused for small files, so they cost no look at the disk either.
    private func pause(after bytes: UInt64, _ backlog: UInt64) -> UInt64 {
        let nanos = RemovalPace.nanos(after: bytes, backlog: backlog)
        guard nanos > 0, let free = try? fileSystem.freeSpace(names.root),
            !RemovalPace.isScarce(free: free, backlog: backlog)
        else { return 0 }
        return nanos
    }

    /// While the disk is full, space comes back as fast as it can.
    func setDiskFull(_ isFull: Bool) {
        monitor.lock()
        if isFull != isDiskFull {
            isDiskFull = isFull
            changed.broadcast()
        }
        monitor.unlock()
    }

    /// What is doomed by now is still unlinked, without a pause. A file that an iterator keeps beyond the
    /// engine's end is removed as an orphan by the next open: the directory may be another's by then.
    func stopRemovals() {
        monitor.lock()
        isStopping = true
        changed.broadcast()
        monitor.unlock()
    }

    /// Blocks until nothing is left to unlink; there are no pauses meanwhile.
    func awaitRemovals() {
        monitor.lock()
        hurried += 1
        changed.broadcast()
        while isRemoving || !doomed.isEmpty, !isStopping { changed.wait() }
        hurried -= 1
        monitor.unlock()
    }

    /// False when the file is still there.
    private func remove(_ path: String) -> Bool {
        do throws(StorageError) {
            try fileSystem.remove(path)
            return true
        } catch {
            return error.code == .notFound
        }
    }
}
