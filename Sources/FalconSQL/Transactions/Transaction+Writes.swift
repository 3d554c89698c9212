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
            return try batch.lookup(key, below: ordinal)
        } catch { throw SQLError(storage: error) }
    }

    /// The operation that made the value which ``written(_:below:)`` finds; nil where it finds none.
    func ordinalWritten(
        _ key: UnsafeRawBufferPointer, below ordinal: UInt32 = .max
    ) throws(SQLError) -> UInt32? {
        do throws(StorageError) {
            return try batch.ordinalOfValue(key, below: ordinal)
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

    /// Moves the writes to files when they take more memory than a transaction may have, or when `wanted`, which
    /// no budget grants, would be covered so. False: it would not.
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
