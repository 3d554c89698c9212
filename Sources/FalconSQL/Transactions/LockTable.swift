import FalconSchema
import FalconStorage
import Synchronization

/// The in-memory lock table: row, relation, name and advisory locks by 64-bit key hash.
///
/// Queues are FIFO. Nothing here blocks: a request that must wait gets a ``LockWait`` that is
/// resolved by callback. Deadlocks are looked for when a wait begins, under one mutex, so that of
/// two transactions closing a cycle at once exactly one is the victim.
final class LockTable: @unchecked Sendable {
    private static let shardCount = 64
    private static let strongSlots = 1024

    private final class Shard: Sendable {
        let state: Mutex<LockShard>
        init() { state = Mutex(LockShard()) }
        deinit { state.withLock { $0.destroy() } }
    }

    private let shards: [Shard]
    private let maxPerShard: Int
    private let budget: MemoryBudget?
    /// A slot, and the entry in its owner's list.
    private static let bytesPerSlot =
        MemoryLayout<LockShard.Slot>.stride + MemoryLayout<LockOwner.Held>.stride
    /// How many strong relation lockers hold or want a relation of this slot: weak ones must then
    /// use the main table.
    private let strong: UnsafeMutablePointer<Atomic<Int>>
    private let owners = Mutex<[ObjectIdentifier: LockOwner]>([:])
    private let graph = Mutex<Void>(())
    private let allocateTransaction: @Sendable () -> UInt64

    /// `allocateTransaction` gives out transaction numbers.
    init(
        maxLocks: Int, budget: MemoryBudget? = nil,
        allocateTransaction: @escaping @Sendable () -> UInt64 = { 0 }
    ) {
        self.budget = budget
        self.allocateTransaction = allocateTransaction
        shards = (0..<Self.shardCount).map { _ in Shard() }
        maxPerShard = max(1024, maxLocks / Self.shardCount)
        strong = .allocate(capacity: Self.strongSlots)
        for i in 0..<Self.strongSlots { (strong + i).initialize(to: Atomic(0)) }
    }

    deinit {
        for shard in shards {
            let capacity = shard.state.withLock { $0.capacity }
            budget?.charge(.locks, -Self.chargedBytes(capacity))
        }
        strong.deinitialize(count: Self.strongSlots)
        strong.deallocate()
    }

    func register(_ owner: LockOwner) { owners.withLock { $0[ObjectIdentifier(owner)] = owner } }
    func unregister(_ owner: LockOwner) {
        owners.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(owner)) }
    }

    @inline(__always)
    private func shard(_ key: UInt64) -> Shard { shards[Int(key >> 58)] }

    // MARK: Memory

    private static func chargedBytes(_ capacity: Int) -> Int {
        capacity > LockShard.leastCapacity ? capacity * bytesPerSlot : 0
    }

    /// A slot for `key`; nil when the memory budget has no room for a larger array.
    private func insert(
        _ key: UInt64, _ shard: inout LockShard
    ) -> UnsafeMutablePointer<LockShard.Slot>? {
        if shard.isFull, let budget {
            let growth =
                Self.chargedBytes(shard.capacity * 2) - Self.chargedBytes(shard.capacity)
            guard growth == 0 || budget.tryCharge(.locks, growth) else { return nil }
        }
        return shard.insert(key)
    }

    private func remove(_ slot: UnsafeMutablePointer<LockShard.Slot>, _ shard: inout LockShard) {
        let before = shard.capacity
        shard.remove(slot)
        if shard.capacity != before {
            budget?.charge(
                .locks, Self.chargedBytes(shard.capacity) - Self.chargedBytes(before))
        }
    }

    // MARK: Acquiring

    /// Asks for `mode` on `key` (0 is not a key and counts as 1). A granted lock is in `owner.held`.
    func acquire(
        _ rawKey: UInt64, _ mode: LockMode, _ owner: LockOwner, mayWait: Bool = true,
        isStrongRelation: Bool = false, subject: LockSubject = .other
    ) -> LockResult {
        let key = rawKey == 0 ? 1 : rawKey
        enum Answer {
            case held
            case granted
            case wait(LockWait)
            case unavailable
            case exhausted
        }
        let answer: Answer = shard(key).state.withLock { shard in
            guard let slot = shard.find(key) else {
                guard shard.count < maxPerShard, let slot = insert(key, &shard) else {
                    return .exhausted
                }
                slot.pointee.pointer = UnsafeRawPointer(Unmanaged.passUnretained(owner).toOpaque())
                slot.pointee.mask = mode.bit
                return .granted
            }
            if !slot.pointee.isHeavy {
                let isOwn =
                    slot.pointee.pointer
                    == UnsafeRawPointer(Unmanaged.passUnretained(owner).toOpaque())
                if isOwn {
                    if slot.pointee.mask & mode.coveredBy != 0 { return .held }
                    slot.pointee.mask |= mode.bit
                    return .granted
                }
                if slot.pointee.mask & mode.conflicts != 0, !mayWait { return .unavailable }
                Self.makeHeavy(slot)
            }
            guard let heavy = Self.heavy(slot) else { return .exhausted }
            let own = heavy.mask(of: owner)
            if own & mode.coveredBy != 0 { return .held }
            var isFree = heavy.mask(excluding: owner) & mode.conflicts == 0
            if isFree, own == 0 {
                // FIFO: do not overtake a waiter whose request conflicts.
                for waiter in heavy.waiters where waiter.mode.bit & mode.conflicts != 0 {
                    isFree = false
                    break
                }
            }
            if isFree {
                heavy.add(owner, mode.bit)
                return .granted
            }
            guard mayWait else { return .unavailable }
            let wait = LockWait(
                key: key, mode: mode, owner: owner, isStrongRelation: isStrongRelation,
                subject: subject)
            if own != 0 {
                heavy.waiters.insert(wait, at: 0)
            } else {
                heavy.waiters.append(wait)
            }
            return .wait(wait)
        }
        switch answer {
        case .held: return .granted
        case .granted:
            owner.held.append(
                .init(key: key, mask: mode.bit, isStrongRelation: isStrongRelation))
            return .granted
        case .wait(let wait):
            if let detail = findDeadlock(wait) { cancel(wait, .deadlock(detail: detail)) }
            return .waiting(wait)
        case .unavailable: return .unavailable
        case .exhausted: return .exhausted
        }
    }

    /// To be called by the waiting session once its wait is over: takes note of a granted lock.
    func finishWait(_ wait: LockWait) -> LockOutcome {
        if !wait.isQueued { return wait.outcome ?? .cancelled }
        wait.owner.waiting.withLock { $0 = nil }
        let outcome = wait.outcome ?? .cancelled
        if case .granted = outcome {
            wait.owner.held.append(
                .init(
                    key: wait.key, mask: wait.mode.bit, isStrongRelation: wait.isStrongRelation))
        } else if wait.isStrongRelation {
            let counter = strong + Int(wait.key & UInt64(Self.strongSlots - 1))
            counter.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        }
        return outcome
    }

    /// Ends a wait early; no effect when it is already over.
    func cancel(_ wait: LockWait, _ outcome: LockOutcome) {
        if !wait.isQueued {
            wait.resolve(outcome)?()
            return
        }
        var callbacks: [@Sendable () -> Void] = []
        shard(wait.key).state.withLock { shard in
            guard let slot = shard.find(wait.key), let heavy = Self.heavy(slot),
                let index = heavy.waiters.firstIndex(where: { $0 === wait })
            else { return }
            heavy.waiters.remove(at: index)
            if let callback = wait.resolve(outcome) { callbacks.append(callback) }
            Self.grantWaiters(heavy, &callbacks)
            settle(&shard, slot, heavy)
        }
        for callback in callbacks { callback() }
    }

    /// Takes `kept` for a registered owner that held it in an earlier process. False when something of it
    /// is not to be had.
    func restore(_ kept: [LockOwner.Kept], _ owner: LockOwner) -> Bool {
        for lock in kept {
            for code in UInt8(0)..<16 where lock.mask & (1 &<< UInt16(code)) != 0 {
                guard let mode = LockMode(rawValue: code) else { return false }
                let result =
                    lock.isRelation
                    ? acquireRelation(lock.key, mode, owner, mayWait: false)
                    : acquire(lock.key, mode, owner, mayWait: false)
                guard case .granted = result else { return false }
            }
        }
        return true
    }

    // MARK: Relations

    /// The key of a relation's lock.
    static func relationKey(_ database: UInt32, _ oid: UInt32) -> UInt64 {
        mix(UInt64(database) << 32 | UInt64(oid), 0x9E37_79B9_7F4A_7C15)
    }

    /// Spreads `value` over 64 bits; `tag` keeps the key kinds apart.
    static func mix(_ value: UInt64, _ tag: UInt64) -> UInt64 {
        var x = value ^ tag
        x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
        x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
        return x ^ (x >> 31)
    }

    /// A relation lock. Weak modes are noted in the owner alone while no strong locker is about.
    func acquireRelation(
        _ key: UInt64, _ mode: LockMode, _ owner: LockOwner, mayWait: Bool = true,
        subject: LockSubject = .other
    ) -> LockResult {
        let counter = strong + Int(key & UInt64(Self.strongSlots - 1))
        if mode.isWeakRelation {
            let isFast = owner.fast.withLock { fast -> Bool in
                for i in fast.indices where fast[i].key == key && !fast[i].isTransferred {
                    fast[i].mask |= mode.bit
                    return true
                }
                guard counter.pointee.load(ordering: .sequentiallyConsistent) == 0 else {
                    return false
                }
                fast.append(.init(key: key, mask: mode.bit, isTransferred: false))
                return true
            }
            if isFast { return .granted }
            return acquire(key, mode, owner, mayWait: mayWait, subject: subject)
        }
        counter.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
        transferFastLocks(key)
        let result = acquire(
            key, mode, owner, mayWait: mayWait, isStrongRelation: true, subject: subject)
        switch result {
        case .granted:
            // When it was covered already nothing was recorded: the count would never come down.
            let isRecorded = owner.held.last.map { $0.key == key && $0.isStrongRelation } ?? false
            if !isRecorded {
                counter.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            }
        case .unavailable, .exhausted:
            counter.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        case .waiting: break
        }
        return result
    }

    private func transferFastLocks(_ key: UInt64) {
        let all = owners.withLock { Array($0.values) }
        for owner in all {
            owner.fast.withLock { fast in
                for i in fast.indices where fast[i].key == key && !fast[i].isTransferred {
                    fast[i].isTransferred = true
                    let mask = fast[i].mask
                    shard(key).state.withLock { shard in
                        // One more relation's lock: not to be refused.
                        let before = shard.capacity
                        let slot = shard.find(key) ?? shard.insert(key)
                        if shard.capacity != before {
                            budget?.charge(
                                .locks,
                                Self.chargedBytes(shard.capacity) - Self.chargedBytes(before))
                        }
                        if !slot.pointee.isHeavy { Self.makeHeavy(slot) }
                        Self.heavy(slot)?.add(owner, mask)
                    }
                }
            }
        }
    }

    // MARK: Releasing

    /// Releases everything `owner` holds.
    func releaseAll(_ owner: LockOwner) {
        release(owner, downTo: 0)
        let transferred = owner.fast.withLock { fast -> [LockOwner.FastLock] in
            if fast.isEmpty { return [] }
            defer { fast.removeAll(keepingCapacity: true) }
            return fast.contains { $0.isTransferred } ? fast.filter { $0.isTransferred } : []
        }
        for lock in transferred { releaseOne(lock.key, lock.mask, owner) }
    }

    /// Releases what `owner` acquired after it held `count` locks.
    func release(_ owner: LockOwner, downTo count: Int) {
        while owner.held.count > count {
            let lock = owner.held.removeLast()
            releaseOne(lock.key, lock.mask, owner)
            if lock.isStrongRelation {
                let counter = strong + Int(lock.key & UInt64(Self.strongSlots - 1))
                counter.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            }
        }
    }

    /// Releases one acquisition by key (advisory unlock); false when it is not held so.
    func releaseHeld(_ owner: LockOwner, _ key: UInt64, _ mode: LockMode) -> Bool {
        guard
            let index = owner.held.lastIndex(where: { $0.key == key && $0.mask == mode.bit })
        else { return false }
        owner.held.remove(at: index)
        releaseOne(key, mode.bit, owner)
        return true
    }

    private func releaseOne(_ key: UInt64, _ mask: UInt16, _ owner: LockOwner) {
        var callbacks: [@Sendable () -> Void] = []
        shard(key).state.withLock { shard in
            guard let slot = shard.find(key) else { return }
            if !slot.pointee.isHeavy {
                slot.pointee.mask &= ~mask
                if slot.pointee.mask == 0 { remove(slot, &shard) }
                return
            }
            guard let heavy = Self.heavy(slot) else { return }
            if let index = heavy.holders.firstIndex(where: { $0.owner === owner }) {
                heavy.holders[index].mask &= ~mask
                if heavy.holders[index].mask == 0 { heavy.holders.remove(at: index) }
            }
            Self.grantWaiters(heavy, &callbacks)
            settle(&shard, slot, heavy)
        }
        for callback in callbacks { callback() }
    }

    /// How many locks the table holds.
    var count: Int { shards.reduce(0) { $0 + $1.state.withLock { $0.count } } }

    // MARK: Slots

    private static func heavy(_ slot: UnsafeMutablePointer<LockShard.Slot>) -> HeavyLock? {
        guard slot.pointee.isHeavy, let pointer = slot.pointee.pointer else { return nil }
        return Unmanaged<HeavyLock>.fromOpaque(pointer).takeUnretainedValue()
    }

    private static func makeHeavy(_ slot: UnsafeMutablePointer<LockShard.Slot>) {
        let heavy = HeavyLock()
        if let pointer = slot.pointee.pointer {
            let holder = Unmanaged<LockOwner>.fromOpaque(pointer).takeUnretainedValue()
            heavy.holders.append(.init(owner: holder, mask: slot.pointee.mask))
        }
        slot.pointee.pointer = UnsafeRawPointer(Unmanaged.passRetained(heavy).toOpaque())
        slot.pointee.isHeavy = true
        slot.pointee.mask = 0
    }

    /// Grants from the front of the queue until one must wait on.
    private static func grantWaiters(
        _ heavy: HeavyLock, _ callbacks: inout [@Sendable () -> Void]
    ) {
        while let wait = heavy.waiters.first {
            guard heavy.mask(excluding: wait.owner) & wait.mode.conflicts == 0 else { return }
            heavy.waiters.removeFirst()
            heavy.add(wait.owner, wait.mode.bit)
            if let callback = wait.resolve(.granted) { callbacks.append(callback) }
        }
    }

    /// Frees a heavy lock that nobody holds or wants.
    private func settle(
        _ shard: inout LockShard, _ slot: UnsafeMutablePointer<LockShard.Slot>, _ heavy: HeavyLock
    ) {
        guard heavy.holders.isEmpty, heavy.waiters.isEmpty else { return }
        remove(slot, &shard)
        Unmanaged.passUnretained(heavy).release()
    }

    // MARK: Deadlocks

    /// Registers `wait` in the wait-for graph and returns a report when it closes a cycle.
    private func findDeadlock(_ wait: LockWait) -> String? {
        graph.withLock { _ in
            wait.owner.waiting.withLock { $0 = wait }
            var path: [(LockWait, LockOwner)] = []
            var seen: Set<ObjectIdentifier> = []
            func visit(_ current: LockWait) -> Bool {
                for blocker in blockers(of: current) {
                    if blocker === wait.owner {
                        path.append((current, blocker))
                        return true
                    }
                    guard seen.insert(ObjectIdentifier(blocker)).inserted,
                        let next = blocker.waiting.withLock({ $0 })
                    else { continue }
                    path.append((current, blocker))
                    if visit(next) { return true }
                    path.removeLast()
                }
                return false
            }
            guard visit(wait) else { return nil }
            return path.map { step, blocker in
                "Process \(step.owner.processID) waits for \(description(step, blocker)); "
                    + "blocked by process \(blocker.processID)."
            }.joined(separator: "\n")
        }
    }

    /// What is waited for, in PostgreSQL's words: who wants a row waits for its locker's transaction.
    private func description(_ wait: LockWait, _ blocker: LockOwner) -> String {
        if wait.mode.isRow { return "ShareLock on transaction \(transactionNumber(of: blocker))" }
        switch wait.subject {
        case .relation(let oid, let database):
            return "\(wait.mode.name) on relation \(oid.rawValue) of database \(database)"
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
    private func blockers(of wait: LockWait) -> [LockOwner] {
        shard(wait.key).state.withLock { shard in
            guard let slot = shard.find(wait.key), let heavy = Self.heavy(slot),
                let place = heavy.waiters.firstIndex(where: { $0 === wait })
            else { return [] }
            var result: [LockOwner] = []
            for holder in heavy.holders
            where holder.owner !== wait.owner && holder.mask & wait.mode.conflicts != 0 {
                result.append(holder.owner)
            }
            for ahead in heavy.waiters[..<place]
            where ahead.owner !== wait.owner && ahead.mode.bit & wait.mode.conflicts != 0 {
                result.append(ahead.owner)
            }
            return result
        }
    }
}
