import FalconStorage

/// The keys that were written most, in bounded memory (Misra and Gries): while no more than ``capacity``
/// different keys were met the counts are exact; afterwards a count is too low by ``error`` at most.
struct WALTopKeys {
    struct Entry {
        var count = 1
        var bytes = 0
        /// Copied when the key is met a second time: most are met once.
        var key: [UInt8]?
    }
    static let capacity = 16_384

    private var entries: [UInt64: Entry] = [:]
    private(set) var error = 0
    /// Operations counted.
    private(set) var total = 0

    mutating func add(_ key: UnsafeRawBufferPointer, valueBytes: Int) {
        total &+= 1
        let hash = Checksum.xxh3(key)
        if let index = entries.index(forKey: hash) {
            entries.values[index].count &+= 1
            entries.values[index].bytes &+= valueBytes
            if entries.values[index].key == nil { entries.values[index].key = Array(key) }
            return
        }
        if entries.count >= Self.capacity { makeRoom() }
        entries[hash] = Entry(bytes: valueBytes)
    }

    /// Takes one off every count, so that keys met once leave.
    private mutating func makeRoom() {
        error += 1
        entries = entries.compactMapValues { entry in
            guard entry.count > 1 else { return nil }
            var entry = entry
            entry.count -= 1
            return entry
        }
    }

    /// The most written keys that were met more than once, the greatest first.
    func top(_ count: Int) -> [(key: [UInt8], count: Int, bytes: Int)] {
        let repeated = entries.values.compactMap { entry in
            entry.key.map { (key: $0, count: entry.count, bytes: entry.bytes) }
        }
        let sorted = repeated.sorted { a, b in
            a.count != b.count ? a.count > b.count : a.key.lexicographicallyPrecedes(b.key)
        }
        return Array(sorted.prefix(count))
    }
}
