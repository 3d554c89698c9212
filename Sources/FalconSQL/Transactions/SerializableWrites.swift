import FalconStorage

/// What a serializable transaction wrote, in the form that others' reads are held against.
struct SerializableWrites {
    struct OfStorage {
        var hashes: Set<UInt64> = []
        /// In key order.
        var keys: [[UInt8]] = []
        /// All of it was deleted at once, or so much was written that it counts as all.
        var isWhole = false
    }

    private static let maxKeys = 16_384

    private(set) var storages: [UInt64: OfStorage] = [:]
    /// A range over several storages was deleted.
    private(set) var isEverything = false

    var isEmpty: Bool { storages.isEmpty && !isEverything }

    /// - Parameter key: counts as written too.
    init(_ batch: WriteBatch, and key: UnsafeRawBufferPointer? = nil) throws(StorageError) {
        if let key { add(key) }
        for ordinal in 0..<batch.nextOrdinal {
            guard let operation = try batch.operation(at: ordinal) else { continue }
            if operation.kind != .rangeDelete {
                add(operation.key)
            } else if let storage = SerializableReads.storage(of: operation.key) {
                storages[storage, default: OfStorage()].isWhole = true
            } else {
                isEverything = true
            }
        }
        sort()
    }

    /// What any of `parts` wrote; a storage with more than `maxKeys` keys counts as whole.
    init(of parts: [SerializableWrites], maxKeys: Int) {
        for part in parts {
            isEverything = isEverything || part.isEverything
            for (storage, theirs) in part.storages {
                if theirs.isWhole { storages[storage] = OfStorage(isWhole: true) }
                for key in theirs.keys { key.withUnsafeBytes { add($0, maxKeys) } }
            }
        }
        sort()
    }

    private mutating func sort() {
        for place in storages.values.indices {
            storages.values[place].keys.sort { a, b in
                a.withUnsafeBytes { a in b.withUnsafeBytes { KeyOrder.compare(a, $0) < 0 } }
            }
        }
    }

    /// What it takes in memory, about.
    var byteCount: Int {
        storages.values.reduce(0) { total, written in
            total + 128 + written.keys.reduce(0) { $0 + 64 + $1.count }
        }
    }

    private mutating func add(_ key: UnsafeRawBufferPointer, _ maxKeys: Int = Self.maxKeys) {
        guard let storage = SerializableReads.storage(of: key) else {
            isEverything = true
            return
        }
        let hash = Checksum.xxh3(key)
        guard !storages[storage, default: OfStorage()].isWhole,
            storages[storage, default: OfStorage()].hashes.insert(hash).inserted
        else { return }
        storages[storage]?.keys.append(Array(key))
        if storages[storage]?.keys.count ?? 0 > maxKeys {
            storages[storage] = OfStorage(isWhole: true)
        }
    }

    /// True when something that `reads` covers was written.
    func meet(_ reads: SerializableReads) -> Bool {
        if isEmpty || reads.isEmpty { return false }
        if isEverything || reads.isEverything { return true }
        for (storage, written) in storages {
            if let read = reads.storages[storage], Self.meet(read, written) { return true }
        }
        return false
    }

    private static func meet(
        _ read: SerializableReads.OfStorage, _ written: OfStorage
    ) -> Bool {
        if read.isWhole || written.isWhole { return true }
        if !read.keys.isDisjoint(with: written.hashes) { return true }
        return read.ranges.contains { range in
            guard let first = firstKey(in: written.keys, notBefore: range.lower) else {
                return false
            }
            guard let upper = range.upper else { return true }
            return first.withUnsafeBytes { first in
                upper.withUnsafeBytes { KeyOrder.compare(first, $0) < 0 }
            }
        }
    }

    private static func firstKey(in keys: [[UInt8]], notBefore lower: [UInt8]) -> [UInt8]? {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            let isBefore = keys[middle].withUnsafeBytes { key in
                lower.withUnsafeBytes { KeyOrder.compare(key, $0) < 0 }
            }
            if isBefore { low = middle + 1 } else { high = middle }
        }
        return low < keys.count ? keys[low] : nil
    }
}
