/// A large batch that has become a layer of its own: its tree is searched as it is, and all that it says
/// holds from the commit's timestamp on. Read-only from then on; readers take no lock.
///
/// Its keys' ordinals stay in the tree: no entry is rewritten or copied, whatever the batch's size. Where
/// a key was written several times, readers pass over the older ordinals as the transaction itself did.
final class AdoptedBatch: @unchecked Sendable {
    private let batch: WriteBatch
    let timestamp: Timestamp

    /// Range deletes are looked through one by one: a batch with more of them is applied entry by entry.
    static let mostRangeDeletes = 64

    /// Takes `batch`'s content and leaves it empty. Check ``canAdopt(_:)`` first.
    init(_ batch: WriteBatch, at timestamp: Timestamp) {
        self.batch = batch.surrender()
        self.timestamp = timestamp
    }

    /// Whether `batch` has a tree to adopt.
    static func canAdopt(_ batch: WriteBatch) -> Bool {
        batch.tree != nil && batch.rangeDeleteCount <= mostRangeDeletes
    }

    /// What it says of `key` to a reader at `timestamp`. The value lives as long as this object.
    func get(_ key: UnsafeRawBufferPointer, at reader: Timestamp) -> PointLookup {
        if reader < timestamp { return .absent }
        switch batch.lookup(key) {
        case .absent: return .absent
        case .deleted: return .deleted(timestamp)
        case .value(let value): return .value(timestamp, value)
        }
    }

    func makeIterator() -> InternalIterator { AdoptedBatchIterator(self) }

    fileprivate func newest() -> NewestCursor { batch.newest(below: .max) }

    var memoryBytes: Int { batch.memoryBytes }
}

/// Walks an adopted batch's newest operation per key, all at its commit's timestamp. Keeps it alive.
final class AdoptedBatchIterator: InternalIterator {
    private let adopted: AdoptedBatch
    @exclusivity(unchecked) private var cursor: NewestCursor

    init(_ adopted: AdoptedBatch) {
        self.adopted = adopted
        cursor = adopted.newest()
    }

    private var empty: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    override var isValid: Bool { cursor.current != nil }
    override var userKey: UnsafeRawBufferPointer { cursor.current?.key ?? empty }
    override var timestamp: Timestamp { adopted.timestamp }
    override var kind: OperationKind { cursor.kind }
    override var value: UnsafeRawBufferPointer {
        cursor.kind == .delete ? empty : cursor.current?.value ?? empty
    }

    override func seekToFirst() throws(StorageError) { cursor.moveToFirst() }
    override func seekToLast() throws(StorageError) { cursor.moveToLast() }
    override func seek(_ key: UnsafeRawBufferPointer, _ timestamp: Timestamp) throws(StorageError) {
        cursor.move(to: key)
        // The key's only version is newer than what is looked for.
        if timestamp < adopted.timestamp, let found = cursor.current,
            KeyOrder.compare(found.key, key) == 0
        {
            cursor.moveNext()
        }
    }
    override func seekBefore(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        cursor.move(before: key)
    }
    override func next() throws(StorageError) { cursor.moveNext() }
    override func previous() throws(StorageError) { cursor.movePrevious() }
}
