import Synchronization

/// Another file system for all of an engine's files: where the process has no descriptor left, the engine's
/// ``FilePool`` closes data files that nobody reads, and the call is tried once more. What the log,
/// MANIFEST or a directory's sync needs must not fail for tables that can be opened again.
final class RoomMakingFileSystem: WrappingFileSystem {
    private struct Pool {
        weak var files: FilePool?
    }
    private static let victims = 16

    let base: any FileSystem
    private let pool = Mutex(Pool())

    init(_ base: any FileSystem) { self.base = base }

    /// From now on room is made in `files`.
    func makeRoom(in files: FilePool) { pool.withLock { $0.files = files } }

    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        try withRoom { () throws(StorageError) in try base.open(path, mode) }
    }
    func list(_ directory: String) throws(StorageError) -> [String] {
        try withRoom { () throws(StorageError) in try base.list(directory) }
    }
    func syncDirectory(_ path: String) throws(StorageError) {
        try withRoom { () throws(StorageError) in try base.syncDirectory(path) }
    }

    private func withRoom<R>(_ body: () throws(StorageError) -> R) throws(StorageError) -> R {
        do throws(StorageError) {
            return try body()
        } catch  where error.isOutOfDescriptors {
            guard let files = pool.withLock({ $0.files }), files.evict(Self.victims) > 0 else {
                throw error
            }
            return try body()
        }
    }
}
