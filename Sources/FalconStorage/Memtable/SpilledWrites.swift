/// The operations of a batch that have left its memory. ``BatchSpill`` overrides it: a batch knows no files.
///
/// Used by the batch's thread.
class SpilledWrites: @unchecked Sendable {
    /// An operation on a key; the value is borrowed until the next call.
    struct Found {
        var ordinal: UInt32
        var kind: OperationKind
        var value: UnsafeRawBufferPointer
    }

    /// The newest put or delete of `key` with an ordinal less than `below`; range deletes not applied.
    func newest(
        _ key: UnsafeRawBufferPointer, below ordinal: UInt32, mayWait: Bool
    ) throws(StorageError) -> Found? { nil }

    /// Cursors over each key's newest operation with an ordinal less than `below`, at timestamp `.max`, the
    /// newest cursor first. A put that one of `hiding` covers shows as a delete. They stay valid
    /// while more spills.
    /// - Parameter keepsBlocks: what is read stays in the block cache.
    func makeIterators(
        below ordinal: UInt32, hiding: [BatchRangeDelete], keepsBlocks: Bool
    ) throws(StorageError) -> [InternalIterator] { [] }

    /// The operation of that ordinal, borrowed until the next call; nil when it was rolled back.
    func operation(at ordinal: UInt32) throws(StorageError) -> WriteBatch.Operation? { nil }

    /// Forgets the operations from `ordinal` on, and says how many they were and how many bytes, as
    /// ``WriteBatch/byteCount`` counts. Cannot fail: what it could not read fails what is asked afterwards.
    func rollback(toOrdinal ordinal: UInt32) -> (operations: Int, bytes: Int) { (0, 0) }

    var memoryBytes: Int { 0 }
}
