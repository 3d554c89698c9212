/// A cursor over an ingested file: each key has one entry, and its timestamp is MANIFEST's.
final class IngestedIterator: InternalIterator {
    private let entries: TableIterator
    private let ingestTimestamp: Timestamp

    init(_ entries: TableIterator, at ingestTimestamp: Timestamp) {
        self.entries = entries
        self.ingestTimestamp = ingestTimestamp
    }

    override var isValid: Bool { entries.isValid }
    override var userKey: UnsafeRawBufferPointer { entries.userKey }
    override var timestamp: Timestamp { ingestTimestamp }
    override var kind: OperationKind { entries.kind }
    override var value: UnsafeRawBufferPointer { entries.value }

    override func seekToFirst() throws(StorageError) { try entries.seekToFirst() }
    override func seekToLast() throws(StorageError) { try entries.seekToLast() }
    override func seekBefore(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        try entries.seekBefore(key)
    }
    /// The key's entry is at or after the target when the target is not older than the file.
    override func seek(
        _ key: UnsafeRawBufferPointer, _ timestamp: Timestamp
    ) throws(StorageError) {
        try entries.seek(key, timestamp >= ingestTimestamp ? .max : .zero)
    }
    override func next() throws(StorageError) { try entries.next() }
    override func previous() throws(StorageError) { try entries.previous() }
}
