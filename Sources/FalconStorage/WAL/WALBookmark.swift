/// Where a record can be read again without reading the log before it.
struct WALBookmark: Sendable, Hashable {
    var segment: WALSegmentNumber
    /// File offset of the record's chunk.
    var chunkOffset: UInt64
    /// The LSN at which the chunk begins.
    var chunkLSN: LSN
    var lsn: LSN
}
