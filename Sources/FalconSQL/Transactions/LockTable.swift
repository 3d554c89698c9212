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

    final class Shard: Sendable {
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
    let graph = Mutex<Void>(())
    let allocateTransaction: @Sendable () -> UInt64

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
    func shard(_ key: UInt64) -> Shard { shards[Int(key >> 58)] }

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

    /// Asks for `mode` on `key` (0 is not a key and counts as 1). A granted lock is in `owner.held`,
    /// unless `owner` held a mode of `coveredBy` before.
    func acquire(
        _ rawKey: UInt64, _ mode: LockMode, _ owner: LockOwner, mayWait: Bool = true,
        isStrongRelation: Bool = false, subject: LockSubject = .other, coveredBy: UInt16? = nil
    ) -> LockResult {
        let key = rawKey == 0 ? 1 : rawKey
        let coveredBy = coveredBy ?? mode.coveredBy
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
                    if slot.pointee.mask & coveredBy != 0 { return .held }
                    slot.pointee.mask |= mode.bit
                    return .granted
                }
                if slot.pointee.mask & mode.conflicts != 0, !mayWait,
                    !Self.isHeld(slot, byOneWith: owner)
                {
                    return .unavailable
                }
                Self.makeHeavy(slot)
            }
            guard let heavy = Self.heavy(slot) else { return .exhausted }
            if heavy.mask(of: owner) & coveredBy != 0 { return .held }
            let own = heavy.mask(ofSession: owner)
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
            if let found = findDeadlock(wait) {
                cancel(found.victim, .deadlock(detail: found.detail))
            }
            return .waiting(wait)
        case .unavailable: return .unavailable
        case .exhausted: return .exhausted
        }
    }

    /// To be called by the waiting session once its wait is over: takes note of a granted lock.
    func finishWait(_ wait: LockWait) -> LockOutcome {
        wait.owner.waiting.withLock { $0 = nil }
        if !wait.isQueued { return wait.outcome ?? .cancelled }
        let outcome = wait.outcome ?? .cancelled
        if case .granted = outcome {
            wait.owner.held.append(
                .init(
                    key: wait.key, mask: wait.mode.bit, isStrongRelation: wait.isStrongRelation))
            if case .advisory(let advisory) = wait.subject { wait.owner.note(advisory, wait.key) }
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
            if let advisory = lock.advisory { owner.note(advisory, lock.key) }
        }
        return true
    }

    // MARK: Relations

    private static let relationTag: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The key of a relation's lock.
    static func relationKey(_ database: UInt32, _ oid: UInt32) -> UInt64 {
        mix(UInt64(database) << 32 | UInt64(oid), relationTag)
    }

    /// The database and the relation whose key this is; nonsense for a key of another kind.
    static func relation(ofKey key: UInt64) -> (database: UInt32, oid: OID) {
        let value = unmix(key, relationTag)
        return (UInt32(value >> 32), OID(UInt32(truncatingIfNeeded: value)))
    }

    /// `mix`'s inverse.
    static func unmix(_ mixed: UInt64, _ tag: UInt64) -> UInt64 {
        var x = mixed
        x = (x ^ (x >> 31) ^ (x >> 62)) &* 0x3196_42B2_D24D_8EC3
        x = (x ^ (x >> 27) ^ (x >> 54)) &* 0x96DE_1B17_3F11_9089
        return x ^ (x >> 30) ^ (x >> 60) ^ tag
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
        _ rawKey: UInt64, _ mode: LockMode, _ owner: LockOwner, mayWait: Bool = true,
        subject: LockSubject = .other
    ) -> LockResult {
        let key = rawKey == 0 ? 1 : rawKey
        let counter = strong + Int(key & UInt64(Self.strongSlots - 1))
        if mode.isWeakRelation {
            let isFast = owner.fast.withLock { fast -> Bool in
                var isOpen = false
                for lock in fast where lock.key == key {
                    if lock.mask & mode.bit != 0 { return true }
                    // Whoever wants it strongly has not come here yet, and will take this along.
                    if !lock.isTransferred { isOpen = true }
                }
                guard isOpen || counter.pointee.load(ordering: .sequentiallyConsistent) == 0
                else { return false }
                fast.append(.init(key: key, mask: mode.bit, isTransferred: false))
                return true
            }
            if isFast { return .granted }
            return acquire(
                key, mode, owner, mayWait: mayWait, subject: subject, coveredBy: mode.bit)
        }
        counter.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
        transferFastLocks(key)
        let heldBefore = owner.held.count
        let result = acquire(
            key, mode, owner, mayWait: mayWait, isStrongRelation: true, subject: subject,
            coveredBy: mode.bit)
        switch result {
        case .granted:
            // When it was held already nothing was recorded: the count would never come down.
            if owner.held.count == heldBefore {
                counter.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            }
        case .unavailable, .exhausted:
            counter.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        case .waiting: break
        }
        return result
    }

    private func transferFastLocks(_ key: UInt64) {
        for owner in allOwners {
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
        release(owner, downTo: 0, fast: 0)
        owner.forgetAdvisoryKeys()
    }

    /// Releases what `owner` acquired after it held `count` locks, and `fastCount` by the fast path.
    func release(_ owner: LockOwner, downTo count: Int, fast fastCount: Int) {
        release(owner, downTo: count)
        let transferred = owner.fast.withLock { fast -> [LockOwner.FastLock] in
            if fast.count <= fastCount { return [] }
            defer { fast.removeLast(fast.count - fastCount) }
            let tail = fast[fastCount...]
            return tail.contains { $0.isTransferred } ? tail.filter { $0.isTransferred } : []
        }
        for lock in transferred { releaseOne(lock.key, lock.mask, owner) }
    }

    /// Of the main table's alone.
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
    func releaseHeld(_ owner: LockOwner, _ rawKey: UInt64, _ mode: LockMode) -> Bool {
        let key = rawKey == 0 ? 1 : rawKey
        func isIt(_ held: LockOwner.Held) -> Bool { held.key == key && held.mask == mode.bit }
        guard let index = owner.held.lastIndex(where: isIt) else { return false }
        owner.held.remove(at: index)
        // Taken more than once, it is held on.
        if !owner.held.contains(where: isIt) { releaseOne(key, mode.bit, owner) }
        return true
    }

    private func releaseOne(_ key: UInt64, _ mask: UInt16, _ owner: LockOwner) {
        var callbacks: [@Sendable () -> Void] = []
        shard(key).state.withLock { shard in
            guard let slot = shard.find(key) else { return }
            if !slot.pointee.isHeavy {
                // What was taken twice is given back twice: by then it may be another's.
                guard
                    slot.pointee.pointer
                        == UnsafeRawPointer(Unmanaged.passUnretained(owner).toOpaque())
                else { return }
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

    var allOwners: [LockOwner] { owners.withLock { Array($0.values) } }

    /// What an owner holds of one key.
    struct HeldMask: Sendable {
        let owner: LockOwner
        let key: UInt64
        let mask: UInt16
        var isFast = false
    }

    /// The locks of the main table that are held in one of `modes`; a shard is locked at a time.
    func heldMasks(in modes: UInt16) -> [HeldMask] {
        shards.flatMap { shard in
            shard.state.withLock { state in
                var result: [HeldMask] = []
                for slot in state.usedSlots {
                    let key = slot.pointee.key
                    if let heavy = Self.heavy(slot) {
                        for holder in heavy.holders where holder.mask & modes != 0 {
                            result.append(
                                HeldMask(owner: holder.owner, key: key, mask: holder.mask))
                        }
                    } else if slot.pointee.mask & modes != 0, let owner = Self.holder(slot) {
                        result.append(HeldMask(owner: owner, key: key, mask: slot.pointee.mask))
                    }
                }
                return result
            }
        }
    }

    // MARK: Slots

    /// Who holds a lock that is not heavy.
    private static func holder(_ slot: UnsafeMutablePointer<LockShard.Slot>) -> LockOwner? {
        guard !slot.pointee.isHeavy, let pointer = slot.pointee.pointer else { return nil }
        return Unmanaged<LockOwner>.fromOpaque(pointer).takeUnretainedValue()
    }

    private static func isHeld(
        _ slot: UnsafeMutablePointer<LockShard.Slot>, byOneWith owner: LockOwner
    ) -> Bool {
        holder(slot)?.isOne(with: owner) ?? false
    }

    static func heavy(_ slot: UnsafeMutablePointer<LockShard.Slot>) -> HeavyLock? {
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

    /// Grants what neither a holder nor a request ahead stands in the way of. One that waits on holds
    /// up only those behind it that conflict with it: whoever waits always waits for somebody, as the
    /// search for deadlocks supposes.
    private static func grantWaiters(
        _ heavy: HeavyLock, _ callbacks: inout [@Sendable () -> Void]
    ) {
        var ahead: UInt16 = 0
        var index = 0
        while index < heavy.waiters.count {
            let wait = heavy.waiters[index]
            guard ahead & wait.mode.conflicts == 0,
                heavy.mask(excluding: wait.owner) & wait.mode.conflicts == 0
            else {
                ahead |= wait.mode.bit
                index += 1
                continue
            }
            heavy.waiters.remove(at: index)
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
}
