extension StorageEngine {
    /// Moves the operations that `batch` has in memory to files of the directory, which go with the batch. Reads,
    /// scans, rollbacks and the commit see no difference but for the time they take, and that reads may now
    /// fail with an error of the disk. What was borrowed from the batch dies, cursors over it stay good.
    ///
    /// For a program that bounds the memory of its transactions: call it between operations once
    /// ``WriteBatch/memoryBytes`` has passed what a transaction may take. Does nothing below 32 KiB.
    ///
    /// Throws `read-only`, `closed`, and `disk-full` or `io` when the files cannot be written: the batch is as it was.
    ///
    /// A batch that has spilled belongs to this engine: only it can commit the batch, for the files lie in
    /// its directory and become its tables; another refuses it (`invalid-argument`).
    /// ``WriteBatch/removeAll()`` makes it anybody's again.
    public func spill(_ batch: WriteBatch) throws(StorageError) {
        try batch.spill(to: try writable().spills)
    }
}

extension WriteSide {
    /// What the commit of a batch that has spilled does first, outside the commit section.
    func prepareTables(of batch: WriteBatch) throws(StorageError) {
        guard let spill = batch.spilled as? BatchSpill else { return }
        try spill.checkBelongs(to: spills)
        if pipeline.isRefusing { throw pipeline.refusal() }
        try spill.prepareTables(of: batch)
    }
}
