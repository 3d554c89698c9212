/// An open table: footer, index, filter and properties in memory, blocks through the cache.
/// Thread-safe.
final class TableReader: @unchecked Sendable {
    let uid: UID
    let properties: TableProperties
    let rangeTombstones: [RangeTombstone]
    let fileBytes: UInt64

    /// Opens and checks a table.
    /// - Parameters:
    ///   - uid: what MANIFEST says; nil trusts the file's own (offline tools).
    ///   - cache: where its blocks go; nil reads them each time.
    static func open(
        file: any File, uid: UID?, size: UInt64, cache: BlockCache?
    ) throws(StorageError) -> TableReader {
        throw StorageError(.internalError, kind: .bug, "not yet")
    }

    private init(uid: UID) {
        self.uid = uid
        properties = TableProperties()
        rangeTombstones = []
        fileBytes = 0
    }

    /// The newest version of `key` not above `timestamp`, range tombstones applied. The value lives
    /// while `pin` is not reused. No allocation on a cached hit.
    func get(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp, pin: inout BlockPin
    ) throws(StorageError) -> PointLookup { .absent }

    /// All entries, range tombstones not applied.
    /// - Parameter fillCache: false for compaction: blocks read are not kept.
    func makeIterator(fillCache: Bool = true) -> InternalIterator { InternalIterator() }

    /// Bytes of the file that hold keys of [lower, upper), roughly.
    func approximateBytes(in range: KeyRange) -> UInt64 { 0 }

    func close() throws(StorageError) {}
}
