/// How a table is written.
public struct TableOptions: Sendable {
    /// Uncompressed bytes after which a data block is cut.
    public var blockBytes = 4096
    public var codec: BlockCodec = .lz4
    /// Entries between restart points. A point costs 8 bytes and a whole key; a search scans half of
    /// what lies between two.
    public var restartInterval = 8
    /// Bloom filter bits per key; 0: no filter.
    public var filterBitsPerKey = 10
    /// Index bytes beyond which the index gets a second level; its partitions go through the cache.
    public var indexPartitionBytes = 2 << 20
    public init() {}
}
