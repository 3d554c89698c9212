import FalconSchema
import Synchronization

/// Who waits for whom.
extension LockTable {
    /// Registers `wait` in the wait-for graph and returns a report when it closes a cycle.
    func findDeadlock(_ wait: LockWait) -> (victim: LockWait, detail: String)? {
        graph.withLock { _ in
            wait.owner.waiting.withLock { $0 = wait }
            var path: [(LockWait, LockOwner)] = []
            var seen: Set<ObjectIdentifier> = []
            func visit(_ current: LockWait) -> Bool {
                for (blocker, isAlike) in blockersInQueue(of: current) {
                    if blocker.isOne(with: wait.owner) {
                        path.append((current, blocker))
                        return true
                    }
                    // It waits for nobody that `current` does not wait for too. A queue of many is
                    // gone through once, not once for each of them.
                    if isAlike { continue }
                    guard seen.insert(ObjectIdentifier(blocker)).inserted,
                        let next = blocker.currentWait
                    else { continue }
                    path.append((current, blocker))
                    if visit(next) { return true }
                    path.removeLast()
                }
                return false
            }
            guard visit(wait) else { return nil }
            // Whoever closes the cycle is the victim, unless another one's priority is lower.
            var first = 0
            for (place, step) in path.enumerated()
            where step.0.owner.priority < path[first].0.owner.priority {
                first = place
            }
            let detail = (path[first...] + path[..<first]).map { step, blocker in
                "Process \(step.owner.processID) waits for \(description(step, blocker)); "
                    + "blocked by process \(blocker.processID)."
            }.joined(separator: "\n")
            return (path[first].0, detail)
        }
    }

    /// What is waited for, in PostgreSQL's words: who wants a row waits for its locker's transaction.
    private func description(_ wait: LockWait, _ blocker: LockOwner) -> String {
        if wait.mode.isRow { return "ShareLock on transaction \(transactionNumber(of: blocker))" }
        switch wait.subject {
        case .relation(let oid, let database):
            return "\(wait.mode.name) on relation \(oid.rawValue) of database \(database)"
        case .advisory(let key):
            return "\(wait.mode.name) on advisory lock "
                + "[\(key.database),\(key.high),\(key.low),\(key.count)]"
        case .other: return "\(wait.mode.name) on object \(wait.key)"
        }
    }

    /// The number of the owner's current transaction; it gets one now if it has none.
    func transactionNumber(of owner: LockOwner) -> UInt64 {
        owner.transactionNumber.withLock { number in
            if let number { return number }
            let given = allocateTransaction()
            number = given
            return given
        }
    }

    /// Who keeps `wait` waiting: conflicting holders, and conflicting requests ahead of it.
    func blockers(of wait: LockWait) -> [LockOwner] { blockersInQueue(of: wait).map(\.owner) }

    /// The same; `isAlike` marks who stands ahead in the queue and wants the same mode.
    private func blockersInQueue(of wait: LockWait) -> [(owner: LockOwner, isAlike: Bool)] {
        shard(wait.key).state.withLock { shard in
            guard wait.isQueued, let slot = shard.find(wait.key), let heavy = Self.heavy(slot),
                let place = heavy.waiters.firstIndex(where: { $0 === wait })
            else { return [] }
            var result: [(owner: LockOwner, isAlike: Bool)] = []
            for holder in heavy.holders
            where !holder.owner.isOne(with: wait.owner) && holder.mask & wait.mode.conflicts != 0 {
                result.append((holder.owner, false))
            }
            for ahead in heavy.waiters[..<place]
            where !ahead.owner.isOne(with: wait.owner) && ahead.mode.bit & wait.mode.conflicts != 0
            {
                result.append((ahead.owner, ahead.mode == wait.mode))
            }
            return result
        }
    }
}
