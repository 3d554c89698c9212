import Testing

@testable import FalconSQL

@Suite struct LockTableTests {
    private func owner(_ table: LockTable, _ id: Int32) -> LockOwner {
        let owner = LockOwner(processID: id)
        table.register(owner)
        return owner
    }

    private func isGranted(_ result: LockResult) -> Bool {
        if case .granted = result { return true }
        return false
    }

    private func wait(_ result: LockResult) -> LockWait? {
        if case .waiting(let wait) = result { return wait }
        return nil
    }

    private func isGranted(_ wait: LockWait?) -> Bool {
        if case .granted? = wait?.outcome { return true }
        return false
    }

    @Test func exclusiveWaitsInOrder() {
        let table = LockTable(maxLocks: 1 << 20)
        let (a, b, c) = (owner(table, 1), owner(table, 2), owner(table, 3))
        #expect(isGranted(table.acquire(7, .forUpdate, a)))
        #expect(isGranted(table.acquire(7, .forUpdate, a)))
        let second = wait(table.acquire(7, .forUpdate, b))
        let third = wait(table.acquire(7, .forUpdate, c))
        #expect(second != nil && third != nil)
        table.releaseAll(a)
        #expect(isGranted(second))
        #expect(!isGranted(third))
        if let second { _ = table.finishWait(second) }
        table.releaseAll(b)
        #expect(isGranted(third))
        if let third { _ = table.finishWait(third) }
        table.releaseAll(c)
        #expect(table.count == 0)
    }

    @Test func rowModesFollowPostgresMatrix() {
        let modes: [LockMode] = [.forKeyShare, .forShare, .forNoKeyUpdate, .forUpdate]
        // Row: held; column: wanted; true: they go together.
        let expected: [[Bool]] = [
            [true, true, true, false],
            [true, true, false, false],
            [true, false, false, false],
            [false, false, false, false],
        ]
        for (i, held) in modes.enumerated() {
            for (j, wanted) in modes.enumerated() {
                let table = LockTable(maxLocks: 1 << 20)
                let (a, b) = (owner(table, 1), owner(table, 2))
                #expect(isGranted(table.acquire(1, held, a)))
                #expect(
                    isGranted(table.acquire(1, wanted, b, mayWait: false)) == expected[i][j],
                    "\(held) then \(wanted)")
            }
        }
    }

    @Test func aCycleHasOneVictim() {
        let table = LockTable(maxLocks: 1 << 20)
        let (a, b) = (owner(table, 1), owner(table, 2))
        #expect(isGranted(table.acquire(1, .forUpdate, a)))
        #expect(isGranted(table.acquire(2, .forUpdate, b)))
        let first = wait(table.acquire(2, .forUpdate, a))
        #expect(first?.outcome == nil)
        let second = wait(table.acquire(1, .forUpdate, b))
        guard case .deadlock? = second?.outcome else {
            Issue.record("no deadlock found")
            return
        }
        #expect(first?.outcome == nil)
        if let second { _ = table.finishWait(second) }
        table.releaseAll(b)
        #expect(isGranted(first))
    }

    @Test func fastRelationLocksMeetStrongOnes() {
        let table = LockTable(maxLocks: 1 << 20)
        let (a, b, c) = (owner(table, 1), owner(table, 2), owner(table, 3))
        let key = LockTable.relationKey(1, 16384)
        #expect(isGranted(table.acquireRelation(key, .rowExclusive, a)))
        #expect(isGranted(table.acquireRelation(key, .accessShare, b)))
        #expect(table.count == 0)
        let strong = wait(table.acquireRelation(key, .accessExclusive, c))
        #expect(strong != nil && strong?.outcome == nil)
        // A weak lock that comes now queues behind the strong one.
        let late = wait(table.acquireRelation(key, .accessShare, owner(table, 4)))
        #expect(late != nil && late?.outcome == nil)
        table.releaseAll(a)
        #expect(strong?.outcome == nil)
        table.releaseAll(b)
        #expect(isGranted(strong))
        if let strong { _ = table.finishWait(strong) }
        table.releaseAll(c)
        #expect(isGranted(late))
        // And the fast path is open again.
        let d = owner(table, 5)
        if let late { _ = table.finishWait(late) }
        #expect(isGranted(table.acquireRelation(key, .accessShare, d)))
        #expect(d.fast.withLock { $0.count } == 1)
    }

    @Test func manyLocksComeAndGo() {
        let table = LockTable(maxLocks: 1 << 20)
        let a = owner(table, 1)
        for i in 1...20_000 {
            #expect(isGranted(table.acquire(LockTable.mix(UInt64(i), 3), .forUpdate, a)))
        }
        #expect(table.count == 20_000)
        table.release(a, downTo: 5_000)
        #expect(table.count == 5_000)
        let b = owner(table, 2)
        #expect(!isGranted(table.acquire(LockTable.mix(4_000, 3), .forUpdate, b, mayWait: false)))
        #expect(isGranted(table.acquire(LockTable.mix(6_000, 3), .forUpdate, b, mayWait: false)))
        table.releaseAll(a)
        table.releaseAll(b)
        #expect(table.count == 0)
    }

    // MARK: Advisory locks

    /// A session's two owners.
    private func session(_ table: LockTable, _ id: Int32) -> (own: LockOwner, advisory: LockOwner) {
        let own = owner(table, id)
        let advisory = LockOwner(besides: own)
        table.register(advisory)
        return (own, advisory)
    }

    private func lock(
        _ table: LockTable, _ key: Int64, _ owner: LockOwner, isCounted: Bool,
        _ mode: LockMode = .exclusive, mayWait: Bool = false
    ) -> LockResult {
        table.acquireAdvisory(
            AdvisoryKey(database: 1, key), mode, owner, isCounted: isCounted, mayWait: mayWait)
    }

    @Test func aSessionDoesNotWaitForItself() {
        let table = LockTable(maxLocks: 1 << 20)
        let (a, b) = (session(table, 1), session(table, 2))
        #expect(isGranted(lock(table, 10, a.advisory, isCounted: true)))
        #expect(isGranted(lock(table, 10, a.own, isCounted: false)))
        #expect(!isGranted(lock(table, 10, b.advisory, isCounted: true)))
        table.releaseAll(a.own)
        #expect(!isGranted(lock(table, 10, b.own, isCounted: false)))
        table.releaseAll(a.advisory)
        #expect(isGranted(lock(table, 10, b.own, isCounted: false)))
        // Nor behind somebody who waits for it.
        #expect(isGranted(lock(table, 11, a.own, isCounted: false, .share)))
        let waiting = wait(lock(table, 11, b.own, isCounted: false, mayWait: true))
        #expect(waiting != nil)
        #expect(isGranted(lock(table, 11, a.advisory, isCounted: true, .share)))
        table.releaseAll(a.own)
        #expect(!isGranted(waiting))
        table.releaseAll(a.advisory)
        #expect(isGranted(waiting))
    }

    @Test func aSessionsAdvisoryLockCounts() {
        let table = LockTable(maxLocks: 1 << 20)
        let (a, b) = (session(table, 1).advisory, session(table, 2).advisory)
        let key = AdvisoryKey(database: 1, 10)
        for _ in 0..<2 { #expect(isGranted(lock(table, 10, a, isCounted: true))) }
        #expect(isGranted(lock(table, 10, a, isCounted: true, .share)))
        let waiting = wait(lock(table, 10, b, isCounted: true, mayWait: true))
        #expect(table.releaseAdvisory(key, .exclusive, a))
        #expect(table.releaseAdvisory(key, .exclusive, a))
        #expect(!table.releaseAdvisory(key, .exclusive, a))
        #expect(!isGranted(waiting))
        #expect(table.releaseAdvisory(key, .share, a))
        #expect(isGranted(waiting))
        if let waiting { _ = table.finishWait(waiting) }
        // What was taken twice and is given back at once is not taken from the next holder.
        for _ in 0..<2 { #expect(isGranted(lock(table, 12, a, isCounted: true))) }
        let next = wait(lock(table, 12, b, isCounted: true, mayWait: true))
        table.releaseAll(a)
        #expect(isGranted(next))
        #expect(!isGranted(lock(table, 12, a, isCounted: true)))
    }

    @Test func keyZeroIsReleased() {
        let table = LockTable(maxLocks: 1 << 20)
        let a = owner(table, 1)
        #expect(isGranted(table.acquire(0, .exclusive, a)))
        #expect(table.releaseHeld(a, 0, .exclusive))
        #expect(table.count == 0)
    }

    @Test func aCycleThroughAnAdvisoryLockIsFound() {
        let table = LockTable(maxLocks: 1 << 20)
        let (a, b) = (session(table, 101), session(table, 102))
        #expect(isGranted(lock(table, (3 << 32) + 4, a.advisory, isCounted: true)))
        #expect(isGranted(table.acquire(1, .forUpdate, b.own)))
        let first = wait(table.acquire(1, .forUpdate, a.own))
        #expect(first != nil && first?.outcome == nil)
        let second = wait(lock(table, (3 << 32) + 4, b.advisory, isCounted: true, mayWait: true))
        guard case .deadlock(let detail)? = second?.outcome else {
            Issue.record("no deadlock found")
            return
        }
        #expect(
            detail.hasPrefix(
                "Process 102 waits for ExclusiveLock on advisory lock [1,3,4,1]; "
                    + "blocked by process 101.\nProcess 101 waits for ShareLock on transaction"))
        #expect(first?.outcome == nil)
        #expect(table.blockingProcesses(of: 101) == [102])
    }

    /// Whoever conflicts neither with a holder nor with a request ahead goes on, also behind others that
    /// wait: a cycle through it would not be found.
    @Test func aWaiterBehindOthersIsGranted() {
        let table = LockTable(maxLocks: 1 << 20)
        let owners = (1...4).map { owner(table, Int32($0)) }
        let key = LockTable.relationKey(1, 16384)
        #expect(isGranted(table.acquireRelation(key, .accessExclusive, owners[0])))
        let share = wait(table.acquireRelation(key, .share, owners[1]))
        let write = wait(table.acquireRelation(key, .rowExclusive, owners[2]))
        let read = wait(table.acquireRelation(key, .accessShare, owners[3]))
        #expect(!isGranted(share) && !isGranted(write) && !isGranted(read))
        table.releaseAll(owners[0])
        #expect(isGranted(share) && !isGranted(write) && isGranted(read))
        if let share { _ = table.finishWait(share) }
        table.releaseAll(owners[1])
        #expect(isGranted(write))
    }

    /// The search goes through a long queue once, and still sees a cycle through its holder.
    @Test func aCycleThroughALongQueueIsFound() {
        let table = LockTable(maxLocks: 1 << 20)
        let a = owner(table, 1)
        let queue = (2...3000).map { owner(table, Int32($0)) }
        #expect(isGranted(table.acquire(1, .forUpdate, a)))
        if let last = queue.last { #expect(isGranted(table.acquire(2, .forUpdate, last))) }
        for waiting in queue { #expect(wait(table.acquire(1, .forUpdate, waiting)) != nil) }
        let closing = wait(table.acquire(2, .forUpdate, a))
        guard case .deadlock? = closing?.outcome else {
            Issue.record("no deadlock found")
            return
        }
    }

    /// A prepared transaction's locks are not its session's any more.
    @Test func aDetachedOwnerIsAnother() {
        let table = LockTable(maxLocks: 1 << 20)
        let a = session(table, 1)
        #expect(isGranted(lock(table, 10, a.own, isCounted: false)))
        a.own.detach()
        #expect(!isGranted(lock(table, 10, a.advisory, isCounted: true)))
    }

    // MARK: Savepoints

    @Test func weakLocksGoWithTheirSavepoint() {
        let table = LockTable(maxLocks: 1 << 20)
        let (a, b) = (owner(table, 1), owner(table, 2))
        let (kept, gone) = (LockTable.relationKey(1, 16384), LockTable.relationKey(1, 16385))
        #expect(isGranted(table.acquireRelation(kept, .accessShare, a)))
        let fast = a.fast.withLock { $0.count }
        #expect(isGranted(table.acquireRelation(kept, .rowExclusive, a)))
        #expect(isGranted(table.acquireRelation(gone, .accessShare, a)))
        let (share, exclusive) = (
            wait(table.acquireRelation(kept, .share, b)),
            wait(table.acquireRelation(gone, .accessExclusive, b))
        )
        #expect(share != nil && exclusive != nil)
        #expect(!isGranted(share) && !isGranted(exclusive))
        table.release(a, downTo: 0, fast: fast)
        #expect(isGranted(share) && isGranted(exclusive))
        for wait in [share, exclusive].compactMap({ $0 }) { _ = table.finishWait(wait) }
        // What was taken before the savepoint is held on.
        #expect(!isGranted(table.acquireRelation(kept, .accessExclusive, b, mayWait: false)))
        table.releaseAll(a)
        #expect(isGranted(table.acquireRelation(kept, .accessExclusive, b, mayWait: false)))
        table.releaseAll(b)
        #expect(table.count == 0)
    }

    @Test func aRelationLockedTwiceIsFreeAfterwards() {
        let table = LockTable(maxLocks: 1 << 20)
        let a = owner(table, 1)
        let key = LockTable.relationKey(1, 16384)
        for _ in 0..<2 { #expect(isGranted(table.acquireRelation(key, .share, a))) }
        table.releaseAll(a)
        // The fast path is open again.
        #expect(isGranted(table.acquireRelation(key, .accessShare, a)))
        #expect(a.fast.withLock { $0.count } == 1)
    }

    @Test func aRelationsKeyNamesIt() {
        for oid: UInt32 in [0, 1, 16384, .max] {
            let (database, relation) = LockTable.relation(
                ofKey: LockTable.relationKey(7, oid))
            #expect(database == 7 && relation.rawValue == oid)
        }
    }
}
