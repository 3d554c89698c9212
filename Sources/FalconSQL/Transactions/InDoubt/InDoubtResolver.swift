import Dispatch
import FalconSchema
import Synchronization

/// Ends prepared transactions that their preparers have left alone, as an ``InDoubtSource`` decides: an
/// orphan holds its locks for ever otherwise. Thread-safe.
public final class InDoubtResolver: Sendable {
    private struct Pause {
        var milliseconds: Int
        var end: ContinuousClock.Instant
    }

    private let database: SQLDatabase
    private let source: any InDoubtSource
    private let options: InDoubtOptions
    private let whenFailing: @Sendable (String) -> Void
    private let queue = DispatchQueue(label: "in-doubt resolver")
    private let stopping = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let state = Mutex(InDoubtCounts())

    /// Begins at once, on a thread of its own, until ``stop()``.
    /// - Parameter whenFailing: told why a question or a decision failed.
    public init(
        _ database: SQLDatabase, _ source: any InDoubtSource,
        _ options: InDoubtOptions = InDoubtOptions(),
        whenFailing: @escaping @Sendable (String) -> Void
    ) {
        self.database = database
        self.source = source
        self.options = options
        self.whenFailing = whenFailing
        queue.async { self.run() }
    }

    public var counts: InDoubtCounts { state.withLock { $0 } }

    /// Returns once nothing is asked or decided any more. To be called once, before the database closes.
    public func stop() {
        stopping.signal()
        source.stop()
        ended.wait()
    }

    private func run() {
        defer { ended.signal() }
        var pauses: [String: Pause] = [:]
        let tick = min(1000, max(10, options.afterMilliseconds / 4))
        while !stops(within: tick) {
            let found = database.inDoubt(olderThanMilliseconds: options.afterMilliseconds)
            let names = Set(found.map(\.gid))
            pauses = pauses.filter { names.contains($0.key) }
            for transaction in found {
                if let pause = pauses[transaction.gid], pause.end > .now { continue }
                // The rate's limit.
                if stops(within: 1000 / max(1, options.questionsPerSecond)) { return }
                if resolve(transaction) {
                    pauses[transaction.gid] = nil
                } else {
                    pauses[transaction.gid] = longer(pauses[transaction.gid])
                }
            }
        }
    }

    private func stops(within milliseconds: Int) -> Bool {
        guard stopping.wait(timeout: .now() + .milliseconds(milliseconds)) == .success else {
            return false
        }
        stopping.signal()
        return true
    }

    private func longer(_ pause: Pause?) -> Pause {
        let milliseconds = min(
            pause.map { $0.milliseconds * 2 } ?? 1000, max(1, options.longestPauseMilliseconds))
        return Pause(milliseconds: milliseconds, end: .now + .milliseconds(milliseconds))
    }

    /// True when the transaction is decided.
    private func resolve(_ transaction: InDoubtTransaction) -> Bool {
        state.withLock { $0.questions += 1 }
        do {
            switch try source.decision(of: transaction) {
            case .undecided:
                state.withLock { $0.undecided += 1 }
                return false
            case .commit:
                try database.decideInDoubt(transaction, commits: true)
                state.withLock { $0.committed += 1 }
            case .rollback:
                try database.decideInDoubt(transaction, commits: false)
                state.withLock { $0.rolledBack += 1 }
            }
            return true
        } catch {
            state.withLock { $0.failures += 1 }
            whenFailing("prepared transaction \"\(transaction.gid)\" stays in doubt: \(error)")
            return false
        }
    }
}
