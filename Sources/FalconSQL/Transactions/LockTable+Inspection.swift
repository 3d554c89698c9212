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
        for lock in heldMasks() {
            let subject: LockSubject
            if let advisory = lock.owner.advisoryKey(lock.key) {
                subject = .advisory(advisory)
            } else {
                let (database, oid) = Self.relation(ofKey: lock.key)
                guard let databaseOID = databaseOID(database) else { continue }
                subject = .relation(oid, database: databaseOID)
            }
            for mode in LockMode.relationModes where lock.mask & mode.bit != 0 {
                result.append(
                    Entry(owner: lock.owner, subject: subject, mode: mode, isFast: lock.isFast))
            }
        }
        for wait in waits() {
            let subject: LockSubject? = wait.mode.isRow ? nil : wait.subject
            result.append(
                Entry(owner: wait.owner, subject: subject, mode: wait.mode, wait: wait))
        }
        return result
    }

    private func heldMasks() -> [HeldMask] {
        let fast = allOwners.flatMap { owner in
            owner.fast.withLock { fast in
                fast.filter { !$0.isTransferred }.map {
                    HeldMask(owner: owner, key: $0.key, mask: $0.mask, isFast: true)
                }
            }
        }
        // Row locks are many, and no lock of pg_locks.
        return fast + heldMasks(in: LockMode.allRelationModes)
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
