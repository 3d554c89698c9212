@testable import FalconStorage

/// Another file system whose syncs of files, or of directories, wait while they are held.
final class HeldSyncFileSystem: WrappingFileSystem, @unchecked Sendable {
    let base: any FileSystem
    private let monitor = Monitor()
    private let changed: MonitorCondition
    /// Files whose paths contain this are held; nil: none.
    private var heldFiles: String?
    private var holdsDirectories = false
    private var waiting = 0

    init(_ base: any FileSystem) {
        self.base = base
        changed = MonitorCondition(monitor)
    }

    /// From now on syncs of files whose paths contain `part` wait.
    func hold(_ part: String = "/") { monitor.locked { heldFiles = part } }
    func holdDirectories() { monitor.locked { holdsDirectories = true } }
    func release() {
        monitor.locked {
            heldFiles = nil
            holdsDirectories = false
            changed.broadcast()
        }
    }
    func releaseFiles() {
        monitor.locked {
            heldFiles = nil
            changed.broadcast()
        }
    }
    /// Syncs that wait now.
    var held: Int { monitor.locked { waiting } }

    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        HeldSyncFile(try base.open(path, mode), self)
    }

    func syncDirectory(_ path: String) throws(StorageError) {
        awaitRelease { holdsDirectories }
        try base.syncDirectory(path)
    }

    fileprivate func awaitRelease(_ isHeld: () -> Bool) {
        monitor.lock()
        waiting += 1
        while isHeld() { changed.wait() }
        waiting -= 1
        monitor.unlock()
    }
    fileprivate func awaitRelease(of path: String) {
        awaitRelease { heldFiles.map { path.contains($0) } ?? false }
    }
}

private final class HeldSyncFile: WrappingFile {
    let base: any File
    private let fileSystem: HeldSyncFileSystem

    init(_ base: any File, _ fileSystem: HeldSyncFileSystem) {
        self.base = base
        self.fileSystem = fileSystem
    }

    func syncData() throws(StorageError) {
        fileSystem.awaitRelease(of: path)
        try base.syncData()
    }
}
