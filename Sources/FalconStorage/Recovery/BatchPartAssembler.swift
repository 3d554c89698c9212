/// Puts transactions that were logged in parts together again.
///
/// A writer lays the parts of a transaction and its COMMIT side by side, so one is open at a time; parts
/// that are not followed by their COMMIT are orphans and forgotten. Operations go straight from the
/// record into the batch to be applied: nothing is held twice, and what is too large for memory spills.
struct BatchPartAssembler {
    private var transaction: TransactionID?
    private let batch = WriteBatch()
    private var count: UInt32 = 0
    /// Where the batch spills; nil: it stays in memory whatever its size.
    private let spills: SpillSpace?

    init(spills: SpillSpace? = nil) { self.spills = spills }

    /// Parts are waiting for their COMMIT.
    var isOpen: Bool { transaction != nil }

    mutating func drop() {
        transaction = nil
        batch.removeAll()
        count = 0
    }

    /// Takes in a BATCH_PART. False when it makes no sense; a part without the ones before it is an
    /// orphan's rest and passed over.
    mutating func add(_ body: UnsafeRawBufferPointer) throws(StorageError) -> Bool {
        guard let view = BatchPartView(body) else { return false }
        if view.part == 0 {
            drop()
            transaction = view.transaction
        } else if view.transaction != transaction || view.part != count {
            drop()
            return true
        }
        count += 1
        return try replay(view.operations())
    }

    /// The whole transaction of a COMMIT: its parts and its own operations. Nil when either is damaged
    /// or a part is missing. The batch is good until the next call.
    mutating func finish(_ view: CommitRecordView) throws(StorageError) -> WriteBatch? {
        if view.header.partCount > 0 {
            guard transaction == view.header.transaction, count == view.header.partCount else {
                return nil
            }
        } else {
            batch.removeAll()
        }
        transaction = nil
        count = 0
        return try replay(view.operations()) ? batch : nil
    }

    /// Each key's newest operation wins, so the operations go through a batch again.
    private func replay(_ operations: WALOperationIterator) throws(StorageError) -> Bool {
        var operations = operations
        while let operation = operations.next() {
            switch operation.kind {
            case .put: try batch.put(key: operation.key, value: operation.value)
            case .delete: try batch.delete(key: operation.key)
            case .rangeDelete:
                try batch.deleteRange(lower: operation.key, upper: operation.value)
            default: return false
            }
        }
        if let spills, batch.memoryBytes > spills.options.rotationBytes {
            // Nobody logs it again.
            try batch.spill(to: spills, keepsOperations: false)
        }
        return !operations.isDamaged
    }
}
