import Synchronization

/// Whoever holds locks. A session has two: one for its transactions in turn, one for its advisory
/// locks that outlive them. Both are one to the rules: they never wait for each other.
///
/// `held` belongs to the session's current thread. What other threads read (the fast-path relation
/// locks and the current wait) is behind its own mutex.
final class LockOwner: @unchecked Sendable {
    struct Held {
        var key: UInt64
        /// The modes this acquisition added; a rollback to a savepoint takes exactly these away.
        var mask: UInt16
        var isStrongRelation: Bool
    }
    /// One acquisition: the masks of one relation's entries have no mode in common.
    struct FastLock {
        var key: UInt64
        var mask: UInt16
        /// A strong locker has moved it into the main table.
        var isTransferred: Bool
    }

    let processID: Int32
    var held: [Held] = []
    let fast = Mutex<[FastLock]>([])
    /// Its session's, which both owners of a session share.
    let waiting: CurrentWait
    /// The number of its current transaction, once somebody has asked for it.
    let transactionNumber = Mutex<UInt64?>(nil)
    /// What the keys of its advisory locks stand for, for pg_locks.
    private let advisoryKeys = Mutex<[UInt64: AdvisoryKey]>([:])
    /// Whether there are any: the session's thread asks before it takes the mutex.
    private var hasAdvisoryKeys = false
    private let priorityCell = Atomic(TransactionPriority.normal.rawValue)
    /// A prepared transaction's: it is no session's any more, and never waits.
    private let isDetachedCell = Atomic(false)

    init(processID: Int32) {
        self.processID = processID
        waiting = CurrentWait()
    }

    /// Another owner of `other`'s session.
    init(besides other: LockOwner) {
        processID = other.processID
        waiting = other.waiting
    }

    /// Its transaction's. Its session sets it, any thread reads it.
    var priority: TransactionPriority {
        TransactionPriority(rawValue: priorityCell.load(ordering: .relaxed)) ?? .normal
    }
    func setPriority(_ priority: TransactionPriority) {
        priorityCell.store(priority.rawValue, ordering: .relaxed)
    }

    /// One lock as a prepared transaction's record has it.
    struct Kept: Sendable, Equatable {
        var key: UInt64
        var mask: UInt16
        /// It goes through ``LockTable/acquireRelation(_:_:_:mayWait:subject:)``.
        var isRelation: Bool
        /// What an advisory lock's key stands for.
        var advisory: AdvisoryKey?
    }

    /// Everything it holds.
    var kept: [Kept] {
        held.map {
            Kept(
                key: $0.key, mask: $0.mask, isRelation: $0.isStrongRelation,
                advisory: hasAdvisoryKeys ? advisoryKey($0.key) : nil)
        }
            + fast.withLock { fast in
                fast.map { Kept(key: $0.key, mask: $0.mask, isRelation: true) }
            }
    }

    var isDetached: Bool { isDetachedCell.load(ordering: .acquiring) }

    /// Its session goes on without it.
    func detach() { isDetachedCell.store(true, ordering: .releasing) }

    /// Whether what one holds never keeps the other waiting.
    @inline(__always)
    func isOne(with other: LockOwner) -> Bool {
        self === other || (waiting === other.waiting && !isDetached && !other.isDetached)
    }

    /// What its session waits for now.
    var currentWait: LockWait? { isDetached ? nil : waiting.withLock { $0 } }

    // MARK: Advisory keys

    func note(_ advisory: AdvisoryKey, _ key: UInt64) {
        hasAdvisoryKeys = true
        advisoryKeys.withLock { $0[key] = advisory }
    }

    func forgetAdvisory(_ key: UInt64) {
        advisoryKeys.withLock { _ = $0.removeValue(forKey: key) }
    }

    func forgetAdvisoryKeys() {
        guard hasAdvisoryKeys else { return }
        hasAdvisoryKeys = false
        advisoryKeys.withLock { $0.removeAll() }
    }

    func advisoryKey(_ key: UInt64) -> AdvisoryKey? { advisoryKeys.withLock { $0[key] } }
}

/// What one session waits for, if anything. Its identity is the session's for the lock table.
final class CurrentWait: Sendable {
    private let wait = Mutex<LockWait?>(nil)

    func withLock<Result: Sendable>(_ body: (inout LockWait?) -> Result) -> Result {
        wait.withLock { body(&$0) }
    }
}
