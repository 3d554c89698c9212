import FalconStorage

/// What adds up while a log is read.
struct WALSurvey {
    struct Tally {
        var count = 0
        var bytes: UInt64 = 0
    }
    /// What one record says of itself.
    struct Summary {
        var transaction: TransactionID?
        var timestamp: Timestamp?
        var wallMicros: UInt64?
        var database: DatabaseID?
        var operations: Int?
        var detail = ""
    }

    private(set) var tallies: [WALRecordTag: Tally] = [:]
    private(set) var operationCount = 0
    private(set) var firstWall: UInt64?
    private(set) var lastWall: UInt64?
    private(set) var lastTransaction: UInt64?
    private(set) var lastTimestamp: Timestamp?
    private var openParts: [TransactionID: UInt32] = [:]
    /// The log began amid this transaction's parts: the first went with the segments before it.
    private var trimmed: TransactionID?
    private var isFirstRecord = true
    private var problems: [Finding] = []
    private var unknown: [WALRecordTag: Int] = [:]

    /// ", transaction 5 of 2026-…", for the verdict.
    var endText: String {
        guard let lastTransaction, let lastWall else { return "" }
        return ", transaction \(lastTransaction) of \(ToolTime.format(lastWall))"
    }

    mutating func add(_ record: WALRecord) -> Summary {
        tallies[record.tag, default: Tally()].count += 1
        tallies[record.tag, default: Tally()].bytes += record.end.rawValue - record.lsn.rawValue
        var summary = Summary()
        var isGood = true
        defer { isFirstRecord = false }
        switch record.tag {
        case .commit:
            isGood = addCommit(record, &summary)
        case .batchPart:
            if let view = BatchPartView(record.body) {
                summary.transaction = view.transaction
                summary.operations = Int(view.operationCount)
                summary.detail = "part \(view.part)"
                if isFirstRecord, view.part > 0 { trimmed = view.transaction }
                let expected = openParts[view.transaction] ?? 0
                if view.part == expected || isFirstRecord {
                    openParts[view.transaction] = view.part &+ 1
                } else {
                    openParts[view.transaction] = nil
                }
                var operations = view.operations()
                while operations.next() != nil { operationCount += 1 }
                isGood = !operations.isDamaged
            } else {
                isGood = false
            }
        case .incarnation:
            openParts.removeAll()
            if let found = IncarnationRecord(record.body) {
                summary.wallMicros = found.wallMicros
                summary.detail =
                    "incarnation \(found.incarnation), branch \(found.branch), parent "
                    + "\(found.parent), fork \(found.forkLSN), epoch \(found.epoch)"
            } else {
                isGood = false
            }
        case .closedTimestamp:
            let found = ClosedTimestampRecord(record.body)
            summary.timestamp = found?.timestamp
            summary.wallMicros = found?.wallMicros
            isGood = found != nil
        case .checkpoint:
            let found = CheckpointRecord(record.body)
            summary.timestamp = found?.timestamp
            summary.wallMicros = found?.wallMicros
            if let found {
                summary.detail =
                    "replay from \(found.replayLSN), \(found.catalog.count) catalog entries"
            }
            isGood = found != nil
        case .restorePoint:
            let found = RestorePointRecord(record.body)
            summary.timestamp = found?.timestamp
            summary.wallMicros = found?.wallMicros
            summary.detail = found.map { "name '\($0.name)'" } ?? ""
            isGood = found != nil
        case .ingest:
            let found = IngestRecord(record.body)
            summary.timestamp = found?.timestamp
            summary.wallMicros = found?.wallMicros
            summary.operations = found.map { Int(clamping: $0.entryCount) }
            summary.detail =
                found.map { record in
                    record.files.map { "file \($0.uid) as \(FileNames.tableName($0.number))" }
                        .joined(separator: ", ")
                } ?? ""
            isGood = found != nil
        case .prepare, .outcome:
            let found = PrepareRecord(record.body)
            summary.transaction = found?.transaction
            summary.timestamp = found?.timestamp
            isGood = found != nil
        case .logicalMessage: break
        default: unknown[record.tag, default: 0] += 1
        }
        if !isGood { addUndecodable(record) }
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
        let parts = openParts.removeValue(forKey: header.transaction) ?? 0
        let beginsLog = isFirstRecord && record.lsn > ChangeReader.beginningLSN
        let isTrimmed =
            header.partCount > 0
            && (beginsLog || (trimmed == header.transaction && parts == header.partCount))
        if header.partCount > 0 {
            summary.detail = "after \(header.partCount) parts"
            if isTrimmed { summary.detail = "after \(header.partCount) parts, some no longer kept" }
        }
        if firstWall == nil { firstWall = header.wallMicros }
        lastWall = header.wallMicros
        lastTransaction = header.transaction.rawValue
        lastTimestamp = header.timestamp
        var operations = view.operations()
        while operations.next() != nil { operationCount += 1 }
        return !operations.isDamaged && (isTrimmed || parts == header.partCount)
    }

    private mutating func addUndecodable(_ record: WALRecord) {
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
