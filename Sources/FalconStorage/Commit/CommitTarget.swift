/// Where the pipeline applies a batch; the engine's writing side overrides it.
class CommitTarget: @unchecked Sendable {
    /// Which batches become layers of their own.
    final let adoption: AdoptionRule

    init(_ adoption: AdoptionRule) { self.adoption = adoption }

    /// The memtable that takes `batch`, rotated first when the active one is full. Called inside the
    /// commit section.
    func layer(for batch: WriteBatch) throws(StorageError) -> MemtableLayer {
        throw StorageError(.closed, kind: .user, "The engine is not open for writing.")
    }

    /// Makes room for ingested files or a large batch in their place among the commits; nothing has been
    /// logged yet. Called inside the commit section.
    func preparePlace() throws(StorageError) -> LayerPlace {
        throw StorageError(.closed, kind: .user, "The engine is not open for writing.")
    }

    /// Puts the files of `record`, which ends at `end` in the log, there.
    func install(_ record: IngestRecord, end: LSN, in place: LayerPlace) {}

    /// Puts `batch`, committed at `timestamp` by a record that ends at `end`, there, and leaves it empty.
    /// False: no memory for its range deletes.
    func adopt(
        _ batch: WriteBatch, at timestamp: Timestamp, end: LSN, in place: LayerPlace
    ) -> Bool { false }
}
