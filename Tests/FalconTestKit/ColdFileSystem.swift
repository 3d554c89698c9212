import FalconStorage
import Synchronization

/// A file system whose page cache is empty while ``isCold`` says so: reads that may not wait get nothing.
public final class ColdFileSystem: FileSystem {
    private let base: any FileSystem
    private let cold = Atomic<Bool>(false)

    public init(_ base: any FileSystem) { self.base = base }

    public var isCold: Bool {
        get { cold.load(ordering: .relaxed) }
        set { cold.store(newValue, ordering: .relaxed) }
    }

    public func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        ColdFile(try base.open(path, mode), self)
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
    public func fileSize(_ path: String) throws(StorageError) -> UInt64 {
        try base.fileSize(path)
    }
    public func isDirectory(_ path: String) throws(StorageError) -> Bool {
        try base.isDirectory(path)
    }
    public func syncDirectory(_ path: String) throws(StorageError) { try base.syncDirectory(path) }
    public func isLocked(_ path: String) -> Bool { base.isLocked(path) }
    public func lock(_ path: String) throws(StorageError) -> any FileLock { try base.lock(path) }
    public func freeSpace(_ path: String) throws(StorageError) -> UInt64 {
        try base.freeSpace(path)
    }
}

private final class ColdFile: File {
    private let base: any File
    private let owner: ColdFileSystem
    var path: String { base.path }

    init(_ base: any File, _ owner: ColdFileSystem) {
        self.base = base
        self.owner = owner
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int { try base.read(into: buffer, at: offset) }
    func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int? {
        owner.isCold ? nil : try base.readCached(into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        try base.write(bytes, at: offset)
    }
    func syncData() throws(StorageError) { try base.syncData() }
    func size() throws(StorageError) -> UInt64 { try base.size() }
    func truncate(to size: UInt64) throws(StorageError) { try base.truncate(to: size) }
    func allocate(to size: UInt64) throws(StorageError) { try base.allocate(to: size) }
    func close() throws(StorageError) { try base.close() }
}
