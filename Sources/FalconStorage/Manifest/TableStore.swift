/// Opens the data files of one directory and unlinks those no reader needs any more.
///
/// The last reader of an obsolete file may be a query on an event loop, so it only notes the file; a
/// thread of its own unlinks, at once and whatever flushes and compactions are busy with: they may be
/// waiting for the very space.
final class TableStore: @unchecked Sendable {
    let names: FileNames
    let fileSystem: any FileSystem
    let cache: BlockCache?
    let budget: MemoryBudget?
    /// A leaf among the locks: files die under many of them.
    private let monitor = Monitor()
    private let changed: MonitorCondition
    // Guarded by the monitor.
    /// Files that the manifest no longer lists and nobody reads.
    private var doomed: [String] = []
    /// Tried in vain; tried again with the next.
    private var stubborn: [String] = []
    private var isRemoving = false
    private var isStopping = false

    init(
        names: FileNames, fileSystem: any FileSystem, cache: BlockCache?,
        budget: MemoryBudget? = nil
    ) {
        self.budget = budget
        self.names = names
        self.fileSystem = fileSystem
        self.cache = cache
        changed = MonitorCondition(monitor)
    }

    func open(_ metadata: FileMetadata) throws(StorageError) -> TableReader {
        let path = names.table(metadata.number)
        guard metadata.kind == .rowTable else {
            throw StorageError(
                .unsupportedFormat, kind: .user,
                "The manifest lists a kind of file that this program cannot read.",
                location: .init(path: path))
        }
        let file = try fileSystem.open(path, .read)
        do throws(StorageError) {
            return try TableReader.open(
                file: file, uid: metadata.uid, size: metadata.byteCount, cache: cache,
                budget: budget, ingestTimestamp: metadata.ingestTimestamp)
        } catch {
            try? file.close()
            throw error
        }
    }

    func openBlob(_ metadata: FileMetadata) throws(StorageError) -> BlobReader {
        let file = try fileSystem.open(names.blob(metadata.number), .read)
        do throws(StorageError) {
            return try BlobReader(
                file: file, uid: metadata.uid, size: metadata.byteCount, cache: cache)
        } catch {
            try? file.close()
            throw error
        }
    }

    /// Notes a file for removal. Called from its end, on any thread and under any lock.
    func doom(_ kind: DataFileKind, _ number: FileNumber) {
        let path = names.dataFile(kind, number)
        monitor.lock()
        doomed.append(path)
        changed.broadcast()
        monitor.unlock()
    }

    /// Unlinks what is doomed until ``stopRemovals()``; the body of the removing thread.
    ///
    /// A file that will not go becomes an orphan, reported on the next open, and harms nothing.
    func runRemovals() {
        monitor.lock()
        while true {
            while doomed.isEmpty, !isStopping { changed.wait() }
            if doomed.isEmpty { break }
            let paths = doomed + stubborn
            (doomed, stubborn) = ([], [])
            isRemoving = true
            monitor.unlock()
            let failed = paths.filter { !remove($0) }
            monitor.lock()
            stubborn += failed
            isRemoving = false
            changed.broadcast()
        }
        monitor.unlock()
    }

    /// What is doomed by now is still unlinked. A file that an iterator keeps beyond the engine's end
    /// is removed as an orphan by the next open: the directory may be another's by then.
    func stopRemovals() {
        monitor.lock()
        isStopping = true
        changed.broadcast()
        monitor.unlock()
    }

    /// Blocks until nothing is left to unlink.
    func awaitRemovals() {
        monitor.lock()
        while isRemoving || !doomed.isEmpty, !isStopping { changed.wait() }
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
