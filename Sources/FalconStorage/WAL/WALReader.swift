/// Reads the records of a log directory in order. Read-only; safe beside a live writer.
/// (Signatures; the body follows.) Not thread-safe.
public final class WALReader {
    /// Begins at the first record at or after `start`.
    public init(
        directory: String, fileSystem: any FileSystem, from start: LSN = .zero
    ) throws(StorageError) {
        verdict = .clean(end: .zero)
        continuation = .beginning
    }

    /// The next record, or nil at the end; then `verdict` says how the log ends. Throws only on
    /// I/O errors: damage is a verdict. After a nil it may be called again: records that a live
    /// writer added since are then found.
    public func next() throws(StorageError) -> WALRecord? { nil }

    /// How the log ends; valid after `next` returned nil.
    public private(set) var verdict: WALVerdict
    /// How a new incarnation continues this log; valid after `next` returned nil. A torn tail leaves
    /// a gap of one segment size in the LSNs.
    public private(set) var continuation: WALContinuation
    /// The greatest committed and synced LSNs that a chunk header read so far states.
    public private(set) var committedLSN = LSN.zero
    public private(set) var syncedLSN = LSN.zero
    /// The LSN at which the first segment on disk begins; nil without segments.
    public private(set) var firstLSN: LSN?
}
