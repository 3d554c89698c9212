import Synchronization

@testable import FalconStorage

/// Another file system with a limit of open files, as a shell sets it with `ulimit -n`.
final class LimitedFileSystem: FileSystem {
    private let base: any FileSystem
    let openFileLimit: Int
    private let counts = Mutex((open: 0, most: 0, opens: 0))

    init(_ base: any FileSystem, openFileLimit: Int) {
        self.base = base
        self.openFileLimit = openFileLimit
    }

    /// The most files that were open at a time.
    var most: Int { counts.withLock { $0.most } }
    var open: Int { counts.withLock { $0.open } }
    var opens: Int { counts.withLock { $0.opens } }

    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        let fits = counts.withLock { counts in
            guard counts.open < openFileLimit else { return false }
            counts.open += 1
            counts.opens += 1
            counts.most = max(counts.most, counts.open)
            return true
        }
        guard fits else { throw .posix(24, "open", path: path) }
        do throws(StorageError) {
            return LimitedFile(try base.open(path, mode), self)
        } catch {
            closed()
            throw error
        }
    }

    fileprivate func closed() { counts.withLock { $0.open -= 1 } }

    func syncDirectory(_ path: String) throws(StorageError) { try base.syncDirectory(path) }
    func exists(_ path: String) throws(StorageError) -> Bool { try base.exists(path) }
    func list(_ directory: String) throws(StorageError) -> [String] { try base.list(directory) }
    func createDirectory(_ path: String) throws(StorageError) { try base.createDirectory(path) }
    func remove(_ path: String) throws(StorageError) { try base.remove(path) }
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

private final class LimitedFile: File {
    private let base: any File
    private let fileSystem: LimitedFileSystem
    private let isClosed = Atomic<Bool>(false)
    var path: String { base.path }

    init(_ base: any File, _ fileSystem: LimitedFileSystem) {
        self.base = base
        self.fileSystem = fileSystem
    }
    deinit { end() }

    private func end() {
        if !isClosed.exchange(true, ordering: .relaxed) { fileSystem.closed() }
    }

    /// A closed descriptor may be another file's by now.
    private func check() throws(StorageError) {
        if isClosed.load(ordering: .relaxed) { throw .posix(9, "pread", path: path) }
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        try check()
        let got = try base.read(into: buffer, at: offset)
        try check()
        return got
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        try base.write(bytes, at: offset)
    }
    func syncData() throws(StorageError) { try base.syncData() }
    func truncate(to size: UInt64) throws(StorageError) { try base.truncate(to: size) }
    func allocate(to size: UInt64) throws(StorageError) { try base.allocate(to: size) }
    func size() throws(StorageError) -> UInt64 {
        try check()
        return try base.size()
    }
    func close() throws(StorageError) {
        end()
        try base.close()
    }
}
