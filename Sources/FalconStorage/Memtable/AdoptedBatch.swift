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
        batch.tree != nil && batch.spilled == nil && batch.rangeDeleteCount <= mostRangeDeletes
    }

    /// What it says of `key` to a reader at `timestamp`. The value lives as long as this object.
    func get(_ key: UnsafeRawBufferPointer, at reader: Timestamp) -> PointLookup {
        if reader < timestamp { return .absent }
        switch batch.memoryLookup(key) {
        case .absent: return .absent
        case .deleted: return .deleted(timestamp)
        case .value(let value): return .value(timestamp, value)
        }
    }

    /// Walks the newest operation per key, all at the commit's timestamp. Keeps the batch alive.
    func makeIterator() -> InternalIterator {
        WriteBatchIterator(batch, below: .max, at: timestamp)
    }

    var memoryBytes: Int { batch.memoryBytes }

    /// See ``EntryTree/estimatedKeyCount(of:)``.
    func estimatedKeyCount(of range: KeyRange) -> Int {
        batch.tree?.estimatedKeyCount(of: range) ?? 0
    }
}
