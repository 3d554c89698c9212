/// Another file system whose calls on open files, and syncs of directories, a ``StallWatch`` sees.
final class WatchedFileSystem: FileSystem {
    private let base: any FileSystem
    let watch: StallWatch

    init(_ base: any FileSystem, _ watch: StallWatch) {
        self.base = base
        self.watch = watch
    }

    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        WatchedFile(try base.open(path, mode), watch)
    }
    func syncDirectory(_ path: String) throws(StorageError) {
        let file = watch.register(path)
        let slot = watch.begin(file, .syncDirectory)
        defer {
            watch.end(slot)
            watch.unregister(file)
        }
        try base.syncDirectory(path)
    }
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
    var openFileLimit: Int { base.openFileLimit }
    func freeSpace(_ path: String) throws(StorageError) -> UInt64 { try base.freeSpace(path) }
}

private final class WatchedFile: File {
    private let base: any File
    private let watch: StallWatch
    private let id: UInt64
    var path: String { base.path }

    init(_ base: any File, _ watch: StallWatch) {
        self.base = base
        self.watch = watch
        id = watch.register(base.path)
    }
    deinit { watch.unregister(id) }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        let slot = watch.begin(id, .read)
        defer { watch.end(slot) }
        return try base.read(into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        let slot = watch.begin(id, .write)
        defer { watch.end(slot) }
        try base.write(bytes, at: offset)
    }
    func syncData() throws(StorageError) {
        let slot = watch.begin(id, .sync)
        defer { watch.end(slot) }
        try base.syncData()
    }
    func truncate(to size: UInt64) throws(StorageError) {
        let slot = watch.begin(id, .truncate)
        defer { watch.end(slot) }
        try base.truncate(to: size)
    }
    func allocate(to size: UInt64) throws(StorageError) {
        let slot = watch.begin(id, .allocate)
        defer { watch.end(slot) }
        try base.allocate(to: size)
    }
    func size() throws(StorageError) -> UInt64 { try base.size() }
    func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int? { try base.readCached(into: buffer, at: offset) }
    func mapForWrites(byteCount: UInt64) -> FileMapping? { base.mapForWrites(byteCount: byteCount) }
    func close() throws(StorageError) { try base.close() }
}
