import CFalconPlatform

extension EntryTree {
    /// A step of the way down to a key.
    private struct Step {
        var node: UnsafeMutableRawPointer
        /// In an inner node the child's rank, in a leaf how many entries are before the key.
        var rank: Int
        var count: Int
    }

    /// Up to so many keys are counted.
    private static let countedKeys = 64

    /// Roughly how many keys of `range` have a value: exact for a few, beyond that the versions of all, by how
    /// many nodes are between the range's bounds. The caller keeps the tree's nodes from being used again.
    func estimatedKeyCount(of range: KeyRange) -> Int {
        if let few = countFew(range) { return few }
        let lower = steps(to: range.lower ?? [])
        let upper = steps(to: range.upper ?? [UInt8](repeating: 0xFF, count: 64))
        // The root has been split in between.
        guard lower.count == upper.count else { return entryCount }
        var estimate = 0.0
        var hasParted = false
        for (low, high) in zip(lower, upper) {
            // What is between them has about as many children as the fuller one: keys that come in order
            // leave full nodes behind, and the last one filling.
            estimate *= Double(max(low.count, high.count))
            let isLeaf = TreeNode(low.node).isLeaf
            if hasParted {
                estimate += Double(max(0, low.count - low.rank - (isLeaf ? 0 : 1)) + high.rank)
            } else if low.node != high.node {
                hasParted = true
            } else if low.rank != high.rank {
                estimate += Double(max(0, high.rank - low.rank - (isLeaf ? 0 : 1)))
                hasParted = true
            }
        }
        let most = entryCount
        return estimate < Double(most) ? Int(estimate) : most
    }

    private func steps(to key: [UInt8]) -> [Step] {
        key.withUnsafeBytes { key in
            var steps: [Step] = []
            var node = self.node(root)
            while true {
                let permutation = node.permutation
                let count = TreeNode.count(permutation)
                if node.isLeaf {
                    let rank = leafRank(node, permutation, key, .max)
                    steps.append(Step(node: node.pointer, rank: rank, count: count))
                    return steps
                }
                let rank = childRank(node, permutation, key, .max)
                steps.append(Step(node: node.pointer, rank: rank, count: count &+ 1))
                node = self.node(node.child(permutation, rank: rank))
            }
        }
    }

    /// The keys of `range` that have a value; nil when there are more than a few.
    private func countFew(_ range: KeyRange) -> Int? {
        var cursor = (range.lower ?? []).withUnsafeBytes { lowerBound($0, .max) }
        var values = 0
        for _ in 0..<Self.countedKeys {
            guard cursor.isValid else { return values }
            let entry = cursor.entry
            if let upper = range.upper,
                upper.withUnsafeBytes({ KeyOrder.compare(entry.key, $0) }) >= 0
            {
                return values
            }
            if entry.kind != .delete { values += 1 }
            // Beyond the key's older versions; the least of all versions is found once more.
            cursor = lowerBound(entry.key, 0)
            if cursor.isValid, KeyOrder.compare(cursor.entry.key, entry.key) == 0 {
                cursor.moveNext()
            }
        }
        return nil
    }
}

extension MemTable {
    /// See ``EntryTree/estimatedKeyCount(of:)``.
    func estimatedKeyCount(of range: KeyRange) -> Int {
        tree.recycler?.countIterator(1)
        defer { tree.recycler?.countIterator(-1) }
        return tree.estimatedKeyCount(of: range)
    }
}
