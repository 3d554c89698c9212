import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A data directory and its repository as a program of long ago left them: Fixtures/format-N, whose files
/// are never written anew once the version is frozen.
public enum FormatFixture: String, CaseIterable, Sendable {
    case plain, encrypted

    /// Where the data directory, the repository and the master key's file are in what ``load()`` gives.
    public static let database = "/db"
    public static let repository = "/repo"
    public static let keyFile = "/master.key"
    public static let key = [UInt8](repeating: 7, count: 32)
    /// Queries, each with the answer that it had when the fixture was made.
    public static var answersPath: String { folder + "/answers.txt" }

    private static var folder: String {
        let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/" + here + "/Fixtures/format-1"
    }
    private var path: String { Self.folder + "/" + rawValue }

    /// A copy in memory, which may be changed.
    public func load() throws -> MemoryFileSystem {
        let memory = MemoryFileSystem()
        try Self.copy(path, to: "", from: PosixFileSystem(), memory)
        try Self.write(
            Array(String(repeating: "07", count: 32).utf8), to: Self.keyFile, in: memory)
        return memory
    }

    /// Writes the fixture; never again once its version is frozen.
    public func store(_ memory: MemoryFileSystem) throws {
        let disk = PosixFileSystem()
        for (name, bytes) in memory.snapshotContents() {
            try Self.write(bytes, to: path + "/" + name, in: disk)
        }
    }

    private static func copy(
        _ path: String, to target: String, from source: any FileSystem, _ memory: MemoryFileSystem
    ) throws {
        for name in try source.list(path) {
            let (from, to) = (path + "/" + name, target + "/" + name)
            if try source.isDirectory(from) {
                try copy(from, to: to, from: source, memory)
            } else {
                let file = try source.open(from, .read)
                defer { try? file.close() }
                try write(try file.readExactly(Int(file.size()), at: 0), to: to, in: memory)
            }
        }
    }

    private static func write(_ bytes: [UInt8], to path: String, in fileSystem: any FileSystem)
        throws
    {
        var folder = ""
        for part in path.split(separator: "/").dropLast() {
            folder += "/" + part
            if try !fileSystem.exists(folder) { try fileSystem.createDirectory(folder) }
        }
        let file = try fileSystem.open(path, .create)
        try file.write(bytes, at: 0)
        try file.syncData()
        try file.close()
        try fileSystem.syncDirectory(folder.isEmpty ? "/" : folder)
    }
}
