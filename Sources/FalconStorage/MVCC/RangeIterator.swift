/// A cursor over the rows visible at one timestamp, with a transaction's own writes laid over them.
///
/// `key` and `value` are borrowed and live until the cursor moves or the iterator ends. Usable from
/// one thread at a time.
public final class RangeIterator: @unchecked Sendable {
    init() {}

    /// True while the cursor stands on a row.
    public var isValid: Bool { false }
    public var key: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
    public var value: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
    /// The commit timestamp of the row; `.max` for the overlay's own.
    public var versionTimestamp: Timestamp { .zero }

    public func seekToFirst() throws(StorageError) { throw StorageEngine.unimplemented }
    public func seekToLast() throws(StorageError) { throw StorageEngine.unimplemented }
    /// The first row at or after `key`.
    public func seek(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        throw StorageEngine.unimplemented
    }
    /// The last row before `key`.
    public func seekBefore(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        throw StorageEngine.unimplemented
    }
    public func next() throws(StorageError) { throw StorageEngine.unimplemented }
    public func previous() throws(StorageError) { throw StorageEngine.unimplemented }
}
