/// A place in an ``EntryTree``: a leaf, the permutation it was entered with, and a rank in it. A
/// value; stays good beside the writer, and does not see entries added to its leaf since.
struct TreeCursor {
    let base: UnsafeMutableRawPointer
    private(set) var node: TreeNode
    private(set) var permutation: UInt64
    /// -1 before the first entry, the leaf's count beyond the last.
    private(set) var rank: Int

    @inline(__always)
    init(base: UnsafeMutableRawPointer, node: TreeNode, permutation: UInt64, rank: Int) {
        self.base = base
        self.node = node
        self.permutation = permutation
        self.rank = rank
    }

    @inline(__always) var isValid: Bool {
        rank >= 0 && rank < TreeNode.count(permutation)
    }
    /// The entry; only when ``isValid``.
    @inline(__always) var entry: ArenaEntry { ArenaEntry(base + Int(entryRef)) }
    @inline(__always) var entryRef: UInt32 { node.leafEntry(TreeNode.slot(permutation, rank)) }

    @inline(__always)
    mutating func moveNext() {
        rank &+= 1
        while rank >= TreeNode.count(permutation) {
            let next = node.next
            if next == 0 { return }
            node = TreeNode(base + Int(next))
            permutation = node.permutation
            rank = 0
        }
    }

    @inline(__always)
    mutating func movePrevious() {
        rank &-= 1
        while rank < 0 {
            let previous = node.previous
            if previous == 0 { return }
            node = TreeNode(base + Int(previous))
            permutation = node.permutation
            rank = TreeNode.count(permutation) &- 1
        }
    }
}
