@testable import FalconStorage

/// Another file system whose syncs of files, or of directories, wait while they are held.
final class HeldSyncFileSystem: WrappingFileSystem, @unchecked Sendable {
    let base: any FileSystem
    private let monitor = Monitor()
    private let changed: MonitorCondition
    private var isHeld = false
    private var holdsDirectories = false
    private var waiting = 0

    init(_ base: any FileSystem) {
        self.base = base
        changed = MonitorCondition(monitor)
    }

    func hold() { monitor.locked { isHeld = true } }
    func holdDirectories() { monitor.locked { holdsDirectories = true } }
    func release() {
        monitor.locked {
            isHeld = false
            holdsDirectories = false
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
    fileprivate func awaitRelease() { awaitRelease { isHeld } }
}

private final class HeldSyncFile: WrappingFile {
    let base: any File
    private let fileSystem: HeldSyncFileSystem

    init(_ base: any File, _ fileSystem: HeldSyncFileSystem) {
        self.base = base
        self.fileSystem = fileSystem
    }

    func syncData() throws(StorageError) {
        fileSystem.awaitRelease()
        try base.syncData()
    }
}
