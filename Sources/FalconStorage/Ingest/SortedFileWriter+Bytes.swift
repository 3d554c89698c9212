extension SortedFileWriter {
    /// As ``put(key:value:)``.
    public func put(
        _ key: some StorageBytes, _ value: some StorageBytes
    ) throws(StorageError) {
        try key.withStorageBytes { key throws(StorageError) in
            try value.withStorageBytes { value throws(StorageError) in
                try put(key: key, value: value)
            }
        }
    }

    /// As ``delete(key:)``.
    public func delete(_ key: some StorageBytes) throws(StorageError) {
        try key.withStorageBytes { key throws(StorageError) in try delete(key: key) }
    }
}
