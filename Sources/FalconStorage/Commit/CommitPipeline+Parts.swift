/// The operations of a batch on their way into the log.
extension CommitPipeline {
    /// Bytes that may wait in the log's buffer while a large batch is logged.
    static let pendingPartBytes = 16 << 20

    /// Encodes the whole of `batch`, which has not spilled. True when it changes the catalog.
    @inline(__always)
    static func encode(_ batch: WriteBatch, to encoder: WALOperationEncoder) -> Bool {
        var changesCatalog = false
        for ordinal in 0..<batch.nextOrdinal {
            guard let operation = batch.memoryOperation(at: ordinal) else { continue }
            if operation.class == .catalog { changesCatalog = true }
            encoder.add(WALOperation(operation))
        }
        return changesCatalog
    }

    /// The tables that are ready for a batch that has spilled: made before the section, since it takes as long as
    /// reading the whole batch.
    @inline(never)
    func spilledTables(of batch: WriteBatch) throws(StorageError) -> BatchSpill {
        guard let spill = batch.spilled as? BatchSpill, spill.hasTables else {
            throw StorageError(
                .internalError, kind: .bug,
                "A batch that has spilled came to its commit without tables.")
        }
        return spill
    }

    /// Logs a large batch as BATCH_PARTs, all but what remains in `encoder` for the COMMIT: neither the
    /// encoder nor the log's buffer ever holds all of it.
    ///
    /// Runs inside the commit section, so that a transaction's parts and its COMMIT lie side by side
    /// and no flush, release or restore can come between them. It waits for the log's writes there,
    /// which others then wait for, too; applying so large a batch takes as long. When it throws, the
    /// parts are orphans and nothing has been ordered.
    func logParts(
        _ batch: WriteBatch, _ transaction: TransactionID, _ encoder: WALOperationEncoder,
        _ wal: WALWriter
    ) throws(StorageError) -> (count: UInt32, changesCatalog: Bool) {
        var count: UInt32 = 0
        var changesCatalog = false
        for ordinal in 0..<batch.nextOrdinal {
            guard let operation = try batch.operation(at: ordinal) else { continue }
            if operation.class == .catalog { changesCatalog = true }
            let bytes =
                operation.key.count + operation.value.count + (operation.before?.count ?? 0)
            if encoder.count > 0, encoder.count + bytes > partBytes {
                try wal.appendBatchPart(transaction: transaction, part: count, encoder)
                count += 1
                encoder.reset()
                try wal.boundPending(Self.pendingPartBytes)
            }
            encoder.add(WALOperation(operation))
        }
        return (count, changesCatalog)
    }
}

extension WALOperation {
    @inline(__always)
    init(_ operation: WriteBatch.Operation) {
        self.init(
            kind: operation.kind, operationClass: operation.class, sql: operation.sql,
            descriptorVersion: operation.descriptorVersion, key: operation.key,
            value: operation.value, before: operation.before)
    }
}
