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
    /// Throws `invalid-argument` when a file is no sorted file, or two of them overlap; `corruption`
    /// when one is damaged; `commit-outcome-unknown` when the log failed: then the files must be kept,
    /// and after a reopen either all of them are there or none. After any other error nothing has
    /// changed. Callable from any thread; blocks for as long as reading (and, on another file system,
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
                try take(candidates[index].path, as: number, options.transfer)
            }
            try environment.fileSystem.syncDirectory(store.names.sstDirectory)
            receipt = try side.pipeline.ingestAndWait(candidates.map(\.file))
        } catch {
            // The log may hold the record: a recovery that replays it needs the files.
            if error.code != .commitOutcomeUnknown {
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
