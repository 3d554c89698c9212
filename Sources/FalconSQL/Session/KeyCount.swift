import FalconSchema
import FalconStorage

/// Counts the keys of a range that a statement sees: all of them, or so many that the rest can be told from them.
struct KeyCount {
    private(set) var keys = 0.0
    /// Of keys and values; large values, which lie elsewhere, left out.
    private(set) var bytes = 0.0
    private(set) var prefixes: PrefixCount

    /// More keys than these are not read.
    static let limit = 1_000_000

    init(
        of range: KeyRange, _ prefixes: PrefixCount, in transaction: Transaction,
        limit: Int = Self.limit
    ) throws(SQLError) {
        self.prefixes = prefixes
        let engine = transaction.engine
        let snapshot = engine.makeSnapshot(owner: transaction.snapshotOwner)
        defer { snapshot.release() }
        var options = ReadOptions()
        options.defersLargeValues = true
        let iterator = try transaction.iterate(range, at: snapshot.timestamp, options)
        while iterator.isValid, keys < Double(limit) {
            try transaction.interrupt.check()
            keys += 1
            bytes += Double(
                iterator.key.count + (iterator.hasDeferredValue ? 0 : iterator.value.count))
            try self.prefixes.add(iterator.key)
            try storage { () throws(StorageError) in try iterator.next() }
        }
        guard iterator.isValid else { return }
        let read = KeyRange(lower: range.lower, upper: Array(iterator.key))
        let share =
            Double(engine.estimatedKeyCount(of: read))
            / Double(max(1, engine.estimatedKeyCount(of: range)))
        guard share > 0, share < 1 else { return }
        keys /= share
        bytes /= share
        self.prefixes.scale(by: 1 / share)
    }
}
