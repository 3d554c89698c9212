import CFalconPlatform

/// Fills a memtable with entries that come together and in any order, as those of a log's replay do.
///
/// They go into the tree in its own order, each beside the one before: in the log's, nearly each would wait for the
/// memory of another leaf. Nothing of them is to be found before ``finish()``.
struct MemTableLoader {
    private struct Item {
        /// The key's bytes behind those that all keys begin with.
        var window: UInt64
        var ref: UInt32
    }

    private let table: MemTable
    /// Entries that lie in the arena and not yet in the tree.
    private var refs: [UInt32] = []
    /// So many bytes all keys begin with.
    private var prefixLength = 0
    /// So far ahead entries are fetched.
    private static let prefetchDistance = 8

    init(_ table: MemTable) { self.table = table }

    /// Adds one version of `key`. False: the arena is full.
    mutating func add(
        key: UnsafeRawBufferPointer, timestamp: Timestamp, kind: OperationKind,
        value: UnsafeRawBufferPointer
    ) -> Bool {
        guard let ref = table.place(key: key, timestamp: timestamp, kind: kind, value: value) else {
            return false
        }
        notePrefix(of: key)
        refs.append(ref)
        return true
    }

    /// The same as ``MemTable/apply(_:at:)``.
    mutating func add(_ batch: WriteBatch, at timestamp: Timestamp) -> Bool {
        guard table.addRangeTombstones(of: batch, at: timestamp) else { return false }
        return MemTable.forEachNewest(of: batch) { key, kind, value in
            add(key: key, timestamp: timestamp, kind: kind, value: value)
        }
    }

    private mutating func notePrefix(of key: UnsafeRawBufferPointer) {
        guard let first = refs.first else {
            prefixLength = key.count
            return
        }
        let known = entry(first).key
        var shared = 0
        let most = min(prefixLength, key.count)
        while shared < most, known[shared] == key[shared] { shared += 1 }
        prefixLength = shared
    }

    private func entry(_ ref: UInt32) -> ArenaEntry { ArenaEntry(table.arena.base + Int(ref)) }

    /// Puts all entries into the tree. False: the arena is full.
    mutating func finish() -> Bool {
        let base = table.arena.base
        var items: [Item] = []
        items.reserveCapacity(refs.count)
        for ref in refs {
            let key = ArenaEntry(base + Int(ref)).key
            items.append(Item(window: EntryTree.window(key, prefixLength), ref: ref))
        }
        refs = []
        items.sort { a, b in
            if a.window != b.window { return a.window < b.window }
            let other = ArenaEntry(base + Int(b.ref))
            return ArenaEntry(base + Int(a.ref)).compare(other.key, other.version) < 0
        }
        for (index, item) in items.enumerated() {
            let ahead = index + Self.prefetchDistance
            if ahead < items.count { falcon_prefetch(base + Int(items[ahead].ref)) }
            guard table.link(item.ref) else { return false }
        }
        return true
    }
}
