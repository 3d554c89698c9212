import Glibc
import Synchronization

/// What a power cut leaves of data and directory entries that were not synced.
public enum CrashPolicy: Sendable, Hashable {
    /// Nothing unsynced survives.
    case dropUnsynced
    /// Everything survives, as after SIGKILL.
    case keepUnsynced
    /// Each unsynced write survives or not by the seed, later ones independently of earlier ones;
    /// per directory a random prefix of the entry changes survives.
    case reorder
    /// Like `reorder`, and within a write each sector of so many bytes survives or not.
    case tear(sectorBytes: Int)
    /// All data survives, but of the entry changes since its directory was synced each survives or
    /// not by the seed: a file is there whole and its name is gone, or its old name is back.
    case loseEntries
}

/// A file system in memory that knows what is durable, and can be cloned as a power cut would
/// leave it. Paths are opaque strings divided at "/"; "" and "/" exist from the start.
public final class MemoryFileSystem: FileSystem {
    /// A file or directory. All fields are guarded by the file system's lock.
    final class Node: @unchecked Sendable {
        /// A write or truncation since the last sync, undoable.
        struct Change {
            var offset: Int
            var new: [UInt8]
            /// What the range held; shorter than `new` where the file grew.
            var old: [UInt8]
            var oldSize: Int
            /// For a truncation: the size it set.
            var newSize: Int?

            func undo(on data: inout [UInt8]) {
                if newSize != nil {
                    MemoryFileSystem.resize(&data, to: min(data.count, offset))
                    data.append(contentsOf: old)
                }
                old.withUnsafeBytes { MemoryFileSystem.put($0, at: offset, in: &data) }
                MemoryFileSystem.resize(&data, to: oldSize)
            }

            func redo(on data: inout [UInt8]) {
                if let newSize { return MemoryFileSystem.resize(&data, to: newSize) }
                new.withUnsafeBytes { MemoryFileSystem.put($0, at: offset, in: &data) }
            }
        }
        let isDirectory: Bool
        var data: [UInt8] = []
        var unsynced: [Change] = []
        /// What the device holds where a failed sync made it differ from what reads show; nil: `data`
        /// with `unsynced` undone.
        var device: [UInt8]?
        var entries: [String: Node] = [:]
        var durableEntries: [String: Node] = [:]
        /// Entry changes since the last directory sync; nil removes.
        var pending: [[(name: String, node: Node?)]] = []
        var links = 1
        var isLocked = false
        init(isDirectory: Bool) { self.isDirectory = isDirectory }
    }

    let root = Node(isDirectory: true)
    let guardian = Mutex<Void>(())
    /// Bytes of all files together that the "disk" holds; writes beyond fail with ENOSPC.
    private let capacityBytes: Atomic<Int>
    private let usedBytes = Atomic<Int>(0)

    /// An empty disk of `capacityBytes`, without a limit by default.
    public init(capacityBytes: Int = .max) { self.capacityBytes = Atomic(capacityBytes) }

    /// Changes the disk's size, so that a test can fill it and free it again.
    public func setCapacity(bytes: Int) { capacityBytes.store(bytes, ordering: .relaxed) }

    func locked<R: Sendable>(_ body: () throws(StorageError) -> R) throws(StorageError) -> R {
        try guardian.withLock { (_) throws(StorageError) -> R in try body() }
    }

    // MARK: Names. Called with the lock held.

    private func components(_ path: String) -> [Substring] {
        path.split(separator: "/").filter { $0 != "." }
    }

    private func find(_ path: String) -> Node? {
        var node = root
        for part in components(path) {
            guard let next = node.entries[String(part)] else { return nil }
            node = next
        }
        return node
    }

    private func existing(_ path: String, _ call: String) throws(StorageError) -> Node {
        guard let node = find(path) else { throw .posix(ENOENT, call, path: path) }
        return node
    }

    private func parentAndName(
        _ path: String, _ call: String
    ) throws(StorageError) -> (parent: Node, name: String) {
        guard let name = components(path).last else { throw .posix(EINVAL, call, path: path) }
        let directory = try existing(
            VFSPath.parent(of: path) == "." ? "" : VFSPath.parent(of: path), call)
        guard directory.isDirectory else { throw .posix(ENOTDIR, call, path: path) }
        return (directory, String(name))
    }

    private static func apply(
        _ changes: [(name: String, node: Node?)], to entries: inout [String: Node]
    ) {
        for change in changes { entries[change.name] = change.node }
    }

    // MARK: FileSystem

    public func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        try locked { () throws(StorageError) -> MemoryFile in
            if let node = find(path) {
                if mode == .create { throw .posix(EEXIST, "open", path: path) }
                if node.isDirectory { throw .posix(EISDIR, "open", path: path) }
                return MemoryFile(path: path, node: node, fileSystem: self, writable: mode != .read)
            }
            guard mode == .create || mode == .createIfMissing else {
                throw .posix(ENOENT, "open", path: path)
            }
            let (parent, name) = try parentAndName(path, "open")
            let node = Node(isDirectory: false)
            parent.entries[name] = node
            parent.pending.append([(name, node)])
            return MemoryFile(path: path, node: node, fileSystem: self, writable: true)
        }
    }

    public func exists(_ path: String) throws(StorageError) -> Bool {
        try locked { () throws(StorageError) -> Bool in find(path) != nil }
    }

    public func list(_ directory: String) throws(StorageError) -> [String] {
        try locked { () throws(StorageError) -> [String] in
            Array(try existing(directory, "opendir").entries.keys).sorted()
        }
    }

    public func createDirectory(_ path: String) throws(StorageError) {
        try locked { () throws(StorageError) in
            if find(path) != nil { throw .posix(EEXIST, "mkdir", path: path) }
            let (parent, name) = try parentAndName(path, "mkdir")
            let node = Node(isDirectory: true)
            parent.entries[name] = node
            parent.pending.append([(name, node)])
        }
    }

    public func remove(_ path: String) throws(StorageError) {
        try locked { () throws(StorageError) in
            let node = try existing(path, "unlink")
            if node.isDirectory { throw .posix(EISDIR, "unlink", path: path) }
            let (parent, name) = try parentAndName(path, "unlink")
            parent.entries[name] = nil
            parent.pending.append([(name, nil)])
            dropLink(node)
        }
    }

    private func dropLink(_ node: Node) {
        node.links -= 1
        if node.links == 0 { usedBytes.subtract(node.data.count, ordering: .relaxed) }
    }

    public func removeDirectory(_ path: String) throws(StorageError) {
        try locked { () throws(StorageError) in
            let node = try existing(path, "rmdir")
            guard node.isDirectory else { throw .posix(ENOTDIR, "rmdir", path: path) }
            guard node.entries.isEmpty else { throw .posix(ENOTEMPTY, "rmdir", path: path) }
            let (parent, name) = try parentAndName(path, "rmdir")
            parent.entries[name] = nil
            parent.pending.append([(name, nil)])
        }
    }

    public func rename(_ from: String, to: String) throws(StorageError) {
        try locked { () throws(StorageError) in
            let node = try existing(from, "rename")
            let (source, oldName) = try parentAndName(from, "rename")
            let (target, newName) = try parentAndName(to, "rename")
            if let replaced = target.entries[newName], replaced !== node { dropLink(replaced) }
            source.entries[oldName] = nil
            target.entries[newName] = node
            if source === target {
                source.pending.append([(oldName, nil), (newName, node)])
            } else {
                source.pending.append([(oldName, nil)])
                target.pending.append([(newName, node)])
            }
        }
    }

    public func link(_ from: String, to: String) throws(StorageError) {
        try locked { () throws(StorageError) in
            let node = try existing(from, "link")
            if find(to) != nil { throw .posix(EEXIST, "link", path: to) }
            let (parent, name) = try parentAndName(to, "link")
            parent.entries[name] = node
            parent.pending.append([(name, node)])
            node.links += 1
        }
    }

    public func linkCount(_ path: String) throws(StorageError) -> Int {
        try locked { () throws(StorageError) -> Int in try existing(path, "stat").links }
    }

    public func fileSize(_ path: String) throws(StorageError) -> UInt64 {
        try locked { () throws(StorageError) -> UInt64 in
            UInt64(try existing(path, "stat").data.count)
        }
    }

    public func isDirectory(_ path: String) throws(StorageError) -> Bool {
        try locked { () throws(StorageError) -> Bool in try existing(path, "stat").isDirectory }
    }

    public func syncDirectory(_ path: String) throws(StorageError) {
        try locked { () throws(StorageError) in
            let node = try existing(path, "fsync")
            node.durableEntries = node.entries
            node.pending.removeAll()
        }
    }

    public func isLocked(_ path: String) -> Bool {
        guardian.withLock { _ in find(path)?.isLocked ?? false }
    }

    public func lock(_ path: String) throws(StorageError) -> any FileLock {
        let file = try open(path, .createIfMissing)
        return try locked { () throws(StorageError) -> MemoryFileLock in
            let node = try existing(path, "flock")
            if node.isLocked {
                throw StorageError(
                    .inUse, kind: .transient, "The data directory is in use by another process.",
                    location: .init(path: file.path))
            }
            node.isLocked = true
            return MemoryFileLock(node: node, fileSystem: self)
        }
    }

    public func freeSpace(_ path: String) throws(StorageError) -> UInt64 {
        UInt64(max(0, capacityBytes.load(ordering: .relaxed) - usedBytes.load(ordering: .relaxed)))
    }

    /// Counts the files anew, after the tree was filled from another.
    func recountUsedBytes() {
        var counted: Set<ObjectIdentifier> = []
        func bytes(_ node: Node) -> Int {
            guard counted.insert(ObjectIdentifier(node)).inserted else { return 0 }
            return node.entries.values.reduce(node.data.count) { $0 + bytes($1) }
        }
        usedBytes.store(bytes(root), ordering: .relaxed)
    }

    // MARK: Contents, called by MemoryFile

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64, in file: MemoryFile)
        throws(StorageError)
    {
        guard bytes.count > 0 else { return }
        guard let offset = Int(exactly: offset), offset < Int.max / 2 else {
            throw .posix(EFBIG, "pwrite", path: file.path)
        }
        try locked { () throws(StorageError) in
            let node = file.node
            let oldSize = node.data.count
            let end = offset + bytes.count
            try reserve(max(0, end - oldSize), file.path, "pwrite")
            let old = offset < oldSize ? Array(node.data[offset..<min(end, oldSize)]) : []
            node.unsynced.append(
                .init(offset: offset, new: Array(bytes), old: old, oldSize: oldSize, newSize: nil))
            Self.put(bytes, at: offset, in: &node.data)
        }
    }

    private func reserve(_ growth: Int, _ path: String, _ call: String) throws(StorageError) {
        let used = usedBytes.load(ordering: .relaxed)
        if growth > 0, used > capacityBytes.load(ordering: .relaxed) - growth {
            throw .posix(ENOSPC, call, path: path)
        }
        usedBytes.add(growth, ordering: .relaxed)
    }

    static func put(_ bytes: UnsafeRawBufferPointer, at offset: Int, in data: inout [UInt8]) {
        let end = offset + bytes.count
        if data.count < end {
            data.append(contentsOf: [UInt8](repeating: 0, count: end - data.count))
        }
        data.withUnsafeMutableBytes { buffer in
            UnsafeMutableRawBufferPointer(rebasing: buffer[offset..<end]).copyMemory(from: bytes)
        }
    }

    func truncate(_ file: MemoryFile, to size: UInt64) throws(StorageError) {
        guard let size = Int(exactly: size) else {
            throw .posix(EFBIG, "ftruncate", path: file.path)
        }
        try locked { () throws(StorageError) in
            let node = file.node
            let oldSize = node.data.count
            if size > oldSize { try reserve(size - oldSize, file.path, "ftruncate") }
            let old = size < oldSize ? Array(node.data[size...]) : []
            node.unsynced.append(
                .init(
                    offset: min(size, oldSize), new: [], old: old, oldSize: oldSize, newSize: size))
            Self.resize(&node.data, to: size)
            if size < oldSize { usedBytes.subtract(oldSize - size, ordering: .relaxed) }
        }
    }

    /// Everything written reaches the device, except what an earlier failed sync gave up.
    func sync(_ node: Node) {
        if var device = node.device {
            for change in node.unsynced { change.redo(on: &device) }
            node.device = device == node.data ? nil : device
        }
        node.unsynced.removeAll()
    }

    /// As Linux does: the pages count as clean although the device never got them. Reads go on showing
    /// them, and no later sync writes them.
    func failSync(_ node: Node) {
        if node.device == nil {
            var device = node.data
            for change in node.unsynced.reversed() { change.undo(on: &device) }
            node.device = device
        }
        node.unsynced.removeAll()
    }

    static func resize(_ data: inout [UInt8], to size: Int) {
        if data.count > size {
            data.removeLast(data.count - size)
        } else {
            data.append(contentsOf: [UInt8](repeating: 0, count: size - data.count))
        }
    }
}

/// A handle on a ``MemoryFileSystem`` node; it outlives the name.
final class MemoryFile: File {
    let path: String
    let node: MemoryFileSystem.Node
    private let fileSystem: MemoryFileSystem
    private let writable: Bool

    init(
        path: String, node: MemoryFileSystem.Node, fileSystem: MemoryFileSystem, writable: Bool
    ) {
        self.path = path
        self.node = node
        self.fileSystem = fileSystem
        self.writable = writable
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        nonisolated(unsafe) let buffer = buffer
        return try fileSystem.locked { () throws(StorageError) -> Int in
            guard let start = Int(exactly: offset), start < node.data.count else { return 0 }
            let count = min(buffer.count, node.data.count - start)
            node.data.withUnsafeBytes { data in
                buffer.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: data[start..<(start + count)]))
            }
            return count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        guard writable else { throw .posix(EBADF, "pwrite", path: path) }
        try fileSystem.write(bytes, at: offset, in: self)
    }

    func syncData() throws(StorageError) {
        try fileSystem.locked { () throws(StorageError) in fileSystem.sync(node) }
    }

    /// A sync that fails and takes the unsynced bytes with it.
    func failSync() { fileSystem.guardian.withLock { _ in fileSystem.failSync(node) } }

    func size() throws(StorageError) -> UInt64 {
        try fileSystem.locked { () throws(StorageError) -> UInt64 in UInt64(node.data.count) }
    }

    func truncate(to size: UInt64) throws(StorageError) {
        guard writable else { throw .posix(EBADF, "ftruncate", path: path) }
        try fileSystem.truncate(self, to: size)
    }

    func close() throws(StorageError) {}
}

final class MemoryFileLock: FileLock {
    private let node: MemoryFileSystem.Node
    private let fileSystem: MemoryFileSystem
    private let isReleased = Atomic<Bool>(false)

    init(node: MemoryFileSystem.Node, fileSystem: MemoryFileSystem) {
        self.node = node
        self.fileSystem = fileSystem
    }
    deinit { release() }

    func release() {
        guard !isReleased.exchange(true, ordering: .acquiringAndReleasing) else { return }
        fileSystem.guardian.withLock { _ in node.isLocked = false }
    }
}
