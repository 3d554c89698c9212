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
    /// The text of its last statement, of a slow one.
    var query = ""

    /// Bytes of a statement's text that are kept.
    private static let queryBytes = 1024

    /// Whole characters of the text's beginning.
    static func shortened(_ text: String) -> String {
        guard text.utf8.count > queryBytes else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: queryBytes)
        while text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }

    var micros: Int64 { max(0, end &- start) }
}
