/// Appends records to the log of one engine. (Signatures; the body follows.)
final class WALWriter: @unchecked Sendable {
    /// Creates the first segment of a new incarnation after what `continuation` names.
    static func open(
        directory: String, identity: WALIdentity, continuation: WALContinuation,
        options: WALOptions, environment: StorageEnvironment, callbacks: WALCallbacks
    ) throws(StorageError) -> WALWriter {
        throw StorageError(.internalError, kind: .bug, "The log writer is not built yet.")
    }

    /// Copies a record of `head` + `body` to the buffer; callers serialise among themselves (the
    /// commit mutex). No I/O, no waiting. Throws once the log is poisoned or closed.
    func append(
        _ tag: WALRecordTag, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer
    ) throws(StorageError) -> WALPosition {
        throw StorageError(.internalError, kind: .bug, "The log writer is not built yet.")
    }
    func append(_ tag: WALRecordTag, _ body: [UInt8]) throws(StorageError) -> WALPosition {
        throw StorageError(.internalError, kind: .bug, "The log writer is not built yet.")
    }

    /// Asks the flusher to bring everything up to `lsn` to the operating system, or to the device;
    /// returns at once, `progress` tells. Thread-safe, cheap when already asked.
    func requestWrite(upTo lsn: LSN) {}
    func requestSync(upTo lsn: LSN) {}
    /// Writes what is pending on the calling thread, unless the flusher is at it (then it asks the
    /// flusher and returns false). For `written` durability without two thread switches.
    @discardableResult func writePending() -> Bool { false }
    /// Blocks until all appended records are synced.
    func sync() throws(StorageError) {}

    /// What later chunk headers say about publication. Thread-safe; only rises.
    func setCommitted(_ lsn: LSN) {}

    var nextLSN: LSN { .zero }
    var writtenLSN: LSN { .zero }
    var syncedLSN: LSN { .zero }
    /// Bytes appended and not yet written: for backpressure.
    var pendingBytes: Int { 0 }

    /// Segments wholly below `lsn` are no longer needed by recovery; the ones also beyond
    /// `retainBytes` are recycled or removed, in the background.
    func releaseSegments(below lsn: LSN) {}

    /// Syncs, writes the closing watermark and ends the threads.
    func close() throws(StorageError) {}
}
