import FalconSchema

/// Transactions of all databases, since the start of the server.
public struct TransactionCounts: Sendable, Equatable {
    public var committed = 0
    public var aborted = 0
    /// Of the aborted: by 40001, and by 40P01.
    public var serializationFailures = 0
    public var deadlocks = 0
    /// Serializable ones that are remembered now, open or ended, because others run beside them.
    public var serializableTracked = 0
}

extension SQLDatabase {
    /// Thread-safe.
    public var transactionCounts: TransactionCounts {
        var counts = TransactionCounts()
        for database in databaseList {
            let totals = database.statistics.totals
            counts.committed += Int(totals.committed)
            counts.aborted += Int(totals.aborted)
            counts.serializationFailures += Int(totals.aborted(by: .serializationFailure))
            counts.deadlocks += Int(totals.aborted(by: .deadlockDetected))
        }
        let tracked = serializables.counts
        counts.serializableTracked = tracked.active + tracked.committed
        return counts
    }
}
