/// What a published commit became.
public struct CommitReceipt: Hashable, Sendable {
    /// The version number of every write of the batch.
    public var timestamp: Timestamp
    /// The position just after the commit's record.
    public var lsn: LSN

    public init(timestamp: Timestamp, lsn: LSN) {
        self.timestamp = timestamp
        self.lsn = lsn
    }
}
