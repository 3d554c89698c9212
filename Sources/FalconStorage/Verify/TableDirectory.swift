/// The tables and blob files of a data directory as MANIFEST has them, read without changing or locking anything.
public struct TableDirectory: Sendable {
    /// One table that MANIFEST names.
    public struct Table: Sendable, Hashable {
        /// The number in its name.
        public var number: FileNumber
        /// Its level; 0 of ingested files that the next open will place.
        public var level: Int
        /// Where the file is, or should be.
        public var path: String
        /// What MANIFEST says of it.
        public var expected: TableExpectations
        /// Why the engine has taken it out of service; nil when it has not.
        public var quarantine: String?
        /// The damaged blocks that are known then; empty when nothing of it is read.
        public var losses: [TableLoss] = []
    }

    /// No tables and no blob files.
    public init() {}

    /// One blob file that MANIFEST names.
    public struct Blob: Sendable, Hashable {
        /// The number in its name.
        public var number: FileNumber
        /// Where the file is, or should be.
        public var path: String
        /// Its identity.
        public var uid: UID
        /// Bytes of the file.
        public var fileBytes: UInt64
        /// XXH3-64 of the whole file; nil where MANIFEST has none.
        public var fileHash: UInt64?
        /// Records in it, garbage included.
        public var recordCount: UInt64
        /// Records that tables refer to, by what MANIFEST says of them.
        public var liveRecords: UInt64
        /// The bytes of ``liveRecords`` in the file, compressed.
        public var liveBytes: UInt64
        /// Its records are sealed.
        public var isEncrypted = false
        /// Bytes of records that no table refers to.
        public var garbageBytes: UInt64 {
            let records = fileBytes &- min(fileBytes, BlobFormat.frameBytes(isSealed: isEncrypted))
            return records &- min(records, liveBytes)
        }
    }

    /// By number.
    public var blobs: [Blob] = []
    /// By level, then by key.
    public var tables: [Table] = []
    /// Files under `sst/` that MANIFEST does not name.
    public var orphans: [String] = []
    /// Bytes of an edit that was being written when the process died.
    public var tornManifestBytes: UInt64 = 0
    /// The MANIFEST that was read; nil without CURRENT.
    public var manifestPath: String?
    /// Commits that end at or before it are in the tables.
    public var flushedLSN = LSN.zero
    /// Pairs of tables of one sorted level that overlap.
    public var overlaps: [(Table, Table)] { TableDirectory.overlaps(in: tables) }

    /// Reads CURRENT and the MANIFEST it names. A directory without CURRENT has no tables.
    public static func read(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) -> TableDirectory {
        var directory = TableDirectory()
        var files: [FileNumber: VersionEdit.Addition] = [:]
        var quarantined: [FileNumber: QuarantineRecord] = [:]
        if let contents = try ManifestReader.readLive(names, fileSystem, forWriting: false) {
            directory.manifestPath = names.manifest(contents.number)
            directory.tornManifestBytes = contents.discardedBytes
            for edit in contents.edits {
                directory.flushedLSN = max(directory.flushedLSN, edit.flushedLSN ?? .zero)
                for removal in edit.removed { files[removal.number] = nil }
                for addition in edit.added { files[addition.file.number] = addition }
                for record in edit.quarantined { quarantined[record.file] = record }
                for number in edit.released { quarantined[number] = nil }
            }
        }
        for addition in files.values where addition.file.kind == .rowTable {
            directory.tables.append(
                Table(
                    number: addition.file.number, level: addition.level,
                    path: names.table(addition.file.number),
                    expected: expectations(addition.file),
                    quarantine: quarantined[addition.file.number].map {
                        "\($0.reason) Found by \($0.finder.rawValue)."
                    }, losses: quarantined[addition.file.number]?.losses ?? []))
        }
        directory.addBlobs(files.values, names)
        directory.tables.sort { a, b in
            if a.level != b.level { return a.level < b.level }
            let order = KeyOrder.compare(a.expected.smallestKey ?? [], b.expected.smallestKey ?? [])
            return order != 0 ? order < 0 : a.number < b.number
        }
        guard try fileSystem.exists(names.sstDirectory) else { return directory }
        let pending = try directory.pendingIngests(names, fileSystem, known: Set(files.keys))
        for addition in pending {
            files[addition.file.number] = addition
            directory.tables.append(
                Table(
                    number: addition.file.number, level: addition.level,
                    path: names.table(addition.file.number),
                    expected: expectations(addition.file)))
        }
        for name in try fileSystem.list(names.sstDirectory).sorted() {
            switch FileNames.parse(name) {
            case .table(let number) where files[number]?.file.kind == .rowTable: continue
            case .blob(let number) where files[number]?.file.kind == .blob: continue
            default: break
            }
            directory.orphans.append(names.sstDirectory + "/" + name)
        }
        return directory
    }

    private mutating func addBlobs(
        _ files: some Collection<VersionEdit.Addition>, _ names: FileNames
    ) {
        var live: [FileNumber: (records: UInt64, bytes: UInt64)] = [:]
        for addition in files {
            for use in addition.file.blobUses {
                let before = live[use.file] ?? (0, 0)
                live[use.file] = (before.records &+ use.records, before.bytes &+ use.bytes)
            }
        }
        for addition in files where addition.file.kind == .blob {
            let file = addition.file
            let used = live[file.number] ?? (0, 0)
            blobs.append(
                Blob(
                    number: file.number, path: names.blob(file.number), uid: file.uid,
                    fileBytes: file.byteCount,
                    fileHash: file.contentHash == 0 ? nil : file.contentHash,
                    recordCount: file.entryCount, liveRecords: used.records,
                    liveBytes: used.bytes, isEncrypted: file.keyID != 0))
        }
        blobs.sort { $0.number < $1.number }
    }

    /// Ingested files that the log names and MANIFEST does not have yet: the next open brings them to
    /// their level. The log is read only when there is a file that MANIFEST does not name, and as far
    /// as it can be.
    private func pendingIngests(
        _ names: FileNames, _ fileSystem: any FileSystem, known: Set<FileNumber>
    ) throws(StorageError) -> [VersionEdit.Addition] {
        var strangers: Set<FileNumber> = []
        for name in try fileSystem.list(names.sstDirectory) {
            if case .table(let number) = FileNames.parse(name), !known.contains(number) {
                strangers.insert(number)
            }
        }
        guard !strangers.isEmpty, manifestPath != nil, try fileSystem.exists(names.walDirectory)
        else { return [] }
        var found: [VersionEdit.Addition] = []
        let reader = try WALReader(
            directory: names.walDirectory, fileSystem: fileSystem, from: flushedLSN,
            mode: .follow)
        while let record = try reader.next() {
            guard record.tag == .ingest, record.lsn >= flushedLSN,
                let ingest = IngestRecord(record.body)
            else { continue }
            for file in ingest.files where strangers.contains(file.number) {
                found.append(
                    .init(level: 0, file: FileMetadata(file, at: ingest.timestamp, epoch: .max)))
            }
        }
        return found
    }

    private static func expectations(_ file: FileMetadata) -> TableExpectations {
        var expected = TableExpectations()
        expected.uid = file.uid
        expected.fileBytes = file.byteCount
        expected.fileHash = file.contentHash == 0 ? nil : file.contentHash
        expected.smallestKey = file.smallest
        expected.largestKey = file.largest
        // An ingested file's entries have no timestamps of their own.
        expected.ingestTimestamp = file.ingestTimestamp
        let stored = file.ingestTimestamp.map { _ in TableProperties.sortedFileTimestamp }
        expected.minTimestamp = stored ?? file.minTimestamp
        expected.maxTimestamp = stored ?? file.maxTimestamp
        expected.entryCount = file.entryCount
        expected.tombstoneCount = file.tombstoneCount
        expected.rangeTombstoneCount = file.rangeTombstoneCount
        expected.blobUses = file.blobUses
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
