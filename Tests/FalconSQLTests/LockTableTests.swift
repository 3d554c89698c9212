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
}
