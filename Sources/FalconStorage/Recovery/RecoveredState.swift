/// What a data directory holds, found by reading alone: the manifest's state and the memtables that
/// the log rebuilds. Nothing on disk has been changed when this exists.
struct RecoveredState {
    /// Nil for a directory that has never been an engine's.
    var format: FormatFile?
    var manifest: ManifestContents?
    var version = Version.empty
    var incarnation: Incarnation?
    /// Above every number that a file in the directory has.
    var nextFileNumber = FileNumber(1)
    var nextManifestNumber: UInt64 = 1
    var nextFlushEpoch: UInt64 = 1
    /// Newest first; the active one is made by the engine.
    var layers: [MemtableLayer] = []
    var timestampFloor = Timestamp.zero
    /// The newest commit found.
    var lastCommit = Timestamp.zero
    var transactionFloor = TransactionID(1)
    /// The end of the last record replayed.
    var endLSN = LSN.zero
    var verdict = WALVerdict.clean(end: .zero)
    var continuation = WALContinuation.beginning
    var highestIncarnation: UInt64 = 0
    var replayedCommits = 0
    /// Files the manifest does not name: removed once a new manifest is published.
    var orphans: [String] = []

    var isNew: Bool { manifest == nil }
}
