import FalconSchema
import Synchronization

/// How a wait for a lock ended.
enum LockOutcome: Sendable {
    case granted
    case timedOut
    case cancelled
    case deadlock(detail: String)
}

/// What a lock is on, for reports; rows are known by their modes.
enum LockSubject: Sendable {
    case relation(OID, database: UInt32)
    case advisory(AdvisoryKey)
    case other
}

/// One transaction's place in a lock's queue. It is resolved once, by whoever grants or breaks it.
final class LockWait: Sendable {
    private struct State {
        var outcome: LockOutcome?
        var callback: (@Sendable () -> Void)?
    }
    let key: UInt64
    let mode: LockMode
    let owner: LockOwner
    /// A strong relation lock: counted while it is wanted or held.
    let isStrongRelation: Bool
    /// What is waited for when it is no lock.
    enum Purpose: Sendable {
        case lock
        /// pg_sleep: a timer resolves it.
        case timer
        /// pg_terminate_backend waits for the end of a session, or for a timer.
        case sessionEnd
        /// The end of the transactions that may make a deferrable one's snapshot unsafe.
        case safeSnapshot
    }
    let purpose: Purpose
    var isTimer: Bool { purpose == .timer }
    /// In a lock's queue; others are resolved by whoever made them.
    var isQueued: Bool { purpose == .lock }
    let subject: LockSubject
    /// When it began, µs since 2000.
    let start = Session.nowMicros()
    private let state = Mutex(State())

    init(
        key: UInt64, mode: LockMode, owner: LockOwner, isStrongRelation: Bool,
        subject: LockSubject = .other
    ) {
        self.subject = subject
        self.key = key
        self.mode = mode
        self.owner = owner
        self.isStrongRelation = isStrongRelation
        purpose = .lock
    }

    /// A wait that stands in no queue; whoever made it resolves it.
    init(for purpose: Purpose, of owner: LockOwner) {
        key = 0
        subject = .other
        mode = .accessShare
        self.owner = owner
        isStrongRelation = false
        self.purpose = purpose
    }

    var outcome: LockOutcome? { state.withLock { $0.outcome } }

    /// Records the outcome. The caller fires the returned callback after it has dropped its locks.
    func resolve(_ outcome: LockOutcome) -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard state.outcome == nil else { return nil }
            state.outcome = outcome
            defer { state.callback = nil }
            return state.callback
        }
    }

    /// Calls `callback` once the wait is over; at once when it is already.
    func onReady(_ callback: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            if state.outcome != nil { return true }
            state.callback = callback
            return false
        }
        if isOver { callback() }
    }
}

/// What asking for a lock came to.
enum LockResult {
    case granted
    case waiting(LockWait)
    /// The caller did not want to wait and would have to.
    case unavailable
    /// The lock table's budget is spent.
    case exhausted
}
