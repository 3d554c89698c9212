/// Keys and values as arrays or strings, for programs that have no raw buffers at hand. Each call
/// copies the bytes into the batch; nothing is kept of the arguments.
extension WriteBatch {
    /// Puts `value` under `key`. Throws `invalid-argument` beyond 16 MiB less one byte of key or 1 GiB of value,
    /// `out-of-memory` beyond 4 GiB of batch. Keys that begin with `00 00 00 00 00 00 00 20` to `.. 3F`
    /// belong to the stores on top: see ``put(key:value:class:sql:descriptorVersion:before:)``.
    public func put(
        _ key: some StorageBytes, _ value: some StorageBytes
    ) throws(StorageError) {
        try key.withStorageBytes { key throws(StorageError) in
            try value.withStorageBytes { value throws(StorageError) in
                try put(key: key, value: value)
            }
        }
    }

    /// Deletes `key`, whether or not it is there. Throws as ``put(_:_:)``, and the same keys are the stores'.
    public func delete(_ key: some StorageBytes) throws(StorageError) {
        try key.withStorageBytes { key throws(StorageError) in try delete(key: key) }
    }

    /// Deletes every key at or after `lower` and before `upper`: one entry, however many keys, and none when
    /// `upper` is not behind `lower`. Throws as ``put(_:_:)``. A range over keys of the stores deletes
    /// their rows.
    public func deleteRange(
        _ lower: some StorageBytes, _ upper: some StorageBytes
    ) throws(StorageError) {
        try lower.withStorageBytes { lower throws(StorageError) in
            try upper.withStorageBytes { upper throws(StorageError) in
                try deleteRange(lower: lower, upper: upper)
            }
        }
    }

    /// Deletes every key that begins with `prefix`. Throws `invalid-argument` when nothing sorts behind
    /// them (a prefix without a byte below 0xFF).
    public func deletePrefix(_ prefix: some StorageBytes) throws(StorageError) {
        let range = try KeyRange(prefix: prefix)
        guard let lower = range.lower, let upper = range.upper else {
            throw .invalidArgument(
                "A prefix needs a byte below 0xFF to be deleted.",
                hint: "Use deleteRange(_:_:) with an upper bound.")
        }
        try deleteRange(lower, upper)
    }
}
