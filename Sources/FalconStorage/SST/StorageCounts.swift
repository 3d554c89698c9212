/// Entries and tombstones per storage, gathered while a table's keys pass by in order. Keys that do
/// not begin with a storage id may have as many first 8 bytes as there are keys: beyond
/// ``limit`` nothing is recorded.
struct StorageCounts {
    /// A table holds few storages, and each costs a dozen bytes.
    static let limit = 1000

    private var closed: [TableProperties.StorageCount] = []
    private var open: TableProperties.StorageCount?

    @inline(__always)
    mutating func begin(_ prefix: UInt64) {
        if open?.prefix != prefix { startCounting(prefix) }
    }

    private mutating func startCounting(_ prefix: UInt64) {
        if let open, closed.count <= StorageCounts.limit { closed.append(open) }
        open = .init(prefix: prefix, entries: 0, tombstones: 0)
    }

    @inline(__always)
    mutating func add(isTombstone: Bool) {
        open?.entries &+= 1
        if isTombstone { open?.tombstones &+= 1 }
    }

    /// What the properties record; empty when there were too many.
    func finish() -> [TableProperties.StorageCount] {
        let all = closed + (open.map { [$0] } ?? [])
        return all.count > StorageCounts.limit ? [] : all
    }
}
