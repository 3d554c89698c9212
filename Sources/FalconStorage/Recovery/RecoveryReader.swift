/// The reading half of recovery: changes nothing on disk.
struct RecoveryReader {
    let names: FileNames
    let fileSystem: any FileSystem
    let store: TableStore
    let memtableBytes: Int
    let forWriting: Bool

    func read() throws(StorageError) -> RecoveredState {
        var state = RecoveredState()
        let listing = try list()
        if listing.names.contains("FORMAT") {
            state.format = try FormatFile.decode(
                fileSystem.contents(of: names.format), path: names.format, forWriting: forWriting)
        }
        if listing.names.contains("CURRENT"), state.format == nil {
            throw .corruption(
                "The directory has a manifest but no FORMAT file.", path: names.format,
                hint: "Restore FORMAT from a backup of the same directory.")
        }
        if let manifest = try ManifestReader.readLive(names, fileSystem, forWriting: forWriting) {
            guard manifest.shard == state.format?.shard else {
                throw .corruption(
                    "The manifest belongs to another shard than FORMAT says.",
                    path: names.manifest(manifest.number), offset: 60)
            }
            try fold(manifest, into: &state)
        }
        try account(listing, &state)
        try replay(&state)
        return state
    }

    // MARK: - Files

    private struct Listing {
        var names: Set<String> = []
        var tables: [FileNumber] = []
        var blobs: [FileNumber] = []
        var manifests: [UInt64] = []
        var temporaries: [String] = []
    }

    private func list() throws(StorageError) -> Listing {
        var listing = Listing()
        for name in try fileSystem.list(names.root) {
            listing.names.insert(name)
            switch FileNames.parse(name) {
            case .manifest(let number): listing.manifests.append(number)
            case .temporary: listing.temporaries.append(names.root + "/" + name)
            default: break
            }
        }
        if listing.names.contains("sst") {
            for name in try fileSystem.list(names.sstDirectory) {
                switch FileNames.parse(name) {
                case .table(let number): listing.tables.append(number)
                case .blob(let number): listing.blobs.append(number)
                default: break
                }
            }
        }
        return listing
    }

    private func fold(
        _ manifest: ManifestContents, into state: inout RecoveredState
    ) throws(StorageError) {
        var version = Version.empty
        for edit in manifest.edits {
            do throws(StorageError) {
                version = try version.applying(edit, store: store).version
            } catch {
                throw .corruption(
                    "The manifest's edits contradict each other: \(error.message)",
                    path: names.manifest(manifest.number))
            }
            if let next = edit.nextFileNumber {
                state.nextFileNumber = max(state.nextFileNumber, next)
            }
            if let incarnation = edit.incarnation { state.incarnation = incarnation }
            if let floor = edit.timestampFloor {
                state.timestampFloor = max(state.timestampFloor, floor)
            }
            if let limit = edit.transactionLimit {
                state.transactionFloor = max(state.transactionFloor, limit)
            }
            if let epoch = edit.nextFlushEpoch {
                state.nextFlushEpoch = max(state.nextFlushEpoch, epoch)
            }
        }
        state.version = version
        state.manifest = manifest
        state.highestIncarnation = state.incarnation?.number ?? 0
        state.lastCommit = state.timestampFloor
        for level in version.levels {
            for file in level.files {
                state.lastCommit = max(state.lastCommit, file.metadata.maxTimestamp)
                state.nextFlushEpoch = max(
                    state.nextFlushEpoch, file.metadata.flushEpoch &+ 1)
            }
        }
    }

    /// Checks that every named file is there, and finds the others.
    private func account(_ listing: Listing, _ state: inout RecoveredState) throws(StorageError) {
        var live: Set<FileNumber> = []
        for level in state.version.levels {
            for file in level.files { live.insert(file.number) }
        }
        let present = Set(listing.tables)
        for number in live where !present.contains(number) {
            throw .corruption(
                "The manifest names a table that is missing.", path: names.table(number),
                hint: "Restore it from a backup; sst-verify lists what it held.")
        }
        if state.isNew, !present.isEmpty {
            throw .corruption(
                "The directory holds tables but no CURRENT file names a manifest.",
                path: names.current,
                hint: "Restore CURRENT from a backup of the same directory.")
        }
        for number in listing.tables {
            state.nextFileNumber = max(state.nextFileNumber, FileNumber(number.rawValue &+ 1))
            if !live.contains(number) { state.orphans.append(names.table(number)) }
        }
        try accountBlobs(listing, &state)
        for number in listing.manifests {
            state.nextManifestNumber = max(state.nextManifestNumber, number &+ 1)
            if number != state.manifest?.number { state.orphans.append(names.manifest(number)) }
        }
        state.orphans += listing.temporaries
    }

    private func accountBlobs(
        _ listing: Listing, _ state: inout RecoveredState
    ) throws(StorageError) {
        let blobs = state.version.blobs
        let present = Set(listing.blobs)
        for entry in blobs.entries where !present.contains(entry.file.number) {
            throw .corruption(
                "The manifest names a blob file that is missing.",
                path: names.blob(entry.file.number),
                hint: "Restore it from a backup; sst-verify lists what it held.")
        }
        for number in listing.blobs {
            state.nextFileNumber = max(state.nextFileNumber, FileNumber(number.rawValue &+ 1))
            if blobs.file(number) == nil { state.orphans.append(names.blob(number)) }
        }
    }

    // MARK: - Log

    private func replay(_ state: inout RecoveredState) throws(StorageError) {
        state.endLSN = state.version.flushedLSN
        guard try fileSystem.exists(names.walDirectory) else {
            if !state.isNew { throw missingLog() }
            return
        }
        let reader = try WALReader(
            directory: names.walDirectory, fileSystem: fileSystem, from: state.version.flushedLSN)
        var layer: MemtableLayer?
        var parts = BatchPartAssembler()
        while let record = try reader.next() {
            switch record.tag {
            case .commit: layer = try apply(record, &parts, layer, &state)
            case .batchPart:
                guard try parts.add(record.body) else {
                    throw damaged(record, "A BATCH_PART record makes no sense.")
                }
                // No layer ends between a transaction's parts and its COMMIT: replay from there would
                // miss the parts.
                continue
            case .ingest:
                parts.drop()
                try ingest(record, &state)
                // What follows is newer than the files, what came before is older.
                layer = nil
            case .incarnation:
                parts.drop()
                guard let incarnation = IncarnationRecord(record.body) else {
                    throw damaged(record, "An INCARNATION record makes no sense.")
                }
                state.highestIncarnation = max(state.highestIncarnation, incarnation.incarnation)
                state.transactionFloor = max(state.transactionFloor, incarnation.transactionFloor)
                state.timestampFloor = max(state.timestampFloor, incarnation.timestampFloor)
            case .closedTimestamp:
                if let closed = ClosedTimestampRecord(record.body) {
                    state.timestampFloor = max(state.timestampFloor, closed.timestamp)
                }
            default:
                if record.tag.isCritical {
                    throw StorageError(
                        .unsupportedFormat, kind: .user,
                        "The log holds a \(record.tag) record at \(record.lsn), which this program "
                            + "cannot replay.", location: .init(path: names.walDirectory),
                        hint: "Open it with the version that wrote it, or a later one.")
                }
            }
            state.endLSN = max(state.endLSN, record.end)
            layer?.lastLSN = record.end
        }
        state.verdict = reader.verdict
        if case .corruption(let damage) = reader.verdict { throw damage.error }
        if let manifest = state.manifest {
            if reader.summaries.isEmpty { throw missingLog() }
            let expectation = LogExpectation(manifest, path: names.manifest(manifest.number))
            if let damage = try expectation.missingEnd(of: reader)
                ?? expectation.missingBeginning(of: reader)
            {
                throw damage.error
            }
        }
        if state.isNew, state.replayedCommits > 0 {
            throw .corruption(
                "The log holds commits but no CURRENT file names a manifest.", path: names.current,
                hint: "Restore CURRENT from a backup of the same directory.")
        }
        state.continuation = reader.continuation
        // A safepoint may lie above every commit that survived: it rose with commits that were shown
        // and never synced. New ones must not come to lie below it.
        state.timestampFloor = max(
            state.timestampFloor, state.lastCommit, state.version.safepoint)
    }

    private func apply(
        _ record: WALRecord, _ parts: inout BatchPartAssembler, _ current: MemtableLayer?,
        _ state: inout RecoveredState
    ) throws(StorageError) -> MemtableLayer {
        guard let view = CommitRecordView(record.body) else {
            throw damaged(record, "A COMMIT record makes no sense.")
        }
        guard let batch = try parts.finish(view) else {
            throw damaged(
                record, "A COMMIT's operations make no sense, or parts of them are missing.")
        }
        var layer: MemtableLayer
        if let current, current.table.approximateBytes < memtableBytes,
            current.table.canFit(batch)
        {
            layer = current
        } else {
            layer = try begin(&state, batch.byteCount + batch.operationCount * 280)
        }
        let timestamp = view.header.timestamp
        guard layer.table.apply(batch, at: timestamp) else {
            throw StorageError(
                .outOfMemory, kind: .transient, "No memory to replay the log's commits.")
        }
        layer.lastTimestamp = max(layer.lastTimestamp, timestamp)
        state.lastCommit = max(state.lastCommit, timestamp)
        state.transactionFloor = max(
            state.transactionFloor, TransactionID(view.header.transaction.rawValue &+ 1))
        state.replayedCommits += 1
        return layer
    }

    /// Files that were ingested and that MANIFEST does not have yet: on the device since before the
    /// record was logged.
    private func ingest(
        _ record: WALRecord, _ state: inout RecoveredState
    ) throws(StorageError) {
        guard let ingest = IngestRecord(record.body) else {
            throw damaged(record, "An INGEST record makes no sense.")
        }
        var files: [TableFile] = []
        for file in ingest.files {
            let path = names.table(file.number)
            guard try fileSystem.exists(path) else {
                throw .corruption(
                    "The log names an ingested file that is missing. Its record lies at "
                        + "\(record.lsn).", path: path, hint: "Restore it from a backup.")
            }
            let table = TableFile(
                metadata: FileMetadata(
                    file, at: ingest.timestamp, epoch: state.nextFlushEpoch), store: store)
            // Now, and not at the first read: the file must be the one that was logged.
            _ = try table.reader()
            files.append(table)
            state.orphans.removeAll { $0 == path }
            state.nextFileNumber = max(
                state.nextFileNumber, FileNumber(file.number.rawValue &+ 1))
        }
        let layer = MemtableLayer(
            table: try MemTable(capacityBytes: 0), epoch: state.nextFlushEpoch,
            lastLSN: record.end, ingested: files)
        layer.lastTimestamp = ingest.timestamp
        state.nextFlushEpoch += 1
        state.layers.insert(layer, at: 0)
        state.lastCommit = max(state.lastCommit, ingest.timestamp)
        state.replayedCommits += 1
    }

    private func begin(
        _ state: inout RecoveredState, _ neededBytes: Int
    ) throws(StorageError) -> MemtableLayer {
        let table = try MemTable(
            capacityBytes: Tree.arenaCapacity(memtableBytes, batchBytes: neededBytes))
        let layer = MemtableLayer(
            table: table, epoch: state.nextFlushEpoch, lastLSN: state.endLSN)
        state.nextFlushEpoch += 1
        state.layers.insert(layer, at: 0)
        return layer
    }

    private func missingLog() -> StorageError {
        .corruption(
            "The directory has a manifest but no log.", path: names.walDirectory,
            hint: "Restore the log's segments.")
    }

    private func damaged(_ record: WALRecord, _ message: String) -> StorageError {
        .corruption(
            "\(message) It lies at \(record.lsn).", path: names.walDirectory,
            hint: "Run wal-inspect on the directory.")
    }
}
