/// A memtable in line for its flush, or still being written, or what stands in a memtable's place: a large
/// batch or ingested files. With what the log says about it.
final class MemtableLayer: @unchecked Sendable {
    let table: MemTable
    /// Orders the layers and, once flushed, the level-0 tables.
    let epoch: UInt64
    /// The end of the last commit in it; final when the layer is immutable.
    @exclusivity(unchecked) var lastLSN: LSN
    /// The newest timestamp in it; final when the layer is immutable.
    @exclusivity(unchecked) var lastTimestamp = Timestamp.zero
    /// The files of one INGEST record, in their place among the commits until MANIFEST has them; they do not
    /// overlap one another, and ``table`` is an empty placeholder beside them.
    let ingested: [TableFile]
    /// A large batch; the memtable beside it holds its range deletes and nothing else.
    let adopted: AdoptedBatch?

    init(
        table: MemTable, epoch: UInt64, lastLSN: LSN, ingested: [TableFile] = [],
        adopted: AdoptedBatch? = nil
    ) {
        self.adopted = adopted
        self.table = table
        self.epoch = epoch
        self.lastLSN = lastLSN
        self.ingested = ingested
    }

    /// The newest version of `key` not above `timestamp`, but for ingested files.
    func get(_ key: UnsafeRawBufferPointer, at timestamp: Timestamp) -> PointLookup {
        adopted?.get(key, at: timestamp) ?? table.get(key, at: timestamp)
    }

    /// All entries but those of ingested files; range tombstones not applied.
    func makeIterator() -> InternalIterator { adopted?.makeIterator() ?? table.makeIterator() }

    /// Nothing but ingested files, perhaps.
    var isEmpty: Bool { adopted == nil && table.isEmpty }

    var approximateBytes: Int { table.approximateBytes + (adopted?.memoryBytes ?? 0) }

    var ingestedByNumber: [FileNumber: TableFile] {
        Dictionary(ingested.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
    }
}
