import FalconStorage

/// What a serializable transaction has read: keys and ranges of the keyspace, by storage.
///
/// A range is what was asked for, and not only the keys found in it: a row inserted there later is a
/// phantom. Keys are kept as 64-bit hashes, so that two keys may be taken for one: that can cost a
/// retry, and never hides a conflict. A storage read in very many places counts as read whole.
struct SerializableReads {
    struct Range: Equatable {
        var lower: [UInt8]
        /// The first key beyond; nil for the end of the keyspace.
        var upper: [UInt8]?
    }

    struct OfStorage {
        var keys: Set<UInt64> = []
        var ranges: [Range] = []
        var isWhole = false
        fileprivate var rangeBytes = 0

        fileprivate mutating func append(_ range: Range) {
            ranges.append(range)
            rangeBytes += 64 + range.lower.count + (range.upper?.count ?? 0)
        }

        /// In so many places that it is to count as read whole.
        fileprivate var isCrowded: Bool {
            isWhole || keys.count > SerializableReads.maxKeys
                || ranges.count > SerializableReads.maxRanges
        }

        fileprivate mutating func formUnion(_ other: OfStorage, maxPlaces: Int) {
            isWhole = isWhole || other.isWhole
            // Each may be as large as a transaction's: they are not put together for nothing.
            if isWhole || keys.count + ranges.count + other.ranges.count > maxPlaces {
                isWhole = true
                return
            }
            keys.formUnion(other.keys)
            for range in other.ranges where !ranges.contains(range) { append(range) }
            isWhole = keys.count + ranges.count > maxPlaces
        }
    }

    private static let maxKeys = 16_384
    private static let maxRanges = 1024

    private(set) var storages: [UInt64: OfStorage] = [:]
    /// A range of no single storage was read.
    private(set) var isEverything = false
    private var lastKey: UInt64 = 0

    var isEmpty: Bool { storages.isEmpty && !isEverything }

    /// What it takes in memory, about.
    var byteCount: Int {
        storages.values.reduce(0) { $0 + 128 + 16 * $1.keys.count + $1.rangeBytes }
    }

    /// For a transaction of which it is not known what it has read.
    mutating func noteEverything() { isEverything = true }

    mutating func note(_ key: UnsafeRawBufferPointer) {
        let hash = Checksum.xxh3(key)
        if hash == lastKey { return }
        lastKey = hash
        guard let storage = Self.storage(of: key) else {
            isEverything = true
            return
        }
        change(storage) { reads in
            reads.keys.insert(hash)
            return reads.isCrowded
        }
    }

    mutating func note(lower: [UInt8]?, upper: [UInt8]?) {
        guard let lower, let storage = lower.withUnsafeBytes({ Self.storage(of: $0) }) else {
            isEverything = true
            return
        }
        change(storage) { reads in
            if lower.count <= 8 { return true }
            if let last = reads.ranges.last, last.lower == lower, last.upper == upper {
                return false
            }
            reads.append(Range(lower: lower, upper: upper))
            return reads.isCrowded
        }
    }

    /// Counts as read what either has read, and a storage as whole in which that is more than
    /// `maxPlaces` keys and ranges.
    mutating func formUnion(_ other: SerializableReads, maxPlaces: Int) {
        isEverything = isEverything || other.isEverything
        for (storage, theirs) in other.storages {
            change(storage) { reads in
                reads.formUnion(theirs, maxPlaces: maxPlaces)
                return reads.isWhole
            }
        }
    }

    /// True when `key` is among what was read.
    func contains(_ key: UnsafeRawBufferPointer) -> Bool {
        if isEverything { return true }
        guard let storage = Self.storage(of: key), let reads = storages[storage] else {
            return false
        }
        return reads.isWhole || reads.keys.contains(Checksum.xxh3(key))
            || reads.ranges.contains { Self.covers($0, key) }
    }

    /// `body` returns true when the storage is to count as read whole from now on.
    private mutating func change(_ storage: UInt64, _ body: (inout OfStorage) -> Bool) {
        var isWhole = false
        if storages[storage, default: OfStorage()].isWhole { return }
        if let place = storages.index(forKey: storage) {
            isWhole = body(&storages.values[place])
        } else {
            var reads = OfStorage()
            isWhole = body(&reads)
            storages[storage] = reads
        }
        if isWhole { storages[storage] = OfStorage(isWhole: true) }
    }

    private static func covers(_ range: Range, _ key: UnsafeRawBufferPointer) -> Bool {
        let isAfterLower = range.lower.withUnsafeBytes { KeyOrder.compare($0, key) <= 0 }
        guard isAfterLower, let upper = range.upper else { return isAfterLower }
        return upper.withUnsafeBytes { KeyOrder.compare(key, $0) < 0 }
    }

    /// The database and storage that a key begins with.
    static func storage(of key: UnsafeRawBufferPointer) -> UInt64? {
        key.count < 8 ? nil : key.loadUnaligned(as: UInt64.self)
    }
}
