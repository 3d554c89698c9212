/// A commit or an ingestion as a survey of the log meets it.
struct SurveyedCommit {
    var point: RestorePoint
    /// Who wrote it.
    var branch: Incarnation?
    /// Its records: a large transaction's parts lie before its COMMIT.
    var records: Range<LSN>
    /// Catalog rows are among what it writes.
    var isOfCatalog = false

    init(_ point: RestorePoint, _ branch: Incarnation?, from start: LSN, isOfCatalog: Bool) {
        self.point = point
        self.branch = branch
        records = min(start, point.endLSN)..<point.endLSN
        self.isOfCatalog = isOfCatalog
    }
}

/// The BATCH_PARTs whose COMMIT has yet to come: where they begin, and whether catalog rows are among them.
struct SurveyedParts {
    private var transaction: TransactionID?
    private var start = LSN.zero
    private var isOfCatalog = false

    mutating func add(_ record: WALRecord) {
        // What makes no sense is for whoever replays it to refuse.
        guard let part = BatchPartView(record.body) else { return }
        if part.part == 0 || part.transaction != transaction {
            transaction = part.transaction
            start = record.lsn
            isOfCatalog = false
        }
        if !isOfCatalog { isOfCatalog = Self.hasCatalogRows(part.operations()) }
    }

    /// The parts that were open are an orphan's.
    mutating func drop() { transaction = nil }

    /// Ends the open transaction with its COMMIT, `view` of `record`.
    mutating func finish(
        _ view: CommitRecordView, _ record: WALRecord
    ) -> (start: LSN, isOfCatalog: Bool) {
        let isOwn = view.header.partCount > 0 && transaction == view.header.transaction
        transaction = nil
        return (
            isOwn ? start : record.lsn,
            isOwn && isOfCatalog || Self.hasCatalogRows(view.operations())
        )
    }

    private static func hasCatalogRows(_ operations: WALOperationIterator) -> Bool {
        var operations = operations
        while let operation = operations.next() {
            if operation.operationClass == .catalog { return true }
        }
        return false
    }
}
