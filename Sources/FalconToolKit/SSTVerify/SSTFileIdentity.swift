import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What tells a file of tables that was checked from another, or a changed one, without reading all of it: its size,
/// its first and last bytes, what MANIFEST says of it, and the system's times of its last changes.
struct SSTFileIdentity: Equatable {
    private static let edgeBytes = 4096

    let byteCount: UInt64
    let hash: UInt64

    init(byteCount: UInt64, hash: UInt64) {
        self.byteCount = byteCount
        self.hash = hash
    }

    /// Reads the file's edges.
    init(_ file: SSTFile, _ fileSystem: any FileSystem) throws(StorageError) {
        let open = try fileSystem.open(file.path, .read)
        let size = try open.size()
        let edge = min(size, UInt64(Self.edgeBytes))
        var bytes = try open.readExactly(Int(edge), at: 0)
        bytes += try open.readExactly(Int(edge), at: size &- edge)
        try open.close()
        bytes += Array((Self.expectation(of: file) + Self.stamp(file.path)).utf8)
        byteCount = size
        hash = bytes.withUnsafeBytes { Checksum.xxh3($0, seed: size) }
    }

    /// What MANIFEST says, and a check compares. Not the level: a table may have moved.
    private static func expectation(of file: SSTFile) -> String {
        func text(_ value: (some CustomStringConvertible)?) -> String {
            value.map(\.description) ?? "-"
        }
        switch file {
        case .table(_, let table):
            guard let known = table?.expected else { return "table " }
            return [
                "table", text(known.uid), text(known.fileBytes), text(known.fileHash),
                text(known.smallestKey), text(known.largestKey), text(known.minTimestamp),
                text(known.maxTimestamp), text(known.entryCount), text(known.tombstoneCount),
                text(known.rangeTombstoneCount), text(known.ingestTimestamp), "",
            ].joined(separator: " ")
        case .blob(_, let blob):
            guard let blob else { return "blob " }
            return "blob \(blob.uid) \(blob.fileBytes) \(text(blob.fileHash)) \(blob.recordCount) "
        }
    }

    /// As the system has it; empty where the file is not one of the system's.
    private static func stamp(_ path: String) -> String {
        var info = stat()
        guard stat(path, &info) == 0 else { return "" }
        return "\(info.st_ino) \(info.st_mtim.tv_sec) \(info.st_mtim.tv_nsec) "
            + "\(info.st_ctim.tv_sec) \(info.st_ctim.tv_nsec)"
    }
}
