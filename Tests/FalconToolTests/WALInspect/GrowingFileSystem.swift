import FalconStorage
import Synchronization

/// A file system on which somebody else writes right before a chosen read: a live writer, at the worst
/// moment.
final class GrowingFileSystem: WrappingFileSystem {
    let base: any FileSystem
    private let left: Mutex<Int>
    private let grow: @Sendable () -> Void

    /// `grow` is called once, before the read of that number (from 0).
    init(_ base: any FileSystem, beforeRead number: Int, _ grow: @escaping @Sendable () -> Void) {
        self.base = base
        left = Mutex(number)
        self.grow = grow
    }

    /// The chosen read was not reached.
    var isUntouched: Bool { left.withLock { $0 >= 0 } }

    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        GrowingFile(try base.open(path, mode), self)
    }

    fileprivate func willRead() {
        let isNow = left.withLock { left in
            left -= 1
            return left == -1
        }
        if isNow { grow() }
    }
}

private final class GrowingFile: WrappingFile {
    let base: any File
    private let owner: GrowingFileSystem

    init(_ base: any File, _ owner: GrowingFileSystem) {
        self.base = base
        self.owner = owner
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        owner.willRead()
        return try base.read(into: buffer, at: offset)
    }
}
