import FalconSchema
import Synchronization

/// What can stop a running or waiting statement from outside its thread.
final class Interrupt: Sendable {
    /// From `terminated` on, reasons end the session and stay.
    enum Reason: UInt8 {
        case none, user, statementTimeout
        case terminated, idleInTransaction, idleSession, transactionTimeout
    }

    private let reason = Atomic<UInt8>(0)
    private let wait = Mutex<LockWait?>(nil)
    private let commit = Mutex<CommitWait?>(nil)
    private let ender = Mutex<(@Sendable () -> Void)?>(nil)
    private let locks: LockTable

    init(locks: LockTable) { self.locks = locks }

    @inline(__always)
    var isSet: Bool { reason.load(ordering: .relaxed) != 0 }

    /// The session is to end.
    var isEnding: Bool { reason.load(ordering: .relaxed) >= Reason.terminated.rawValue }

    /// Makes the current statement fail at its next check, and ends its lock wait. One that ends the
    /// session also tells whoever serves it: no statement may be running.
    func raise(_ why: Reason) {
        set(why)
        if isEnding {
            let ender = ender.withLock { $0 }
            ender?()
        }
        if let current = wait.withLock({ $0 }) { locks.cancel(current, .cancelled) }
        commit.withLock({ $0 })?.cancel()
    }

    private func set(_ why: Reason) {
        var old = reason.load(ordering: .relaxed)
        while old < Reason.terminated.rawValue {
            let result = reason.weakCompareExchange(
                expected: old, desired: why.rawValue, ordering: .acquiringAndReleasing)
            if result.exchanged { return }
            old = result.original
        }
    }

    /// Has `callback` called when the session is to end; at once when it is already.
    func whenAskedToEnd(_ callback: @escaping @Sendable () -> Void) {
        ender.withLock { $0 = callback }
        if isEnding { callback() }
    }

    /// An idle timeout is over. Whoever serves the session looks whether it still is idle; a session
    /// that nobody serves ends with its next request.
    func expired(_ why: Reason) {
        if let ender = ender.withLock({ $0 }) { ender() } else { set(why) }
    }

    /// A commit is held back: raising takes it back.
    func beginCommit(_ current: CommitWait) {
        commit.withLock { $0 = current }
        if isSet { current.cancel() }
    }

    /// True when one had begun.
    func endCommit() -> Bool {
        commit.withLock { current in
            defer { current = nil }
            return current != nil
        }
    }

    func terminateIfSleeping() {
        if wait.withLock({ $0?.isTimer ?? false }) { raise(.terminated) }
    }

    func clearUnlessTerminated() {
        for raised in [Reason.user, .statementTimeout] {
            _ = reason.compareExchange(
                expected: raised.rawValue, desired: 0, ordering: .relaxed)
        }
    }

    func clear() { reason.store(0, ordering: .relaxed) }

    func beginWait(_ current: LockWait) {
        wait.withLock { $0 = current }
        if isSet { locks.cancel(current, .cancelled) }
    }
    /// The session stands in a wait.
    var isWaiting: Bool { wait.withLock { $0 != nil } }

    func endWait() { wait.withLock { $0 = nil } }

    /// Throws 57014 (or 57P01) when the statement is to stop.
    @inline(__always)
    func check() throws(SQLError) {
        if isSet { throw error }
    }

    static let idleInTransaction = SQLError(
        SQLState("25P03"), "terminating connection due to idle-in-transaction timeout",
        severity: .fatal)
    static let idleSession = SQLError(
        SQLState("57P05"), "terminating connection due to idle-session timeout", severity: .fatal)

    var error: SQLError {
        switch Reason(rawValue: reason.load(ordering: .acquiring)) {
        case .statementTimeout:
            return SQLError(.queryCanceled, "canceling statement due to statement timeout")
        case .terminated:
            return SQLError(
                .adminShutdown, "terminating connection due to administrator command",
                severity: .fatal)
        case .idleInTransaction: return Self.idleInTransaction
        case .idleSession: return Self.idleSession
        case .transactionTimeout:
            return SQLError(
                SQLState("25P04"), "terminating connection due to transaction timeout",
                severity: .fatal)
        default:
            return SQLError(.queryCanceled, "canceling statement due to user request")
        }
    }
}
