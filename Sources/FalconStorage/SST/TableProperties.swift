/// What a table says about itself. Encoded as fields of (varint tag, varint length, bytes); a reader
/// skips tags it does not know, and tags are never reused.
///
///     1 entries              2 point tombstones     3 range tombstones    4 data blocks
///     5 raw key bytes        6 raw value bytes      7 least timestamp     8 greatest timestamp
///       1-8: varint
///     9 smallest key         10 largest key         9-10: the bytes
///     11 counts by storage   repeated: u64 prefix, varint entries, varint tombstones;
///                            none when there are more than 1000
///     12 ZSTD dictionary     u64 offset and u32 payload bytes of its block; absent: there is none
///     20 sorted file         empty; only in a table made outside an engine: every entry has
///                            timestamp 1, and MANIFEST has the one that counts
public struct TableProperties: Hashable, Sendable {
    /// Entries and tombstones of the keys that begin with the same 8 bytes (database, storage id).
    public struct StorageCount: Hashable, Sendable {
        /// The key's first 8 bytes, big-endian, zero-padded.
        public var prefix: UInt64
        /// Versions of such keys, tombstones counted.
        public var entries: UInt64
        /// Point tombstones among them.
        public var tombstones: UInt64
    }
    /// Versions, point tombstones counted, range tombstones not.
    public var entryCount: UInt64 = 0
    /// Point tombstones among them.
    public var tombstoneCount: UInt64 = 0
    /// Range tombstones.
    public var rangeTombstoneCount: UInt64 = 0
    /// Data blocks.
    public var dataBlockCount: UInt64 = 0
    /// Bytes of all entries' keys, before compression.
    public var rawKeyBytes: UInt64 = 0
    /// Bytes of all entries' values, or of references in their place, before compression.
    public var rawValueBytes: UInt64 = 0
    /// The oldest commit in it; entries and range tombstones count.
    public var minTimestamp: Timestamp = .max
    /// The newest.
    public var maxTimestamp: Timestamp = .zero
    /// The least user key; range tombstones' bounds count.
    public var smallestKey: [UInt8] = []
    /// The greatest user key; a range tombstone's upper bound counts as if it were in the table.
    public var largestKey: [UInt8] = []
    /// By prefix; empty when there are more than 1000.
    public var storageCounts: [StorageCount] = []
    /// The block with the dictionary that data blocks are compressed with, if any.
    var dictionary = BlockHandle.absent
    /// Made outside an engine, to be ingested.
    public var isSortedFile = false
    /// What every entry of a sorted file carries in place of a timestamp.
    static let sortedFileTimestamp = Timestamp(1)
    /// Of a table without entries.
    public init() {}

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        let numbers = [
            entryCount, tombstoneCount, rangeTombstoneCount, dataBlockCount, rawKeyBytes,
            rawValueBytes, minTimestamp.rawValue, maxTimestamp.rawValue,
        ]
        for (index, number) in numbers.enumerated() {
            var field = ByteWriter(capacity: 10)
            field.appendVarint(number)
            writer.appendVarint(UInt64(index + 1))
            writer.appendLengthPrefixed(field.bytes)
        }
        writer.appendVarint(9)
        writer.appendLengthPrefixed(smallestKey)
        writer.appendVarint(10)
        writer.appendLengthPrefixed(largestKey)
        var counts = ByteWriter(capacity: storageCounts.count * 16)
        for count in storageCounts {
            counts.appendFixed(count.prefix)
            counts.appendVarint(count.entries)
            counts.appendVarint(count.tombstones)
        }
        writer.appendVarint(11)
        writer.appendLengthPrefixed(counts.bytes)
        if !dictionary.isAbsent {
            var field = ByteWriter(capacity: 12)
            field.appendFixed(dictionary.offset)
            field.appendFixed(dictionary.payloadBytes)
            writer.appendVarint(12)
            writer.appendLengthPrefixed(field.bytes)
        }
        if isSortedFile {
            writer.appendVarint(20)
            writer.appendLengthPrefixed([UInt8]())
        }
        return writer.bytes
    }

    /// Nil when the bytes are damaged.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> TableProperties? {
        var properties = TableProperties()
        var reader = ByteReader(bytes)
        var seen: Set<UInt64> = []
        while !reader.isAtEnd {
            guard let tag = reader.readVarint(), let field = reader.readLengthPrefixed(),
                seen.insert(tag).inserted
            else { return nil }
            var inner = ByteReader(field)
            switch tag {
            case 1...8:
                guard let number = inner.readVarint(), inner.isAtEnd else { return nil }
                properties.set(tag, number)
            case 9: properties.smallestKey = Array(field)
            case 10: properties.largestKey = Array(field)
            case 11:
                while !inner.isAtEnd {
                    guard let prefix = inner.readFixed(UInt64.self),
                        let entries = inner.readVarint(), let tombstones = inner.readVarint()
                    else { return nil }
                    properties.storageCounts.append(
                        StorageCount(prefix: prefix, entries: entries, tombstones: tombstones))
                }
            case 12:
                guard let offset = inner.readFixed(UInt64.self),
                    let bytes = inner.readFixed(UInt32.self), inner.isAtEnd, bytes > 0
                else { return nil }
                properties.dictionary = BlockHandle(offset: offset, payloadBytes: bytes)
            case 20: properties.isSortedFile = true
            default: break
            }
        }
        return seen.isSuperset(of: 1...11) ? properties : nil
    }

    private mutating func set(_ tag: UInt64, _ number: UInt64) {
        switch tag {
        case 1: entryCount = number
        case 2: tombstoneCount = number
        case 3: rangeTombstoneCount = number
        case 4: dataBlockCount = number
        case 5: rawKeyBytes = number
        case 6: rawValueBytes = number
        case 7: minTimestamp = Timestamp(number)
        default: maxTimestamp = Timestamp(number)
        }
    }
}

/// The range tombstone block: repeated (length-prefixed lower, length-prefixed upper, u64 timestamp).
enum RangeTombstoneBlock {
    static func encode(_ tombstones: [RangeTombstone]) -> [UInt8] {
        var writer = ByteWriter()
        for tombstone in tombstones {
            writer.appendLengthPrefixed(tombstone.lower)
            writer.appendLengthPrefixed(tombstone.upper)
            writer.appendFixed(tombstone.timestamp.rawValue)
        }
        return writer.bytes
    }

    /// Nil when the bytes are damaged.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> [RangeTombstone]? {
        var reader = ByteReader(bytes)
        var tombstones: [RangeTombstone] = []
        while !reader.isAtEnd {
            guard let lower = reader.readLengthPrefixed(), let upper = reader.readLengthPrefixed(),
                let timestamp = reader.readFixed(UInt64.self)
            else { return nil }
            tombstones.append(
                RangeTombstone(
                    lower: Array(lower), upper: Array(upper), timestamp: Timestamp(timestamp)))
        }
        return tombstones
    }
}
