extension StorageEngine {
    /// Brings the files at `paths`, made by ``SortedFileWriter``s, in whole: all of them become visible
    /// together, as one commit with one timestamp, and are durable when this returns. They take their
    /// place among the commits: what was committed before is older, key by key, and a snapshot made
    /// before does not see them.
    ///
    /// The files lie in the directory as they are, in the deepest level that holds nothing of their
    /// keys; an INGEST record in the log names them, so that recovery, restores and change capture
    /// know. Commits go on meanwhile.
    ///
    /// Throws `invalid-argument` when a file is no sorted file, or two of them overlap, or one that
    /// is to be moved is a table of this engine; `corruption` when one is damaged;
    /// `commit-outcome-unknown` when the log failed: then the files must be kept, and after a reopen
    /// either all of them are there or none. After any other error nothing has changed. Callable from any thread; blocks for as long as reading (and, on another file system,
    /// copying) the files takes.
    /// - Returns: the timestamp of every entry, and the position just after the record.
    @discardableResult
    public func ingest(
        _ paths: [String], _ options: IngestOptions = .init()
    ) throws(StorageError) -> CommitReceipt {
        let side = try writable()
        guard !paths.isEmpty else { throw .invalidArgument("There is no file to ingest.") }
        var candidates: [IngestCandidate] = []
        for path in paths {
            candidates.append(
                try IngestCandidate(
                    path, environment.fileSystem, verifies: options.verifiesContents))
        }
        candidates = try IngestCandidate.ordered(candidates)
        if options.transfer == .move { try refuseOwn(candidates, side.versions.current) }
        if side.controller.needsPacing {
            let bytes = candidates.reduce(UInt64(0)) { $0 + $1.file.byteCount }
            try side.controller.pace(bytes: Int(min(bytes, Self.pacedBytes)))
        }
        var taken: [FileNumber] = []
        let receipt: CommitReceipt
        do throws(StorageError) {
            for index in candidates.indices {
                let number = side.versions.allocateFileNumber()
                candidates[index].file.number = number
                taken.append(number)
                if try !reseal(&candidates[index], as: number) {
                    try take(candidates[index].path, as: number, options.transfer)
                }
            }
            try environment.fileSystem.syncDirectory(store.names.sstDirectory)
            receipt = try side.pipeline.ingestAndWait(candidates.map(\.file))
        } catch {
            // The log may hold the record: a recovery that replays it needs the files.
            // After a close the numbers may be another engine's: its open has removed what was left.
            if error.code != .commitOutcomeUnknown, !side.hasEnded {
                for number in taken {
                    try? environment.fileSystem.remove(store.names.table(number))
                }
            }
            throw error
        }
        if options.transfer == .move {
            // A name that will not go is a link too many and harms nothing.
            for candidate in candidates { try? environment.fileSystem.remove(candidate.path) }
        }
        return receipt
    }

    /// A table of this engine, under its own name, would be gone after a move.
    private func refuseOwn(
        _ candidates: [IngestCandidate], _ version: Version
    ) throws(StorageError) {
        for candidate in candidates {
            guard case .table(let number) = FileNames.parse(VFSPath.name(of: candidate.path)),
                version.levels.contains(where: { level in
                    level.files.contains {
                        $0.number == number && $0.metadata.uid == candidate.file.uid
                    }
                })
            else { continue }
            throw StorageError(
                .invalidArgument, kind: .user, "The file is a table of this engine, or its copy.",
                location: .init(path: candidate.path),
                hint: "Give a file of another name, or ingest it without moving it.")
        }
    }

    /// A plain file becomes an encrypted one of the same entries where the engine encrypts; false: it is taken as
    /// it is.
    private func reseal(
        _ candidate: inout IngestCandidate, as number: FileNumber
    ) throws(StorageError) -> Bool {
        let fileSystem = environment.fileSystem
        guard candidate.file.keyID == 0, fileSystem.keys?.ring.isSealing == true else {
            return false
        }
        let source = try fileSystem.open(candidate.path, .read)
        defer { try? source.close() }
        let table = try TableReader.open(
            file: source, uid: candidate.file.uid, size: candidate.file.byteCount, cache: nil)
        var shape = options.tableOptions
        shape.codec = options.bottomCompression
        shape.isSortedFile = true
        let uid = environment.random.nextUID()
        let scope = KeyScope.ofKey(
            candidate.file.smallest, catalogLimit: options.catalogStorageLimit)
        let copy = try fileSystem.open(store.names.table(number), .create)
        do throws(StorageError) {
            let writer = try TableWriter(
                file: copy, uid: uid, options: shape,
                cipher: try fileSystem.makeCipher(.table, scope, uid: uid))
            let entries = table.makeIterator(fillCache: false)
            try entries.seekToFirst()
            while entries.isValid {
                try writer.add(
                    key: entries.userKey, timestamp: entries.timestamp, kind: entries.kind,
                    value: entries.value)
                try entries.next()
            }
            for tombstone in table.rangeTombstones { try writer.addRangeTombstone(tombstone) }
            let summary = try writer.finish()
            candidate.file.uid = uid
            candidate.file.byteCount = summary.fileBytes
            candidate.file.hash = summary.fileHash
            candidate.file.keyID = summary.keyID
        } catch {
            try? copy.close()
            throw error
        }
        try copy.close()
        return true
    }

    /// A writer of a file that is to be ingested here, encrypted where this engine encrypts.
    public func makeSortedFileWriter(path: String) throws(StorageError) -> SortedFileWriter {
        try SortedFileWriter(path: path, options: options, environment: environment)
    }

    /// An ingestion counts for so much at most where writers are held back: its bytes are in place.
    private static let pacedBytes: UInt64 = 1 << 20

    private func take(
        _ path: String, as number: FileNumber, _ transfer: IngestOptions.Transfer
    ) throws(StorageError) {
        let target = store.names.table(number)
        switch transfer {
        case .link, .move: try linkOrCopy(path, to: target)
        case .copy: try copy(path, to: target)
        }
    }
}
