import FalconStorage

/// A data directory as a tool is given it.
struct DataDirectory {
    let names: FileNames
    let wal: String
    /// The log was named by itself, and not as the `wal` of a data directory: what lies beside it
    /// need not belong to it.
    let isLogAlone: Bool

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
        let hasLog = try fileSystem.exists(nested)
        let isEngine = try Self.isEngine(root, fileSystem)
        if hasLog || isEngine {
            names = FileNames(root: root)
            wal = nested
            isLogAlone = false
        } else if try fileSystem.isDirectory(root) {
            names = FileNames(root: VFSPath.parent(of: root))
            wal = root
            let isBesideEngine = try Self.isEngine(names.root, fileSystem)
            isLogAlone = VFSPath.name(of: root) != "wal" || !isBesideEngine
        } else {
            throw .invalidArgument(
                "'\(root)' is a file; give the data directory or its wal directory.")
        }
    }

    /// Whether files of an engine lie in `root`, be its log there or not.
    static func isEngine(
        _ root: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> Bool {
        guard try fileSystem.exists(root), try fileSystem.isDirectory(root) else { return false }
        return try fileSystem.list(root).contains {
            switch FileNames.parse($0) {
            case .format, .current, .manifest: true
            default: false
            }
        }
    }
}
