import CFalconPlatform
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Decoded blocks in memory, shared by all tables and engines of a process. Keyed by file uid and
/// offset, charged by bytes, evicted by CLOCK; lookups take no lock.
///
/// A hash table of sets of 16 slots. Each slot has one state word, and who has added a reference to a
/// visible one may read its fields: only a slot without references is ever emptied.
///
///     bits 0-23   references (a lookup that mistook the slot adds one for a moment)
///     bits 24-25  clock: rounds that the slot still survives
///     bits 28-29  0 empty, 1 owned by the one thread that fills or empties it, 2 visible
///     bits 32-63  part of the key's hash
public final class BlockCache: @unchecked Sendable {
    private static let ways = 16
    private static let slotBytes = 40
    private static let stateMask: UInt64 = 3 << 28
    private static let owned: UInt64 = 1 << 28
    private static let visible: UInt64 = 2 << 28
    private static let clockMask: UInt64 = 3 << 24
    private static let clockOne: UInt64 = 1 << 24
    private static let referenceMask: UInt64 = (1 << 24) - 1
    /// What a block costs beyond its bytes.
    private static let overheadBytes = 64
    /// More is taken for this: the directory alone would be 28 GB.
    static let largestBytes = 1 << 40

    /// The most it may ever be given; its directory is made for this.
    private let maximumBytes: Int
    private let capacity: Atomic<Int>
    private let setMask: UInt64
    private let slotCount: Int
    private let states: UnsafeMutableRawPointer
    private let slots: UnsafeMutableRawPointer
    /// 16 pairs of hits and misses, a cache line each; increments may get lost, on purpose.
    private let counters: UnsafeMutableRawPointer
    private let used = Atomic<Int>(0)
    private let hand = Atomic<Int>(0)
    private let held = Atomic<Int>(0)
    /// The share of the capacity that open tables may hold of their indexes and filters. They are the
    /// hottest blocks there are, but those of a table that nobody reads must not crowd out its data.
    private static let heldShare = 4

    /// - Parameter maximumBytes: how far ``setCapacity(_:)`` may go up; nil: not beyond `capacityBytes`.
    public init(capacityBytes: Int, maximumBytes: Int? = nil) {
        let wanted = max(maximumBytes ?? capacityBytes, capacityBytes, 0)
        let maximumBytes = min(wanted, BlockCache.largestBytes)
        self.maximumBytes = maximumBytes
        capacity = Atomic(min(max(capacityBytes, 0), maximumBytes))
        // Two slots for each 4 KiB: sets seldom overflow, and untouched slots cost no memory.
        var sets = 1
        while sets * BlockCache.ways * 2048 < maximumBytes { sets *= 2 }
        setMask = UInt64(sets - 1)
        slotCount = sets * BlockCache.ways
        states = BlockCache.zeroed(slotCount * 8)
        slots = BlockCache.zeroed(slotCount * BlockCache.slotBytes)
        counters = BlockCache.zeroed(16 * 64)
    }

    deinit {
        for index in 0..<slotCount where state(index) & BlockCache.stateMask == BlockCache.visible {
            slot(index).load(fromByteOffset: 24, as: UnsafeMutableRawPointer.self).deallocate()
        }
        free(states)
        free(slots)
        free(counters)
    }

    private static func zeroed(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let alignment = 64
        if byteCount >= 1 << 20, let pointer = calloc(byteCount, 1) { return pointer }
        var pointer: UnsafeMutableRawPointer?
        if posix_memalign(&pointer, alignment, byteCount) == 0, let pointer {
            memset(pointer, 0, byteCount)
            return pointer
        }
        // Out of memory for a table's directory: the runtime's allocator reports it.
        let last = malloc(byteCount) ?? .allocate(byteCount: byteCount, alignment: 16)
        memset(last, 0, byteCount)
        return last
    }

    // MARK: - Statistics

    /// Bytes that blocks may take together; ``usedBytes`` may pass it by what open tables hold.
    public var capacityBytes: Int { capacity.load(ordering: .relaxed) }

    /// Changes the capacity, within what the cache was made for; evicts what no longer fits.
    public func setCapacity(_ bytes: Int) {
        capacity.store(min(max(bytes, 0), maximumBytes), ordering: .relaxed)
        if used.load(ordering: .relaxed) > limitBytes { shrink() }
    }

    /// The capacity; more when what tables hold fills it: some room is always left for what comes and
    /// goes, or each insertion would search the whole cache in vain.
    private var limitBytes: Int {
        let capacity = capacityBytes
        return max(capacity, heldBytes + capacity / BlockCache.heldShare)
    }

    /// Bytes of the blocks it holds, pinned ones included, with 64 for each.
    public var usedBytes: Int { used.load(ordering: .relaxed) }
    /// Bytes of index and filter partitions, among ``usedBytes``, that open tables keep from eviction.
    public var heldBytes: Int { held.load(ordering: .relaxed) }

    /// Asks to keep `bytes` from eviction for long; false: the share for that is taken.
    func reserveHeld(_ bytes: Int, beyondShare: Bool) -> Bool {
        let now = held.add(bytes, ordering: .relaxed).newValue
        if beyondShare || now <= capacityBytes / BlockCache.heldShare { return true }
        releaseHeld(bytes)
        return false
    }
    func releaseHeld(_ bytes: Int) { held.subtract(bytes, ordering: .relaxed) }
    /// Lookups that found their block, since the cache was made. Roughly: increments of threads that meet may
    /// get lost.
    public var hits: UInt64 { sum(0) }
    /// Lookups that did not, as roughly.
    public var misses: UInt64 { sum(8) }

    private func sum(_ offset: Int) -> UInt64 {
        var total: UInt64 = 0
        for stripe in 0..<16 {
            total &+= falcon_load_relaxed_u64(counters + (stripe * 64 + offset))
        }
        return total
    }
    @inline(__always)
    private func count(_ hash: UInt64, _ offset: Int) {
        let counter = counters + (Int(hash & 15) &* 64 &+ offset)
        falcon_store_relaxed_u64(counter, falcon_load_relaxed_u64(counter) &+ 1)
    }

    // MARK: - Slots

    @inline(__always) private func stateAddress(_ index: Int) -> UnsafeMutableRawPointer {
        states + index &* 8
    }
    @inline(__always) private func state(_ index: Int) -> UInt64 {
        falcon_load_acquire_u64(stateAddress(index))
    }
    @inline(__always) private func slot(_ index: Int) -> UnsafeMutableRawPointer {
        slots + index &* BlockCache.slotBytes
    }

    @inline(__always)
    private static func hash(_ uid: UID, _ offset: UInt64) -> UInt64 {
        let mixed = (uid.low ^ offset &* 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(
            by: uid.high | 1)
        let folded = (mixed.high ^ mixed.low) &* 0xD6E8_FEB8_6659_FD93
        return folded ^ (folded >> 32)
    }

    /// Pins the block at `offset` of file `uid` if it is here.
    @inline(__always)
    func lookup(_ uid: UID, _ offset: UInt64, _ pin: inout BlockPin) -> Bool {
        let hash = BlockCache.hash(uid, offset)
        let first = Int((hash >> 4) & setMask) &* BlockCache.ways
        let wanted = hash & 0xFFFF_FFFF_0000_0000 | BlockCache.visible
        let mask = 0xFFFF_FFFF_0000_0000 | BlockCache.stateMask
        for index in first..<(first &+ BlockCache.ways) {
            let address = stateAddress(index)
            guard falcon_load_relaxed_u64(address) & mask == wanted else { continue }
            let before = falcon_fetch_add_u64(address, 1)
            if before & mask == wanted {
                let fields = slot(index)
                if fields.load(as: UInt64.self) == uid.high,
                    fields.load(fromByteOffset: 8, as: UInt64.self) == uid.low,
                    fields.load(fromByteOffset: 16, as: UInt64.self) == offset
                {
                    if before & BlockCache.clockMask < 2 &* BlockCache.clockOne {
                        raiseClock(address)
                    }
                    pin.hold(
                        slot: address,
                        bytes: UnsafeRawBufferPointer(
                            start: fields.load(fromByteOffset: 24, as: UnsafeRawPointer.self),
                            count: fields.load(fromByteOffset: 32, as: Int.self)))
                    count(hash, 0)
                    return true
                }
            }
            _ = falcon_fetch_add_u64(address, UInt64.max)
        }
        count(hash, 8)
        return false
    }

    private func raiseClock(_ address: UnsafeMutableRawPointer) {
        var seen = falcon_load_relaxed_u64(address)
        while seen & BlockCache.clockMask < 2 &* BlockCache.clockOne {
            let raised = seen & ~BlockCache.clockMask | 2 &* BlockCache.clockOne
            if falcon_cas_u64(address, &seen, raised) { return }
        }
    }

    /// Takes over `bytes` (from `allocate`), keeps it under (`uid`, `offset`) as room allows, and
    /// pins it.
    func insert(
        _ uid: UID, _ offset: UInt64, _ bytes: UnsafeRawBufferPointer, _ pin: inout BlockPin
    ) {
        guard let start = bytes.baseAddress,
            bytes.count &+ BlockCache.overheadBytes <= capacityBytes
        else { return pin.own(bytes) }
        let hash = BlockCache.hash(uid, offset)
        let first = Int((hash >> 4) & setMask) &* BlockCache.ways
        guard let index = claim(first) else { return pin.own(bytes) }
        let fields = slot(index)
        fields.storeBytes(of: uid.high, as: UInt64.self)
        fields.storeBytes(of: uid.low, toByteOffset: 8, as: UInt64.self)
        fields.storeBytes(of: offset, toByteOffset: 16, as: UInt64.self)
        fields.storeBytes(of: start, toByteOffset: 24, as: UnsafeRawPointer.self)
        fields.storeBytes(of: bytes.count, toByteOffset: 32, as: Int.self)
        let address = stateAddress(index)
        var seen = falcon_load_relaxed_u64(address)
        let fresh = hash & 0xFFFF_FFFF_0000_0000 | BlockCache.visible | BlockCache.clockOne
        while !falcon_cas_u64(address, &seen, fresh | (seen & BlockCache.referenceMask) &+ 1) {}
        pin.hold(slot: address, bytes: bytes)
        let cost = bytes.count &+ BlockCache.overheadBytes
        let now = used.add(cost, ordering: .relaxed).newValue
        if now > limitBytes { shrink() }
    }

    /// An owned slot of the set that begins at `first`, emptied if need be; nil: all are pinned.
    private func claim(_ first: Int) -> Int? {
        for index in first..<(first &+ BlockCache.ways) {
            var seen = state(index)
            while seen & BlockCache.stateMask == 0 {
                if falcon_cas_u64(stateAddress(index), &seen, seen | BlockCache.owned) {
                    return index
                }
            }
        }
        for _ in 0..<4 {
            for index in first..<(first &+ BlockCache.ways) where takeIfCold(index) { return index }
        }
        return nil
    }

    /// One CLOCK step on a slot. True: it is now owned by the caller, its block freed.
    private func takeIfCold(_ index: Int) -> Bool {
        let address = stateAddress(index)
        var seen = falcon_load_relaxed_u64(address)
        guard seen & BlockCache.stateMask == BlockCache.visible,
            seen & BlockCache.referenceMask == 0
        else { return false }
        if seen & BlockCache.clockMask != 0 {
            _ = falcon_cas_u64(address, &seen, seen &- BlockCache.clockOne)
            return false
        }
        guard falcon_cas_u64(address, &seen, BlockCache.owned) else { return false }
        let fields = slot(index)
        let length = fields.load(fromByteOffset: 32, as: Int.self)
        fields.load(fromByteOffset: 24, as: UnsafeMutableRawPointer.self).deallocate()
        used.subtract(length &+ BlockCache.overheadBytes, ordering: .relaxed)
        return true
    }

    /// Evicts until the bytes fit, or every slot had its turns.
    private func shrink() {
        var steps = 4 &* slotCount
        while steps > 0, used.load(ordering: .relaxed) > limitBytes {
            steps &-= 1
            let index = hand.wrappingAdd(1, ordering: .relaxed).oldValue & (slotCount &- 1)
            guard takeIfCold(index) else { continue }
            let address = stateAddress(index)
            var seen = falcon_load_relaxed_u64(address)
            while !falcon_cas_u64(address, &seen, seen & BlockCache.referenceMask) {}
        }
    }
}
