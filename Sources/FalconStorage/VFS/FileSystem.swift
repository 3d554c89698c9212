/// How a file is opened.
public enum OpenMode: Sendable {
    /// For reading; it must exist.
    case read
    /// For reading and writing; it must exist.
    case readWrite
    /// New and empty, for reading and writing; it must not exist.
    case create
    /// For reading and writing, created empty when absent.
    case createIfMissing
}

/// An open file. Reads and writes name their offset; no position is kept. Thread-safe.
public protocol File: AnyObject, Sendable {
    /// The path it was opened by.
    var path: String { get }
    /// Reads up to `buffer.count` bytes at `offset`; fewer only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StorageError)
        -> Int
    /// Writes all of `bytes` at `offset`, or throws; after a throw the range is undefined.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError)
    /// Forces written data, and the size when it changed, to the device (fdatasync).
    func syncData() throws(StorageError)
    /// Bytes from its beginning to its end.
    func size() throws(StorageError) -> UInt64
    /// Cuts the file, or grows it with zeros, to `size` bytes; durable with the next ``syncData()``.
    func truncate(to size: UInt64) throws(StorageError)
    /// Reads like `read`, or returns nil where that would wait for the device.
    func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int?
    /// Reserves space up to `size`, growing the file; a full disk is reported here, not by a later
    /// write. File systems without reservation do nothing.
    func allocate(to size: UInt64) throws(StorageError)
    /// The first `byteCount` bytes, which must be in the file, mapped for small writes; nil where
    /// ``write(_:at:)`` has to do.
    func mapForWrites(byteCount: UInt64) -> FileMapping?
    /// Has written bytes sent on to the device soon, without waiting for them and without making them
    /// durable: a later ``syncData()`` finds less to do, and reports what went wrong.
    func startWriteback(from offset: UInt64, byteCount: UInt64)
    /// Gives up the descriptor; idempotent. Makes nothing durable.
    func close() throws(StorageError)
}

extension File {
    public func mapForWrites(byteCount: UInt64) -> FileMapping? { nil }

    public func startWriteback(from offset: UInt64, byteCount: UInt64) {}

    public func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int? { try read(into: buffer, at: offset) }

    public func allocate(to size: UInt64) throws(StorageError) {
        if try self.size() < size { try truncate(to: size) }
    }

    /// Writes all of `bytes` at `offset`.
    public func write(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        var failure: StorageError?
        bytes.withUnsafeBytes { buffer in
            do throws(StorageError) { try write(buffer, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Reads `buffer.count` bytes at `offset`; fewer only where the file ends. A read that comes back
    /// empty before that is repeated once and then an I/O error: it must not pass for the file's end.
    public func readFully(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        var done = try read(into: buffer, at: offset)
        var isRepeated = false
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let place = offset &+ UInt64(done)
            guard try size() > place else { break }
            let got = try read(into: rest, at: place)
            if got == 0, isRepeated {
                throw StorageError(
                    .io, kind: .transient, "A read came back empty before the end of the file.",
                    location: .init(path: path, offset: place),
                    hint: "Look at the system's log for errors of the device, and try again.")
            }
            isRepeated = got == 0
            done += got
        }
        return done
    }

    /// Like ``readFully(into:at:)``; throws `would-block` in place of waiting when it may not.
    func readFully(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, mayWait: Bool
    ) throws(StorageError) -> Int {
        if mayWait { return try readFully(into: buffer, at: offset) }
        guard let got = try readCached(into: buffer, at: offset) else {
            throw .wouldBlock(path, offset)
        }
        return got
    }

    /// Reads exactly `count` bytes at `offset`, or throws a corruption error naming the short read.
    public func readExactly(_ count: Int, at offset: UInt64) throws(StorageError) -> [UInt8] {
        var failure: StorageError?
        var got = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(StorageError) {
                got = try readFully(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch { failure = error }
            initialized = got
        }
        if let failure { throw failure }
        guard got == count else {
            throw .corruption(
                "The file ends after \(got) of \(count) bytes.", path: path, offset: offset)
        }
        return bytes
    }
}

/// Holds an exclusive lock on a data directory until released or deinitialised.
public protocol FileLock: AnyObject, Sendable {
    /// Gives the lock up, as its last reference does; idempotent.
    func release()
}

/// The seam to the operating system: POSIX, in-memory with crash clones, fault-injecting, tracing.
/// Thread-safe. Paths are absolute or relative to the process's directory.
public protocol FileSystem: AnyObject, Sendable {
    /// Opens a regular file. Throws `not-found` or `already-exists` as `mode` says; a new name is durable
    /// with ``syncDirectory(_:)``.
    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File
    /// Whether a file or a directory is there.
    func exists(_ path: String) throws(StorageError) -> Bool
    /// Names in `directory`, without `.` and `..`, unsorted.
    func list(_ directory: String) throws(StorageError) -> [String]
    /// Makes one directory, whose parent must be there; throws `already-exists`.
    func createDirectory(_ path: String) throws(StorageError)
    /// Removes a file's name; the bytes go with the last name and the last open file. Throws `not-found`.
    func remove(_ path: String) throws(StorageError)
    /// Removes an empty directory; throws `already-exists` when something is in it.
    func removeDirectory(_ path: String) throws(StorageError)
    /// Moves a name, within one file system, in one step; what `to` named is replaced.
    func rename(_ from: String, to: String) throws(StorageError)
    /// Gives a file a second name, `to`, which must not be there; fails with `io` across file systems.
    func link(_ from: String, to: String) throws(StorageError)
    /// How many names the file has.
    func linkCount(_ path: String) throws(StorageError) -> Int
    /// Bytes of the file.
    func fileSize(_ path: String) throws(StorageError) -> UInt64
    /// False for a file; throws `not-found` when nothing is there.
    func isDirectory(_ path: String) throws(StorageError) -> Bool
    /// Makes created, renamed and removed names in `directory` durable.
    func syncDirectory(_ path: String) throws(StorageError)
    /// Takes an exclusive lock on `path` (created when absent); throws `in-use` when held elsewhere.
    func lock(_ path: String) throws(StorageError) -> any FileLock
    /// Bytes that this process may still write on the file system of `path`.
    func freeSpace(_ path: String) throws(StorageError) -> UInt64
    /// True when somebody is known to hold the lock on `path`. Takes no lock itself; false where the
    /// system cannot tell.
    func isLocked(_ path: String) -> Bool
    /// How many files the process may have open at a time; `Int.max` where nothing limits it.
    var openFileLimit: Int { get }
    /// The keys to sealed files; nil where none was given.
    var keyring: (any FileKeyring)? { get }
}

extension FileSystem {
    public var keyring: (any FileKeyring)? { nil }

    public func isLocked(_ path: String) -> Bool { false }

    public var openFileLimit: Int { .max }

    /// Creates `path` unless it is there already.
    public func createDirectoryIfMissing(_ path: String) throws(StorageError) {
        do throws(StorageError) {
            try createDirectory(path)
        } catch  where error.code == .alreadyExists {}
    }

    /// The whole of a file that is expected to be small.
    public func contents(of path: String) throws(StorageError) -> [UInt8] {
        let file = try open(path, .read)
        let size = try file.size()
        guard let count = Int(exactly: size) else {
            throw .corruption("The file is too large to read whole.", path: path)
        }
        let bytes = try file.readExactly(count, at: 0)
        try file.close()
        return bytes
    }

}

/// Path arithmetic shared by the file systems.
public enum VFSPath {
    /// The path without its last component: `.` where there is no slash, `/` for a name in the root.
    public static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: 0x2F) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
    /// The last component.
    public static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: 0x2F) else { return path }
        return String(path[path.index(after: slash)...])
    }
}
