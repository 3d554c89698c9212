/// Keys and values as arrays or strings; what is read is copied. The forms with raw buffers
/// (``get(_:at:)``, ``withValue(_:at:_:)``, ``makeIterator(_:at:overlay:below:)``) spare the copies.
extension StorageEngine {
    /// The value of `key` visible at `timestamp`; nil when there is none. Without a timestamp: the
    /// newest that is published. Throws `snapshot-too-old` when versions of that moment may be gone.
    public func get(
        _ key: some StorageBytes, at timestamp: Timestamp = .max
    ) throws(StorageError) -> [UInt8]? {
        try key.withStorageBytes { key throws(StorageError) in
            try get(key, at: timestamp)
        }
    }

    /// Whether `key` has a value at `timestamp`; nothing is copied.
    public func contains(
        _ key: some StorageBytes, at timestamp: Timestamp = .max
    ) throws(StorageError) -> Bool {
        try key.withStorageBytes { key throws(StorageError) in
            try withValue(key, at: timestamp) { _, _ throws(StorageError) in true } ?? false
        }
    }

    /// A cursor over the keys that begin with `prefix`; see ``makeIterator(_:at:overlay:below:)``.
    public func makeIterator(
        prefix: some StorageBytes, at timestamp: Timestamp = .max
    ) throws(StorageError) -> RangeIterator {
        try makeIterator(try KeyRange(prefix: prefix), at: timestamp)
    }

    /// Calls `body` with each row of `range` in key order, key and value borrowed for the call, until
    /// it returns false. All rows are of one moment.
    public func forEach(
        in range: KeyRange = .all, at timestamp: Timestamp = .max,
        _ body: (
            _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
        ) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let rows = try makeIterator(range, at: timestamp)
        try rows.seekToFirst()
        while rows.isValid, try body(rows.key, rows.value) { try rows.next() }
    }

    /// Fills a batch and commits it: all of `body`'s writes or none. Nothing is committed when `body`
    /// throws, or writes nothing (then nil is returned).
    @discardableResult
    public func write(
        _ options: CommitOptions = .init(), _ body: (WriteBatch) throws(StorageError) -> Void
    ) throws(StorageError) -> CommitReceipt? {
        let batch = WriteBatch()
        try body(batch)
        if batch.isEmpty { return nil }
        return try commitAndWait(batch, options)
    }
}

extension RangeIterator {
    /// The current row's key, copied.
    public var keyBytes: [UInt8] { Array(key) }
    /// The current row's value, copied.
    public var valueBytes: [UInt8] { Array(value) }

    /// The first row at or after `key`.
    public func seek(_ key: some StorageBytes) throws(StorageError) {
        try key.withStorageBytes { key throws(StorageError) in try seek(key) }
    }

    /// The last row before `key`.
    public func seekBefore(_ key: some StorageBytes) throws(StorageError) {
        try key.withStorageBytes { key throws(StorageError) in try seekBefore(key) }
    }
}
