/// The tables of a data directory as MANIFEST has them, read without changing or locking anything.
public struct TableDirectory: Sendable {
    /// One table that MANIFEST names.
    public struct Table: Sendable, Hashable {
        public var number: FileNumber
        public var level: Int
        public var path: String
        public var expected: TableExpectations
    }

    public init() {}

    /// By level, then by key.
    public var tables: [Table] = []
    /// Files under `sst/` that MANIFEST does not name.
    public var orphans: [String] = []
    /// Bytes of an edit that was being written when the process died.
    public var tornManifestBytes: UInt64 = 0
    public var manifestPath: String?
    /// Pairs of tables of one sorted level that overlap.
    public var overlaps: [(Table, Table)] { TableDirectory.overlaps(in: tables) }

    /// Reads CURRENT and the MANIFEST it names. A directory without CURRENT has no tables.
    public static func read(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) -> TableDirectory {
        var directory = TableDirectory()
        var files: [FileNumber: VersionEdit.Addition] = [:]
        if let contents = try ManifestReader.readLive(names, fileSystem, forWriting: false) {
            directory.manifestPath = names.manifest(contents.number)
            directory.tornManifestBytes = contents.discardedBytes
            for edit in contents.edits {
                for removal in edit.removed { files[removal.number] = nil }
                for addition in edit.added { files[addition.file.number] = addition }
            }
        }
        for addition in files.values where addition.file.kind == .rowTable {
            directory.tables.append(
                Table(
                    number: addition.file.number, level: addition.level,
                    path: names.table(addition.file.number),
                    expected: expectations(addition.file)))
        }
        directory.tables.sort { a, b in
            if a.level != b.level { return a.level < b.level }
            let order = KeyOrder.compare(a.expected.smallestKey ?? [], b.expected.smallestKey ?? [])
            return order != 0 ? order < 0 : a.number < b.number
        }
        guard try fileSystem.exists(names.sstDirectory) else { return directory }
        for name in try fileSystem.list(names.sstDirectory).sorted() {
            if case .table(let number) = FileNames.parse(name), files[number] != nil { continue }
            directory.orphans.append(names.sstDirectory + "/" + name)
        }
        return directory
    }

    private static func expectations(_ file: FileMetadata) -> TableExpectations {
        var expected = TableExpectations()
        expected.uid = file.uid
        expected.fileBytes = file.byteCount
        expected.fileHash = file.contentHash == 0 ? nil : file.contentHash
        expected.smallestKey = file.smallest
        expected.largestKey = file.largest
        expected.minTimestamp = file.minTimestamp
        expected.maxTimestamp = file.maxTimestamp
        expected.entryCount = file.entryCount
        expected.tombstoneCount = file.tombstoneCount
        expected.rangeTombstoneCount = file.rangeTombstoneCount
        return expected
    }

    private static func overlaps(in tables: [Table]) -> [(Table, Table)] {
        var found: [(Table, Table)] = []
        for (a, b) in zip(tables, tables.dropFirst())
        where a.level == b.level && a.level > 0 {
            // A range tombstone's upper bound may be the next table's first key.
            let order = KeyOrder.compare(a.expected.largestKey ?? [], b.expected.smallestKey ?? [])
            if order > 0 || (order == 0 && a.expected.rangeTombstoneCount == 0) {
                found.append((a, b))
            }
        }
        return found
    }
}
