/// A file system that passes calls on to another one: it implements what it changes, and here is the rest.
public protocol WrappingFileSystem: FileSystem {
    /// The file system that gets the calls.
    var base: any FileSystem { get }
}

extension WrappingFileSystem {
    public func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        try base.open(path, mode)
    }
    public func exists(_ path: String) throws(StorageError) -> Bool { try base.exists(path) }
    public func list(_ directory: String) throws(StorageError) -> [String] {
        try base.list(directory)
    }
    public func createDirectory(_ path: String) throws(StorageError) {
        try base.createDirectory(path)
    }
    public func remove(_ path: String) throws(StorageError) { try base.remove(path) }
    public func removeDirectory(_ path: String) throws(StorageError) {
        try base.removeDirectory(path)
    }
    public func rename(_ from: String, to: String) throws(StorageError) {
        try base.rename(from, to: to)
    }
    public func link(_ from: String, to: String) throws(StorageError) {
        try base.link(from, to: to)
    }
    public func linkCount(_ path: String) throws(StorageError) -> Int { try base.linkCount(path) }
    public func fileSize(_ path: String) throws(StorageError) -> UInt64 { try base.fileSize(path) }
    public func isDirectory(_ path: String) throws(StorageError) -> Bool {
        try base.isDirectory(path)
    }
    public func syncDirectory(_ path: String) throws(StorageError) { try base.syncDirectory(path) }
    public func lock(_ path: String) throws(StorageError) -> any FileLock { try base.lock(path) }
    public func isLocked(_ path: String) -> Bool { base.isLocked(path) }
    public func freeSpace(_ path: String) throws(StorageError) -> UInt64 {
        try base.freeSpace(path)
    }
    public var openFileLimit: Int { base.openFileLimit }
    public var keyring: (any FileKeyring)? { base.keyring }
}

/// An open file of a ``WrappingFileSystem``.
///
/// Neither a mapping nor reads from the cache are passed on by themselves: they would go past a
/// ``File/write(_:at:)`` or ``File/read(into:at:)`` that does more.
public protocol WrappingFile: File {
    /// The file that gets the calls.
    var base: any File { get }
}

extension WrappingFile {
    public var path: String { base.path }
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int { try base.read(into: buffer, at: offset) }
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        try base.write(bytes, at: offset)
    }
    public func syncData() throws(StorageError) { try base.syncData() }
    public func size() throws(StorageError) -> UInt64 { try base.size() }
    public func truncate(to size: UInt64) throws(StorageError) { try base.truncate(to: size) }
    public func allocate(to size: UInt64) throws(StorageError) { try base.allocate(to: size) }
    public func startWriteback(from offset: UInt64, byteCount: UInt64) {
        base.startWriteback(from: offset, byteCount: byteCount)
    }
    public func close() throws(StorageError) { try base.close() }
}
