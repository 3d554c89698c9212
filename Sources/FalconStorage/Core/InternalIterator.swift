/// A cursor over versioned entries in internal order: user key ascending, then timestamp descending.
///
/// A base class and not a protocol: a virtual call is cheaper than an existential's on the per-entry
/// path. `userKey` and `value` are borrowed and live until the cursor moves. Not thread-safe.
class InternalIterator {
    var isValid: Bool { false }
    var userKey: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
    var timestamp: Timestamp { .zero }
    var kind: OperationKind { .put }
    var value: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    func seekToFirst() throws(StorageError) {}
    func seekToLast() throws(StorageError) {}
    /// The first entry at or after (`key`, `timestamp`) in internal order: the newest version of
    /// `key` not above `timestamp`, else the next key's newest.
    func seek(_ key: UnsafeRawBufferPointer, _ timestamp: Timestamp) throws(StorageError) {}
    /// The last entry whose user key is less than `key`.
    func seekBefore(_ key: UnsafeRawBufferPointer) throws(StorageError) {}
    func next() throws(StorageError) {}
    func previous() throws(StorageError) {}
}

extension InternalIterator {
    /// ``next()`` with its error as a value: for callers that hold the iterator unretained.
    @inline(__always)
    final func attemptNext() -> StorageError? {
        do throws(StorageError) {
            try next()
            return nil
        } catch { return error }
    }

    /// ``previous()`` with its error as a value.
    @inline(__always)
    final func attemptPrevious() -> StorageError? {
        do throws(StorageError) {
            try previous()
            return nil
        } catch { return error }
    }
}
