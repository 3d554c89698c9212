@testable import FalconStorage

/// A file system that calls somebody before every call that changes what is on disk.
final class ObservedFileSystem: WrappingFileSystem {
    typealias Observer = @Sendable (_ operation: FileOperation, _ path: String) -> Void
    let base: any FileSystem
    private let observer: Observer

    init(_ base: any FileSystem, _ observer: @escaping Observer) {
        self.base = base
        self.observer = observer
    }

    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        if mode == .create || mode == .createIfMissing { observer(.create, path) }
        return ObservedFile(try base.open(path, mode), observer)
    }
    func createDirectory(_ path: String) throws(StorageError) {
        observer(.makeDirectory, path)
        try base.createDirectory(path)
    }
    func remove(_ path: String) throws(StorageError) {
        observer(.remove, path)
        try base.remove(path)
    }
    func removeDirectory(_ path: String) throws(StorageError) {
        observer(.removeDirectory, path)
        try base.removeDirectory(path)
    }
    func rename(_ from: String, to: String) throws(StorageError) {
        observer(.rename, from)
        try base.rename(from, to: to)
    }
    func link(_ from: String, to: String) throws(StorageError) {
        observer(.link, from)
        try base.link(from, to: to)
    }
    func syncDirectory(_ path: String) throws(StorageError) {
        observer(.syncDirectory, path)
        try base.syncDirectory(path)
    }
}

final class ObservedFile: WrappingFile {
    let base: any File
    private let observer: ObservedFileSystem.Observer

    init(_ base: any File, _ observer: @escaping ObservedFileSystem.Observer) {
        self.base = base
        self.observer = observer
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        observer(.write, path)
        try base.write(bytes, at: offset)
    }
    func syncData() throws(StorageError) {
        observer(.sync, path)
        try base.syncData()
    }
    func truncate(to size: UInt64) throws(StorageError) {
        observer(.truncate, path)
        try base.truncate(to: size)
    }
    func allocate(to size: UInt64) throws(StorageError) {
        observer(.allocate, path)
        try base.allocate(to: size)
    }
}
