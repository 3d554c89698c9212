/// What a data directory offers to a restore, found by reading alone.
public struct RestoreSource: Sendable {
    /// The state of the tables, when MANIFEST can be read.
    struct Tables: Sendable {
        var files: [VersionEdit.Addition] = []
        var flushedLSN = LSN.zero
        var safepoint = Timestamp.zero
        var incarnation: Incarnation?
        var timestampFloor = Timestamp.zero
        var transactionLimit = TransactionID(0)
        var nextFileNumber = FileNumber(1)
        var nextFlushEpoch: UInt64 = 1
        var byteCount: UInt64 { files.reduce(0) { $0 &+ $1.file.byteCount } }
        /// Of all rows' versions; zero without tables.
        var newestTimestamp: Timestamp {
            files.reduce(.zero) { $1.file.kind == .rowTable ? max($0, $1.file.maxTimestamp) : $0 }
        }
    }

    /// The data directory.
    public let root: String
    /// A server has the directory open: only what its log says is committed counts.
    public let isLive: Bool
    var tables: Tables?
    /// What MANIFEST says of the log.
    var expectation: LogExpectation?
    /// Why there is no `tables`.
    public internal(set) var tablesProblem: StorageError?
    var shard = UID.zero
    var createdWallMicros: UInt64 = 0

    // From the log.
    /// Where the log that is kept begins; nil without one.
    public internal(set) var firstLSN: LSN?
    /// The branch that wrote the log's first record.
    var firstBranch: Incarnation?
    /// The end of what can be replayed.
    public internal(set) var endLSN = LSN.zero
    /// Commits and ingestions in the log, up to ``endLSN``.
    public internal(set) var commitCount = 0
    /// The oldest of them.
    public internal(set) var firstCommit: RestorePoint?
    /// The newest of them.
    public internal(set) var lastCommit: RestorePoint?
    /// The first commit at or above the tables' safepoint.
    var firstAboveSafepoint: RestorePoint?
    /// The last commit in the log that is in the tables too.
    var lastFlushed: RestorePoint?
    /// When the log began, where an INCARNATION record tells.
    var beginMicros: UInt64?
    var closedMicros: UInt64?
    /// Files that were ingested; a replay of their records needs them.
    var ingests: [(record: IngestRecord, end: LSN)] = []
    /// The end of the first INGEST whose files are no longer there: compactions have taken them in.
    var firstMissingIngest: LSN?
    /// The ends of all such.
    var missingIngests: [LSN] = []
    var timestampFloor = Timestamp.zero
    var transactionFloor = TransactionID(1)
    var highestIncarnation: UInt64 = 0
    /// What shall go on with this log; nil: a new directory begins with it.
    var inspection: RestoreInspection?
    /// The newest commit of ``inspection`` is in the log; false: another lies in its place, or none.
    var holdsInspected = false
    /// How the log ends.
    public internal(set) var verdict = WALVerdict.clean(end: .zero)

    /// The log is kept from its beginning: a restore needs no tables.
    public var reachesBeginning: Bool { firstLSN == WALContinuation.beginning.firstLSN }
    /// Tables that MANIFEST names; 0 when it cannot be read.
    public var tableCount: Int { tables?.files.count { $0.file.kind == .rowTable } ?? 0 }
    /// Bytes of tables and blob files.
    public var tableBytes: UInt64 { tables?.byteCount ?? 0 }
    /// Commits that end at or before it are in tables.
    public var flushedLSN: LSN? { tables?.flushedLSN }
}

extension RestoreSource {
    /// Reads MANIFEST and the whole log of `root` once.
    /// - Parameter inspection: what shall go on with this log.
    /// - Parameter progress: called with the LSN reached; throws to end the survey.
    public static func survey(
        root: String, target: RestoreTarget, environment: StorageEnvironment,
        advancing inspection: RestoreInspection? = nil,
        progress: (LSN) throws(StorageError) -> Void = { _ throws(StorageError) in }
    ) throws(StorageError) -> (source: RestoreSource, cut: RestoreCut) {
        let names = FileNames(root: root)
        let fileSystem = environment.fileSystem
        try UnfinishedRestore.refuse(names, fileSystem)
        try RestoreInspection.check(names, fileSystem, forWriting: false)
        var source = RestoreSource(root: root, isLive: fileSystem.isLocked(names.lock))
        source.inspection = inspection
        do throws(StorageError) {
            try source.readManifest(names, fileSystem)
        } catch  where error.code == .corruption {
            source.tablesProblem = error
        }
        var cut = RestoreCut()
        try source.readLog(names, fileSystem, target, &cut, progress)
        return (source, cut)
    }

    mutating func readManifest(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        guard try fileSystem.exists(names.format) else {
            throw .corruption(
                "The FORMAT file is missing.", path: names.format,
                hint: "Restore FORMAT from a backup of the same directory.")
        }
        let format = try FormatFile.decode(
            fileSystem.contents(of: names.format), path: names.format, forWriting: false)
        shard = format.shard
        createdWallMicros = format.createdWallMicros
        guard
            let manifest = try ManifestReader.readLive(names, fileSystem, forWriting: false)
        else {
            throw .corruption("There is no CURRENT file.", path: names.current)
        }
        guard manifest.shard == format.shard else {
            throw .corruption(
                "The manifest belongs to another shard than FORMAT says.",
                path: names.manifest(manifest.number), offset: 60)
        }
        expectation = LogExpectation(manifest, path: names.manifest(manifest.number))
        var state = Tables()
        for edit in manifest.edits {
            for removal in edit.removed {
                // A blob file's level says nothing.
                state.files.removeAll {
                    $0.file.number == removal.number
                        && ($0.level == removal.level || $0.file.kind == .blob)
                }
            }
            state.files += edit.added
            state.flushedLSN = max(state.flushedLSN, edit.flushedLSN ?? .zero)
            state.safepoint = max(state.safepoint, edit.safepoint ?? .zero)
            state.incarnation = edit.incarnation ?? state.incarnation
            state.timestampFloor = max(state.timestampFloor, edit.timestampFloor ?? .zero)
            state.transactionLimit = max(
                state.transactionLimit, edit.transactionLimit ?? state.transactionLimit)
            state.nextFileNumber = max(
                state.nextFileNumber, edit.nextFileNumber ?? state.nextFileNumber)
            state.nextFlushEpoch = max(
                state.nextFlushEpoch, edit.nextFlushEpoch ?? state.nextFlushEpoch)
        }
        for addition in state.files {
            let next = FileNumber(addition.file.number.rawValue &+ 1)
            state.nextFileNumber = max(state.nextFileNumber, next)
            state.nextFlushEpoch = max(state.nextFlushEpoch, addition.file.flushEpoch &+ 1)
        }
        tables = state
        timestampFloor = state.timestampFloor
        transactionFloor = max(transactionFloor, state.transactionLimit)
        highestIncarnation = state.incarnation?.number ?? 0
    }

    private mutating func readLog(
        _ names: FileNames, _ fileSystem: any FileSystem, _ target: RestoreTarget,
        _ cut: inout RestoreCut, _ progress: (LSN) throws(StorageError) -> Void
    ) throws(StorageError) {
        guard try fileSystem.exists(names.walDirectory) else {
            throw expectation.map { $0.noLog(names).error } ?? Self.noLog(names)
        }
        // A live log's end is provisional: what is behind it is not damage.
        let reader = try WALReader(
            directory: names.walDirectory, fileSystem: fileSystem,
            mode: isLive ? .follow : .strict)
        reader.shard = shard == .zero ? nil : shard
        var isOpen = true
        // Beside a live writer what it has not yet stated to be committed waits here.
        var waiting: [SurveyedCommit] = []
        // The closed timestamp counts once every commit before it does.
        var closedAhead: (record: LSN, micros: UInt64)?
        var begun: Incarnation?
        var branch: Incarnation?
        var parts = SurveyedParts()
        var segments = 0
        while let record = try reader.next() {
            // Once a segment: a header is much to copy for each record.
            if segments != reader.summaries.count {
                segments = reader.summaries.count
                let identity = reader.segmentHeader?.identity
                if shard == .zero, let identity { shard = identity.shard }
                branch = Self.branch(identity, begun)
                firstBranch = firstBranch ?? branch
            }
            var met: SurveyedCommit?
            switch record.tag {
            case .commit:
                guard let view = CommitRecordView(record.body) else {
                    throw Self.unreadable(record, names)
                }
                let (start, isOfCatalog) = parts.finish(view, record)
                let point = RestorePoint(
                    lsn: record.lsn, endLSN: record.end, timestamp: view.header.timestamp,
                    transaction: view.header.transaction,
                    operationCount: view.header.operationCount)
                met = SurveyedCommit(point, branch, from: start, isOfCatalog: isOfCatalog)
            case .batchPart: parts.add(record)
            case .ingest:
                parts.drop()
                guard let found = IngestRecord(record.body) else {
                    throw Self.unreadable(record, names)
                }
                ingests.append((found, record.end))
                let point = RestorePoint(
                    lsn: record.lsn, endLSN: record.end, timestamp: found.timestamp,
                    transaction: TransactionID(0),
                    operationCount: UInt32(clamping: found.entryCount))
                met = SurveyedCommit(point, branch, from: record.lsn, isOfCatalog: false)
            case .incarnation:
                parts.drop()
                guard let found = IncarnationRecord(record.body) else {
                    throw Self.unreadable(record, names)
                }
                note(found)
                begun = Incarnation(
                    number: found.incarnation, branch: found.branch, parent: found.parent,
                    forkLSN: found.forkLSN, epoch: found.epoch)
                branch = Self.branch(reader.segmentHeader?.identity, begun)
                if isOpen, case .lsn(let limit) = target, record.end <= limit {
                    cut.endLSN = record.end
                    cut.branch = begun
                }
            case .closedTimestamp:
                if let closed = ClosedTimestampRecord(record.body) {
                    if waiting.isEmpty {
                        closedMicros = closed.closedMicros
                    } else {
                        closedAhead = (record.lsn, closed.closedMicros)
                    }
                    timestampFloor = max(timestampFloor, closed.timestamp)
                }
            case .checkpoint:
                if isOpen, let found = CheckpointRecord(record.body), !found.catalog.isEmpty {
                    cut.note(catalog: record)
                }
            default: break
            }
            if let met {
                if isLive {
                    waiting.append(met)
                } else {
                    note(met, target, &cut, &isOpen)
                }
                if commitCount & 1023 == 0 { try progress(record.end) }
            }
            if isLive, !waiting.isEmpty, waiting[0].point.endLSN <= reader.committedLSN {
                let ready = waiting.prefix { $0.point.endLSN <= reader.committedLSN }
                for entry in ready { note(entry, target, &cut, &isOpen) }
                waiting.removeFirst(ready.count)
            }
            if let closed = closedAhead, waiting.first.map({ $0.point.lsn > closed.record }) ?? true
            {
                closedMicros = closed.micros
                closedAhead = nil
            }
        }
        for entry in waiting where entry.point.endLSN <= reader.committedLSN {
            note(entry, target, &cut, &isOpen)
        }
        if let closed = closedAhead,
            !waiting.contains(where: {
                $0.point.endLSN > reader.committedLSN && $0.point.lsn < closed.record
            })
        {
            closedMicros = closed.micros
        }
        for ingest in ingests {
            for file in ingest.record.files
            where try !fileSystem.exists(names.table(file.number)) {
                firstMissingIngest = firstMissingIngest ?? ingest.end
                missingIngests.append(ingest.end)
            }
        }
        firstLSN = reader.firstLSN
        verdict = reader.verdict
        if reader.summaries.isEmpty, expectation == nil { throw Self.noLog(names) }
        if !verdict.isCorruption, let damage = try expectation?.missingEnd(of: reader) {
            if reader.summaries.isEmpty { throw damage.error }
            verdict = .corruption(damage)
        }
        endLSN = isLive ? (lastCommit?.endLSN ?? reader.committedLSN) : reader.verdict.end
        if cut.branch == nil { cut.branch = tables?.incarnation }
        if case .latest = target, !isLive { cut.endLSN = max(cut.endLSN, endLSN) }
    }

    private mutating func note(_ record: IncarnationRecord) {
        if beginMicros == nil { beginMicros = record.wallMicros }
        highestIncarnation = max(highestIncarnation, record.incarnation)
        transactionFloor = max(transactionFloor, record.transactionFloor)
        timestampFloor = max(timestampFloor, record.timestampFloor)
    }

    /// Who writes in a segment of `identity`, as far as the log says.
    private static func branch(_ identity: WALIdentity?, _ begun: Incarnation?) -> Incarnation? {
        guard let identity, identity.branch != begun?.branch else { return begun }
        // Its INCARNATION record is no longer in the log.
        return Incarnation(
            number: identity.incarnation, branch: identity.branch, parent: .zero, forkLSN: .zero,
            epoch: identity.epoch)
    }

    private mutating func note(
        _ commit: SurveyedCommit, _ target: RestoreTarget, _ cut: inout RestoreCut,
        _ isOpen: inout Bool
    ) {
        let point = commit.point
        commitCount += 1
        if firstCommit == nil { firstCommit = point }
        lastCommit = point
        timestampFloor = max(timestampFloor, point.timestamp)
        transactionFloor = max(
            transactionFloor, TransactionID(point.transaction.rawValue &+ 1))
        let flushed = tables?.flushedLSN
        if let flushed, point.endLSN <= flushed { lastFlushed = point }
        if let lsn = inspection?.lastCommit?.lsn, lsn == point.lsn {
            holdsInspected = inspection?.last == point
        }
        if firstAboveSafepoint == nil, let safepoint = tables?.safepoint,
            point.timestamp >= safepoint
        {
            firstAboveSafepoint = point
        }
        let isIncluded =
            switch target {
            case .lsn(let limit): point.endLSN <= limit
            case .time(let limit): point.micros <= limit
            case .latest: true
            }
        guard isOpen, isIncluded else {
            if isOpen { cut.exclude(commit) }
            isOpen = false
            return
        }
        cut.include(commit)
        if let flushed, point.lsn >= flushed { cut.commitsAboveTables += 1 }
        if let end = inspection?.endLSN, point.lsn >= end { cut.commitsAboveInspection += 1 }
    }

    private static func noLog(_ names: FileNames) -> StorageError {
        .corruption(
            "The directory has neither a log nor a manifest that can be used.",
            path: names.walDirectory, hint: "Restore the log's segments, or from a backup.")
    }

    private static func unreadable(_ record: WALRecord, _ names: FileNames) -> StorageError {
        .corruption(
            "The \(record.tag) record at \(record.lsn) has a valid checksum and makes no sense.",
            path: names.walDirectory)
    }
}
