import CFalconPlatform
import Glibc
import Synchronization

/// The operating system's files.
public final class PosixFileSystem: FileSystem {
    /// Without state: all are alike.
    public init() {}

    public func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        let flags: Int32
        switch mode {
        case .read: flags = O_RDONLY
        case .readWrite: flags = O_RDWR
        case .create: flags = O_RDWR | O_CREAT | O_EXCL
        case .createIfMissing: flags = O_RDWR | O_CREAT
        }
        // Without O_NONBLOCK, opening a pipe would wait for its other end; a regular file ignores it.
        let descriptor = try openDescriptor(path, flags | O_NONBLOCK)
        var info = stat()
        guard fstat(descriptor, &info) == 0 else {
            let code = errno
            close(descriptor)
            throw .posix(code, "fstat", path: path)
        }
        guard info.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw StorageError(
                .io, kind: .transient, "This is not a regular file.",
                location: .init(path: path),
                hint: "Put back the file that belongs there, or a backup of the directory.")
        }
        return PosixFile(path: path, descriptor: descriptor)
    }

    private func openDescriptor(_ path: String, _ flags: Int32) throws(StorageError) -> Int32 {
        while true {
            let descriptor = falcon_open(path, flags, 0o644)
            if descriptor >= 0 { return descriptor }
            if errno == EINTR { continue }
            throw .posix(errno, "open", path: path)
        }
    }

    private func status(_ path: String) throws(StorageError) -> stat {
        var info = stat()
        guard stat(path, &info) == 0 else { throw .posix(errno, "stat", path: path) }
        return info
    }

    public func exists(_ path: String) throws(StorageError) -> Bool {
        var info = stat()
        if stat(path, &info) == 0 { return true }
        if errno == ENOENT || errno == ENOTDIR { return false }
        throw .posix(errno, "stat", path: path)
    }

    public func list(_ directory: String) throws(StorageError) -> [String] {
        guard let stream = opendir(directory) else {
            throw .posix(errno, "opendir", path: directory)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw .posix(errno, "readdir", path: directory) }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(
                    to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)
                ) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    public func createDirectory(_ path: String) throws(StorageError) {
        guard mkdir(path, 0o755) == 0 else { throw .posix(errno, "mkdir", path: path) }
    }

    public func remove(_ path: String) throws(StorageError) {
        guard unlink(path) == 0 else { throw .posix(errno, "unlink", path: path) }
    }

    public func removeDirectory(_ path: String) throws(StorageError) {
        guard rmdir(path) == 0 else { throw .posix(errno, "rmdir", path: path) }
    }

    public func rename(_ from: String, to: String) throws(StorageError) {
        guard Glibc.rename(from, to) == 0 else { throw .posix(errno, "rename", path: from) }
    }

    public func link(_ from: String, to: String) throws(StorageError) {
        // Of a symbolic link, the file it leads to: a link to the link would not outlive the file's name.
        guard linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0 else {
            throw .posix(errno, "link", path: from)
        }
    }

    public func linkCount(_ path: String) throws(StorageError) -> Int {
        Int(try status(path).st_nlink)
    }

    public func fileSize(_ path: String) throws(StorageError) -> UInt64 {
        UInt64(max(0, try status(path).st_size))
    }

    public func isDirectory(_ path: String) throws(StorageError) -> Bool {
        try status(path).st_mode & S_IFMT == S_IFDIR
    }

    public func syncDirectory(_ path: String) throws(StorageError) {
        let descriptor = try openDescriptor(path, O_RDONLY | O_DIRECTORY)
        defer { _ = Glibc.close(descriptor) }
        while fsync(descriptor) != 0 {
            if errno == EINTR { continue }
            throw .posix(errno, "fsync", path: path)
        }
    }

    public func lock(_ path: String) throws(StorageError) -> any FileLock {
        let descriptor = try openDescriptor(path, O_RDWR | O_CREAT)
        while falcon_lock_exclusive(descriptor) != 0 {
            if errno == EINTR { continue }
            let code = errno
            _ = Glibc.close(descriptor)
            if code == EWOULDBLOCK {
                throw StorageError(
                    .inUse, kind: .transient, "The data directory is in use by another process.",
                    location: .init(path: path),
                    hint: "Stop the process that holds the lock, or use another directory.")
            }
            throw .posix(code, "flock", path: path)
        }
        return PosixFileLock(descriptor: descriptor)
    }

    /// Asks the kernel's list of locks for the file's inode: looking there, unlike trying the lock,
    /// cannot get in the way of a server that is just starting.
    public func isLocked(_ path: String) -> Bool {
        var info = stat()
        guard stat(path, &info) == 0, let list = fopen("/proc/locks", "r") else { return false }
        defer { fclose(list) }
        let end = ":\(info.st_ino)"
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), list) != nil {
            let text = String(
                decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = text.split(separator: " ")
            if words.contains("FLOCK"), words.contains(where: { $0.hasSuffix(end) }) { return true }
        }
        return false
    }

    /// The soft limit, which a shell sets with `ulimit -n`.
    public var openFileLimit: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return .max
        }
        return Int(exactly: limit.rlim_cur) ?? .max
    }

    public func freeSpace(_ path: String) throws(StorageError) -> UInt64 {
        var info = statvfs()
        guard statvfs(path, &info) == 0 else { throw .posix(errno, "statvfs", path: path) }
        return UInt64(info.f_bavail) &* UInt64(info.f_frsize)
    }
}

/// A flock; the kernel drops it when the process ends.
final class PosixFileLock: FileLock {
    private let descriptor: Int32
    private let isReleased = Atomic<Bool>(false)

    init(descriptor: Int32) { self.descriptor = descriptor }
    deinit { release() }

    func release() {
        guard !isReleased.exchange(true, ordering: .acquiringAndReleasing) else { return }
        _ = Glibc.close(descriptor)
    }
}
