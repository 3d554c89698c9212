/// What a log holds, found by reading all of it before anything is replayed.
struct LogScan {
    var slices: [LogSlice] = []
    var records: UInt64 = 0
    var commits = 0
    var operations = 0
    var lastCommit = Timestamp.zero
    var transactionFloor = TransactionID(0)
    var timestampFloor = Timestamp.zero
    var highestIncarnation: UInt64 = 0
    /// The end of the last record that counts: orphaned parts do not.
    var endLSN: LSN
    var verdict = WALVerdict.clean(end: .zero)
    var continuation = WALContinuation.beginning
    /// Segments entered.
    var segments = 0

    init(from start: LSN) { endLSN = start }
}

/// Reads a log to its end and judges it: its verdict, and whether every record can be replayed by this
/// program. What it lets through, ``SliceReplay`` need not doubt.
struct LogScanner {
    let directory: String
    /// A slice ends when its memtable reaches about this size.
    let memtableBytes: Int
    private let adoption: AdoptionRule

    /// The least that a slice's memtable could overflow its arena by.
    private static let largestNeededBytes = 3 << 30

    private var scan: LogScan
    private var slice: LogSlice?
    /// The open transaction: its parts so far, from the first.
    private var parts: LogSlice?
    private var partsOf: TransactionID?
    private var partCount: UInt32 = 0

    init(directory: String, from start: LSN, memtableBytes: Int) {
        self.directory = directory
        self.memtableBytes = memtableBytes
        adoption = AdoptionRule(rotationBytes: memtableBytes)
        scan = LogScan(from: start)
    }

    /// Reads to the end. Throws on I/O errors, on records that make no sense, and on those that this
    /// program cannot replay; what `reader` says about the log's bytes is for the caller to weigh.
    mutating func run(
        _ reader: WALReader, _ progress: RecoveryProgress, offsets: [WALSegmentNumber: UInt64]
    ) throws(StorageError) -> LogScan {
        while let record = try reader.next() {
            scan.records &+= 1
            try take(record, reader)
            if scan.records & 4095 == 0 {
                let before = reader.segmentHeader.flatMap { offsets[$0.segment] } ?? 0
                progress.advance(
                    doneBytes: before + (reader.summaries.last?.usedBytes ?? 0),
                    records: scan.records)
            }
        }
        close()
        scan.verdict = reader.verdict
        scan.continuation = reader.continuation
        scan.segments = reader.summaries.count
        return scan
    }

    private mutating func take(
        _ record: WALRecord, _ reader: WALReader
    ) throws(StorageError) {
        switch record.tag {
        case .commit: try takeCommit(record, reader)
        case .batchPart:
            guard takePart(record, reader) else {
                throw damaged(record, "A BATCH_PART record makes no sense.")
            }
            // No slice ends between a transaction's parts and its COMMIT: replay from there would
            // miss the parts.
            return
        case .ingest:
            try takeIngest(record, reader)
        case .incarnation:
            parts = nil
            guard let incarnation = IncarnationRecord(record.body) else {
                throw damaged(record, "An INCARNATION record makes no sense.")
            }
            scan.highestIncarnation = max(scan.highestIncarnation, incarnation.incarnation)
            scan.transactionFloor = max(scan.transactionFloor, incarnation.transactionFloor)
            scan.timestampFloor = max(scan.timestampFloor, incarnation.timestampFloor)
        case .closedTimestamp:
            if let closed = ClosedTimestampRecord(record.body) {
                scan.timestampFloor = max(scan.timestampFloor, closed.timestamp)
            }
        default:
            if record.tag.isCritical {
                throw StorageError(
                    .unsupportedFormat, kind: .user,
                    "The log holds a \(record.tag) record at \(record.lsn), which this program "
                        + "cannot replay.", location: .init(path: directory),
                    hint: "Open it with the version that wrote it, or a later one.")
            }
        }
        scan.endLSN = max(scan.endLSN, record.end)
        slice?.end = record.end
    }

    // MARK: - Transactions

    /// False: it makes no sense. A part without the ones before it is an orphan's rest.
    private mutating func takePart(_ record: WALRecord, _ reader: WALReader) -> Bool {
        guard let view = BatchPartView(record.body), let tally = OperationTally(view.operations())
        else { return false }
        if view.part == 0 {
            parts = LogSlice(start: reader.bookmark(of: record))
            partsOf = view.transaction
            partCount = 0
        } else if view.transaction != partsOf || view.part != partCount {
            parts = nil
        }
        guard parts != nil else { return true }
        partCount &+= 1
        parts?.add(bodyBytes: record.body.count, tally)
        return true
    }

    private mutating func takeCommit(
        _ record: WALRecord, _ reader: WALReader
    ) throws(StorageError) {
        guard let view = CommitRecordView(record.body) else {
            throw damaged(record, "A COMMIT record makes no sense.")
        }
        let header = view.header
        var whole = LogSlice(start: reader.bookmark(of: record))
        if header.partCount > 0 {
            guard let parts, partsOf == header.transaction, partCount == header.partCount else {
                throw damaged(record, "Parts of a COMMIT's operations are missing.")
            }
            whole = parts
        }
        parts = nil
        guard let tally = OperationTally(view.operations()) else {
            throw damaged(record, "A COMMIT's operations make no sense.")
        }
        whole.add(bodyBytes: record.body.count, tally)
        whole.commits = 1
        // A memtable would be too small for the second.
        if adoption.adopts(
            bytes: whole.batchBytes, operations: whole.operations,
            rangeDeletes: whole.rangeDeletes) || whole.batchBytes > memtableBytes
        {
            close()
            whole.end = record.end
            whole.isOneBatch = true
            scan.slices.append(whole)
        } else {
            add(whole)
        }
        scan.commits += 1
        scan.operations += whole.operations
        scan.lastCommit = max(scan.lastCommit, header.timestamp)
        scan.transactionFloor = max(
            scan.transactionFloor, TransactionID(header.transaction.rawValue &+ 1))
    }

    /// What follows is newer than the files, what came before is older: a slice of its own.
    private mutating func takeIngest(
        _ record: WALRecord, _ reader: WALReader
    ) throws(StorageError) {
        parts = nil
        guard let ingest = IngestRecord(record.body) else {
            throw damaged(record, "An INGEST record makes no sense.")
        }
        close()
        var slice = LogSlice(start: reader.bookmark(of: record))
        slice.end = record.end
        slice.ingest = ingest
        scan.slices.append(slice)
        scan.commits += 1
        scan.lastCommit = max(scan.lastCommit, ingest.timestamp)
    }

    // MARK: - Slices

    private mutating func add(_ transaction: LogSlice) {
        if let slice,
            slice.memtableBytes + transaction.memtableBytes > memtableBytes
                || slice.neededBytes + transaction.neededBytes > Self.largestNeededBytes
        {
            close()
        }
        if slice == nil { slice = LogSlice(start: transaction.start) }
        slice?.add(transaction)
    }

    private mutating func close() {
        if let slice { scan.slices.append(slice) }
        slice = nil
    }

    private func damaged(_ record: WALRecord, _ message: String) -> StorageError {
        .corruption(
            "\(message) It lies at \(record.lsn).", path: directory,
            hint: "Run wal-inspect on the directory.")
    }
}
