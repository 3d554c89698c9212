import Synchronization

@testable import FalconStorage

/// Another file system with a limit of open files, as a shell sets it with `ulimit -n`.
final class LimitedFileSystem: WrappingFileSystem {
    let base: any FileSystem
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

}

private final class LimitedFile: WrappingFile {
    let base: any File
    private let fileSystem: LimitedFileSystem
    private let isClosed = Atomic<Bool>(false)

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
    func size() throws(StorageError) -> UInt64 {
        try check()
        return try base.size()
    }
    func close() throws(StorageError) {
        end()
        try base.close()
    }
}
