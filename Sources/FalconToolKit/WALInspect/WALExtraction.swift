import FalconStorage

/// Gathers the records of one transaction as the log is read.
struct WALExtraction {
    let transaction: TransactionID
    let names = WALNames()
    private let printer: WALDataPrinter
    private var parts: [(lsn: LSN, body: [UInt8])] = []
    private var commit: (lsn: LSN, end: LSN, body: [UInt8], isTrimmed: Bool)?

    init(_ transaction: TransactionID, _ printer: WALDataPrinter) {
        self.transaction = transaction
        self.printer = printer
    }

    var isComplete: Bool { commit != nil }
    var isFound: Bool { commit != nil || !parts.isEmpty }

    mutating func take(_ record: WALRecord, _ summary: WALSurvey.Summary) {
        guard summary.transaction == transaction else { return }
        switch record.tag {
        case .batchPart:
            if summary.part == 0 { parts = [] }
            parts.append((record.lsn, Array(record.body)))
        case .commit:
            if summary.partCount == 0 { parts = [] }
            commit = (record.lsn, record.end, Array(record.body), summary.isTrimmed)
        default: break
        }
    }

    /// Its head, and its operations in the order they were written.
    func show(_ report: ReportWriter) {
        showHead(report)
        var ordinal = 0
        for part in parts {
            part.body.withUnsafeBytes { body in
                show(BatchPartView(body)?.operations(), part.lsn, &ordinal, report)
            }
        }
        if let commit {
            commit.body.withUnsafeBytes { body in
                show(CommitRecordView(body)?.operations(), commit.lsn, &ordinal, report)
            }
        }
        report.set("operation_count", .count(ordinal))
    }

    private func show(
        _ operations: WALOperationIterator?, _ lsn: LSN, _ ordinal: inout Int,
        _ report: ReportWriter
    ) {
        guard var operations else { return }
        while let operation = operations.next() {
            report.record(
                WALRecordText.fields(operation, ordinal, lsn, names, printer),
                text: WALRecordText.line(operation, names, printer))
            ordinal += 1
        }
    }

    private func showHead(_ report: ReportWriter) {
        report.set("transaction", .unsigned(transaction.rawValue))
        report.set("committed", .bool(isComplete))
        report.set("parts", .count(parts.count))
        let header = commit.flatMap { commit in
            commit.body.withUnsafeBytes { CommitRecordView($0)?.header }
        }
        guard let commit, let header else {
            let first = parts.first?.lsn ?? .zero
            report.set("first_lsn", .text(first))
            report.line(
                "transaction \(transaction.rawValue): \(parts.count) parts from \(first), no COMMIT"
            )
            return
        }
        let database = names.schema.databaseName(header.database)
        let time = ToolTime.format(header.wallMicros)
        report.set("first_lsn", .text(parts.first?.lsn ?? commit.lsn))
        report.set("commit_lsn", .text(commit.lsn))
        report.set("end_lsn", .text(commit.end))
        report.set("commit_time", .string(time))
        report.set("timestamp", .text(header.timestamp))
        report.set("database", .string(database))
        report.set("origin", .unsigned(UInt64(header.origin)))
        report.set("epoch", .unsigned(header.epoch))
        report.set("has_idempotency_key", .bool(header.idempotencyKey != nil))
        report.set("parts_missing", .bool(commit.isTrimmed))
        var text =
            "transaction \(transaction.rawValue): COMMIT at \(commit.lsn), ends at \(commit.end), "
            + "\(time), database \(database)"
        if !parts.isEmpty { text += ", \(parts.count) parts" }
        if commit.isTrimmed { text += ", its first parts are no longer kept" }
        report.line(text)
    }
}
