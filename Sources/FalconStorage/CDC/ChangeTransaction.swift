/// One committed transaction, as the log holds it: its own copy of the record bytes. Of a large one the parts
/// stay in the log, and each walk reads them again.
public struct ChangeTransaction: Sendable {
    /// Where its COMMIT begins: its name in the log.
    public let lsn: LSN
    /// One beyond its COMMIT: where to resume after it.
    public let endLSN: LSN
    /// The head of its COMMIT: number, timestamp, database and idempotency key.
    public let header: CommitHeader
    /// The BATCH_PARTs in order, then the COMMIT.
    let parts: TransactionParts?
    let commit: [UInt8]

    /// Bytes of its records.
    public var byteCount: Int { commit.count + (parts?.byteCount ?? 0) }
    /// Its parts are more than is held in memory.
    public var isLarge: Bool { parts.map { !$0.isHeld } ?? false }

    /// Calls `body` with each operation in the transaction's order, borrowed for the call. `body`
    /// returns false to end the walk.
    public func forEachOperation(
        _ body: (WALOperation) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let goesOn = try parts?.walk { part throws(StorageError) in
            try Self.walk(BatchPartView(part)?.operations(), at: lsn, body)
        }
        guard goesOn ?? true else { return }
        _ = try commit.withBorrowedBytes { bytes throws(StorageError) in
            try Self.walk(CommitRecordView(bytes)?.operations(), at: lsn, body)
        }
    }

    private static func walk(
        _ operations: WALOperationIterator?, at lsn: LSN,
        _ body: (WALOperation) throws(StorageError) -> Bool
    ) throws(StorageError) -> Bool {
        guard var operations else { throw damaged(lsn) }
        while let operation = operations.next() {
            if try !body(operation) { return false }
        }
        if operations.isDamaged { throw damaged(lsn) }
        return true
    }

    private static func damaged(_ lsn: LSN) -> StorageError {
        StorageError(
            .corruption, kind: .bug,
            "The transaction at \(lsn) has a valid checksum and operations that make no sense.")
    }
}

/// What a reader of changes meets in the log, in order.
public enum ChangeEvent: Sendable {
    /// A commit, whole.
    case transaction(ChangeTransaction)
    /// Files that came in from outside: their rows are not in the log.
    case ingest(IngestRecord, lsn: LSN, endLSN: LSN)
    /// The schema as of a point of the log.
    case checkpoint(CheckpointRecord)
}
