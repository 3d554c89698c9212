import FalconSchema
import FalconStorage

/// What a transaction did and how it ended.
struct TransactionSummary: Sendable {
    enum Outcome: String, Sendable {
        case inProgress = "in progress"
        case committed
        case aborted
        case prepared
    }

    /// Nil for the many that nobody asked the number of.
    var number: UInt64?
    var processID: Int32
    var user: String
    var application: String
    var isolation: IsolationLevel
    var isReadOnly: Bool
    /// µs since 2000.
    var start: Int64
    var end: Int64
    var outcome: Outcome
    /// Of the error that ended it.
    var state: SQLState?
    var work: TransactionWork
    /// Its commit, when it wrote anything.
    var receipt: CommitReceipt?

    var micros: Int64 { max(0, end &- start) }
}
