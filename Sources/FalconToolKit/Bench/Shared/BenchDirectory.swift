import FalconStorage

/// The directory a measurement makes its database in.
///
/// What falcon-bench makes carries a mark, and only what carries it is ever emptied or written to unasked:
/// `--db` may name the directory of a server.
enum BenchDirectory {
    static let markName = "falcon-bench"
    private static let directoryNames = ["sst", "wal", FileNames.spillDirectoryName]

    /// Empties a directory that falcon-bench made, with the engine's lock held: what is in use stays. LOCK
    /// itself stays, or whoever opens the directory meanwhile would hold another one.
    static func clear(_ path: String, _ files: any FileSystem) throws(StorageError) {
        guard try files.exists(path) else { return }
        let names = FileNames(root: path)
        // Not made in a directory that may be anyone's.
        var lock: (any FileLock)?
        if try files.exists(names.lock) { lock = try files.lock(names.lock) }
        defer { lock?.release() }
        let contents = try engineFiles(names, files)
        if !contents.isEmpty { try requireMark(names, files) }
        guard try files.exists(mark(names)) else { return }
        if lock == nil { lock = try files.lock(names.lock) }
        for file in contents { try files.remove(file) }
        for name in directoryNames where try files.exists(path + "/" + name) {
            try files.removeDirectory(path + "/" + name)
        }
        // Last: what is left of a run killed before this is still falcon-bench's own.
        try files.remove(mark(names))
    }

    /// Opens the database in `path`, and marks the directory when it made it. `anyones`: also on a database
    /// that falcon-bench did not make.
    static func open(
        _ path: String, _ options: EngineOptions, anyones: Bool, _ environment: StorageEnvironment
    ) throws(StorageError) -> StorageEngine {
        let files = environment.fileSystem
        let names = FileNames(root: path)
        let isNew = try !files.exists(names.current)
        // A live one is refused by its lock, which says more.
        if !isNew, !anyones, !files.isLocked(names.lock) { try requireMark(names, files) }
        let engine = try StorageEngine.open(at: path, options: options, environment: environment)
        guard isNew else { return engine }
        do throws(StorageError) {
            let file = try files.open(mark(names), .createIfMissing)
            try file.write(
                Array("falcon-bench made this directory and may empty it.\n".utf8), at: 0)
            try file.close()
        } catch {
            try? engine.close()
            throw error
        }
        return engine
    }

    private static func mark(_ names: FileNames) -> String { names.root + "/" + markName }

    private static func requireMark(
        _ names: FileNames, _ files: any FileSystem
    ) throws(StorageError) {
        guard try !files.exists(mark(names)) else { return }
        throw StorageError(
            .invalidArgument, kind: .user,
            "The directory holds a database that falcon-bench did not make.",
            location: .init(path: names.root),
            hint:
                "Give --db a directory of its own; --use_existing_db=1 measures on this one and empties "
                + "nothing. If nobody needs it, remove it.")
    }

    /// Paths of the engine's files, LOCK left out; throws when anything else is there.
    private static func engineFiles(
        _ names: FileNames, _ files: any FileSystem
    ) throws(StorageError) -> [String] {
        var found: [String] = []
        let directories = [names.root] + directoryNames.map { names.root + "/" + $0 }
        for directory in directories where try files.exists(directory) {
            let isRoot = directory == names.root
            for name in try files.list(directory) {
                if isRoot, directoryNames.contains(name) || name == markName { continue }
                switch FileNames.parse(name) {
                case .unknown:
                    throw .invalidArgument(
                        "\(directory) holds '\(name)', which is no engine's file.",
                        hint: "Give --db a directory of its own.")
                case .lock where isRoot: break
                default: found.append(directory + "/" + name)
                }
            }
        }
        return found
    }
}
