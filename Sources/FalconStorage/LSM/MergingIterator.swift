/// Merges several cursors into one in internal order, both directions.
///
/// A binary heap over the children's current keys, kept in raw memory: a step is one virtual move of
/// the top child and about two key comparisons. With equal key and timestamp the lower child wins.
final class MergingIterator: InternalIterator {
    /// A child and where it stands. The key is the child's own memory, valid until it moves.
    private struct Head {
        var key: UnsafeRawBufferPointer
        var timestamp: UInt64
        var rank: Int
        var child: Unmanaged<InternalIterator>
    }

    private let children: [InternalIterator]
    private let heap: UnsafeMutablePointer<Head>
    @exclusivity(unchecked) private var count = 0
    @exclusivity(unchecked) private var isForward = true

    init(_ children: [InternalIterator]) {
        self.children = children
        heap = .allocate(capacity: max(children.count, 1))
    }

    deinit { heap.deallocate() }

    /// One child needs no merging.
    static func merging(_ children: [InternalIterator]) -> InternalIterator {
        if children.count == 1 { return children[0] }
        return MergingIterator(children)
    }

    override var isValid: Bool { count > 0 }
    override var userKey: UnsafeRawBufferPointer {
        count > 0 ? heap[0].key : UnsafeRawBufferPointer(start: nil, count: 0)
    }
    override var timestamp: Timestamp { count > 0 ? Timestamp(heap[0].timestamp) : .zero }
    override var kind: OperationKind {
        count > 0 ? heap[0].child._withUnsafeGuaranteedRef { $0.kind } : .put
    }
    override var value: UnsafeRawBufferPointer {
        count > 0
            ? heap[0].child._withUnsafeGuaranteedRef { $0.value }
            : UnsafeRawBufferPointer(start: nil, count: 0)
    }

    override func seekToFirst() throws(StorageError) {
        count = 0
        isForward = true
        for index in children.indices {
            try children[index].seekToFirst()
            push(children[index], index)
        }
        heapify()
    }

    override func seekToLast() throws(StorageError) {
        count = 0
        isForward = false
        for index in children.indices {
            try children[index].seekToLast()
            push(children[index], index)
        }
        heapify()
    }

    override func seek(
        _ key: UnsafeRawBufferPointer, _ timestamp: Timestamp
    ) throws(StorageError) {
        count = 0
        isForward = true
        for index in children.indices {
            try children[index].seek(key, timestamp)
            push(children[index], index)
        }
        heapify()
    }

    override func seekBefore(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        count = 0
        isForward = false
        for index in children.indices {
            try children[index].seekBefore(key)
            push(children[index], index)
        }
        heapify()
    }

    override func next() throws(StorageError) {
        guard count > 0 else { return }
        if !isForward { return try turn(forward: true) }
        if let failure = heap[0].child._withUnsafeGuaranteedRef({ $0.attemptNext() }) {
            count = 0
            throw failure
        }
        refreshTop()
    }

    override func previous() throws(StorageError) {
        guard count > 0 else { return }
        if isForward { return try turn(forward: false) }
        if let failure = heap[0].child._withUnsafeGuaranteedRef({ $0.attemptPrevious() }) {
            count = 0
            throw failure
        }
        refreshTop()
    }

    /// Changes direction and takes one step: every child moves to the entry just after (before) the
    /// current one. The current child moves last, since its memory holds the key.
    private func turn(forward: Bool) throws(StorageError) {
        let top = heap[0]
        let current = top.child._withUnsafeGuaranteedRef { $0 }
        let timestamp = Timestamp(top.timestamp)
        count = 0
        isForward = forward
        for index in children.indices where children[index] !== current {
            let child = children[index]
            try child.seek(top.key, timestamp)
            if forward {
                // An equal entry of another child counts as passed.
                if child.isValid, child.timestamp == timestamp,
                    KeyOrder.compare(child.userKey, top.key) == 0
                {
                    try child.next()
                }
            } else if child.isValid {
                try child.previous()
            } else {
                try child.seekToLast()
            }
            push(child, index)
        }
        if forward { try current.next() } else { try current.previous() }
        push(current, top.rank)
        heapify()
    }

    // MARK: - Heap

    @inline(__always)
    private func push(_ child: InternalIterator, _ rank: Int) {
        guard child.isValid else { return }
        (heap + count).initialize(
            to: Head(
                key: child.userKey, timestamp: child.timestamp.rawValue, rank: rank,
                child: .passUnretained(child)))
        count += 1
    }

    @inline(__always)
    private func refreshTop() {
        let child = heap[0].child
        let isValid = child._withUnsafeGuaranteedRef { child in
            guard child.isValid else { return false }
            heap[0].key = child.userKey
            heap[0].timestamp = child.timestamp.rawValue
            return true
        }
        if !isValid {
            count -= 1
            if count > 0 { heap[0] = heap[count] }
        }
        if count > 1 { siftDown(0) }
    }

    private func heapify() {
        guard count > 1 else { return }
        var index = count / 2
        while index > 0 {
            index -= 1
            siftDown(index)
        }
    }

    @inline(__always)
    private func precedes(_ a: Int, _ b: Int) -> Bool {
        let order = KeyOrder.compare(heap[a].key, heap[b].key)
        if order != 0 { return isForward ? order < 0 : order > 0 }
        if heap[a].timestamp != heap[b].timestamp {
            return (heap[a].timestamp > heap[b].timestamp) == isForward
        }
        return (heap[a].rank < heap[b].rank) == isForward
    }

    private func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent &* 2 &+ 1
            if least >= count { return }
            let right = least &+ 1
            if right < count, precedes(right, least) { least = right }
            if !precedes(least, parent) { return }
            let moved = heap[parent]
            heap[parent] = heap[least]
            heap[least] = moved
            parent = least
        }
    }
}
