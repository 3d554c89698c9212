@testable import FalconStorage

/// Another file system whose unlinks of data files wait until the gate is open.
final class GatedFileSystem: WrappingFileSystem, @unchecked Sendable {
    let base: any FileSystem
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

}
