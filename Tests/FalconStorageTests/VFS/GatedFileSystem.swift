@testable import FalconStorage

/// Another file system whose unlinks of data files wait until the gate is open.
final class GatedFileSystem: FileSystem, @unchecked Sendable {
    private let base: any FileSystem
    private let monitor = Monitor()
    private let changed: MonitorCondition
    private var isOpen = false

    init(_ base: any FileSystem) {
        self.base = base
        changed = MonitorCondition(monitor)
    }

    func open() {
        monitor.lock()
        isOpen = true
        changed.broadcast()
        monitor.unlock()
    }

    func remove(_ path: String) throws(StorageError) {
        if path.contains("/sst/") {
            monitor.lock()
            while !isOpen { changed.wait() }
            monitor.unlock()
        }
        try base.remove(path)
    }

    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        try base.open(path, mode)
    }
    func syncDirectory(_ path: String) throws(StorageError) { try base.syncDirectory(path) }
    func exists(_ path: String) throws(StorageError) -> Bool { try base.exists(path) }
    func list(_ directory: String) throws(StorageError) -> [String] { try base.list(directory) }
    func createDirectory(_ path: String) throws(StorageError) { try base.createDirectory(path) }
    func removeDirectory(_ path: String) throws(StorageError) { try base.removeDirectory(path) }
    func rename(_ from: String, to: String) throws(StorageError) {
        try base.rename(from, to: to)
    }
    func link(_ from: String, to: String) throws(StorageError) { try base.link(from, to: to) }
    func linkCount(_ path: String) throws(StorageError) -> Int { try base.linkCount(path) }
    func fileSize(_ path: String) throws(StorageError) -> UInt64 { try base.fileSize(path) }
    func isDirectory(_ path: String) throws(StorageError) -> Bool { try base.isDirectory(path) }
    func lock(_ path: String) throws(StorageError) -> any FileLock { try base.lock(path) }
    func isLocked(_ path: String) -> Bool { base.isLocked(path) }
    func freeSpace(_ path: String) throws(StorageError) -> UInt64 { try base.freeSpace(path) }
}
