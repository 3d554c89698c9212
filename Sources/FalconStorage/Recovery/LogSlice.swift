/// A stretch of the log that becomes one memtable, cut between transactions.
///
/// Slices are independent of one another: each has a memtable of its own, and the memtables' epochs
/// order what they hold. That is what lets them be replayed side by side.
struct LogSlice: Sendable {
    /// The first record.
    var start: WALBookmark
    /// One beyond the last record.
    var end: LSN
    /// What its commits will roughly take in a memtable.
    var memtableBytes = 0
    /// What they took in their batches, and how many range deletes are among them.
    var batchBytes = 0
    var rangeDeletes = 0
    /// What they will take at most.
    var neededBytes = 0
    var commits = 0
    var operations = 0
    /// The slice is this record and nothing else: files that were ingested, in a layer of their own.
    var ingest: IngestRecord?

    /// The slice is one large transaction, which becomes a layer of its own as it did when committed.
    var isOneBatch = false

    /// Bytes of an entry and its share of the tree's nodes, beside key and value.
    private static let entryBytes = 64
    private static let greatestEntryBytes = 280

    init(start: WALBookmark) {
        self.start = start
        end = start.lsn
    }

    mutating func add(_ other: LogSlice) {
        memtableBytes += other.memtableBytes
        neededBytes += other.neededBytes
        batchBytes += other.batchBytes
        rangeDeletes += other.rangeDeletes
        commits += other.commits
        operations += other.operations
    }

    mutating func add(bodyBytes: Int, _ tally: OperationTally) {
        let operations = tally.operations
        batchBytes += tally.batchBytes
        rangeDeletes += tally.rangeDeletes
        memtableBytes += bodyBytes + operations * Self.entryBytes
        neededBytes += bodyBytes + operations * Self.greatestEntryBytes
        self.operations += operations
    }
}

/// The operations of one record.
struct OperationTally {
    var operations = 0
    /// As ``WriteBatch/byteCount`` counts them.
    var batchBytes = 0
    var rangeDeletes = 0

    /// Nil when they make no sense, or are not all there.
    init?(_ operations: WALOperationIterator) {
        var operations = operations
        while let operation = operations.next() {
            switch operation.kind {
            case .put, .delete: break
            case .rangeDelete: rangeDeletes += 1
            default: return nil
            }
            self.operations += 1
            batchBytes += WriteBatch.operationBytes(
                key: operation.key.count, value: operation.value.count,
                before: operation.before?.count)
        }
        if operations.isDamaged { return nil }
    }
}
