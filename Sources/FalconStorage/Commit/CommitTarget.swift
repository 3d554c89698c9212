/// Where the pipeline applies a batch; the engine's writing side overrides it.
class CommitTarget: @unchecked Sendable {
    /// The memtable that takes `batch`, rotated first when the active one is full. Called inside the
    /// commit section.
    func layer(for batch: WriteBatch) throws(StorageError) -> MemtableLayer {
        throw StorageError(.closed, kind: .user, "The engine is not open for writing.")
    }

    /// Makes room for ingested files in their place among the commits; nothing has been logged yet.
    /// Called inside the commit section.
    func prepareIngest() throws(StorageError) -> IngestPlace {
        throw StorageError(.closed, kind: .user, "The engine is not open for writing.")
    }

    /// Puts the files of `record`, which ends at `end` in the log, there.
    func install(_ record: IngestRecord, end: LSN, in place: IngestPlace) {}
}
