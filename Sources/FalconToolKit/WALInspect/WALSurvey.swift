import FalconStorage

/// What adds up while a log is read: counts, how far the commits go, and what recovery would choke on.
/// Runs for every record: nothing here allocates for one that is as it should be.
struct WALSurvey {
    struct Tally {
        var count = 0
        var bytes: UInt64 = 0

        @inline(__always)
        mutating func add(_ record: WALRecord) {
            count &+= 1
            bytes &+= record.end.rawValue &- record.lsn.rawValue
        }
    }
    /// What one record says of itself.
    struct Summary {
        var transaction: TransactionID?
        var timestamp: Timestamp?
        var wallMicros: UInt64?
        var database: DatabaseID?
        var operations: Int?
        /// Of a BATCH_PART.
        var part: UInt32?
        /// Of a COMMIT: its BATCH_PARTs; and whether the first went with the log before them.
        var partCount: UInt32 = 0
        var isTrimmed = false
        /// Some of its operations are on catalog rows.
        var hasCatalog = false
        /// The operations of a COMMIT or BATCH_PART, borrowed as the record is: it is decoded once.
        var contents: WALOperationIterator?
    }
    /// The last commit of a stretch of the log.
    struct Reach {
        var end = LSN.zero
        var commits = 0
        var transaction: UInt64?
        var timestamp: Timestamp?
        var wallMicros: UInt64?
    }

    private(set) var tallies = [Tally](repeating: Tally(), count: 256)
    private(set) var operationCount = 0
    private(set) var firstWall: UInt64?
    /// Up to the last record read.
    private(set) var reach = Reach()
    /// Commits and bytes of records that end behind ``flushedLSN``: what a recovery replays.
    private(set) var replayedCommits = 0
    let flushedLSN: LSN
    /// A record that recovery may refuse was met; the first one's place.
    private(set) var firstDoubt: LSN?
    /// As of the places where the log is damaged.
    private var marks: [Reach] = []
    private var openParts: [TransactionID: UInt32] = [:]
    /// The log began amid this transaction's parts: the first went with the segments before it.
    private var trimmed: TransactionID?
    private var isFirstRecord = true
    private var problems: [Finding] = []
    private var unknown: [WALRecordTag: Int] = [:]

    init(flushedLSN: LSN = .zero) { self.flushedLSN = flushedLSN }

    /// Kinds of record that were met, in the order of their tags.
    var kinds: [(tag: WALRecordTag, tally: Tally)] {
        tallies.indices.filter { tallies[$0].count > 0 }.map {
            (WALRecordTag(rawValue: UInt8($0)), tallies[$0])
        }
    }
    var hasCommits: Bool { reach.commits > 0 }
    /// Transactions that were logged in part when the log ended.
    var openTransactions: Int { openParts.count }

    /// Notes that the log is damaged behind what was added so far.
    mutating func markDamage() { marks.append(reach) }

    /// The last commit that ends at or before `end`, a place that was marked, or the log's end.
    func reach(to end: LSN) -> Reach {
        if reach.end <= end { return reach }
        return marks.last { $0.end <= end } ?? Reach()
    }

    mutating func add(_ record: WALRecord) -> Summary {
        tallies[Int(record.tag.rawValue)].add(record)
        var summary = Summary()
        let before = reach
        let isGood: Bool
        switch record.tag {
        case .commit: isGood = addCommit(record, &summary)
        case .batchPart: isGood = addPart(record, &summary)
        default: isGood = addControl(record, &summary)
        }
        isFirstRecord = false
        if !isGood {
            // Recovery does not get past it.
            reach = before
            addUndecodable(record)
        }
        return summary
    }

    private mutating func addCommit(_ record: WALRecord, _ summary: inout Summary) -> Bool {
        guard let view = CommitRecordView(record.body) else { return false }
        let header = view.header
        summary.transaction = header.transaction
        summary.timestamp = header.timestamp
        summary.wallMicros = header.wallMicros
        summary.database = header.database
        summary.operations = Int(header.operationCount)
        summary.partCount = header.partCount
        var parts: UInt32 = 0
        if !openParts.isEmpty {
            parts = openParts.removeValue(forKey: header.transaction) ?? 0
        }
        let beginsLog = isFirstRecord && record.lsn > ChangeReader.beginningLSN
        summary.isTrimmed =
            header.partCount > 0
            && (beginsLog || (trimmed == header.transaction && parts == header.partCount))
        if firstWall == nil { firstWall = header.wallMicros }
        reach = Reach(
            end: record.end, commits: reach.commits + 1,
            transaction: header.transaction.rawValue, timestamp: header.timestamp,
            wallMicros: header.wallMicros)
        if record.end > flushedLSN { replayedCommits += 1 }
        summary.contents = view.operations()
        return walk(view.operations(), &summary)
            && (summary.isTrimmed || parts == header.partCount)
    }

    private mutating func addPart(_ record: WALRecord, _ summary: inout Summary) -> Bool {
        guard let view = BatchPartView(record.body) else { return false }
        summary.transaction = view.transaction
        summary.operations = Int(view.operationCount)
        summary.part = view.part
        if isFirstRecord, view.part > 0 { trimmed = view.transaction }
        let expected = openParts[view.transaction] ?? 0
        openParts[view.transaction] =
            view.part == expected || isFirstRecord ? view.part &+ 1 : nil
        summary.contents = view.operations()
        return walk(view.operations(), &summary)
    }

    /// False when an operation makes no sense, or is of a kind that no recovery replays.
    private mutating func walk(
        _ operations: WALOperationIterator, _ summary: inout Summary
    ) -> Bool {
        var operations = operations
        var isReplayable = true
        var count = 0
        defer { operationCount &+= count }
        while let operation = operations.next() {
            count &+= 1
            if operation.operationClass == .catalog { summary.hasCatalog = true }
            switch operation.kind {
            case .put, .delete, .rangeDelete: break
            case .valueReference, .intent, .merge: isReplayable = false
            }
        }
        return isReplayable && !operations.isDamaged
    }

    private mutating func addControl(_ record: WALRecord, _ summary: inout Summary) -> Bool {
        switch record.tag {
        case .incarnation:
            openParts.removeAll()
            let found = IncarnationRecord(record.body)
            summary.wallMicros = found?.wallMicros
            return found != nil
        case .closedTimestamp:
            let found = ClosedTimestampRecord(record.body)
            summary.timestamp = found?.timestamp
            summary.wallMicros = found?.wallMicros
            return found != nil
        case .checkpoint:
            let found = CheckpointRecord(record.body)
            summary.timestamp = found?.timestamp
            summary.wallMicros = found?.wallMicros
            summary.hasCatalog = found?.catalog.isEmpty == false
            return found != nil
        case .restorePoint:
            let found = RestorePointRecord(record.body)
            summary.timestamp = found?.timestamp
            summary.wallMicros = found?.wallMicros
            return found != nil
        case .ingest:
            let found = IngestRecord(record.body)
            summary.timestamp = found?.timestamp
            summary.wallMicros = found?.wallMicros
            summary.operations = found.map { Int(clamping: $0.entryCount) }
            return found != nil
        case .prepare, .outcome:
            let found = PrepareRecord(record.body)
            summary.transaction = found?.transaction
            summary.timestamp = found?.timestamp
            return found != nil
        case .logicalMessage:
            return true
        default:
            unknown[record.tag, default: 0] += 1
            if record.tag.isCritical { doubt(record.lsn) }
            return true
        }
    }

    private mutating func doubt(_ lsn: LSN) {
        if firstDoubt == nil { firstDoubt = lsn }
        markDamage()
    }

    private mutating func addUndecodable(_ record: WALRecord) {
        doubt(record.lsn)
        // One finding tells; thousands would bury it.
        guard problems.count < 20 else { return }
        problems.append(
            Finding(
                .walUndecodable, "The \(record.tag) record at \(record.lsn) cannot be decoded.",
                length: UInt64(record.body.count),
                blastRadius: "LSN \(record.lsn) to \(record.end)"))
    }

    func findings() -> [Finding] {
        var result = problems
        if !openParts.isEmpty {
            result.append(
                Finding(
                    .walIncomplete,
                    "\(openParts.count) large transactions were under way when the log ended."))
        }
        for (tag, count) in unknown.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            result.append(
                tag.isCritical
                    ? Finding(.walUnsupported, "\(count) records have the critical tag \(tag).")
                    : Finding(.walUnknownRecord, "\(count) records have the tag \(tag)."))
        }
        return result
    }
}
