import Synchronization

/// Whoever holds locks: one per session, used by its transactions in turn.
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
    struct FastLock {
        var key: UInt64
        var mask: UInt16
        /// A strong locker has moved it into the main table.
        var isTransferred: Bool
    }

    let processID: Int32
    var held: [Held] = []
    let fast = Mutex<[FastLock]>([])
    let waiting = Mutex<LockWait?>(nil)
    /// The number of its current transaction, once somebody has asked for it.
    let transactionNumber = Mutex<UInt64?>(nil)

    init(processID: Int32) { self.processID = processID }

    /// One lock as a prepared transaction's record has it.
    struct Kept: Sendable, Equatable {
        var key: UInt64
        var mask: UInt16
        /// It goes through ``LockTable/acquireRelation(_:_:_:mayWait:subject:)``.
        var isRelation: Bool
    }

    /// Everything it holds.
    var kept: [Kept] {
        held.map { Kept(key: $0.key, mask: $0.mask, isRelation: $0.isStrongRelation) }
            + fast.withLock { fast in
                fast.map { Kept(key: $0.key, mask: $0.mask, isRelation: true) }
            }
    }
}
