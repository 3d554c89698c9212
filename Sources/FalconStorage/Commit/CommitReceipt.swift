/// What a published commit became.
public struct CommitReceipt: Hashable, Sendable {
    /// The version number of every write of the batch.
    public var timestamp: Timestamp
    /// The position just after the commit's record.
    public var lsn: LSN

    /// A receipt as the engine makes it; for programs that stand in for one.
    public init(timestamp: Timestamp, lsn: LSN) {
        self.timestamp = timestamp
        self.lsn = lsn
    }
}
