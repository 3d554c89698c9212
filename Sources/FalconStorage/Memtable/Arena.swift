import CFalconPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory that only grows, addressed by 32-bit offsets, freed all at once.
///
/// The address space is reserved in one piece and the kernel gives pages as they are touched: an
/// offset becomes a pointer by one addition, and a pointer stays good for the arena's life. One
/// thread allocates; others may read what was published to them. Offset 0 means "nothing": the first
/// 64 bytes belong to the arena and to ``EntryTree``.
///
///     0   u64  bytes in use
///     8   u32  root node        (EntryTree)
///     16  u64  entries          (EntryTree)
final class Arena: @unchecked Sendable {
    static let headerBytes = 64
    /// Offsets are 32 bits.
    static let maximumCapacity = 1 << 32

    let base: UnsafeMutableRawPointer
    let capacity: Int
    /// Bytes that were in use at most, in this life or an earlier one: their pages are there.
    private var touchedBefore = 0
    /// Pages before this were touched, or are about to be. The writer's.
    private var warmBytes = 0

    /// Reserves `capacityBytes` (4 GiB at most), or the greatest half, quarter… that the system
    /// grants: a process may live under an address-space limit.
    init(capacityBytes: Int, hugePages: Bool) throws(StorageError) {
        var wanted = min(max(capacityBytes, 1 << 20), Arena.maximumCapacity)
        wanted = (wanted + 4095) & ~4095
        while true {
            let flags = MAP_PRIVATE | MAP_ANONYMOUS | Int32(MAP_NORESERVE)
            let mapped = mmap(nil, wanted, PROT_READ | PROT_WRITE, flags, -1, 0)
            if let mapped, mapped != MAP_FAILED {
                base = mapped
                capacity = wanted
                break
            }
            wanted = (wanted / 2) & ~4095
            if wanted < 1 << 20 {
                throw StorageError(
                    .outOfMemory, kind: .transient, "No address space for an arena.",
                    cause: String(cString: strerror(errno)), errno: errno)
            }
        }
        // A memtable is filled and searched at random: huge pages spare most of the TLB misses.
        if hugePages { _ = madvise(base, capacity, Int32(MADV_HUGEPAGE)) }
        falcon_store_relaxed_u64(base, UInt64(Arena.headerBytes))
    }

    deinit { munmap(base, capacity) }

    /// Bytes in use; may be read by any thread.
    var used: Int { Int(falcon_load_relaxed_u64(base)) }

    /// The most that was ever in use.
    var touchedBytes: Int { max(touchedBefore, used) }

    /// Empties the arena for a new owner. Nobody else may have it.
    func reset() {
        touchedBefore = touchedBytes
        warmBytes = touchedBefore
        falcon_store_relaxed_u64(base, UInt64(Arena.headerBytes))
        falcon_store_relaxed_u64(base + 8, 0)
        falcon_store_relaxed_u64(base + 16, 0)
    }

    /// Where the writer next asks for pages ahead; what is not used much never does.
    @inline(__always)
    var warmMark: Int { max(warmBytes &- ArenaWarmer.stepBytes, Arena.warmsFrom) }
    private static let warmsFrom = 1 << 20

    /// The first `count` bytes' pages are there.
    func noteTouched(_ count: Int) { touchedBefore = max(touchedBefore, min(count, capacity)) }

    /// Has the pages after those that are there touched, up to `limit`; false when they are there already.
    func warmAhead(_ warmer: ArenaWarmer, limit: Int) -> Bool {
        let hugePage = ArenaWarmer.hugePageBytes
        let start = (max(warmBytes, used) + hugePage - 1) & ~(hugePage - 1)
        let end = min(start + ArenaWarmer.stepBytes, limit, capacity)
        guard start < end else {
            warmBytes = .max
            return false
        }
        warmBytes = end
        warmer.warm(self, start..<end)
        return true
    }

    @inline(__always)
    func hasRoom(_ byteCount: Int) -> Bool { byteCount <= capacity &- used }

    /// The offset of `byteCount` new bytes. The caller has checked ``hasRoom(_:)``.
    @inline(__always)
    func allocate(_ byteCount: Int, alignment: Int) -> UInt32 {
        let start = (used &+ (alignment &- 1)) & ~(alignment &- 1)
        falcon_store_relaxed_u64(base, UInt64(start &+ byteCount))
        return UInt32(truncatingIfNeeded: start)
    }
}
