import Synchronization

/// A file system that records the calls made on another one, for golden traces of the order of
/// writes and syncs. Reads and queries are recorded only on request.
public final class TracingFileSystem: FileSystem {
    /// One call: `write wal/0000000000000001.wal 4096+64`.
    public struct Event: Sendable, Hashable, CustomStringConvertible {
        /// What was called.
        public var operation: FileOperation
        /// The file or directory, as the caller named it.
        public var path: String
        /// Offset and length, a second path, or empty.
        public var detail: String
        public var description: String {
            operation.rawValue + " " + path + (detail.isEmpty ? "" : " " + detail)
        }
    }

    private let base: any FileSystem
    private let recordsReads: Bool
    private let recorded = Mutex<[Event]>([])

    /// Records the calls on `base` that change something, and others too with `recordsReads`.
    public init(_ base: any FileSystem, recordsReads: Bool = false) {
        self.base = base
        self.recordsReads = recordsReads
    }

    /// What was recorded so far, in the order of the calls.
    public var events: [Event] { recorded.withLock { $0 } }
    /// Forgets what was recorded.
    public func clear() { recorded.withLock { $0 = [] } }

    func note(_ operation: FileOperation, _ path: String, _ detail: String = "") {
        guard operation.isMutating || recordsReads else { return }
        recorded.withLock { $0.append(Event(operation: operation, path: path, detail: detail)) }
    }

    public func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        var creates = mode == .create
        if mode == .createIfMissing { creates = try !base.exists(path) }
        let file = try base.open(path, mode)
        note(creates ? .create : .open, path)
        return TracingFile(file, self)
    }
    public func exists(_ path: String) throws(StorageError) -> Bool {
        note(.exists, path)
        return try base.exists(path)
    }
    public func list(_ directory: String) throws(StorageError) -> [String] {
        note(.list, directory)
        return try base.list(directory)
    }
    public func createDirectory(_ path: String) throws(StorageError) {
        note(.makeDirectory, path)
        try base.createDirectory(path)
    }
    public func remove(_ path: String) throws(StorageError) {
        note(.remove, path)
        try base.remove(path)
    }
    public func removeDirectory(_ path: String) throws(StorageError) {
        note(.removeDirectory, path)
        try base.removeDirectory(path)
    }
    public func rename(_ from: String, to: String) throws(StorageError) {
        note(.rename, from, "-> " + to)
        try base.rename(from, to: to)
    }
    public func link(_ from: String, to: String) throws(StorageError) {
        note(.link, from, "-> " + to)
        try base.link(from, to: to)
    }
    public func linkCount(_ path: String) throws(StorageError) -> Int {
        note(.stat, path)
        return try base.linkCount(path)
    }
    public func fileSize(_ path: String) throws(StorageError) -> UInt64 {
        note(.stat, path)
        return try base.fileSize(path)
    }
    public func isDirectory(_ path: String) throws(StorageError) -> Bool {
        note(.stat, path)
        return try base.isDirectory(path)
    }
    public func syncDirectory(_ path: String) throws(StorageError) {
        note(.syncDirectory, path)
        try base.syncDirectory(path)
    }
    public func isLocked(_ path: String) -> Bool { base.isLocked(path) }

    public func lock(_ path: String) throws(StorageError) -> any FileLock {
        note(.lock, path)
        return try base.lock(path)
    }
    public var openFileLimit: Int { base.openFileLimit }
    public func freeSpace(_ path: String) throws(StorageError) -> UInt64 {
        note(.freeSpace, path)
        return try base.freeSpace(path)
    }
}

final class TracingFile: File {
    private let base: any File
    private let owner: TracingFileSystem
    var path: String { base.path }

    init(_ base: any File, _ owner: TracingFileSystem) {
        self.base = base
        self.owner = owner
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        owner.note(.read, path, "\(offset)+\(buffer.count)")
        return try base.read(into: buffer, at: offset)
    }
    func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int? {
        owner.note(.read, path, "\(offset)+\(buffer.count)")
        return try base.readCached(into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        owner.note(.write, path, "\(offset)+\(bytes.count)")
        try base.write(bytes, at: offset)
    }
    func syncData() throws(StorageError) {
        owner.note(.sync, path)
        try base.syncData()
    }
    func size() throws(StorageError) -> UInt64 {
        owner.note(.size, path)
        return try base.size()
    }
    func truncate(to size: UInt64) throws(StorageError) {
        owner.note(.truncate, path, "\(size)")
        try base.truncate(to: size)
    }
    func allocate(to size: UInt64) throws(StorageError) {
        owner.note(.allocate, path, "\(size)")
        try base.allocate(to: size)
    }
    func close() throws(StorageError) { try base.close() }
}
