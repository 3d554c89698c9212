/// A sorted file of a batch's operations, of all between two ordinals: a table whose timestamps are the ordinals
/// and 1. Its file goes with it.
final class SpilledRun: @unchecked Sendable {
    let firstOrdinal: UInt32
    /// One beyond the last.
    let endOrdinal: UInt32
    /// How often what is in it has been merged.
    let tier: Int
    let byteCount: UInt64
    private let space: SpillSpace
    private let path: String
    private let reader: TableReader
    private let smallest: [UInt8]
    private let largest: [UInt8]

    init(
        _ space: SpillSpace, _ file: any File, _ summary: TableSummary, ordinals: Range<UInt32>,
        tier: Int
    ) throws(StorageError) {
        self.space = space
        path = file.path
        firstOrdinal = ordinals.lowerBound
        endOrdinal = ordinals.upperBound
        self.tier = tier
        byteCount = summary.fileBytes
        smallest = summary.smallestKey
        largest = summary.largestKey
        reader = try TableReader.open(
            file: file, uid: summary.uid, size: summary.fileBytes, cache: space.store.cache,
            budget: space.store.budget, keys: space.store.fileSystem.keys)
        space.noteWritten(byteCount)
    }

    deinit {
        try? reader.close()
        // It may be large, and this an event loop.
        space.store.doom(path, byteCount: byteCount)
        space.noteRemoved(byteCount)
    }

    /// An ordinal as a timestamp of the table.
    @inline(__always)
    static func timestamp(of ordinal: UInt32) -> Timestamp { Timestamp(UInt64(ordinal) &+ 1) }

    @inline(__always)
    static func ordinal(of timestamp: Timestamp) -> UInt32 {
        UInt32(truncatingIfNeeded: timestamp.rawValue &- 1)
    }

    /// The newest operation on `key` below `ordinal`. The value lives while `pin` is not used again.
    func newest(
        _ key: UnsafeRawBufferPointer, below ordinal: UInt32, _ pin: inout BlockPin
    ) throws(StorageError) -> SpilledWrites.Found? {
        guard ordinal > firstOrdinal,
            smallest.withUnsafeBytes({ KeyOrder.compare($0, key) <= 0 }),
            largest.withUnsafeBytes({ KeyOrder.compare(key, $0) <= 0 })
        else { return nil }
        // Of the ordinals below, the greatest is one less: as a timestamp, the bound itself.
        switch try reader.get(key, at: Timestamp(UInt64(ordinal)), pin: &pin) {
        case .absent, .reference: return nil
        case .deleted(let timestamp):
            return SpilledWrites.Found(
                ordinal: Self.ordinal(of: timestamp), kind: .delete, value: BlockPin.none)
        case .value(let timestamp, let value):
            return SpilledWrites.Found(
                ordinal: Self.ordinal(of: timestamp), kind: .put, value: value)
        }
    }

    /// All operations, by key and from the newest on.
    func makeIterator(keepsBlocks: Bool) -> InternalIterator {
        reader.makeIterator(fillCache: keepsBlocks)
    }
}
