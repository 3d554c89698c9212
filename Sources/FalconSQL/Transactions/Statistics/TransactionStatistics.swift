import FalconSchema
import Synchronization

/// The ended transactions of a database: totals since the server started, the latest, and the latest
/// slow ones. Thread-safe.
final class TransactionStatistics: Sendable {
    struct Totals: Sendable {
        var committed: Int64 = 0
        /// Committed ones that wrote nothing.
        var readOnly: Int64 = 0
        var aborted: Int64 = 0
        var prepared: Int64 = 0
        /// The aborted ones by the errors that ended them.
        var failures: [SQLState: Int64] = [:]
        var work = TransactionWork()
        /// Of committed ones.
        var durations = DurationCounts()
    }

    private struct State {
        var totals = Totals()
        var history = Ring<TransactionSummary>(capacity: 1000)
        var slow = Ring<TransactionSummary>(capacity: 200)
    }

    private let state = Mutex(State())

    var totals: Totals { state.withLock { $0.totals } }
    var history: [TransactionSummary] { state.withLock { $0.history.all } }
    var slow: [TransactionSummary] { state.withLock { $0.slow.all } }

    /// A transaction has ended. `isListed`: it goes into the history; the many reads outside blocks
    /// would leave room for nothing else.
    func add(_ summary: TransactionSummary, isListed: Bool, isSlow: Bool) {
        state.withLock { state in
            state.totals.add(summary)
            if isListed { state.history.append(summary) }
            if isSlow { state.slow.append(summary) }
        }
    }

    /// COMMIT PREPARED or ROLLBACK PREPARED of what was counted as prepared.
    func decided(commits: Bool) {
        state.withLock {
            if commits { $0.totals.committed += 1 } else { $0.totals.aborted += 1 }
        }
    }
}

extension TransactionStatistics.Totals {
    mutating func add(_ summary: TransactionSummary) {
        work += summary.work
        switch summary.outcome {
        case .inProgress: break
        case .prepared: prepared += 1
        case .committed:
            committed += 1
            if summary.work.writtenBytes == 0 { readOnly += 1 }
            durations.add(summary.micros)
        case .aborted:
            aborted += 1
            if let state = summary.state { failures[state, default: 0] += 1 }
        }
    }

    /// Aborted by this error.
    func aborted(by state: SQLState) -> Int64 { failures[state] ?? 0 }
}
