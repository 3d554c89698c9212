import Synchronization

@testable import FalconStorage

/// Another file system on which something happens when a segment of the log is opened for the first time.
final class GoneWhileReading: WrappingFileSystem {
    let base: any FileSystem
    private let pending = Mutex<(@Sendable () -> Void)?>(nil)

    init(_ base: any FileSystem) { self.base = base }

    /// Called once, before the segment is opened.
    var onFirstSegment: (@Sendable () -> Void)? {
        get { pending.withLock { $0 } }
        set { pending.withLock { $0 = newValue } }
    }

    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        if path.hasSuffix(".wal") {
            let body = pending.withLock { pending in
                defer { pending = nil }
                return pending
            }
            body?()
        }
        return try base.open(path, mode)
    }
}
