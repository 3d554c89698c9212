import CFalconPlatform

/// The index partitions and filter pages of one table that are held in memory for as long as it is open:
/// found without a search in the cache. Thread-safe; readers take no lock.
///
/// A partition is read through the cache when it is first needed, and charged to it. As long as all
/// tables together hold no more than the cache's share for that, it then stays and cannot be evicted;
/// beyond that it comes and goes like a data block.
struct TablePartitions: @unchecked Sendable {
    /// What keeps a held partition: a cache slot, or nil for memory of our own.
    private struct Holding {
        var slot: UnsafeMutableRawPointer?
        var bytes: Int
    }
    /// The address of each index partition, then of each filter page; 0 while not held.
    private let addresses: UnsafeMutablePointer<UInt64>?
    /// In the same order; written by the one that set the address, read by ``release(_:)`` alone.
    private let holdings: UnsafeMutablePointer<Holding>?
    private let indexCount: Int
    private let count: Int

    /// Both 0 for a table whose index and filter are one block each.
    init(indexPartitions: Int, filterPages: Int) {
        indexCount = indexPartitions
        count = indexPartitions + filterPages
        if count == 0 {
            (addresses, holdings) = (nil, nil)
            return
        }
        addresses = .allocate(capacity: count)
        addresses?.initialize(repeating: 0, count: count)
        holdings = .allocate(capacity: count)
        holdings?.initialize(repeating: Holding(slot: nil, bytes: 0), count: count)
    }

    /// Bytes that the directory itself takes.
    var byteCount: Int { count * (8 + MemoryLayout<Holding>.stride) }

    /// The held index partition: aligned and validated.
    @inline(__always)
    func index(_ place: Int) -> UnsafeRawPointer? { held(place) }
    /// The held filter page.
    @inline(__always)
    func filter(_ page: Int) -> UnsafeRawPointer? { held(indexCount &+ page) }

    @inline(__always)
    private func held(_ word: Int) -> UnsafeRawPointer? {
        guard let addresses else { return nil }
        return UnsafeRawPointer(bitPattern: UInt(falcon_load_acquire_u64(addresses + word)))
    }

    /// Holds from now on what `pin` pins, if nobody was first and the cache has room for it. The pin
    /// keeps its bytes, unless they were its own: look for them here first.
    func hold(
        _ place: Int, _ kind: TableFormat.BlockKind, _ pin: inout BlockPin, _ cache: BlockCache?,
        beyondShare: Bool
    ) {
        guard let addresses, let holdings, let start = pin.bytes.baseAddress else { return }
        let size = pin.bytes.count
        // What the cache had no room for is not held beside it; without a cache there is no other way.
        if cache != nil, !pin.isCached { return }
        if let cache, !cache.reserveHeld(size, beyondShare: beyondShare) { return }
        let word = kind == .filter ? indexCount + place : place
        let holding = Holding(slot: pin.shareHold(), bytes: size)
        var expected: UInt64 = 0
        if falcon_cas_u64(addresses + word, &expected, UInt64(UInt(bitPattern: start))) {
            holdings[word] = holding
            _ = pin.takeOwn()
        } else {
            if let slot = holding.slot { BlockPin.dropHold(slot) }
            cache?.releaseHeld(size)
        }
    }

    /// Lets all go, when nobody reads any more.
    func release(_ cache: BlockCache?) {
        guard let addresses, let holdings else { return }
        for word in 0..<count {
            guard let start = UnsafeMutableRawPointer(bitPattern: UInt(addresses[word])) else {
                continue
            }
            if let slot = holdings[word].slot {
                BlockPin.dropHold(slot)
                cache?.releaseHeld(holdings[word].bytes)
            } else {
                start.deallocate()
            }
        }
        addresses.deallocate()
        holdings.deallocate()
    }
}
