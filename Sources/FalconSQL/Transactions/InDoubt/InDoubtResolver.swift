import FalconSchema
import Synchronization

/// Ends prepared transactions that their preparers have left alone, as an ``InDoubtSource`` decides: an
/// orphan holds its locks for ever otherwise. Thread-safe; it has no thread, but the database's timers
/// and the source's.
public final class InDoubtResolver: Sendable {
    private struct Pause {
        var milliseconds: Int
        var end: ContinuousClock.Instant
    }
    private struct State {
        var counts = InDoubtCounts()
        /// Found in doubt and not asked about yet.
        var found: [InDoubtTransaction] = []
        /// Until when undecided ones are left alone.
        var pauses: [String: Pause] = [:]
        var isStopped = false
    }

    private let database: SQLDatabase
    private let source: any InDoubtSource
    private let options: InDoubtOptions
    private let whenFailing: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// Begins at once, until ``stop()``.
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
        goOn(afterMilliseconds: lookInterval)
    }

    public var counts: InDoubtCounts { state.withLock { $0.counts } }

    /// Nothing is asked or decided from now on; a commit on its way goes its way. To be called before
    /// the database closes.
    public func stop() {
        state.withLock { $0.isStopped = true }
        source.stop()
    }

    private var lookInterval: Int { min(1000, max(10, options.afterMilliseconds / 4)) }

    private func goOn(afterMilliseconds pause: Int) {
        _ = database.timers.schedule(afterMilliseconds: pause) { [weak self] in self?.step() }
    }

    /// Asks about the next one, or looks again in a while.
    private func step() {
        let isIdle = state.withLock { !$0.isStopped && $0.found.isEmpty }
        let found =
            isIdle ? database.inDoubt(olderThanMilliseconds: options.afterMilliseconds) : []
        let (next, isStopped) = state.withLock { state -> (InDoubtTransaction?, Bool) in
            if state.isStopped { return (nil, true) }
            if isIdle {
                let names = Set(found.map(\.gid))
                state.pauses = state.pauses.filter { names.contains($0.key) }
                let now = ContinuousClock.now
                state.found = found.filter { transaction in
                    state.pauses[transaction.gid].map { $0.end <= now } ?? true
                }
            }
            guard !state.found.isEmpty else { return (nil, false) }
            state.counts.questions += 1
            return (state.found.removeFirst(), false)
        }
        if let next {
            source.ask(next) { [weak self] in self?.answered(next, $0) }
        } else if !isStopped {
            goOn(afterMilliseconds: lookInterval)
        }
    }

    private func answered(
        _ transaction: InDoubtTransaction, _ answer: Result<InDoubtDecision, any Error>
    ) {
        if state.withLock({ $0.isStopped }) { return }
        let decision: InDoubtDecision
        do { decision = try answer.get() } catch { return failed(transaction, error) }
        guard decision != .undecided else { return ended(transaction) { $0.undecided += 1 } }
        let commits = decision == .commit
        do throws(SQLError) {
            try database.decideInDoubt(transaction, commits: commits) { [weak self] result in
                switch result {
                case .success:
                    self?.ended(transaction) {
                        if commits { $0.committed += 1 } else { $0.rolledBack += 1 }
                    }
                case .failure(let error): self?.failed(transaction, error)
                }
            }
        } catch {
            switch error.state {
            // Somebody else has decided it meanwhile, or is about to.
            case .undefinedObject, .objectNotInPrerequisiteState: ended(transaction) { _ in }
            default: failed(transaction, error)
            }
        }
    }

    private func failed(_ transaction: InDoubtTransaction, _ error: any Error) {
        whenFailing("prepared transaction \"\(transaction.gid)\" stays in doubt: \(error)")
        ended(transaction) { $0.failures += 1 }
    }

    /// The question is dealt with; the next one keeps to the rate.
    private func ended(
        _ transaction: InDoubtTransaction, _ count: (inout InDoubtCounts) -> Void
    ) {
        state.withLock { state in
            count(&state.counts)
            let before = state.pauses[transaction.gid]?.milliseconds
            let pause = min(
                before.map { $0 * 2 } ?? options.firstPauseMilliseconds,
                max(1, options.longestPauseMilliseconds))
            // Of one that was decided nobody asks again: the next look forgets it.
            state.pauses[transaction.gid] = Pause(
                milliseconds: pause, end: .now + .milliseconds(pause))
        }
        goOn(afterMilliseconds: 1000 / max(1, options.questionsPerSecond))
    }
}
