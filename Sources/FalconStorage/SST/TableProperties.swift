/// What a table says about itself.
public struct TableProperties: Hashable, Sendable {
    /// Entries and tombstones of the keys that begin with the same 8 bytes (database, storage id).
    public struct StorageCount: Hashable, Sendable {
        public var prefix: UInt64
        public var entries: UInt64
        public var tombstones: UInt64
    }
    public var entryCount: UInt64 = 0
    public var tombstoneCount: UInt64 = 0
    public var rangeTombstoneCount: UInt64 = 0
    public var dataBlockCount: UInt64 = 0
    public var rawKeyBytes: UInt64 = 0
    public var rawValueBytes: UInt64 = 0
    public var minTimestamp: Timestamp = .max
    public var maxTimestamp: Timestamp = .zero
    public var smallestKey: [UInt8] = []
    public var largestKey: [UInt8] = []
    public var storageCounts: [StorageCount] = []
    public init() {}
}
