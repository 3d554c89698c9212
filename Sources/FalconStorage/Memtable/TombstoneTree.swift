/// Range tombstones as disjoint pieces of the key space, found in logarithmic time: one writer, any
/// number of readers without locks.
///
/// Every bound of a tombstone is an entry of an ``EntryTree`` and stands for the piece from it to the
/// next bound. The entry's value:
///
///     0   u64  the newest tombstone over the piece; 0: none
///     8   u32  the entry with the piece's state before that; 0: none
///
/// A later state of a bound is a further entry with a smaller version, so the newest is the last of the
/// bound's. A new bound takes over the state of the piece it cuts by its one link: a reader beside the
/// writer finds that state by the old bound or by the new one. Tombstones come with rising timestamps,
/// so the newest is on top; a reader of the past walks down what it cannot see.
final class TombstoneTree: @unchecked Sendable {
    private static let valueBytes = 12
    /// Bytes of arena that a new entry may take, its key left out.
    private static let entryOverhead = ArenaEntry.maximumHeaderBytes + valueBytes + 280

    private let arena: Arena
    private let tree: EntryTree
    // The writer's.
    @exclusivity(unchecked) private var sequence: UInt64 = 0
    @exclusivity(unchecked) private var boundCount = 0
    @exclusivity(unchecked) private var boundBytes = 0

    /// - Parameter byteCount: what the first tombstones need; see ``needed(_:bytes:)``.
    init(atLeast byteCount: Int = 0) throws(StorageError) {
        arena = try Arena(capacityBytes: max(64 << 20, byteCount), hugePages: false)
        tree = EntryTree(arena: arena)
    }

    /// A tree of tombstones in any order; nil when there is nothing to gain over a list.
    convenience init?(of tombstones: [RangeTombstone]) throws(StorageError) {
        guard tombstones.count > 4 else { return nil }
        let bytes = tombstones.reduce(0) { $0 + $1.lower.count + $1.upper.count }
        try self.init(atLeast: Self.needed(tombstones.count, bytes: bytes))
        for tombstone in tombstones.sorted(by: { $0.timestamp < $1.timestamp }) {
            guard hasRoom(1, bytes: tombstone.lower.count + tombstone.upper.count) else {
                return nil
            }
            tombstone.lower.withUnsafeBytes { lower in
                tombstone.upper.withUnsafeBytes { upper in
                    add(lower, upper, tombstone.timestamp)
                }
            }
        }
    }

    /// Arena bytes for `count` tombstones at one timestamp, with `bytes` of bounds, in an empty tree.
    static func needed(_ count: Int, bytes: Int) -> Int {
        count * 4 * entryOverhead + 2 * bytes + 2 * EntryTree.reserveBytes
    }

    /// Whether so many tombstones at one timestamp are sure to find room: each of the bounds there are
    /// gets one entry at most, and each new one two.
    func hasRoom(_ count: Int, bytes: Int) -> Bool {
        arena.hasRoom(
            Self.needed(count, bytes: bytes) + boundCount * Self.entryOverhead + boundBytes)
    }

    // MARK: - Writing

    /// Adds [lower, upper). `timestamp` is not below those added before; there is room.
    func add(
        _ lower: UnsafeRawBufferPointer, _ upper: UnsafeRawBufferPointer, _ timestamp: Timestamp
    ) {
        guard KeyOrder.compare(lower, upper) < 0 else { return }
        let atUpper = newestEntry(at: upper)
        if !isBound(atUpper, upper) { insertBound(upper, timestampOf(atUpper), below(atUpper)) }
        let atLower = newestEntry(at: lower)
        var covered = bounds(above: lower, below: upper)
        if isBound(atLower, lower) {
            if let atLower { covered.append(atLower) }
        } else {
            insertBound(lower, timestamp, reference(atLower))
        }
        for ref in covered where Self.timestamp(ref, tree) != timestamp {
            insert(tree.entry(ref).key, timestamp, ref)
        }
    }

    /// The newest entry of each bound in (lower, upper).
    private func bounds(
        above lower: UnsafeRawBufferPointer, below upper: UnsafeRawBufferPointer
    ) -> [UInt32] {
        var found: [UInt32] = []
        // Behind the entries of `lower`: their versions are above zero.
        var cursor = tree.lowerBound(lower, 0)
        while cursor.isValid, KeyOrder.compare(cursor.entry.key, upper) < 0 {
            if let last = found.last,
                KeyOrder.compare(tree.entry(last).key, cursor.entry.key) == 0
            {
                found[found.count - 1] = cursor.entryRef
            } else {
                found.append(cursor.entryRef)
            }
            cursor.moveNext()
        }
        return found
    }

    private func insertBound(_ key: UnsafeRawBufferPointer, _ timestamp: Timestamp, _ below: UInt32)
    {
        boundCount += 1
        boundBytes += key.count
        insert(key, timestamp, below)
    }

    private func insert(_ key: UnsafeRawBufferPointer, _ timestamp: Timestamp, _ below: UInt32) {
        sequence += 1
        let lead = ArenaEntry.leadBytes(key: key.count, value: Self.valueBytes)
        let size = lead + ArenaEntry.headerBytes + key.count + Self.valueBytes
        let ref = arena.allocate(size, alignment: 1) + UInt32(truncatingIfNeeded: lead)
        withUnsafeTemporaryAllocation(byteCount: Self.valueBytes, alignment: 8) { value in
            value.storeBytes(of: timestamp.rawValue, as: UInt64.self)
            value.storeBytes(of: below, toByteOffset: 8, as: UInt32.self)
            ArenaEntry.write(
                at: arena.base + Int(ref), version: UInt64.max - sequence, kind: .rangeDelete,
                key: key, value: UnsafeRawBufferPointer(value))
        }
        tree.insert(ref)
    }

    // MARK: - Reading

    /// The newest entry of the greatest bound that is not above `key`.
    private func newestEntry(at key: UnsafeRawBufferPointer) -> UInt32? {
        var cursor = tree.lowerBound(key, 0)
        cursor.movePrevious()
        return cursor.isValid ? cursor.entryRef : nil
    }

    private func isBound(_ ref: UInt32?, _ key: UnsafeRawBufferPointer) -> Bool {
        ref.map { KeyOrder.compare(tree.entry($0).key, key) == 0 } ?? false
    }

    private func reference(_ ref: UInt32?) -> UInt32 { ref ?? 0 }
    private func below(_ ref: UInt32?) -> UInt32 { ref.map { Self.below($0, tree) } ?? 0 }
    private static func below(_ ref: UInt32, _ tree: EntryTree) -> UInt32 {
        tree.entry(ref).value.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
    }
    private func timestampOf(_ ref: UInt32?) -> Timestamp {
        ref.map { Self.timestamp($0, tree) } ?? .zero
    }
    private static func timestamp(_ ref: UInt32, _ tree: EntryTree) -> Timestamp {
        Timestamp(tree.entry(ref).value.loadUnaligned(as: UInt64.self))
    }

    /// The newest tombstone of the piece that a reader at `timestamp` sees; zero when there is none.
    private func visible(_ newest: UInt32, _ timestamp: Timestamp) -> Timestamp {
        var ref = newest
        while ref != 0 {
            let found = Self.timestamp(ref, tree)
            if found <= timestamp { return found }
            ref = Self.below(ref, tree)
        }
        return .zero
    }

    /// The newest tombstone over `key` that a reader at `timestamp` sees; zero when there is none.
    func newestCovering(_ key: UnsafeRawBufferPointer, at timestamp: Timestamp) -> Timestamp {
        newestEntry(at: key).map { visible($0, timestamp) } ?? .zero
    }

    /// What a reader at `timestamp` sees of the tombstones that reach into `range`, cut to pieces.
    func pieces(in range: KeyRange, at timestamp: Timestamp) -> [RangeTombstone] {
        var cursor = tree.first()
        if let lower = range.lower {
            cursor = lower.withUnsafeBytes { tree.lowerBound($0, 0) }
            let next = cursor
            cursor.movePrevious()
            if !cursor.isValid { cursor = next }
        }
        var pieces: [RangeTombstone] = []
        while cursor.isValid {
            let key = cursor.entry.key
            if let upper = range.upper,
                upper.withUnsafeBytes({ KeyOrder.compare(key, $0) >= 0 })
            {
                break
            }
            var newest = cursor.entryRef
            cursor.moveNext()
            while cursor.isValid, KeyOrder.compare(cursor.entry.key, key) == 0 {
                newest = cursor.entryRef
                cursor.moveNext()
            }
            let found = visible(newest, timestamp)
            // The greatest bound ends the last tombstone: nothing covers what follows it.
            guard found > .zero, cursor.isValid else { continue }
            if let last = pieces.last, last.timestamp == found,
                last.upper.withUnsafeBytes({ KeyOrder.compare($0, key) == 0 })
            {
                pieces[pieces.count - 1].upper = Array(cursor.entry.key)
            } else {
                pieces.append(
                    RangeTombstone(
                        lower: Array(key), upper: Array(cursor.entry.key), timestamp: found))
            }
        }
        return pieces
    }
}
