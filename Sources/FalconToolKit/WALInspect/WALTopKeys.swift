import FalconStorage

/// The keys that were written most, in bounded memory (Misra and Gries): while no more than ``capacity``
/// different keys were met the counts are exact; afterwards a count is too low by ``error`` at most.
///
/// Runs for every operation of a log: a table of hashes in one piece, and nothing is allocated for a key that is met
/// once, as most are.
final class WALTopKeys {
    private struct Tally {
        var count = 0
        var bytes = 0
    }
    static let capacity = 16_384
    /// As many again stay free, so that a search ends soon.
    private static let slotCount = 2 * capacity
    private static let slotMask = slotCount - 1

    /// 0: the slot is free.
    private let hashes: UnsafeMutablePointer<UInt64>
    private let tallies: UnsafeMutablePointer<Tally>
    /// Copied when the key is met a second time.
    @exclusivity(unchecked) private var keys = [[UInt8]?](repeating: nil, count: slotCount)
    @exclusivity(unchecked) private var used = 0
    @exclusivity(unchecked) private(set) var error = 0
    /// Operations counted.
    @exclusivity(unchecked) private(set) var total = 0

    init() {
        hashes = .allocate(capacity: Self.slotCount)
        hashes.initialize(repeating: 0, count: Self.slotCount)
        tallies = .allocate(capacity: Self.slotCount)
        tallies.initialize(repeating: Tally(), count: Self.slotCount)
    }

    deinit {
        hashes.deallocate()
        tallies.deallocate()
    }

    func add(_ key: UnsafeRawBufferPointer, valueBytes: Int) {
        total &+= 1
        let hash = max(Checksum.xxh3(key), 1)
        var slot = find(hash)
        if hashes[slot] == hash {
            // Met twice or more often, it has its key.
            if tallies[slot].count == 1, keys[slot] == nil { keys[slot] = Array(key) }
            tallies[slot].count &+= 1
            tallies[slot].bytes &+= valueBytes
            return
        }
        if used >= Self.capacity {
            makeRoom()
            slot = find(hash)
        }
        put(hash, Tally(count: 1, bytes: valueBytes), at: slot)
    }

    /// The slot of `hash`, or the free one where it belongs. There is always a free one.
    @inline(__always)
    private func find(_ hash: UInt64) -> Int {
        var slot = Int(truncatingIfNeeded: hash) & Self.slotMask
        while hashes[slot] != 0, hashes[slot] != hash { slot = (slot &+ 1) & Self.slotMask }
        return slot
    }

    @inline(__always)
    private func put(_ hash: UInt64, _ tally: Tally, at slot: Int) {
        hashes[slot] = hash
        tallies[slot] = tally
        used &+= 1
    }

    /// Takes one off every count, so that keys met once leave.
    private func makeRoom() {
        error += 1
        var left: [(hash: UInt64, tally: Tally, key: [UInt8]?)] = []
        for slot in 0..<Self.slotCount where hashes[slot] != 0 {
            if tallies[slot].count > 1 {
                var tally = tallies[slot]
                tally.count -= 1
                left.append((hashes[slot], tally, keys[slot]))
            }
            hashes[slot] = 0
            keys[slot] = nil
        }
        used = 0
        for (hash, tally, key) in left {
            let slot = find(hash)
            put(hash, tally, at: slot)
            keys[slot] = key
        }
    }

    /// The most written keys that were met more than once, the greatest first.
    func top(_ count: Int) -> [(key: [UInt8], count: Int, bytes: Int)] {
        var repeated: [(key: [UInt8], count: Int, bytes: Int)] = []
        for slot in 0..<Self.slotCount where hashes[slot] != 0 {
            guard let key = keys[slot] else { continue }
            repeated.append((key, tallies[slot].count, tallies[slot].bytes))
        }
        let sorted = repeated.sorted { a, b in
            a.count != b.count ? a.count > b.count : a.key.lexicographicallyPrecedes(b.key)
        }
        return Array(sorted.prefix(count))
    }
}
