/// Another file system whose calls on open files, and syncs of directories, a ``StallWatch`` sees.
final class WatchedFileSystem: WrappingFileSystem {
    let base: any FileSystem
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
}

private final class WatchedFile: WrappingFile {
    let base: any File
    private let watch: StallWatch
    private let id: UInt64

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
    func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int? { try base.readCached(into: buffer, at: offset) }
    func mapForWrites(byteCount: UInt64) -> FileMapping? { base.mapForWrites(byteCount: byteCount) }
}
