/// Logs the schema now and then, so that whoever starts in mid-log finds it there. Used by one thread.
final class CheckpointWriter {
    /// Reads tables and memtables and cannot write.
    private let reader: StorageEngine
    private let pipeline: CommitPipeline
    private let wal: WALWriter
    private let read: CatalogRowReader
    /// Where the newest CHECKPOINT ends; zero before the first of this incarnation.
    private(set) var end = LSN.zero

    init(
        reader: StorageEngine, pipeline: CommitPipeline, wal: WALWriter,
        read: @escaping CatalogRowReader
    ) {
        self.reader = reader
        self.pipeline = pipeline
        self.wal = wal
        self.read = read
    }

    /// Writes one when there is none in this incarnation or half a segment was logged since.
    func writeIfDue() throws(StorageError) {
        let since = wal.nextLSN.rawValue &- end.rawValue
        guard end == .zero || since >= UInt64(wal.options.segmentBytes) / 2 else { return }
        // A change of the catalog meanwhile makes what was read useless; it is rare.
        for _ in 0..<8 {
            let snapshot = reader.makeSnapshot(owner: "checkpoint")
            defer { snapshot.release() }
            let entries = try read { [reader] range throws(StorageError) in
                try reader.entries(range, at: snapshot.timestamp)
            }
            if entries.isEmpty { return }
            let written = try pipeline.logCheckpoint(
                entries, readAt: snapshot.timestamp, replay: reader.tree.state.version.flushedLSN,
                wallMicros: reader.environment.clock.wallMicros())
            if let written {
                end = written
                return
            }
        }
    }
}

extension StorageEngine {
    /// Logs the schema now, and returns where the record ends; nil when there is none, or it changes all the time.
    func logSchema() throws(StorageError) -> LSN? {
        guard let read = options.catalogReader else { return nil }
        let side = try writable()
        let writer = CheckpointWriter(
            reader: self, pipeline: side.pipeline, wal: side.wal, read: read)
        try writer.writeIfDue()
        return writer.end == .zero ? nil : writer.end
    }

    fileprivate func entries(
        _ range: KeyRange, at timestamp: Timestamp
    ) throws(StorageError) -> [CheckpointRecord.Entry] {
        let rows = try makeIterator(range, at: timestamp)
        var entries: [CheckpointRecord.Entry] = []
        try rows.seekToFirst()
        while rows.isValid {
            entries.append(.init(key: Array(rows.key), value: Array(rows.value)))
            try rows.next()
        }
        return entries
    }
}
