/// Walks a batch's newest operation per key, in key order.
///
/// In the small form it works on a copy of the index (16 offsets), so that the batch may grow
/// beneath it; the tree allows that by itself.
struct NewestCursor {
    private let batch: WriteBatch
    private let below: UInt32
    private let base: UnsafeMutableRawPointer
    /// The batch's when the cursor was made: it may spill meanwhile, and begin another.
    private let tree: EntryTree?
    private var cursor: TreeCursor?
    private var small: SIMD16<UInt32> = .zero
    private var smallCount = 0
    private var position = 0
    private(set) var current: ArenaEntry?
    /// The current operation's kind: delete also for a put that a later range delete covers.
    private(set) var kind: OperationKind = .put

    /// On the first key.
    init(_ batch: WriteBatch, below: UInt32) {
        self.batch = batch
        self.below = below
        base = batch.base
        tree = batch.tree
        if let tree {
            cursor = tree.first()
        } else {
            for place in 0..<batch.indexCount {
                let entry = batch.smallEntry(place)
                if entry.version >= UInt64(below) { continue }
                if smallCount > 0 {
                    let last = ArenaEntry(base + Int(small[smallCount &- 1]))
                    if KeyOrder.compare(last.key, entry.key) == 0 { continue }
                }
                small[smallCount] = batch.index[place]
                smallCount &+= 1
            }
        }
        settleForward()
    }

    mutating func moveToFirst() {
        position = 0
        if let tree { cursor = tree.first() }
        settleForward()
    }

    mutating func moveToLast() {
        if let tree {
            cursor = tree.last()
        } else {
            position = smallCount &- 1
        }
        settleBackward()
    }

    /// To the first key at or after `key`.
    mutating func move(to key: UnsafeRawBufferPointer) {
        if let tree {
            cursor = tree.lowerBound(key, .max)
        } else {
            position = 0
            while position < smallCount,
                KeyOrder.compare(ArenaEntry(base + Int(small[position])).key, key) < 0
            { position &+= 1 }
        }
        settleForward()
    }

    /// To the last key before `key`.
    mutating func move(before key: UnsafeRawBufferPointer) {
        if let tree, var place = cursor {
            place = tree.lowerBound(key, .max)
            place.movePrevious()
            cursor = place
        } else {
            position = 0
            while position < smallCount,
                KeyOrder.compare(ArenaEntry(base + Int(small[position])).key, key) < 0
            { position &+= 1 }
            position &-= 1
        }
        settleBackward()
    }

    mutating func moveNext() {
        guard let left = current else { return }
        if var place = cursor {
            repeat {
                place.moveNext()
            } while place.isValid && KeyOrder.compare(place.entry.key, left.key) == 0
            cursor = place
        } else {
            position &+= 1
        }
        settleForward()
    }

    mutating func movePrevious() {
        guard let left = current else { return }
        if var place = cursor {
            repeat {
                place.movePrevious()
            } while place.isValid && KeyOrder.compare(place.entry.key, left.key) == 0
            cursor = place
        } else {
            position &-= 1
        }
        settleBackward()
    }

    // MARK: - Settling on a visible operation

    private mutating func settleForward() {
        guard var place = cursor else { return settleSmall() }
        while place.isValid {
            let entry = place.entry
            if entry.version < UInt64(below) && !entry.isDead {
                cursor = place
                return show(entry)
            }
            place.moveNext()
        }
        cursor = place
        current = nil
    }

    /// From some entry back to the newest visible one of its key, or of an earlier key.
    private mutating func settleBackward() {
        guard var place = cursor else { return settleSmall() }
        var best: TreeCursor?
        while place.isValid {
            let entry = place.entry
            if let found = best, KeyOrder.compare(found.entry.key, entry.key) != 0 { break }
            if entry.version < UInt64(below) && !entry.isDead { best = place }
            place.movePrevious()
        }
        if let best {
            cursor = best
            show(best.entry)
        } else {
            cursor = place
            current = nil
        }
    }

    private mutating func settleSmall() {
        if position >= 0 && position < smallCount {
            show(ArenaEntry(base + Int(small[position])))
        } else {
            current = nil
        }
    }

    private mutating func show(_ entry: ArenaEntry) {
        current = entry
        kind = entry.kind
        if batch.rangeDeleteCount > 0, kind != .delete,
            let cover = batch.newestRangeDelete(over: entry.key, below: below),
            UInt64(cover) > entry.version
        {
            kind = .delete
        }
    }
}

/// A batch's newest visible operation per key, all at one timestamp: that of its commit, or `.max` for an
/// overlay, which lies above whatever a reader sees.
final class WriteBatchIterator: InternalIterator {
    private let batch: WriteBatch
    private let commit: Timestamp
    @exclusivity(unchecked) private var cursor: NewestCursor

    init(_ batch: WriteBatch, below: UInt32, at timestamp: Timestamp = .max) {
        self.batch = batch
        commit = timestamp
        cursor = NewestCursor(batch, below: below)
    }

    private var empty: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    override var isValid: Bool { cursor.current != nil }
    override var userKey: UnsafeRawBufferPointer { cursor.current?.key ?? empty }
    override var timestamp: Timestamp { commit }
    override var kind: OperationKind { cursor.kind }
    override var value: UnsafeRawBufferPointer {
        cursor.kind == .delete ? empty : cursor.current?.value ?? empty
    }

    override func seekToFirst() throws(StorageError) { cursor.moveToFirst() }
    override func seekToLast() throws(StorageError) { cursor.moveToLast() }
    override func seek(_ key: UnsafeRawBufferPointer, _ timestamp: Timestamp) throws(StorageError) {
        cursor.move(to: key)
        // The key's only version is newer than what is looked for.
        if commit < .max, timestamp < commit, let found = cursor.current,
            KeyOrder.compare(found.key, key) == 0
        {
            cursor.moveNext()
        }
    }
    override func seekBefore(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        cursor.move(before: key)
    }
    override func next() throws(StorageError) { cursor.moveNext() }
    override func previous() throws(StorageError) { cursor.movePrevious() }
}
