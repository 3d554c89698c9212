import Synchronization

/// Which calls fail, and how.
public struct FaultRule: Sendable {
    /// Which calls are counted.
    public enum Target: Sendable, Hashable {
        /// Those that change what is on disk or force it there; see ``FileOperation/isMutating``.
        case mutating
        /// Reads of files.
        case reading
        /// Every call.
        case any
        /// One kind of call.
        case operation(FileOperation)
    }
    /// The calls that are counted, of those that ``pathContains`` lets through.
    public var target: Target
    /// Only paths that contain this; empty means all.
    public var pathContains: String
    /// Counted from 0 among matching calls.
    public var index: Int
    /// How many matching calls fail from `index` on.
    public var count: Int
    /// What the failing calls fail with; decides the ``StorageErrorCode``.
    public var errno: Int32
    /// A failing write first writes so many of its bytes; a short read reads so many.
    public var partialBytes: Int
    /// Reads do not fail but return `partialBytes`, as if the file ended there.
    public var isShortRead: Bool

    /// A rule for one failure, unless `count` says more.
    public init(
        _ target: Target, pathContains: String = "", index: Int, count: Int = 1, errno: Int32,
        partialBytes: Int = 0, isShortRead: Bool = false
    ) {
        self.target = target
        self.pathContains = pathContains
        self.index = index
        self.count = count
        self.errno = errno
        self.partialBytes = partialBytes
        self.isShortRead = isShortRead
    }

    func matches(_ operation: FileOperation, _ path: String) -> Bool {
        let fits: Bool
        switch target {
        case .any: fits = true
        case .mutating: fits = operation.isMutating
        case .reading: fits = operation == .read
        case .operation(let wanted): fits = operation == wanted
        }
        return fits && (pathContains.isEmpty || path.contains(pathContains))
    }
}

/// A file system that fails chosen calls of another one.
public final class FaultInjectingFileSystem: FileSystem {
    private struct State {
        var rule: FaultRule?
        var matched = 0
        var injected = 0
    }
    private let base: any FileSystem
    private let state = Mutex(State())

    /// Passes on to `base` what `rule` does not make fail; without a rule everything.
    public init(_ base: any FileSystem, rule: FaultRule? = nil) {
        self.base = base
        state.withLock { $0.rule = rule }
    }

    /// Sets or clears the rule and begins counting anew.
    public func setRule(_ rule: FaultRule?) { state.withLock { $0 = State(rule: rule) } }
    /// Calls that matched the rule so far.
    public var matchedCount: Int { state.withLock { $0.matched } }
    /// Calls that were made to fail so far.
    public var injectedCount: Int { state.withLock { $0.injected } }

    /// Counts the call; the rule when it is to fail.
    func strike(_ operation: FileOperation, _ path: String) -> FaultRule? {
        state.withLock { state in
            guard let rule = state.rule, rule.matches(operation, path) else { return nil }
            let position = state.matched
            state.matched += 1
            guard position >= rule.index, position - rule.index < rule.count else { return nil }
            state.injected += 1
            return rule
        }
    }

    func check(_ operation: FileOperation, _ path: String) throws(StorageError) {
        if let rule = strike(operation, path) {
            throw .posix(rule.errno, "injected " + operation.rawValue, path: path)
        }
    }

    public func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        let creates = mode == .create || mode == .createIfMissing
        try check(creates ? .create : .open, path)
        return FaultInjectingFile(try base.open(path, mode), self)
    }
    public func exists(_ path: String) throws(StorageError) -> Bool {
        try check(.exists, path)
        return try base.exists(path)
    }
    public func list(_ directory: String) throws(StorageError) -> [String] {
        try check(.list, directory)
        return try base.list(directory)
    }
    public func createDirectory(_ path: String) throws(StorageError) {
        try check(.makeDirectory, path)
        try base.createDirectory(path)
    }
    public func remove(_ path: String) throws(StorageError) {
        try check(.remove, path)
        try base.remove(path)
    }
    public func removeDirectory(_ path: String) throws(StorageError) {
        try check(.removeDirectory, path)
        try base.removeDirectory(path)
    }
    public func rename(_ from: String, to: String) throws(StorageError) {
        try check(.rename, from)
        try base.rename(from, to: to)
    }
    public func link(_ from: String, to: String) throws(StorageError) {
        try check(.link, from)
        try base.link(from, to: to)
    }
    public func linkCount(_ path: String) throws(StorageError) -> Int {
        try check(.stat, path)
        return try base.linkCount(path)
    }
    public func fileSize(_ path: String) throws(StorageError) -> UInt64 {
        try check(.stat, path)
        return try base.fileSize(path)
    }
    public func isDirectory(_ path: String) throws(StorageError) -> Bool {
        try check(.stat, path)
        return try base.isDirectory(path)
    }
    public func syncDirectory(_ path: String) throws(StorageError) {
        try check(.syncDirectory, path)
        try base.syncDirectory(path)
    }
    public func isLocked(_ path: String) -> Bool { base.isLocked(path) }

    public func lock(_ path: String) throws(StorageError) -> any FileLock {
        try check(.lock, path)
        return try base.lock(path)
    }
    public var openFileLimit: Int { base.openFileLimit }
    public func freeSpace(_ path: String) throws(StorageError) -> UInt64 {
        try check(.freeSpace, path)
        return try base.freeSpace(path)
    }
}

final class FaultInjectingFile: File {
    private let base: any File
    private let owner: FaultInjectingFileSystem
    var path: String { base.path }

    init(_ base: any File, _ owner: FaultInjectingFileSystem) {
        self.base = base
        self.owner = owner
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        try base.read(into: try injected(buffer, at: offset), at: offset)
    }
    func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int? {
        try base.readCached(into: try injected(buffer, at: offset), at: offset)
    }

    /// The part of `buffer` that a read may fill.
    private func injected(
        _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> UnsafeMutableRawBufferPointer {
        guard let rule = owner.strike(.read, path) else { return buffer }
        guard rule.isShortRead else {
            throw .posix(rule.errno, "injected read", path: path, offset: offset)
        }
        return UnsafeMutableRawBufferPointer(
            rebasing: buffer[0..<min(buffer.count, rule.partialBytes)])
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        if let rule = owner.strike(.write, path) {
            let count = min(rule.partialBytes, bytes.count)
            if count > 0 {
                try base.write(UnsafeRawBufferPointer(rebasing: bytes[0..<count]), at: offset)
            }
            throw .posix(rule.errno, "injected write", path: path, offset: offset)
        }
        try base.write(bytes, at: offset)
    }
    func syncData() throws(StorageError) {
        if let rule = owner.strike(.sync, path) {
            (base as? MemoryFile)?.failSync()
            throw .posix(rule.errno, "injected sync", path: path)
        }
        try base.syncData()
    }
    func size() throws(StorageError) -> UInt64 {
        try owner.check(.size, path)
        return try base.size()
    }
    func truncate(to size: UInt64) throws(StorageError) {
        try owner.check(.truncate, path)
        try base.truncate(to: size)
    }
    func allocate(to size: UInt64) throws(StorageError) {
        try owner.check(.allocate, path)
        try base.allocate(to: size)
    }
    func close() throws(StorageError) { try base.close() }
}
