import CFalconPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The writer's side. The caller holds whatever makes it the only writer and has checked the
/// arena's room (``EntryTree/reserveBytes`` beyond the entry).
extension EntryTree {
    /// Adds an entry that lies complete in the arena.
    func insert(_ ref: UInt32) {
        let added = entry(ref)
        let key = added.key
        let version = added.version
        var leafRef: UInt32 = 0
        var rank = 0
        if finger != 0, let place = rankAtFinger(key, version) {
            leafRef = finger
            rank = place
        } else {
            leafRef = descend(key, version)
            let leaf = node(leafRef)
            rank = leafRank(leaf, leaf.permutation, key, version)
        }
        let leaf = node(leafRef)
        let permutation = leaf.permutation
        let count = TreeNode.count(permutation)
        let prefixLength = leaf.prefixLength
        let fits =
            prefixLength == 0 || EntryTree.comparePrefix(key, leaf, prefixLength) == 0
        noteRun(leaf, rank)
        if fits && count < TreeNode.slotCount {
            leaf.setSlot(count, window: EntryTree.window(key, prefixLength), entry: ref)
            leaf.publish(permutation: TreeNode.inserting(permutation, at: rank))
            rememberFinger(leaf, leafRef)
        } else {
            // The path is needed now, and a finger has none.
            if finger == leafRef { leafRef = descend(key, version) }
            split(leafRef, permutation, rank, ref, fits: fits)
        }
        let counter = base + EntryTree.entryCountOffset
        falcon_store_relaxed_u64(counter, falcon_load_relaxed_u64(counter) &+ 1)
    }

    // MARK: - Sequential inserts

    /// The rank for (`key`, `version`) in the finger's leaf, next to the last insert; nil when it
    /// does not go there.
    @inline(__always)
    private func rankAtFinger(_ key: UnsafeRawBufferPointer, _ version: UInt64) -> Int? {
        let leaf = node(finger)
        let permutation = leaf.permutation
        let last = Int(leaf.pointer.load(fromByteOffset: 19, as: UInt8.self))
        let count = TreeNode.count(permutation)
        guard last < count,
            entry(leaf.entry(TreeNode.slot(permutation, last))).compare(key, version) < 0
        else { return nil }
        if last &+ 1 < count {
            let after = entry(leaf.entry(TreeNode.slot(permutation, last &+ 1)))
            return after.compare(key, version) >= 0 ? last &+ 1 : nil
        }
        let next = leaf.next
        if next == 0 { return count }
        let neighbour = node(next)
        let after = entry(neighbour.entry(TreeNode.slot(neighbour.permutation, 0)))
        return after.compare(key, version) > 0 ? count : nil
    }

    @inline(__always)
    private func noteRun(_ leaf: TreeNode, _ rank: Int) {
        let pointer = leaf.pointer
        let last = Int(pointer.load(fromByteOffset: 19, as: UInt8.self))
        let up = pointer.load(fromByteOffset: 20, as: UInt8.self)
        let down = pointer.load(fromByteOffset: 21, as: UInt8.self)
        pointer.storeBytes(of: UInt8(truncatingIfNeeded: rank), toByteOffset: 19, as: UInt8.self)
        pointer.storeBytes(
            of: rank == last &+ 1 ? (up == 255 ? 255 : up &+ 1) : 0, toByteOffset: 20,
            as: UInt8.self)
        pointer.storeBytes(
            of: rank == 0 && last == 0 ? (down == 255 ? 255 : down &+ 1) : 0, toByteOffset: 21,
            as: UInt8.self)
    }

    @inline(__always)
    private func rememberFinger(_ leaf: TreeNode, _ ref: UInt32) {
        finger = leaf.pointer.load(fromByteOffset: 20, as: UInt8.self) >= 2 ? ref : 0
    }

    // MARK: - Descent with a path

    /// The leaf for (`key`, `version`); its ancestors, and the rank of the child taken in each, are
    /// in the scratch path, and its depth in `path` 0.
    private func descend(_ key: UnsafeRawBufferPointer, _ version: UInt64) -> UInt32 {
        var ref = root
        var node = self.node(ref)
        var depth = 0
        while !node.isLeaf {
            let permutation = node.permutation
            let rank = childRank(node, permutation, key, version)
            setPath(depth, ref, rank)
            depth &+= 1
            ref = node.child(permutation, rank: rank)
            node = self.node(ref)
            EntryTree.prefetch(node)
        }
        return ref
    }

    @inline(__always)
    private func setPath(_ depth: Int, _ ref: UInt32, _ rank: Int) {
        let slot = scratch + (EntryTree.scratchPath &+ 8 &* depth)
        slot.storeBytes(of: ref, as: UInt32.self)
        slot.storeBytes(of: UInt32(truncatingIfNeeded: rank), toByteOffset: 4, as: UInt32.self)
    }
    private func path(_ depth: Int) -> (node: TreeNode, rank: Int) {
        let slot = scratch + (EntryTree.scratchPath &+ 8 &* depth)
        return (
            node(slot.load(as: UInt32.self)), Int(slot.load(fromByteOffset: 4, as: UInt32.self))
        )
    }

    // MARK: - Scratch

    @inline(__always) private var windows: UnsafeMutablePointer<UInt64> {
        (scratch + EntryTree.scratchWindows).assumingMemoryBound(to: UInt64.self)
    }
    @inline(__always) private var entries: UnsafeMutablePointer<UInt32> {
        (scratch + EntryTree.scratchEntries).assumingMemoryBound(to: UInt32.self)
    }
    @inline(__always) private var children: UnsafeMutablePointer<UInt32> {
        (scratch + EntryTree.scratchChildren).assumingMemoryBound(to: UInt32.self)
    }

    /// Gathers a node's slots in order with one more at `rank`; false when `added` does not share
    /// the node's prefix, so that all windows must be made anew.
    private func gather(_ node: TreeNode, _ permutation: UInt64, _ rank: Int, _ added: UInt32)
        -> Bool
    {
        let count = TreeNode.count(permutation)
        var to = 0
        for from in 0..<count {
            if from == rank { to &+= 1 }
            let slot = TreeNode.slot(permutation, from)
            windows[to] = node.window(slot)
            entries[to] = node.entry(slot)
            to &+= 1
        }
        entries[rank] = added
        let key = entry(added).key
        let prefixLength = node.prefixLength
        windows[rank] = TreeNode.kept(EntryTree.window(key, prefixLength), level: node.level)
        return prefixLength == 0 || EntryTree.comparePrefix(key, node, prefixLength) == 0
    }

    // MARK: - Leaf splits

    /// Adds `ref` at `rank` of a leaf that has no slot for it, or whose prefix it does not share.
    private func split(
        _ leafRef: UInt32, _ permutation: UInt64, _ rank: Int, _ ref: UInt32, fits: Bool
    ) {
        let leaf = node(leafRef)
        let count = TreeNode.count(permutation)
        let depth = depthOfPath(to: leafRef)
        let before = leaf.previous
        let after = leaf.next
        let up = leaf.pointer.load(fromByteOffset: 20, as: UInt8.self)
        let down = leaf.pointer.load(fromByteOffset: 21, as: UInt8.self)
        finger = 0

        if count < TreeNode.slotCount {
            // Only the prefix is in the way: the same leaf with a shorter one.
            let known = gather(leaf, permutation, rank, ref)
            let fresh = makeChecked(
                count: count &+ 1, level: 0, prefixLength: leaf.prefixLength, windowsKnown: known)
            adoptRun(node(fresh), rank, up, down)
            link(fresh, fresh, before: before, after: after)
            replaceChild(depth, leafRef, fresh)
            recycler?.retire(leafRef)
            return
        }

        if rank == count && up >= 3 {
            // Ascending: the full leaf stays as it is.
            entries[0] = ref
            let right = makeSingle(ref, neighbour: leaf, permutation)
            adoptRun(node(right), 0, up, 0)
            let added = node(right)
            added.setPrevious(leafRef)
            added.setNext(after)
            if after != 0 { node(after).setPrevious(right) }
            leaf.setNext(right)
            insertInParent(depth, leafRef, right, separator: ref)
            finger = right
            return
        }
        if rank == 0 && down >= 3 {
            // Descending, or newer versions of a hot key.
            entries[0] = ref
            let left = makeSingle(ref, neighbour: leaf, permutation)
            adoptRun(node(left), 0, 0, down)
            let added = node(left)
            added.setPrevious(before)
            added.setNext(leafRef)
            leaf.setPrevious(left)
            if before != 0 { node(before).setNext(left) }
            insertInParent(
                depth, left, leafRef, separator: leaf.entry(TreeNode.slot(permutation, 0)))
            return
        }

        let known = gather(leaf, permutation, rank, ref)
        let total = count &+ 1
        // In the middle of an ascending run the right part will not grow again: keep it whole.
        let cut = up >= 3 && rank < count ? max(1, min(rank &+ 1, total &- 1)) : total / 2
        let separator = entries[cut]
        let left = makeChecked(
            count: cut, level: 0, prefixLength: leaf.prefixLength, windowsKnown: known)
        for index in cut..<total {
            windows[index &- cut] = windows[index]
            entries[index &- cut] = entries[index]
        }
        // makeChecked may have made the left part's windows anew; the right part's are still the old.
        let right = makeChecked(
            count: total &- cut, level: 0, prefixLength: leaf.prefixLength, windowsKnown: known)
        if rank < cut {
            adoptRun(node(left), rank, up, rank == 0 ? down : 0)
            adoptRun(node(right), 0, 0, 0)
            if up >= 3 && rank &+ 1 < TreeNode.slotCount { finger = left }
        } else {
            adoptRun(node(left), 0, 0, 0)
            adoptRun(node(right), rank &- cut, up, 0)
        }
        link(left, right, before: before, after: after)
        insertInParent(depth, left, right, separator: separator)
        recycler?.retire(leafRef)
    }

    /// How many ancestors of `leaf` the last descent recorded.
    private func depthOfPath(to leaf: UInt32) -> Int {
        var depth = 0
        var ref = root
        while ref != leaf, depth < EntryTree.maximumDepth {
            let (node, rank) = path(depth)
            ref = node.child(node.permutation, rank: rank)
            depth &+= 1
        }
        return depth
    }

    private func adoptRun(_ leaf: TreeNode, _ rank: Int, _ up: UInt8, _ down: UInt8) {
        leaf.pointer.storeBytes(
            of: UInt8(truncatingIfNeeded: rank), toByteOffset: 19, as: UInt8.self)
        leaf.pointer.storeBytes(of: up, toByteOffset: 20, as: UInt8.self)
        leaf.pointer.storeBytes(of: down, toByteOffset: 21, as: UInt8.self)
    }

    /// Puts `left`…`right` (one leaf or two neighbours) between `before` and `after`.
    private func link(_ left: UInt32, _ right: UInt32, before: UInt32, after: UInt32) {
        node(left).setPrevious(before)
        node(right).setNext(after)
        if left != right {
            node(left).setNext(right)
            node(right).setPrevious(left)
        }
        if before != 0 { node(before).setNext(left) }
        if after != 0 { node(after).setPrevious(right) }
    }

    // MARK: - Parents

    /// One store: whatever pointed to `old` points to `new`. `depth` counts `old`'s ancestors.
    private func replaceChild(_ depth: Int, _ old: UInt32, _ new: UInt32) {
        if depth == 0 {
            falcon_store_release_u32(base + EntryTree.rootOffset, new)
        } else {
            let (parent, rank) = path(depth &- 1)
            falcon_store_release_u32(parent.childAddress(parent.permutation, rank: rank), new)
        }
    }

    /// The child at `depth`'s path became `left` and `right`, which begins with `separator`.
    private func insertInParent(
        _ depth: Int, _ left: UInt32, _ right: UInt32, separator: UInt32
    ) {
        if depth == 0 {
            entries[0] = separator
            children[0] = left
            children[1] = right
            let level = node(left).level &+ 1
            let fresh = makeNode(count: 1, level: level, prefixLength: 0, windowsKnown: false)
            falcon_store_release_u32(base + EntryTree.rootOffset, fresh)
            return
        }
        let (parent, rank) = path(depth &- 1)
        let permutation = parent.permutation
        let count = TreeNode.count(permutation)
        let prefixLength = parent.prefixLength
        let key = entry(separator).key
        if parent.level == 1 && count < TreeNode.slotCount
            && (prefixLength == 0 || EntryTree.comparePrefix(key, parent, prefixLength) == 0)
        {
            let old = parent.childAddress(permutation, rank: rank)
            parent.setSlot(count, window: EntryTree.window(key, prefixLength), entry: separator)
            falcon_store_release_u32(
                parent.pointer + (TreeNode.childrenOffset &+ 4 &* count), right)
            parent.publish(permutation: TreeNode.inserting(permutation, at: rank))
            falcon_store_release_u32(old, left)
            return
        }

        let known = gather(parent, permutation, rank, separator)
        for index in 0...count {
            children[index <= rank ? index : index &+ 1] = parent.child(permutation, rank: index)
        }
        children[rank] = left
        children[rank &+ 1] = right
        let parentRef = UInt32(truncatingIfNeeded: parent.pointer - base)
        let total = count &+ 1
        if total <= TreeNode.slotCount {
            let fresh = makeChecked(
                count: total, level: parent.level, prefixLength: prefixLength, windowsKnown: known)
            replaceChild(depth &- 1, parentRef, fresh)
            recycler?.retire(parentRef)
            return
        }
        let middle = rank == count ? total &- 2 : (rank == 0 ? 1 : total / 2)
        let raised = entries[middle]
        let leftHalf = makeChecked(
            count: middle, level: parent.level, prefixLength: prefixLength, windowsKnown: known)
        for index in (middle &+ 1)..<total {
            windows[index &- middle &- 1] = windows[index]
            entries[index &- middle &- 1] = entries[index]
        }
        for index in (middle &+ 1)...total { children[index &- middle &- 1] = children[index] }
        let rightHalf = makeChecked(
            count: total &- middle &- 1, level: parent.level, prefixLength: prefixLength,
            windowsKnown: known)
        insertInParent(depth &- 1, leftHalf, rightHalf, separator: raised)
        recycler?.retire(parentRef)
    }

    // MARK: - New nodes

    /// A leaf of one entry; its prefix is what that entry shares with its neighbour, less a slack.
    private func makeSingle(_ ref: UInt32, neighbour: TreeNode, _ permutation: UInt64) -> UInt32 {
        let edge = entry(neighbour.entry(TreeNode.slot(permutation, 0))).key
        let shared = EntryTree.commonPrefix(entry(ref).key, edge)
        entries[0] = ref
        return makeNode(
            count: 1, level: 0, prefixLength: EntryTree.prefix(forShared: shared, level: 0),
            windowsKnown: false)
    }

    /// A node of the scratch's slots. Keeps the windows when they tell the keys apart; else takes
    /// the longest prefix the keys share and makes new ones.
    private func makeChecked(
        count: Int, level: UInt8, prefixLength: Int, windowsKnown: Bool
    ) -> UInt32 {
        if windowsKnown {
            var distinct = true
            var index = 1
            while index < count && distinct {
                distinct = windows[index] != windows[index &- 1]
                index &+= 1
            }
            if distinct {
                return makeNode(
                    count: count, level: level, prefixLength: prefixLength, windowsKnown: true)
            }
        }
        let shared = EntryTree.commonPrefix(entry(entries[0]).key, entry(entries[count &- 1]).key)
        let wanted = EntryTree.prefix(forShared: shared, level: level)
        let keeps = windowsKnown && wanted <= prefixLength
        return makeNode(
            count: count, level: level, prefixLength: keeps ? prefixLength : wanted,
            windowsKnown: keeps)
    }

    @inline(__always)
    private func allocateNode(_ byteCount: Int) -> UInt32 {
        if let recycler {
            let reused = recycler.take(byteCount)
            if reused != 0 { return reused }
        }
        return arena.allocate(byteCount, alignment: 16)
    }

    func makeNode(
        count: Int, level: UInt8, prefixLength: Int, windowsKnown: Bool
    ) -> UInt32 {
        let prefixOffset = level == 0 ? TreeNode.leafPrefixOffset : TreeNode.innerPrefixOffset
        let ref = allocateNode(TreeNode.byteCount(level: level, prefixLength: prefixLength))
        let fresh = node(ref)
        let pointer = fresh.pointer
        falcon_store_relaxed_u64(pointer + 8, 0)
        pointer.storeBytes(
            of: UInt16(truncatingIfNeeded: prefixLength), toByteOffset: 16, as: UInt16.self)
        pointer.storeBytes(of: level, toByteOffset: 18, as: UInt8.self)
        pointer.storeBytes(of: 0, toByteOffset: 19, as: UInt8.self)
        pointer.storeBytes(of: 0, toByteOffset: 20, as: UInt16.self)
        if prefixLength > 0 {
            memcpy(pointer + prefixOffset, entry(entries[0]).keyStart, prefixLength)
        }
        for index in 0..<count {
            let entryRef = entries[index]
            fresh.setSlot(
                index,
                window: windowsKnown
                    ? windows[index] : EntryTree.window(entry(entryRef).key, prefixLength),
                entry: entryRef)
        }
        if level > 0 {
            falcon_store_relaxed_u32(pointer + 8, children[0])
            for index in 0..<count {
                falcon_store_relaxed_u32(
                    pointer + (TreeNode.childrenOffset &+ 4 &* index), children[index &+ 1])
            }
        }
        fresh.publish(permutation: TreeNode.identity(count))
        return ref
    }

    /// A prefix a little shorter than what the present keys share, so that their neighbours to come
    /// share it too; the window after it still tells keys apart.
    private static func prefix(forShared shared: Int, level: UInt8) -> Int {
        min(max(shared &- (level == 0 ? 1 : 4), 0), TreeNode.maximumPrefix)
    }

    private static func commonPrefix(
        _ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer
    ) -> Int {
        let limit = min(a.count, b.count)
        var length = 0
        while length < limit && a[length] == b[length] { length &+= 1 }
        return length
    }
}
