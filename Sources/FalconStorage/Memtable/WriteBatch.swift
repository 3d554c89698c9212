#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A transaction's private writes, keyed (key, ordinal descending).
///
/// Ordinals rise by one per operation and are never reused, so a statement that notes
/// ``nextOrdinal`` first and reads below it never sees its own writes. Used by one thread at a time.
///
/// Up to 16 operations lie in one small allocation with a sorted index; beyond, in an arena under
/// the memtable's tree, whose content may be moved to files (``StorageEngine/spill(_:)``): then the tree
/// holds the operations from ``firstOrdinal`` on. Operations are arena entries whose version is the ordinal, followed by:
///
///     0   u8   class
///     1   u8   SQL operation
///     2   u8   1: a before image follows
///     3   u8   0
///     4   u32  descriptor version
///     8   u32  before image's length, then its bytes
public final class WriteBatch: @unchecked Sendable {
    static let smallLimit = 16
    static let smallBytesLimit = 32 << 10
    static let trailerBytes = 8
    /// Two arrays of 16 offsets head the first allocation: the sorted index and the ordinals.
    static let firstLogOffset = 128
    static let firstBytes = 1024

    /// Where the offsets count from: the small allocation or the arena.
    @exclusivity(unchecked) var base: UnsafeMutableRawPointer
    /// Small mode: bytes used and allocated at `base`.
    @exclusivity(unchecked) var used = WriteBatch.firstLogOffset
    @exclusivity(unchecked) var capacity = WriteBatch.firstBytes
    /// Small mode: sorted entry offsets; lives at the head of the first allocation.
    @exclusivity(unchecked) var index: UnsafeMutablePointer<UInt32>
    @exclusivity(unchecked) var indexCount = 0
    /// Entry offset by ordinal, counted from ``firstOrdinal``; 0: rolled back.
    @exclusivity(unchecked) var refs: UnsafeMutablePointer<UInt32>
    @exclusivity(unchecked) var refCapacity = WriteBatch.smallLimit
    /// The first allocation (index and refs live there) and outgrown ones: borrowed bytes stay good.
    @exclusivity(unchecked) private(set) var first: UnsafeMutableRawPointer
    @exclusivity(unchecked) var retired: [UnsafeMutableRawPointer] = []
    @exclusivity(unchecked) var tree: EntryTree?
    /// Of the range deletes in memory.
    @exclusivity(unchecked) var rangeOrdinals: [UInt32] = []
    /// Operations from this ordinal on are in memory, those before it in ``spilled``.
    @exclusivity(unchecked) var firstOrdinal: UInt32 = 0
    @exclusivity(unchecked) var spilled: SpilledWrites?
    /// The range deletes among what has spilled, oldest first: they stay in memory.
    @exclusivity(unchecked) var spilledRangeDeletes: [BatchRangeDelete] = []

    /// The ordinal the next operation gets.
    public internal(set) var nextOrdinal: UInt32 = 0
    /// Surviving operations.
    public internal(set) var operationCount: Int = 0
    /// Bytes of the surviving operations: keys, values, before images and their headers.
    public internal(set) var byteCount: Int = 0
    /// No operation survives. O(1).
    public var isEmpty: Bool { operationCount == 0 }

    /// An empty batch: one allocation of 1 KiB.
    public init() {
        first = .allocate(byteCount: WriteBatch.firstBytes, alignment: 8)
        base = first
        index = first.assumingMemoryBound(to: UInt32.self)
        refs = (first + 64).assumingMemoryBound(to: UInt32.self)
    }

    deinit { freeAll() }

    private func freeAll() {
        if UnsafeMutableRawPointer(refs) != first + 64 { refs.deallocate() }
        for pointer in retired { pointer.deallocate() }
        if tree == nil && base != first { base.deallocate() }
        first.deallocate()
    }

    // MARK: - Writing

    /// Puts `value` under `key`; the bytes are copied, `before` and what the others say go to the log with
    /// them.
    ///
    /// Throws `invalid-argument` beyond 16 MiB less one byte of key or 1 GiB of value, or after 4 billion operations,
    /// `out-of-memory` beyond 4 GiB of batch in memory. Then nothing was added.
    ///
    /// Keys that begin with `00 00 00 00` and a storage id of 32 to 63, u32 big-endian, belong to the
    /// stores on top (``TransactionOutcomeStore``, ``IdempotencyStore``, ``TransactionAuditLog``,
    /// ``TransactionStatusStore``; docs/formats/stores.md): they are not refused, and a program that uses a
    /// store keeps out of them.
    public func put(
        key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, class: OperationClass = .row,
        sql: SQLOperation = .none, descriptorVersion: UInt32 = 0,
        before: UnsafeRawBufferPointer? = nil
    ) throws(StorageError) {
        try add(.put, key, value, `class`, sql, descriptorVersion, before)
    }

    /// Deletes `key`, whether or not it is there. Throws as
    /// ``put(key:value:class:sql:descriptorVersion:before:)``, and the same keys are the stores'.
    public func delete(
        key: UnsafeRawBufferPointer, class: OperationClass = .row, sql: SQLOperation = .none,
        descriptorVersion: UInt32 = 0, before: UnsafeRawBufferPointer? = nil
    ) throws(StorageError) {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        try add(.delete, key, nothing, `class`, sql, descriptorVersion, before)
    }

    /// Deletes [lower, upper) as it is below this operation's ordinal.
    ///
    /// One operation, however many keys lie in it, and none when `upper` is not behind `lower`. Throws as
    /// ``put(key:value:class:sql:descriptorVersion:before:)``: a bound is a key. A range over keys of the stores deletes
    /// their rows: `00 00 00 00 00 00 00 20` to `00 00 00 00 00 00 00 40`.
    public func deleteRange(
        lower: UnsafeRawBufferPointer, upper: UnsafeRawBufferPointer,
        class: OperationClass = .row, sql: SQLOperation = .none, descriptorVersion: UInt32 = 0
    ) throws(StorageError) {
        guard KeyOrder.compare(lower, upper) < 0 else { return }
        guard upper.count <= ArenaEntry.maximumKeyBytes else {
            throw ArenaEntry.tooLong(key: upper.count)
        }
        try add(.rangeDelete, lower, upper, `class`, sql, descriptorVersion, nil)
    }

    private func add(
        _ kind: OperationKind, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
        _ class: OperationClass, _ sql: SQLOperation, _ descriptorVersion: UInt32,
        _ before: UnsafeRawBufferPointer?
    ) throws(StorageError) {
        let longest = max(value.count, before?.count ?? 0)
        guard key.count <= ArenaEntry.maximumKeyBytes, longest <= ArenaEntry.maximumValueBytes
        else { throw ArenaEntry.tooLong(key: key.count, value: longest) }
        guard nextOrdinal < UInt32.max - 1 else {
            throw .invalidArgument("A transaction has at most 4 billion operations.")
        }
        let lead = ArenaEntry.leadBytes(key: key.count, value: value.count)
        let body = ArenaEntry.headerBytes &+ key.count &+ value.count
        let size = WriteBatch.operationBytes(
            key: key.count, value: value.count, before: before?.count)
        let ref = try allocate(size) &+ UInt32(truncatingIfNeeded: lead)
        let pointer = base + Int(ref)
        ArenaEntry.write(
            at: pointer, version: UInt64(nextOrdinal), kind: kind, key: key, value: value)
        let trailer = pointer + body
        trailer.storeBytes(of: `class`.rawValue, as: UInt8.self)
        trailer.storeBytes(of: sql.rawValue, toByteOffset: 1, as: UInt8.self)
        trailer.storeBytes(of: before == nil ? 0 : 1, toByteOffset: 2, as: UInt16.self)
        trailer.storeBytes(of: descriptorVersion, toByteOffset: 4, as: UInt32.self)
        if let before {
            trailer.storeBytes(
                of: UInt32(truncatingIfNeeded: before.count), toByteOffset: 8, as: UInt32.self)
            if let source = before.baseAddress { memcpy(trailer + 12, source, before.count) }
        }
        growRefs()
        refs[Int(nextOrdinal &- firstOrdinal)] = ref
        if kind == .rangeDelete {
            rangeOrdinals.append(nextOrdinal)
        } else if let tree {
            tree.insert(ref)
        } else {
            insertSmall(ref, key)
        }
        nextOrdinal &+= 1
        operationCount &+= 1
        byteCount &+= size
    }

    /// What an operation adds to ``byteCount``.
    @inline(__always)
    static func operationBytes(key: Int, value: Int, before: Int?) -> Int {
        ArenaEntry.leadBytes(key: key, value: value) &+ ArenaEntry.headerBytes &+ key &+ value
            &+ trailerBytes &+ (before.map { $0 &+ 4 } ?? 0)
    }

    private func growRefs() {
        guard Int(nextOrdinal &- firstOrdinal) == refCapacity else { return }
        let grown = UnsafeMutablePointer<UInt32>.allocate(capacity: refCapacity &* 4)
        grown.update(from: refs, count: refCapacity)
        if UnsafeMutableRawPointer(refs) != first + 64 { refs.deallocate() }
        refs = grown
        refCapacity &*= 4
    }

    /// The offset of `size` new bytes, moving to a larger allocation or to the arena as needed.
    private func allocate(_ size: Int) throws(StorageError) -> UInt32 {
        if tree == nil {
            let start = (used &+ 7) & ~7
            if indexCount < WriteBatch.smallLimit && start &+ size <= WriteBatch.smallBytesLimit {
                if start &+ size > capacity { growSmall(start &+ size) }
                used = start &+ size
                return UInt32(truncatingIfNeeded: start)
            }
            try moveToTree()
        }
        guard let tree, tree.arena.hasRoom(size &+ EntryTree.reserveBytes) else {
            throw StorageError(
                .outOfMemory, kind: .user, "The transaction's writes exceed 4 GiB.",
                hint: "Commit in smaller pieces.")
        }
        return tree.arena.allocate(size, alignment: 8)
    }

    private func growSmall(_ needed: Int) {
        var grown = capacity &* 2
        while grown < needed { grown &*= 2 }
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 8)
        memcpy(fresh, base, used)
        if base != first { retired.append(base) }
        base = fresh
        capacity = grown
    }

    /// From the small form to the arena. The small form's bytes stay for whoever borrowed them.
    private func moveToTree() throws(StorageError) {
        let arena = try Arena(capacityBytes: Arena.maximumCapacity, hugePages: false)
        let grown = EntryTree(arena: arena)
        for ordinal in 0..<Int(nextOrdinal) where refs[ordinal] != 0 {
            let old = ArenaEntry(base + Int(refs[ordinal]))
            let size = entryBytes(old)
            let lead = old.leadBytes
            let ref = arena.allocate(size, alignment: 8) &+ UInt32(truncatingIfNeeded: lead)
            memcpy(arena.base + (Int(ref) &- lead), old.pointer - lead, size)
            refs[ordinal] = ref
            if old.kind != .rangeDelete { grown.insert(ref) }
        }
        if base != first { retired.append(base) }
        base = arena.base
        tree = grown
        indexCount = 0
    }

    /// All bytes of an operation, trailer and before image included.
    func entryBytes(_ entry: ArenaEntry) -> Int {
        let body = ArenaEntry.headerBytes &+ entry.keyLength &+ entry.valueLength
        let trailer = entry.pointer + body
        let size = entry.leadBytes &+ body &+ WriteBatch.trailerBytes
        if trailer.load(fromByteOffset: 2, as: UInt8.self) == 0 { return size }
        let length = trailer.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
        return size &+ 4 &+ Int(length)
    }

    // MARK: - Small form

    @inline(__always) func smallEntry(_ position: Int) -> ArenaEntry {
        ArenaEntry(base + Int(index[position]))
    }

    /// The first position whose entry is not before (`key`, `version`).
    func smallLowerBound(_ key: UnsafeRawBufferPointer, _ version: UInt64) -> Int {
        var low = 0
        var high = indexCount
        while low < high {
            let middle = (low &+ high) &>> 1
            if smallEntry(middle).compare(key, version) < 0 {
                low = middle &+ 1
            } else {
                high = middle
            }
        }
        return low
    }

    private func insertSmall(_ ref: UInt32, _ key: UnsafeRawBufferPointer) {
        let position = smallLowerBound(key, UInt64(nextOrdinal))
        var move = indexCount
        while move > position {
            index[move] = index[move &- 1]
            move &-= 1
        }
        index[position] = ref
        indexCount &+= 1
    }

    // MARK: - Dropping

    /// Drops every operation whose ordinal is `ordinal` or above. Their ordinals are not reused.
    public func rollback(toOrdinal ordinal: UInt32) {
        guard ordinal < nextOrdinal else { return }
        let start = Int(max(ordinal, firstOrdinal) &- firstOrdinal)
        for dropped in start..<Int(nextOrdinal &- firstOrdinal) where refs[dropped] != 0 {
            let pointer = base + Int(refs[dropped])
            let entry = ArenaEntry(pointer)
            operationCount &-= 1
            byteCount &-= entryBytes(entry)
            ArenaEntry.markDead(pointer)
            refs[dropped] = 0
        }
        while let last = rangeOrdinals.last, last >= ordinal { rangeOrdinals.removeLast() }
        if ordinal < firstOrdinal { rollbackSpilled(toOrdinal: ordinal) }
        if tree == nil {
            var kept = 0
            for position in 0..<indexCount where !smallEntry(position).isDead {
                index[kept] = index[position]
                kept &+= 1
            }
            indexCount = kept
        }
    }

    /// Moves everything to a new batch and leaves this one empty. Nothing is copied: borrowed bytes live
    /// as long as the new one.
    func surrender() -> WriteBatch {
        let taken = WriteBatch()
        swap(&base, &taken.base)
        swap(&used, &taken.used)
        swap(&capacity, &taken.capacity)
        swap(&index, &taken.index)
        swap(&indexCount, &taken.indexCount)
        swap(&refs, &taken.refs)
        swap(&refCapacity, &taken.refCapacity)
        swap(&first, &taken.first)
        swap(&retired, &taken.retired)
        swap(&tree, &taken.tree)
        swap(&rangeOrdinals, &taken.rangeOrdinals)
        swap(&firstOrdinal, &taken.firstOrdinal)
        swap(&spilled, &taken.spilled)
        swap(&spilledRangeDeletes, &taken.spilledRangeDeletes)
        swap(&nextOrdinal, &taken.nextOrdinal)
        swap(&operationCount, &taken.operationCount)
        swap(&byteCount, &taken.byteCount)
        return taken
    }

    /// Empties the batch for reuse; borrowed bytes die.
    public func removeAll() {
        if UnsafeMutableRawPointer(refs) != first + 64 { refs.deallocate() }
        for pointer in retired { pointer.deallocate() }
        if tree == nil && base != first { base.deallocate() }
        retired = []
        tree = nil
        base = first
        used = WriteBatch.firstLogOffset
        capacity = WriteBatch.firstBytes
        index = first.assumingMemoryBound(to: UInt32.self)
        indexCount = 0
        refs = (first + 64).assumingMemoryBound(to: UInt32.self)
        refCapacity = WriteBatch.smallLimit
        rangeOrdinals = []
        firstOrdinal = 0
        spilled = nil
        spilledRangeDeletes = []
        nextOrdinal = 0
        operationCount = 0
        byteCount = 0
    }
}
