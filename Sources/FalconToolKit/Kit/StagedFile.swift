import FalconStorage

/// A file that is there whole or not at all: written under another name beside it, made durable, and renamed.
final class StagedFile {
    let path: String
    let stream: FileStream
    private let temporary: String
    private let fileSystem: any FileSystem

    /// Begins it. What lies at `path` stays until ``publish()``.
    init(_ path: String, _ fileSystem: any FileSystem) throws(StorageError) {
        self.path = path
        self.fileSystem = fileSystem
        temporary = FileNames.temporary(path)
        if try fileSystem.exists(path), try fileSystem.isDirectory(path) {
            throw .invalidArgument(
                "'\(path)' is a directory.", hint: "Name the file that is to be written.")
        }
        // Of a run that was killed.
        if try fileSystem.exists(temporary) { try fileSystem.remove(temporary) }
        stream = FileStream(try fileSystem.open(temporary, .create))
    }

    /// Makes it durable and gives it its name. After a throw it is as it was before.
    func publish() throws(StorageError) {
        do throws(StorageError) {
            if let failure = stream.end() { throw failure }
            try fileSystem.rename(temporary, to: path)
        } catch {
            // What is left over is of no use to anyone.
            try? fileSystem.remove(temporary)
            throw error
        }
        try fileSystem.syncDirectory(VFSPath.parent(of: path))
    }

    /// Writes all of `bytes` to `path`.
    static func write(
        _ bytes: [UInt8], to path: String, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        let file = try StagedFile(path, fileSystem)
        file.stream.write(bytes)
        try file.publish()
    }
}
