import FalconSchema
import FalconStorage

/// The transaction's private writes, in memory or spilled.
extension Transaction {
    /// What it has written at `key`, by operations with an ordinal less than `below`; the value is borrowed until
    /// the next look or write.
    @inline(__always)
    func written(
        _ key: UnsafeRawBufferPointer, below ordinal: UInt32 = .max
    ) throws(SQLError) -> WriteBatch.Lookup {
        do throws(StorageError) {
            return try batch.lookup(key, below: ordinal, mayWait: mayWait)
        } catch { throw SQLError(storage: error) }
    }

    /// The newest value of a key: the transaction's own, else the committed one. Only under the key's lock does it
    /// stay the newest.
    func newestValue(_ key: UnsafeRawBufferPointer) throws(SQLError) -> [UInt8]? {
        if !batch.isEmpty {
            switch try written(key) {
            case .absent: break
            case .deleted: return nil
            case .value(let value): return Array(value)
            }
        }
        let engine = engine
        let mayWait = mayWait
        return try storage { () throws(StorageError) in
            try engine.get(key, at: engine.publishedTimestamp, mayWait: mayWait)
        }
    }

    /// The operation that made the value which ``written(_:below:)`` finds; nil where it finds none.
    func ordinalWritten(
        _ key: UnsafeRawBufferPointer, below ordinal: UInt32 = .max
    ) throws(SQLError) -> UInt32? {
        do throws(StorageError) {
            return try batch.ordinalOfValue(key, below: ordinal, mayWait: mayWait)
        } catch { throw SQLError(storage: error) }
    }

    /// Whether a value is written at `key`, and by an operation with an ordinal less than `ordinal`: a statement
    /// that began there sees it.
    func isUnchanged(
        _ key: UnsafeRawBufferPointer, since ordinal: UInt32
    ) throws(SQLError) -> Bool {
        guard let newest = try ordinalWritten(key) else { return false }
        return newest < ordinal
    }

    /// Throws 54000 when it has written more than ``limits`` allow.
    func checkLimits() throws(SQLError) {
        if limits.keys != 0, batch.operationCount > limits.keys {
            throw SQLError(
                .programLimitExceeded, "transaction writes too many keys",
                detail: "It has written \(batch.operationCount) rows and index entries; "
                    + "max_txn_write_keys is \(limits.keys).",
                hint: "Split the work over several transactions, or raise max_txn_write_keys.")
        }
        if limits.bytes != 0, batch.byteCount > limits.bytes {
            throw SQLError(
                .programLimitExceeded, "transaction writes too many bytes",
                detail: "It has written \(batch.byteCount) bytes; max_txn_write_bytes is "
                    + "\(limits.bytes).",
                hint: "Split the work over several transactions, or raise max_txn_write_bytes.")
        }
    }

    /// Moves the writes to files when they take more memory than one transaction may have; with `isShort`, when
    /// the budget has none left, also when it is less, but worth a file. False: nothing was moved.
    func spillWrites(isShort: Bool) throws(SQLError) -> Bool {
        let bytes = batch.memoryBytes
        guard bytes > engine.options.transactionSpillBytes || isShort && bytes > Self.leastSpill
        else { return false }
        // It takes as long as the disk does: an event loop leaves it to a worker.
        if !mayWait { throw .diskWait }
        try storage { () throws(StorageError) in try engine.spill(batch) }
        return true
    }

    /// A file of less is not worth its while.
    private static let leastSpill = 1 << 20
}
