/// Records that lie side by side in one chunk, borrowed until the reader moves.
struct WALRun {
    /// Where the first begins.
    let lsn: LSN
    /// One beyond the last.
    private(set) var end: LSN
    /// As the log holds them, each behind its length and tag.
    private(set) var bytes: UnsafeRawBufferPointer
    /// COMMIT and INGEST records among them.
    private(set) var commitCount = 0
    /// The INGEST records, which are rare.
    private(set) var ingests: [WALRecord] = []

    init(_ first: WALRecord) {
        lsn = first.lsn
        end = first.lsn
        bytes = UnsafeRawBufferPointer(
            start: first.body.baseAddress.map { $0 - WALFormat.recordHeaderBytes }, count: 0)
        add(first)
    }

    /// Takes in the record that follows in the chunk.
    mutating func add(_ record: WALRecord) {
        end = record.end
        bytes = UnsafeRawBufferPointer(
            start: bytes.baseAddress,
            count: bytes.count + WALFormat.recordHeaderBytes + record.body.count)
        if record.tag == .commit || record.tag == .ingest { commitCount += 1 }
        if record.tag == .ingest { ingests.append(record) }
    }
}

extension WALReader {
    /// The next records that end at or before `limit`, as many as lie in the chunk of the first. Nil where the log
    /// ends, which is then the ``verdict``, or the next record ends beyond `limit`.
    func nextRun(upTo limit: LSN) throws(StorageError) -> WALRun? {
        guard let first = try next(), first.end <= limit else { return nil }
        var run = WALRun(first)
        while chunkPosition < chunkBytes.count {
            let place = chunkPosition
            guard let record = nextInChunk() else { break }
            guard record.end <= limit else {
                chunkPosition = place
                break
            }
            run.add(record)
        }
        return run
    }
}

extension WALWriter {
    /// Copies records as another log holds them, lengths and tags included. They keep their LSNs when the first of
    /// them begins where this log ends: see the position that is returned.
    func append(copied records: UnsafeRawBufferPointer) throws(StorageError) -> WALPosition {
        monitor.lock()
        if failure != nil || isClosing {
            monitor.unlock()
            throw unavailable()
        }
        let start = active.endLSN
        let place = active.reserve(records.count, chunkBytes: options.chunkBytes)
        if let source = records.baseAddress {
            place.copyMemory(from: source, byteCount: records.count)
        }
        let end = active.endLSN
        let wakes = (flusherDeep || active.used >= Self.writeThresholdBytes) && claimFlusher()
        unlockMonitor(waking: wakes)
        return WALPosition(start: start, end: end)
    }
}
