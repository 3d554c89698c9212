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

extension TransactionCounts {
    mutating func add(_ database: DatabaseState) {
        let totals = database.statistics.totals
        committed += Int(totals.committed)
        aborted += Int(totals.aborted)
        serializationFailures += Int(totals.aborted(by: .serializationFailure))
        deadlocks += Int(totals.aborted(by: .deadlockDetected))
    }
}

extension SQLDatabase {
    /// Thread-safe.
    public var transactionCounts: TransactionCounts {
        var (counts, databases) = counted
        for database in databases { counts.add(database) }
        let tracked = serializables.counts
        counts.serializableTracked = tracked.active + tracked.committed
        return counts
    }
}
