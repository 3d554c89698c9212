/// How a table is written.
struct TableOptions: Sendable {
    /// Uncompressed bytes after which a data block is cut.
    var blockBytes = 4096
    /// How data blocks are compressed; one that does not shrink is stored as it is.
    var codec: BlockCodec = .lz4
    /// Entries between restart points. A point costs 8 bytes and a whole key; a search scans half of
    /// what lies between two.
    var restartInterval = 16
    /// Bloom filter bits per key; 0: no filter.
    var filterBitsPerKey = 10
    /// Bytes of index and filter together beyond which both are written in partitions of an eighth.
    ///
    /// Measured with a million entries of 116 bytes (docs/design/partitioned-tables.md): a read through
    /// held partitions costs what it costs through one block, so what decides is the memory that a
    /// table which nobody reads keeps.
    var partitioningBytes = 128 << 10
    /// With codec `zstd`: the greatest size of a dictionary trained from the table's first blocks, stored
    /// in it and used for its data blocks; 0: none. A table too small to train from has none.
    var dictionaryBytes = 0
    /// Says in the properties that the table was made outside an engine, to be ingested.
    var isSortedFile = false
    /// The file means nothing to a later process: it is not synced.
    var isScratch = false
    /// The defaults that each option states.
    init() {}

    var partitionBytes: Int { max(partitioningBytes / 8, 64) }
}
