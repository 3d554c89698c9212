import CFalconPlatform

/// An arena B+tree over entries ordered (key ascending, version descending). One writer, any number
/// of readers without locks or retries.
///
/// What a reader relies on: entries that were there before it set out are found. A leaf that splits
/// is copied to new leaves and stays, frozen, for whoever stands in it; its frozen links lead to
/// leaves that were current, or later ones; with a ``NodeRecycler`` its memory is a new node's once
/// nobody stands in it. Ranges only ever get finer. In the lowest inner level a
/// split adds a slot first and replaces the child second, so a reader between the two lands one leaf
/// too far left, finds its key beyond the last entry and follows the link, as it would at any leaf's
/// end. Higher inner nodes are copied and replaced by one store in their parent.
final class EntryTree: @unchecked Sendable {
    let arena: Arena
    let base: UnsafeMutableRawPointer
    /// Writer's scratch: assembled windows, entries and children, and the path of the last descent.
    let scratch: UnsafeMutableRawPointer
    /// The leaf of the last insert while inserts come in order, else 0.
    @exclusivity(unchecked) var finger: UInt32 = 0

    static let rootOffset = 8
    static let entryCountOffset = 16
    static let maximumDepth = 24
    /// What one insert may take beyond its entry: every level split, each into two nodes, and a root.
    static let reserveBytes =
        (2 * maximumDepth + 2)
        * (TreeNode.innerPrefixOffset
            + TreeNode.maximumPrefix + 128)

    // Scratch layout.
    static let scratchWindows = 0
    static let scratchEntries = 128
    static let scratchChildren = 192
    static let scratchPath = 264
    static let scratchBytes = scratchPath + 8 * maximumDepth

    /// Reuses nodes that splits replaced; nil: they stay as long as the arena.
    let recycler: NodeRecycler?

    /// - Parameter shards: where those who read the tree are counted, so that nodes can be reused.
    init(arena: Arena, shards: ReaderShards? = nil) {
        self.arena = arena
        recycler = shards.map { NodeRecycler(shards: $0, base: arena.base) }
        base = arena.base
        scratch = .allocate(byteCount: EntryTree.scratchBytes, alignment: 8)
        let root = makeNode(count: 0, level: 0, prefixLength: 0, windowsKnown: true)
        falcon_store_release_u32(base + EntryTree.rootOffset, root)
    }

    deinit { scratch.deallocate() }

    var entryCount: Int { Int(falcon_load_relaxed_u64(base + EntryTree.entryCountOffset)) }
    @inline(__always) var root: UInt32 { falcon_load_acquire_u32(base + EntryTree.rootOffset) }
    @inline(__always) func node(_ ref: UInt32) -> TreeNode { TreeNode(base + Int(ref)) }
    @inline(__always) func entry(_ ref: UInt32) -> ArenaEntry { ArenaEntry(base + Int(ref)) }

    // MARK: - Search

    /// Key bytes `offset`..<`offset` + 8 as a number that sorts like them.
    @inline(__always)
    static func window(_ key: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        guard let start = key.baseAddress else { return 0 }
        if offset &+ 8 <= key.count {
            return UInt64(bigEndian: (start + offset).loadUnaligned(as: UInt64.self))
        }
        var result: UInt64 = 0
        var index = offset
        var shift: UInt64 = 56
        while index < key.count {
            result |= UInt64(start.load(fromByteOffset: index, as: UInt8.self)) &<< shift
            shift &-= 8
            index &+= 1
        }
        return result
    }

    /// The order of `key` against the node's prefix: 0 when the key begins with it.
    @inline(__always)
    static func comparePrefix(_ key: UnsafeRawBufferPointer, _ node: TreeNode, _ length: Int) -> Int
    {
        guard let start = key.baseAddress else { return -1 }
        let order = memoryCompare(start, node.prefix, min(length, key.count))
        if order != 0 { return order }
        return key.count < length ? -1 : 0
    }

    /// How many entries of a leaf sort before (`key`, `version`).
    @inline(__always)
    func leafRank(
        _ leaf: TreeNode, _ permutation: UInt64, _ key: UnsafeRawBufferPointer, _ version: UInt64
    ) -> Int {
        let count = TreeNode.count(permutation)
        let prefixLength = leaf.prefixLength
        if prefixLength > 0 {
            let order = EntryTree.comparePrefix(key, leaf, prefixLength)
            if order != 0 { return order < 0 ? 0 : count }
        }
        let wanted = UInt32(truncatingIfNeeded: EntryTree.window(key, prefixLength) &>> 32)
        var less = 0
        var notGreater = 0
        var address = UnsafeRawPointer(leaf.pointer) + TreeNode.windowsOffset
        let end = address + 4 &* count
        while address < end {
            let window = address.load(as: UInt32.self)
            less &+= window < wanted ? 1 : 0
            notGreater &+= window <= wanted ? 1 : 0
            address += 4
        }
        // Ties: compare whole keys, by halving, since versions of one key all tie.
        while less < notGreater {
            let middle = (less &+ notGreater) &>> 1
            let slot = TreeNode.slot(permutation, middle)
            if entry(leaf.leafEntry(slot)).compare(key, version) < 0 {
                less = middle &+ 1
            } else {
                notGreater = middle
            }
        }
        return less
    }

    /// How many separators of an inner node do not sort after (`key`, `version`): the child's rank.
    @inline(__always)
    func childRank(
        _ node: TreeNode, _ permutation: UInt64, _ key: UnsafeRawBufferPointer, _ version: UInt64
    ) -> Int {
        let count = TreeNode.count(permutation)
        let prefixLength = node.prefixLength
        if prefixLength > 0 {
            let order = EntryTree.comparePrefix(key, node, prefixLength)
            if order != 0 { return order < 0 ? 0 : count }
        }
        let wanted = EntryTree.window(key, prefixLength)
        var less = 0
        var notGreater = 0
        var address = UnsafeRawPointer(node.pointer) + TreeNode.windowsOffset
        let end = address + 8 &* count
        while address < end {
            let window = address.load(as: UInt64.self)
            less &+= window < wanted ? 1 : 0
            notGreater &+= window <= wanted ? 1 : 0
            address += 8
        }
        while less < notGreater {
            let middle = (less &+ notGreater) &>> 1
            let slot = TreeNode.slot(permutation, middle)
            if entry(node.innerEntry(slot)).compare(key, version) <= 0 {
                less = middle &+ 1
            } else {
                notGreater = middle
            }
        }
        return less
    }

    @inline(__always)
    static func prefetch(_ node: TreeNode) {
        falcon_prefetch(node.pointer)
        falcon_prefetch(node.pointer + 64)
        falcon_prefetch(node.pointer + 128)
    }

    /// The first entry at or after (`key`, `version`).
    @inline(__always)
    func lowerBound(_ key: UnsafeRawBufferPointer, _ version: UInt64) -> TreeCursor {
        var node = self.node(root)
        while !node.isLeaf {
            let permutation = node.permutation
            let rank = childRank(node, permutation, key, version)
            node = self.node(node.child(permutation, rank: rank))
            EntryTree.prefetch(node)
        }
        while true {
            let permutation = node.permutation
            let rank = leafRank(node, permutation, key, version)
            if rank < TreeNode.count(permutation) {
                return TreeCursor(base: base, node: node, permutation: permutation, rank: rank)
            }
            let next = node.next
            // The last leaf keeps its place, so that stepping back from the end is possible.
            if next == 0 {
                return TreeCursor(base: base, node: node, permutation: permutation, rank: rank)
            }
            node = self.node(next)
        }
    }

    func first() -> TreeCursor {
        var node = self.node(root)
        while !node.isLeaf { node = self.node(node.child(node.permutation, rank: 0)) }
        return TreeCursor(base: base, node: node, permutation: node.permutation, rank: 0)
    }

    func last() -> TreeCursor {
        var node = self.node(root)
        while !node.isLeaf {
            let permutation = node.permutation
            node = self.node(node.child(permutation, rank: TreeNode.count(permutation)))
        }
        // A racing split may have left us one leaf short.
        while node.next != 0 { node = self.node(node.next) }
        let permutation = node.permutation
        var cursor = TreeCursor(
            base: base, node: node, permutation: permutation, rank: TreeNode.count(permutation))
        cursor.movePrevious()
        return cursor
    }
}
