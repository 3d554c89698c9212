/// One shard replica's storage: WAL, memtables, sorted tables and their manifest in one directory.
///
/// Every method may be called from any thread.
public final class StorageEngine: @unchecked Sendable {
    public let path: String
    public let options: EngineOptions

    static var unimplemented: StorageError {
        StorageError(.internalError, kind: .bug, "This part of the engine is not there yet.")
    }

    init(path: String, options: EngineOptions) {
        self.path = path
        self.options = options
    }

    /// Opens the engine in `path`, recovering what a crash left.
    public static func open(
        at path: String, options: EngineOptions = .init(), environment: StorageEnvironment
    ) throws(StorageError) -> StorageEngine {
        try options.validate()
        throw unimplemented
    }

    /// Flushes nothing, loses nothing: the log is made durable, threads end, the lock goes.
    public func close() throws(StorageError) { throw Self.unimplemented }

    /// The newest commit that readers may see.
    public var publishedTimestamp: Timestamp { .zero }

    /// A snapshot at ``publishedTimestamp``.
    public func makeSnapshot() -> Snapshot { SnapshotTracker().makeSnapshot() }

    /// The value of `key` visible at `timestamp`, copied; nil when there is none.
    public func get(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp
    ) throws(StorageError) -> [UInt8]? { throw Self.unimplemented }

    /// Calls `body` with the value of `key` visible at `timestamp`, borrowed, and its commit
    /// timestamp; nil when there is none.
    public func withValue<R>(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp,
        _ body: (UnsafeRawBufferPointer, Timestamp) throws(StorageError) -> R
    ) throws(StorageError) -> R? { throw Self.unimplemented }

    /// The timestamp of the newest published version of `key`, put or delete.
    public func newestCommit(
        of key: UnsafeRawBufferPointer
    ) throws(StorageError) -> Timestamp? { throw Self.unimplemented }

    /// A cursor over `range` at `timestamp`, with `overlay`'s writes below `ordinal` laid over it.
    public func makeIterator(
        _ range: KeyRange, at timestamp: Timestamp, overlay: WriteBatch? = nil,
        below ordinal: UInt32 = .max
    ) throws(StorageError) -> RangeIterator { throw Self.unimplemented }

    /// Commits `batch`; `completion` is called once, after publication in commit order, on a thread
    /// of the engine. The batch belongs to the engine until then.
    public func commit(
        _ batch: WriteBatch, _ options: CommitOptions,
        completion: @escaping @Sendable (Result<CommitReceipt, StorageError>) -> Void
    ) { completion(.failure(Self.unimplemented)) }

    /// Commits `batch` and waits for its publication.
    public func commitAndWait(
        _ batch: WriteBatch, _ options: CommitOptions = .init()
    ) throws(StorageError) -> CommitReceipt { throw Self.unimplemented }

    /// A transaction number never given before, in this or an earlier life of the directory.
    public func allocateTransactionID() -> TransactionID { TransactionID(0) }

    /// Writes every memtable's content to level 0.
    public func flush() throws(StorageError) { throw Self.unimplemented }

    /// Flushes, then compacts every table that overlaps `range` down to the last level.
    public func compact(_ range: KeyRange = .all) throws(StorageError) { throw Self.unimplemented }

    public func statistics() -> EngineStatistics { EngineStatistics() }

    /// Makes a copy at `path` that opens as an engine, by hard links where the files allow it.
    public func checkpoint(to path: String) throws(StorageError) { throw Self.unimplemented }

    /// Accepts a wall clock that jumped ahead; see ``EngineStatistics/clockJumpPending``.
    public func confirmClockJump() {}
}
