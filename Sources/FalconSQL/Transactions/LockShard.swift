/// One shard of the lock table: an open-addressed array of 24-byte slots.
///
///     slot   key u64 (never 0) | owner pointer, or heavy lock's pointer | modes u16 | flags u16 | -
///
/// A lock with one holder and no queue lives in its slot alone. A second holder or a waiter makes it
/// heavy: holders and queue move to a ``HeavyLock``.
struct LockShard {
    struct Slot {
        var key: UInt64 = 0
        var pointer: UnsafeRawPointer?
        var mask: UInt16 = 0
        var isHeavy = false
    }

    private var slots: UnsafeMutablePointer<Slot>
    private(set) var capacity: Int
    private(set) var count = 0
    /// A shard is not made smaller: so much is not charged to the memory budget.
    static let leastCapacity = 1024

    init() {
        capacity = 16
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: Slot(), count: capacity)
    }

    func destroy() {
        for i in 0..<capacity where slots[i].key != 0 && slots[i].isHeavy {
            if let p = slots[i].pointer { Unmanaged<HeavyLock>.fromOpaque(p).release() }
        }
        slots.deallocate()
    }

    /// The slot of `key`, or nil.
    @inline(__always)
    func find(_ key: UInt64) -> UnsafeMutablePointer<Slot>? {
        var index = Int(truncatingIfNeeded: key) & (capacity - 1)
        while true {
            let slot = slots + index
            if slot.pointee.key == key { return slot }
            if slot.pointee.key == 0 { return nil }
            index = (index + 1) & (capacity - 1)
        }
    }

    /// The next insertion doubles the array.
    var isFull: Bool { (count + 1) * 4 > capacity * 3 }

    var usedSlots: some Sequence<UnsafeMutablePointer<Slot>> {
        let slots = slots
        return (0..<capacity).lazy.map { slots + $0 }.filter { $0.pointee.key != 0 }
    }

    /// A fresh slot for `key`, which must be absent. Earlier slot pointers become invalid.
    mutating func insert(_ key: UInt64) -> UnsafeMutablePointer<Slot> {
        if isFull { resize(to: capacity * 2) }
        count += 1
        let slot = emptySlot(for: key)
        slot.pointee = Slot(key: key, pointer: nil, mask: 0, isHeavy: false)
        return slot
    }

    /// Removes `slot`, moving back what collided with it.
    mutating func remove(_ slot: UnsafeMutablePointer<Slot>) {
        count -= 1
        var hole = slot - slots
        var index = hole
        while true {
            index = (index + 1) & (capacity - 1)
            let key = slots[index].key
            if key == 0 { break }
            let home = Int(truncatingIfNeeded: key) & (capacity - 1)
            let distanceToHole = (hole - home) & (capacity - 1)
            let distanceToIndex = (index - home) & (capacity - 1)
            if distanceToHole <= distanceToIndex {
                slots[hole] = slots[index]
                hole = index
            }
        }
        slots[hole] = Slot()
        if capacity > Self.leastCapacity, count * 8 < capacity { resize(to: capacity / 2) }
    }

    private func emptySlot(for key: UInt64) -> UnsafeMutablePointer<Slot> {
        var index = Int(truncatingIfNeeded: key) & (capacity - 1)
        while slots[index].key != 0 { index = (index + 1) & (capacity - 1) }
        return slots + index
    }

    private mutating func resize(to newCapacity: Int) {
        let old = slots
        let oldCapacity = capacity
        capacity = newCapacity
        slots = .allocate(capacity: newCapacity)
        slots.initialize(repeating: Slot(), count: newCapacity)
        for i in 0..<oldCapacity where old[i].key != 0 {
            emptySlot(for: old[i].key).pointee = old[i]
        }
        old.deallocate()
    }
}

/// A lock with several holders or a queue.
final class HeavyLock {
    struct Holder {
        let owner: LockOwner
        var mask: UInt16
    }
    var holders: [Holder] = []
    var waiters: [LockWait] = []

    /// The modes that others than `owner`'s session hold.
    func mask(excluding owner: LockOwner) -> UInt16 {
        var mask: UInt16 = 0
        for holder in holders where !holder.owner.isOne(with: owner) { mask |= holder.mask }
        return mask
    }

    /// The modes that `owner` and its session's other owner hold.
    func mask(ofSession owner: LockOwner) -> UInt16 {
        var mask: UInt16 = 0
        for holder in holders where holder.owner.isOne(with: owner) { mask |= holder.mask }
        return mask
    }

    func mask(of owner: LockOwner) -> UInt16 {
        for holder in holders where holder.owner === owner { return holder.mask }
        return 0
    }

    func add(_ owner: LockOwner, _ bit: UInt16) {
        for i in holders.indices where holders[i].owner === owner {
            holders[i].mask |= bit
            return
        }
        holders.append(Holder(owner: owner, mask: bit))
    }
}
