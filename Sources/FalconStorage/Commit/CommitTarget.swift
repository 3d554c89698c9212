/// Where the pipeline applies a batch; the engine's writing side overrides it.
class CommitTarget: @unchecked Sendable {
    /// The memtable that takes `batch`, rotated first when the active one is full. Called inside the
    /// commit section.
    func layer(for batch: WriteBatch) throws(StorageError) -> MemtableLayer {
        throw StorageError(.closed, kind: .user, "The engine is not open for writing.")
    }
}
