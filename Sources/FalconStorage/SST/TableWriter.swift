/// Writes one table, streaming: blocks go to the file as they fill.
final class TableWriter {
    /// - Parameter file: new and empty; the writer writes and syncs it, the caller closes it.
    init(file: any File, uid: UID, options: TableOptions = .init()) throws(StorageError) {}

    /// Adds the next entry; entries come in internal order.
    func add(
        key: UnsafeRawBufferPointer, timestamp: Timestamp, kind: OperationKind,
        value: UnsafeRawBufferPointer
    ) throws(StorageError) {}

    func addRangeTombstone(_ tombstone: RangeTombstone) throws(StorageError) {}

    /// Bytes written and buffered so far: where to cut a compaction's output.
    var estimatedFileBytes: UInt64 { 0 }
    var entryCount: UInt64 { 0 }

    /// Writes what is left, syncs the file's data and describes it. Nothing may be added afterwards.
    func finish() throws(StorageError) -> TableSummary {
        throw StorageError(.internalError, kind: .bug, "not yet")
    }
}
