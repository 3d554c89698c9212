/// The reading half of recovery: makes of a directory what an engine needs.
///
/// In phases (``RecoveryEvent``): all is read and judged before anything is applied. It changes nothing
/// on disk but for tables of memtables that must not stay in memory, which nothing names before the new
/// manifest does.
struct RecoveryReader {
    let names: FileNames
    let fileSystem: any FileSystem
    let store: TableStore
    let memtableBytes: Int
    let forWriting: Bool
    let progress: RecoveryProgress
    /// When damage is found; nil: now is no time to judge it, a live writer may take tables away.
    var wallMicros: UInt64 = 0
    var isBesideWriter = false
    /// Writes memtables that there is no memory for; nil keeps all of them.
    var overflow: ReplayOverflow?

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
        if isBesideWriter { try openFiles(of: state.version) }
        guard let scan = try scan(&state) else { return state }
        try apply(scan, &state)
        try RecoveryValidation(
            names: names, progress: progress, wallMicros: isBesideWriter ? nil : wallMicros
        ).check(state, against: scan)
        return state
    }

    // MARK: - Files

    private struct Listing {
        var names: Set<String> = []
        var tables: [FileNumber] = []
        var blobs: [FileNumber] = []
        var manifests: [UInt64] = []
        /// Files that mean nothing: unfinished ones, and what uncommitted transactions had spilled.
        var leftovers: [String] = []
    }

    private func list() throws(StorageError) -> Listing {
        var listing = Listing()
        for name in try fileSystem.list(names.root) {
            listing.names.insert(name)
            switch FileNames.parse(name) {
            case .manifest(let number): listing.manifests.append(number)
            case .temporary: listing.leftovers.append(names.root + "/" + name)
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
        if listing.names.contains(FileNames.spillDirectoryName) {
            for name in try fileSystem.list(names.spillDirectory) {
                switch FileNames.parse(name) {
                case .spilledRun, .spilledOperations:
                    listing.leftovers.append(names.spillDirectory + "/" + name)
                default: break
                }
            }
        }
        return listing
    }

    private func fold(
        _ manifest: ManifestContents, into state: inout RecoveredState
    ) throws(StorageError) {
        var fold = ManifestFold()
        var quarantined: [FileNumber: QuarantineRecord] = [:]
        for edit in manifest.edits {
            for record in edit.quarantined { quarantined[record.file] = record }
            for number in edit.released { quarantined[number] = nil }
            do throws(StorageError) { try fold.add(edit) } catch {
                throw contradiction(error, manifest)
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
        let version: Version
        do throws(StorageError) { version = try fold.version(store) } catch {
            throw contradiction(error, manifest)
        }
        for (number, record) in quarantined {
            version.file(number)?.file.setQuarantine(record)
            version.blobs.file(number)?.setQuarantine(record)
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

    private func contradiction(
        _ error: StorageError, _ manifest: ManifestContents
    ) -> StorageError {
        .corruption(
            "The manifest's edits contradict each other: \(error.message)",
            path: names.manifest(manifest.number))
    }

    /// Checks that every named file is there, and finds the others.
    private func account(_ listing: Listing, _ state: inout RecoveredState) throws(StorageError) {
        var live: Set<FileNumber> = []
        for level in state.version.levels {
            for file in level.files { live.insert(file.number) }
        }
        let present = Set(listing.tables)
        // A table more or less missing is for the validation to find; without any the directory is not whole.
        if !live.isEmpty, !listing.names.contains("sst") {
            throw .corruption(
                "The manifest names \(live.count) tables and there is no directory of tables.",
                path: names.sstDirectory, hint: "Restore it from a backup.")
        }
        // A MANIFEST that lost its last edit looks like this: what it names is gone, and what it does not
        // name holds the rows. Those would be removed as orphans.
        if let missing = live.first(where: { !present.contains($0) }),
            let stranger = present.first(where: { !live.contains($0) })
        {
            throw .corruption(
                "The manifest names a table that is missing, and not one that is there "
                    + "(\(VFSPath.name(of: names.table(stranger)))): an edit of it may be lost.",
                path: names.table(missing),
                hint: "Restore the table or MANIFEST from a backup; sst-verify lists what it held.")
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
        accountBlobs(listing, &state)
        for number in listing.manifests {
            state.nextManifestNumber = max(state.nextManifestNumber, number &+ 1)
            if number != state.manifest?.number { state.orphans.append(names.manifest(number)) }
        }
        state.orphans += listing.leftovers
    }

    /// A blob file that is missing is for the validation to find. While one is, no stranger is removed: a
    /// MANIFEST that lost its last edit looks like this, too.
    private func accountBlobs(_ listing: Listing, _ state: inout RecoveredState) {
        let blobs = state.version.blobs
        let present = Set(listing.blobs)
        let isWhole = blobs.entries.allSatisfy { present.contains($0.file.number) }
        for number in listing.blobs {
            state.nextFileNumber = max(state.nextFileNumber, FileNumber(number.rawValue &+ 1))
            if isWhole, blobs.file(number) == nil { state.orphans.append(names.blob(number)) }
        }
    }

    /// Beside a live writer names may go while the log is read: open files outlive them.
    private func openFiles(of version: Version) throws(StorageError) {
        for level in version.levels {
            for file in level.files where !file.isUnreadable { _ = try file.reader() }
        }
        for entry in version.blobs.entries {
            do throws(StorageError) {
                _ = try entry.file.reader()
            } catch  where entry.file.isDamaged {
                // Known to be missing, or to have no sound ends: only its values cannot be read.
            }
        }
    }

    // MARK: - Log

    /// Reads the whole log and judges it; nil for a directory that has none.
    private func scan(_ state: inout RecoveredState) throws(StorageError) -> LogScan? {
        state.endLSN = state.version.flushedLSN
        guard try fileSystem.exists(names.walDirectory) else {
            if !state.isNew { throw missingLog() }
            return nil
        }
        let (offsets, total) = try segmentOffsets()
        progress.begin(.scan, totalBytes: total, files: offsets.count)
        let reader = try WALReader(
            directory: names.walDirectory, fileSystem: fileSystem, from: state.version.flushedLSN)
        reader.shard = state.format?.shard
        var scanner = LogScanner(
            directory: names.walDirectory, from: state.version.flushedLSN,
            memtableBytes: memtableBytes)
        let scan = try scanner.run(reader, progress, offsets: offsets)
        state.verdict = scan.verdict
        if case .corruption(let damage) = scan.verdict { throw damage.error }
        if let manifest = state.manifest {
            if reader.summaries.isEmpty { throw missingLog() }
            let expectation = LogExpectation(manifest, path: names.manifest(manifest.number))
            if let damage = try expectation.missing(of: reader) { throw damage.error }
        }
        if state.isNew, scan.commits > 0 {
            throw .corruption(
                "The log holds commits but no CURRENT file names a manifest.", path: names.current,
                hint: "Restore CURRENT from a backup of the same directory.")
        }
        progress.end(records: scan.records)
        return scan
    }

    /// Where each segment begins in the log's files laid end to end, and their length.
    private func segmentOffsets() throws(StorageError)
        -> (offsets: [WALSegmentNumber: UInt64], total: UInt64)
    {
        var sizes: [(WALSegmentNumber, UInt64)] = []
        for name in try fileSystem.list(names.walDirectory) {
            guard case .walSegment(let number) = FileNames.parse(name) else { continue }
            do throws(StorageError) {
                sizes.append((number, try fileSystem.fileSize(names.walDirectory + "/" + name)))
            } catch  where error.code == .notFound {
                // A live writer released it meanwhile.
            }
        }
        var offsets: [WALSegmentNumber: UInt64] = [:]
        var total: UInt64 = 0
        for (number, size) in sizes.sorted(by: { $0.0 < $1.0 }) {
            offsets[number] = total
            total &+= size
        }
        return (offsets, total)
    }

    /// Replays what the scan let through. The newest memtables stay in memory, as many as the engine may
    /// have; older ones become tables.
    private func apply(
        _ scan: LogScan, _ state: inout RecoveredState
    ) throws(StorageError) {
        let span = scan.slices.last.map { last in
            last.end.rawValue &- (scan.slices.first?.start.lsn.rawValue ?? 0)
        }
        progress.begin(.apply, totalBytes: span ?? 0, files: scan.segments)
        let firstKept = overflow?.firstKept(scan.slices) ?? 0
        let safepoint = state.version.safepoint
        let replay = LogReplay(
            directory: names.walDirectory, fileSystem: fileSystem, memtableBytes: memtableBytes,
            firstEpoch: state.nextFlushEpoch, slices: scan.slices, store: store,
            spills: overflow?.spills
        ) { [overflow] index, layer in
            index < firstKept ? overflow?.makeTables(of: layer, safepoint) : nil
        }
        overflow?.begin(state)
        let charge = overflow?.charge(
            scan.slices, underWay: LogReplay.workers(scan.slices.count) + 1)
        defer { charge?.set(0) }
        state.nextFlushEpoch += UInt64(scan.slices.count)
        try replay.run(progress) { (index, replayed) throws(StorageError) in
            let layer = replayed.layer
            for file in layer.ingested {
                let path = names.table(file.number)
                state.orphans.removeAll { $0 == path }
                state.nextFileNumber = max(
                    state.nextFileNumber, FileNumber(file.number.rawValue &+ 1))
            }
            if let overflow, index < firstKept, try overflow.take(replayed, &state) {
                return
            }
            state.layers.insert(layer, at: 0)
        }
        overflow?.end(&state)
        state.replayedCommits = scan.commits
        state.endLSN = scan.endLSN
        state.lastCommit = max(state.lastCommit, scan.lastCommit)
        state.transactionFloor = max(state.transactionFloor, scan.transactionFloor)
        state.highestIncarnation = max(state.highestIncarnation, scan.highestIncarnation)
        state.continuation = scan.continuation
        // A safepoint may lie above every commit that survived: it rose with commits that were shown
        // and never synced. New ones must not come to lie below it.
        state.timestampFloor = max(
            state.timestampFloor, scan.timestampFloor, state.lastCommit, state.version.safepoint)
        progress.end(records: UInt64(scan.commits))
    }

    private func missingLog() -> StorageError {
        .corruption(
            "The directory has a manifest but no log.", path: names.walDirectory,
            hint: "Restore the log's segments.")
    }
}
