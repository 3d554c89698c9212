/// The newest writes, sorted, in memory: one writer at a time, readers without locks.
final class MemTable: @unchecked Sendable {
    /// - Parameter capacityBytes: address space to reserve, 4 GiB at most; memory is used as it fills.
    init(capacityBytes: Int = 256 << 20) throws(StorageError) {}

    /// Adds one version of `key`. Call from one writer at a time. False: the arena is full, nothing
    /// was added. The entry is visible to readers at once; timestamps hide it until published.
    func insert(
        key: UnsafeRawBufferPointer, timestamp: Timestamp, kind: OperationKind,
        value: UnsafeRawBufferPointer
    ) -> Bool { false }

    /// Adds the newest operation per key, and the range deletes, of `batch` at `timestamp`.
    /// False: the arena is full; check ``canFit(_:)`` first, since a part may have been added.
    func apply(_ batch: WriteBatch, at timestamp: Timestamp) -> Bool { false }
    /// Whether ``apply(_:at:)`` of `batch` is sure to find room.
    func canFit(_ batch: WriteBatch) -> Bool { false }

    func addRangeTombstone(_ tombstone: RangeTombstone) {}
    /// Newest first is not promised. Normally empty.
    var rangeTombstones: [RangeTombstone] { [] }

    /// The newest version of `key` not above `timestamp`, range tombstones applied. The value lives
    /// as long as the memtable.
    func get(_ key: UnsafeRawBufferPointer, at timestamp: Timestamp) -> PointLookup { .absent }

    /// All entries (range tombstones not applied). The iterator keeps the memtable alive and never
    /// throws. It may run beside the writer.
    func makeIterator() -> InternalIterator { InternalIterator() }

    /// Bytes of arena in use, nodes included.
    var approximateBytes: Int { 0 }
    var entryCount: Int { 0 }
    var isEmpty: Bool { true }
}
