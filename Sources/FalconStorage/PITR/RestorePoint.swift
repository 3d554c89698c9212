/// Where a restore shall end.
public enum RestoreTarget: Sendable, Hashable {
    /// The state after the log's first so many bytes: every commit that ends at or before it.
    case lsn(LSN)
    /// Every commit whose timestamp is at or before this moment, in microseconds since 1970 UTC.
    case time(UInt64)
    /// Everything that a restart of the source would keep.
    case latest
}

/// A commit or an ingestion, as the log names it.
public struct RestorePoint: Sendable, Hashable {
    /// Where its record begins.
    public var lsn: LSN
    /// One beyond its record: `--to-lsn` with it includes the commit.
    public var endLSN: LSN
    /// Its version number.
    public var timestamp: Timestamp
    /// Its number; 0 of an ingestion.
    public var transaction: TransactionID
    /// Operations of the COMMIT itself, those in BATCH_PARTs before it not counted; entries of an
    /// ingestion's files.
    public var operationCount: UInt32

    /// The commit's moment in microseconds since 1970 UTC.
    public var micros: UInt64 { timestamp.microsSince1970 }
}

/// One end of what can be restored.
public struct RestoreBound: Sendable, Hashable {
    /// `--to-lsn` with it gives this state.
    public var lsn: LSN
    /// Microseconds since 1970 UTC; nil when no commit tells the time.
    public var micros: UInt64?
}
