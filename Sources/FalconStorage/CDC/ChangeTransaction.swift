/// One committed transaction, as the log holds it: its own copy of the record bytes.
public struct ChangeTransaction: Sendable {
    /// Where its COMMIT begins: its name in the log.
    public let lsn: LSN
    /// One beyond its COMMIT: where to resume after it.
    public let endLSN: LSN
    /// The head of its COMMIT: number, timestamp, database and idempotency key.
    public let header: CommitHeader
    /// The BATCH_PARTs in order, then the COMMIT.
    let parts: [[UInt8]]
    let commit: [UInt8]

    /// Bytes of its records.
    public var byteCount: Int { parts.reduce(commit.count) { $0 + $1.count } }

    /// Calls `body` with each operation in the transaction's order, borrowed for the call. `body`
    /// returns false to end the walk.
    public func forEachOperation(
        _ body: (WALOperation) throws(StorageError) -> Bool
    ) throws(StorageError) {
        for part in parts {
            let goesOn = try Self.walk(part, at: lsn, body) { BatchPartView($0)?.operations() }
            if !goesOn { return }
        }
        _ = try Self.walk(commit, at: lsn, body) { CommitRecordView($0)?.operations() }
    }

    private static func walk(
        _ record: [UInt8], at lsn: LSN, _ body: (WALOperation) throws(StorageError) -> Bool,
        _ open: (UnsafeRawBufferPointer) -> WALOperationIterator?
    ) throws(StorageError) -> Bool {
        var failure: StorageError?
        var goesOn = true
        record.withUnsafeBytes { bytes in
            guard var operations = open(bytes) else {
                failure = damaged(lsn)
                return
            }
            do throws(StorageError) {
                while goesOn, let operation = operations.next() { goesOn = try body(operation) }
            } catch {
                failure = error
            }
            if operations.isDamaged { failure = damaged(lsn) }
        }
        if let failure { throw failure }
        return goesOn
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
