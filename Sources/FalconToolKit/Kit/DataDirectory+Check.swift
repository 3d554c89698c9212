import FalconStorage

extension DataDirectory {
    /// Throws a plain message when `path` is no data directory.
    static func check(_ path: String, _ fileSystem: any FileSystem) throws(StorageError) {
        guard try fileSystem.exists(path) else {
            throw StorageError(
                .notFound, kind: .user, "There is no such directory.", location: .init(path: path))
        }
        let names = FileNames(root: path)
        var isOne = try fileSystem.isDirectory(path)
        if isOne, try !fileSystem.exists(names.walDirectory) {
            isOne = try isEngine(path, fileSystem)
        }
        guard isOne else {
            throw StorageError(
                .invalidArgument, kind: .user, "This is not a FalconDB data directory.",
                location: .init(path: path), hint: "Name the directory that holds CURRENT and wal/."
            )
        }
    }
}
