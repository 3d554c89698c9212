import CFalconPlatform

/// Nodes that a tree's splits have replaced, and when they may be written again: not before every
/// reader has gone that may have seen them. The writer's, but for ``readerCount``.
///
/// Readers announce nothing for this; it lives on counts there are anyway. A point read is over once
/// its shard was seen empty after the replacement. Iterators, and reads through an older
/// ``ReadState``, stop all reuse while there are any: the tree then grows as if nothing were reused.
final class NodeRecycler: @unchecked Sendable {
    /// Nodes of up to this many 16-byte units are reused, each size for itself.
    private static let unitLimit = 64
    private static let unitBytes = 16
    /// So many nodes wait out their readers together.
    private static let roundNodes = 64
    /// Beyond this many the oldest are forgotten: readers never leave.
    private static let waitingLimit = 4096

    private let shards: ReaderShards
    private let base: UnsafeMutableRawPointer
    /// Iterators over the tree, plus the read states that lead to it.
    private let counts: UnsafeMutableRawPointer
    /// The first free node of each size; a free node's first bytes name the next.
    private let free: UnsafeMutablePointer<UInt32>
    private var waiting: [UInt32] = []
    /// How many of `waiting`, from its front, wait for the shards in `unseen`.
    private var inRound = 0
    private var unseen: UInt16 = 0
    private var retiredSinceLook = 0

    init(shards: ReaderShards, base: UnsafeMutableRawPointer) {
        self.shards = shards
        self.base = base
        counts = .allocate(byteCount: 16, alignment: 8)
        counts.storeBytes(of: 0, as: UInt64.self)
        counts.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
        free = .allocate(capacity: Self.unitLimit)
        free.initialize(repeating: 0, count: Self.unitLimit)
        waiting.reserveCapacity(2 * Self.roundNodes)
    }

    deinit {
        counts.deallocate()
        free.deallocate()
    }

    /// An iterator comes (1) or goes (-1), on any thread.
    func countIterator(_ change: Int) {
        _ = falcon_fetch_add_u64(counts, UInt64(bitPattern: Int64(change)))
    }

    /// A read state that leads here comes (1) or goes (-1), on any thread.
    func countState(_ change: Int) {
        _ = falcon_fetch_add_u64(counts + 8, UInt64(bitPattern: Int64(change)))
    }

    /// A node of `byteCount` bytes, a multiple of 16, that nobody reads any more; 0: none.
    @inline(__always)
    func take(_ byteCount: Int) -> UInt32 {
        let units = byteCount / Self.unitBytes
        guard units < Self.unitLimit else { return 0 }
        let ref = free[units]
        if ref != 0 { free[units] = (base + Int(ref)).load(as: UInt32.self) }
        return ref
    }

    /// The tree leads to `ref` no more.
    func retire(_ ref: UInt32) {
        if waiting.count >= Self.waitingLimit {
            waiting.removeAll(keepingCapacity: true)
            inRound = 0
        }
        waiting.append(ref)
        retiredSinceLook &+= 1
        if retiredSinceLook >= Self.roundNodes / 4 { look() }
    }

    private func look() {
        retiredSinceLook = 0
        if inRound == 0 {
            guard waiting.count >= Self.roundNodes else { return }
            inRound = waiting.count
            unseen = .max
        }
        if unseen != 0 { unseen &= ~shards.idle(of: unseen) }
        // After the shards: a read that left them for its own state shows in the count of states.
        guard unseen == 0, falcon_fetch_add_u64(counts, 0) == 0,
            falcon_fetch_add_u64(counts + 8, 0) <= 1
        else { return }
        for ref in waiting.prefix(inRound) { release(ref) }
        waiting.removeFirst(inRound)
        inRound = 0
    }

    private func release(_ ref: UInt32) {
        let node = TreeNode(base + Int(ref))
        let units = node.byteCount / Self.unitBytes
        guard units < Self.unitLimit else { return }
        node.pointer.storeBytes(of: free[units], as: UInt32.self)
        free[units] = ref
    }
}
