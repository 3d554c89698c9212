/// What the table holds, for pg_locks and pg_blocking_pids.
extension LockTable {
    /// A lock held or waited for.
    struct Entry {
        let owner: LockOwner
        /// Nil: a row lock that is waited for, which is a wait for the holder's transaction.
        let subject: LockSubject?
        let mode: LockMode
        /// Nil when it is held.
        var wait: LockWait?
        var isFast = false
    }

    /// The relation and advisory locks held, and all locks waited for. Not one moment's picture: each
    /// owner and each shard is looked at by itself.
    func entries(databaseOID: (UInt32) -> UInt32?) -> [Entry] {
        var result: [Entry] = []
        for (owner, key, mask, isFast) in heldMasks() {
            let subject: LockSubject
            if let advisory = owner.advisoryKey(key) {
                subject = .advisory(advisory)
            } else {
                let (database, oid) = Self.relation(ofKey: key)
                guard let databaseOID = databaseOID(database) else { continue }
                subject = .relation(oid, database: databaseOID)
            }
            for mode in LockMode.relationModes where mask & mode.bit != 0 {
                result.append(Entry(owner: owner, subject: subject, mode: mode, isFast: isFast))
            }
        }
        for wait in waits() {
            let subject: LockSubject? = wait.mode.isRow ? nil : wait.subject
            result.append(
                Entry(owner: wait.owner, subject: subject, mode: wait.mode, wait: wait))
        }
        return result
    }

    private typealias HeldMask = (owner: LockOwner, key: UInt64, mask: UInt16, isFast: Bool)

    private func heldMasks() -> [HeldMask] {
        var result: [HeldMask] = []
        for owner in allOwners {
            owner.fast.withLock { fast in
                for lock in fast where !lock.isTransferred {
                    result.append((owner, lock.key, lock.mask, true))
                }
            }
        }
        forEachHolder { owner, key, mask in
            // Row locks are many, and no lock of pg_locks.
            if mask & LockMode.allRelationModes != 0 { result.append((owner, key, mask, false)) }
        }
        return result
    }

    /// The waits in a lock's queue that are not over.
    private func waits() -> [LockWait] {
        var seen: Set<ObjectIdentifier> = []
        return allOwners.compactMap { owner in
            guard let wait = owner.currentWait, wait.isQueued, wait.outcome == nil,
                seen.insert(ObjectIdentifier(wait)).inserted
            else { return nil }
            return wait
        }
    }

    /// The processes that keep this one waiting for a lock, each once.
    func blockingProcesses(of processID: Int32) -> [Int32] {
        guard
            let wait = waits().first(where: { $0.owner.processID == processID })
        else { return [] }
        var result: [Int32] = []
        for blocker in blockers(of: wait) {
            // A prepared transaction has no process: PostgreSQL says 0.
            let process = blocker.isDetached ? 0 : blocker.processID
            if !result.contains(process) { result.append(process) }
        }
        return result
    }
}
