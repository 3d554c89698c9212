/// A file that somebody wants ingested, looked at and found good.
struct IngestCandidate {
    let path: String
    /// Its number is given when it is taken in.
    var file: IngestRecord.File

    /// Opens the file at `path` and checks it; throws `corruption` when it is damaged,
    /// `invalid-argument` when it is no sorted file.
    init(
        _ path: String, _ fileSystem: any FileSystem, verifies: Bool
    ) throws(StorageError) {
        self.path = path
        let handle = try fileSystem.open(path, .read)
        do throws(StorageError) {
            file = try Self.read(handle, path, fileSystem.keys, verifies: verifies)
            // It may have come here by a copy that nobody synced.
            try handle.syncData()
        } catch {
            try? handle.close()
            throw error
        }
        try handle.close()
    }

    private static func read(
        _ handle: any File, _ path: String, _ keys: FileKeys?, verifies: Bool
    ) throws(StorageError) -> IngestRecord.File {
        let size = try handle.size()
        let table = try TableReader.open(file: handle, uid: nil, size: size, cache: nil, keys: keys)
        let properties = table.properties
        guard properties.isSortedFile else {
            throw StorageError(
                .invalidArgument, kind: .user,
                "The file was not made by a SortedFileWriter: its entries have timestamps of their "
                    + "own.", location: .init(path: path),
                hint: "Write its keys and values to a sorted file.")
        }
        var hash: UInt64 = 0
        if verifies {
            hash = try handle.hash(size)
            if let finding = TableVerifier.verify(handle, findingLimit: 1, keyring: keys).findings
                .first
            {
                throw refusal(finding, path)
            }
        }
        return IngestRecord.File(
            uid: table.uid, number: FileNumber(0), byteCount: size, hash: hash,
            entryCount: properties.entryCount, tombstoneCount: properties.tombstoneCount,
            rangeTombstoneCount: properties.rangeTombstoneCount,
            smallest: properties.smallestKey, greatest: properties.largestKey,
            greatestIsExclusive: try !table.endsInEntry(), keyID: table.keyID)
    }

    /// A file that could not be read is no damaged one.
    private static func refusal(_ finding: TableFinding, _ path: String) -> StorageError {
        let location = StorageError.Location(path: path, offset: finding.offset)
        switch finding.code {
        case .unreadable:
            return StorageError(
                .io, kind: .transient, "The file could not be read: \(finding.message)",
                location: location, hint: "Look at the system's log, and try again.")
        case .unsupportedFormat:
            return StorageError(
                .unsupportedFormat, kind: .user, finding.message, location: location,
                hint: "Use a newer FalconDB.")
        default:
            return StorageError(
                .corruption, kind: .bug, "The file cannot be ingested: \(finding.message)",
                location: location, hint: "Run sst-verify on it, and make it anew.")
        }
    }

    /// Sorted by key; throws `invalid-argument` when two overlap: which of the two were newer?
    static func ordered(_ candidates: [Self]) throws(StorageError) -> [Self] {
        let sorted = candidates.sorted { KeyOrder.less($0.file.smallest, $1.file.smallest) }
        for (before, after) in zip(sorted, sorted.dropFirst()) {
            let order = KeyOrder.compare(before.file.greatest, after.file.smallest)
            if order < 0 || (order == 0 && before.file.greatestIsExclusive) { continue }
            throw .invalidArgument(
                "The files \(before.path) and \(after.path) overlap.",
                hint: "Ingest them one after another, the newer one last, or merge them first.")
        }
        return sorted
    }
}

extension TableReader {
    /// False: a range tombstone's upper bound ends the table.
    fileprivate func endsInEntry() throws(StorageError) -> Bool {
        let entries = makeIterator(fillCache: false)
        try entries.seekToLast()
        return entries.isValid && entries.userKey.elementsEqual(properties.largestKey)
    }
}

extension File {
    /// XXH3-64 of the first `byteCount` bytes.
    fileprivate func hash(_ byteCount: UInt64) throws(StorageError) -> UInt64 {
        let stream = XXH3Stream()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        var offset: UInt64 = 0
        while offset < byteCount {
            let wanted = Int(min(UInt64(buffer.count), byteCount - offset))
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            let got = try readFully(into: piece, at: offset)
            guard got == wanted else {
                throw .corruption("The file became shorter.", path: path, offset: offset)
            }
            stream.update(UnsafeRawBufferPointer(piece))
            offset += UInt64(got)
        }
        return stream.digest
    }
}
