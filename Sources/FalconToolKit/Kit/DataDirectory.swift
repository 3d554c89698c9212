import FalconStorage

/// A data directory as a tool is given it.
struct DataDirectory {
    let names: FileNames
    let wal: String

    /// Takes the data directory, or its `wal` directory.
    init(_ path: String, _ fileSystem: any FileSystem) throws(StorageError) {
        var root = path
        while root.count > 1, root.hasSuffix("/") { root.removeLast() }
        guard try fileSystem.exists(root) else {
            throw StorageError(
                .notFound, kind: .user, "There is no such directory.",
                location: .init(path: root))
        }
        let nested = FileNames(root: root).walDirectory
        if try fileSystem.exists(nested) {
            names = FileNames(root: root)
            wal = nested
        } else if try fileSystem.isDirectory(root) {
            names = FileNames(root: VFSPath.parent(of: root))
            wal = root
        } else {
            throw .invalidArgument(
                "'\(root)' is a file; give the data directory or its wal directory.")
        }
    }
}
