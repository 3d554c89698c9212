import CFalconPlatform
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The newest writes, sorted, in memory: one writer at a time, readers without locks.
final class MemTable: @unchecked Sendable {
    let arena: Arena
    let tree: EntryTree
    /// All tombstones as they came, for the flush.
    private let tombstones = Mutex<[RangeTombstone]>([])
    /// The same for readers. Made with the first, and seen by those who see the count above zero.
    @exclusivity(unchecked) private var pieces: Unmanaged<TombstoneTree>?
    private let tombstoneCount = Atomic<Int>(0)
    /// Gets the arena back.
    private let pool: ArenaPool?

    /// - Parameters:
    ///   - capacityBytes: address space to reserve, 4 GiB at most; memory is used as it fills.
    ///   - shards: where point reads of this table are counted. With them the tree's replaced nodes
    ///     are used again, a seventh of the memory.
    ///   - pool: gives the arena, and gets it back.
    init(
        capacityBytes: Int = 256 << 20, shards: ReaderShards? = nil, pool: ArenaPool? = nil
    ) throws(StorageError) {
        self.pool = pool
        if let pool {
            arena = try pool.take(capacityBytes: capacityBytes)
        } else {
            arena = try Arena(capacityBytes: capacityBytes, hugePages: true)
        }
        tree = EntryTree(arena: arena, shards: shards)
    }

    deinit {
        pieces?.release()
        pool?.give(arena)
    }

    /// Adds one version of `key`. Call from one writer at a time. False: the arena is full, nothing
    /// was added. The entry is visible to readers at once; timestamps hide it until published.
    func insert(
        key: UnsafeRawBufferPointer, timestamp: Timestamp, kind: OperationKind,
        value: UnsafeRawBufferPointer
    ) -> Bool {
        guard let ref = place(key: key, timestamp: timestamp, kind: kind, value: value) else {
            return false
        }
        tree.insert(ref)
        return true
    }

    /// Writes an entry that nobody finds before ``link(_:)``; nil: the arena is full.
    @inline(__always)
    func place(
        key: UnsafeRawBufferPointer, timestamp: Timestamp, kind: OperationKind,
        value: UnsafeRawBufferPointer
    ) -> UInt32? {
        let lead = ArenaEntry.leadBytes(key: key.count, value: value.count)
        let size = lead &+ ArenaEntry.headerBytes &+ key.count &+ value.count
        guard key.count <= ArenaEntry.maximumKeyBytes, value.count <= ArenaEntry.maximumValueBytes,
            arena.hasRoom(size &+ EntryTree.reserveBytes)
        else { return nil }
        let ref = arena.allocate(size, alignment: 1) &+ UInt32(truncatingIfNeeded: lead)
        ArenaEntry.write(
            at: arena.base + Int(ref), version: timestamp.rawValue, kind: kind, key: key,
            value: value)
        return ref
    }

    /// Puts an entry into the tree; the writer's. False: the arena is full.
    func link(_ ref: UInt32) -> Bool {
        guard arena.hasRoom(EntryTree.reserveBytes) else { return false }
        tree.insert(ref)
        return true
    }

    /// Adds the newest operation per key, and the range deletes, of `batch` at `timestamp`.
    /// False: the arena is full; check ``canFit(_:)`` first, since a part may have been added.
    func apply(_ batch: WriteBatch, at timestamp: Timestamp) -> Bool {
        // Published first: a reader at `timestamp` waits for publication anyway.
        guard addRangeTombstones(of: batch, at: timestamp) else { return false }
        return Self.forEachNewest(of: batch) { key, kind, value in
            insert(key: key, timestamp: timestamp, kind: kind, value: value)
        }
    }

    /// Calls `body` with the newest operation of each key of `batch`, until it returns false. False: it did.
    @inline(__always)
    static func forEachNewest(
        of batch: WriteBatch,
        _ body: (UnsafeRawBufferPointer, OperationKind, UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        var newest = batch.newest(below: .max)
        while let entry = newest.current {
            let kind = newest.kind
            let value = kind == .delete ? UnsafeRawBufferPointer(start: nil, count: 0) : entry.value
            if !body(entry.key, kind, value) { return false }
            newest.moveNext()
        }
        return true
    }

    /// Whether ``apply(_:at:)`` of `batch` is sure to find room.
    func canFit(_ batch: WriteBatch) -> Bool {
        let ranges = batch.rangeDeleteCount
        if ranges > 0 {
            let fits =
                pieces?._withUnsafeGuaranteedRef { $0.hasRoom(ranges, bytes: batch.byteCount) }
                ?? (TombstoneTree.needed(ranges, bytes: batch.byteCount) < Arena.maximumCapacity)
            if !fits { return false }
        }
        return arena.hasRoom(
            batch.byteCount + batch.operationCount * 280 + 2 * EntryTree.reserveBytes)
    }

    /// Makes what ``addRangeTombstones(of:at:)`` of `batch` allocates: afterwards nothing can be lacking.
    func reserveRangeTombstones(of batch: WriteBatch) throws(StorageError) {
        let count = batch.rangeDeleteCount
        guard count > 0, pieces == nil else { return }
        pieces = .passRetained(
            try TombstoneTree(atLeast: TombstoneTree.needed(count, bytes: batch.byteCount)))
    }

    /// Adds the range deletes of `batch`. False: no room.
    func addRangeTombstones(of batch: WriteBatch, at timestamp: Timestamp) -> Bool {
        if batch.rangeDeleteCount == 0 { return true }
        return addRangeTombstones(
            batch.rangeDeletes(below: .max).map {
                RangeTombstone(lower: Array($0.key), upper: Array($0.value), timestamp: timestamp)
            })
    }

    /// Adds tombstones of one timestamp, which is not below those added before. False: no room.
    func addRangeTombstones(_ added: [RangeTombstone]) -> Bool {
        let bytes = added.reduce(0) { $0 + $1.lower.count + $1.upper.count }
        if pieces == nil {
            guard
                let fresh = try? TombstoneTree(
                    atLeast: TombstoneTree.needed(added.count, bytes: bytes))
            else { return false }
            pieces = .passRetained(fresh)
        }
        guard let pieces else { return false }
        let fits = pieces._withUnsafeGuaranteedRef { tree in
            guard tree.hasRoom(added.count, bytes: bytes) else { return false }
            for tombstone in added {
                tombstone.lower.withUnsafeBytes { lower in
                    tombstone.upper.withUnsafeBytes { tree.add(lower, $0, tombstone.timestamp) }
                }
            }
            return true
        }
        guard fits else { return false }
        tombstones.withLock { $0 += added }
        tombstoneCount.wrappingAdd(added.count, ordering: .releasing)
        return true
    }

    /// What a reader at `timestamp` sees of the tombstones that reach into `range`.
    func rangeTombstones(in range: KeyRange, at timestamp: Timestamp) -> [RangeTombstone] {
        guard tombstoneCount.load(ordering: .acquiring) > 0, let pieces else { return [] }
        return pieces._withUnsafeGuaranteedRef { $0.pieces(in: range, at: timestamp) }
    }

    /// In the order they were added. Normally empty.
    var rangeTombstones: [RangeTombstone] {
        if tombstoneCount.load(ordering: .acquiring) == 0 { return [] }
        return tombstones.withLock { $0 }
    }

    /// The newest version of `key` not above `timestamp`, range tombstones applied. The value lives
    /// as long as the memtable.
    @inline(__always)
    func get(_ key: UnsafeRawBufferPointer, at timestamp: Timestamp) -> PointLookup {
        let found = getEntry(key, timestamp)
        if tombstoneCount.load(ordering: .acquiring) == 0 { return found }
        return hidden(found, key, timestamp)
    }

    private func getEntry(_ key: UnsafeRawBufferPointer, _ timestamp: Timestamp) -> PointLookup {
        var cursor = tree.lowerBound(key, timestamp.rawValue)
        while cursor.isValid {
            let entry = cursor.entry
            guard entry.keyLength == key.count, KeyOrder.compare(entry.key, key) == 0 else { break }
            switch entry.kind {
            case .delete: return .deleted(Timestamp(entry.version))
            case .intent: cursor.moveNext()
            default: return .value(Timestamp(entry.version), entry.value)
            }
        }
        return .absent
    }

    private func hidden(
        _ found: PointLookup, _ key: UnsafeRawBufferPointer, _ timestamp: Timestamp
    ) -> PointLookup {
        let cover =
            pieces?._withUnsafeGuaranteedRef { $0.newestCovering(key, at: timestamp) } ?? .zero
        guard cover > .zero else { return found }
        switch found {
        case .absent: return .deleted(cover)
        case .deleted(let version): return .deleted(max(version, cover))
        case .value(let version, _), .reference(let version, _):
            return version < cover ? .deleted(cover) : found
        }
    }

    /// All entries (range tombstones not applied). The iterator keeps the memtable alive and never
    /// throws. It may run beside the writer.
    func makeIterator() -> InternalIterator { MemTableIterator(self) }

    /// Bytes of arena in use, nodes included.
    var approximateBytes: Int { arena.used }
    var entryCount: Int { tree.entryCount }
    var isEmpty: Bool {
        tree.entryCount == 0 && tombstoneCount.load(ordering: .acquiring) == 0
    }
}

/// Walks a memtable in internal order.
final class MemTableIterator: InternalIterator {
    private let table: MemTable
    @exclusivity(unchecked) private var cursor: TreeCursor

    init(_ table: MemTable) {
        self.table = table
        table.tree.recycler?.countIterator(1)
        cursor = table.tree.first()
    }

    deinit { table.tree.recycler?.countIterator(-1) }

    override var isValid: Bool { cursor.isValid }
    override var userKey: UnsafeRawBufferPointer { cursor.entry.key }
    override var timestamp: Timestamp { Timestamp(cursor.entry.version) }
    override var kind: OperationKind { cursor.entry.kind }
    override var value: UnsafeRawBufferPointer { cursor.entry.value }

    override func seekToFirst() throws(StorageError) { cursor = table.tree.first() }
    override func seekToLast() throws(StorageError) { cursor = table.tree.last() }
    override func seek(_ key: UnsafeRawBufferPointer, _ timestamp: Timestamp) throws(StorageError) {
        cursor = table.tree.lowerBound(key, timestamp.rawValue)
    }
    override func seekBefore(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        cursor = table.tree.lowerBound(key, .max)
        cursor.movePrevious()
    }
    override func next() throws(StorageError) { if cursor.isValid { cursor.moveNext() } }
    override func previous() throws(StorageError) { if cursor.isValid { cursor.movePrevious() } }
}
