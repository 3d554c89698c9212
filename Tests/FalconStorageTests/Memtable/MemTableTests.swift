import Testing

@testable import FalconStorage

/// A memtable's contents as a sorted array: what the tree is compared with.
struct ModelEntry: Equatable {
    var key: [UInt8]
    var timestamp: UInt64
    var kind: OperationKind
    var value: [UInt8]

    static func sorts(_ a: ModelEntry, _ b: ModelEntry) -> Bool {
        let order = a.key.withUnsafeBytes { x in b.key.withUnsafeBytes { KeyOrder.compare(x, $0) } }
        return order < 0 || (order == 0 && a.timestamp > b.timestamp)
    }
}

extension InternalIterator {
    var entry: ModelEntry {
        ModelEntry(
            key: Array(userKey), timestamp: timestamp.rawValue, kind: kind, value: Array(value))
    }
    func collectForward() throws -> [ModelEntry] {
        var all: [ModelEntry] = []
        try seekToFirst()
        while isValid {
            all.append(entry)
            try next()
        }
        return all
    }
    func collectBackward() throws -> [ModelEntry] {
        var all: [ModelEntry] = []
        try seekToLast()
        while isValid {
            all.append(entry)
            try previous()
        }
        return all
    }
}

extension MemTable {
    func add(_ entry: ModelEntry) -> Bool {
        entry.key.withUnsafeBytes { key in
            entry.value.withUnsafeBytes {
                insert(
                    key: key, timestamp: Timestamp(entry.timestamp), kind: entry.kind, value: $0)
            }
        }
    }
    func find(_ key: [UInt8], at timestamp: UInt64) -> ModelEntry? {
        key.withUnsafeBytes { bytes in
            switch get(bytes, at: Timestamp(timestamp)) {
            case .absent: nil
            case .deleted(let t):
                ModelEntry(key: key, timestamp: t.rawValue, kind: .delete, value: [])
            case .value(let t, let v):
                ModelEntry(key: key, timestamp: t.rawValue, kind: .put, value: Array(v))
            case .reference(let t, let v):
                ModelEntry(
                    key: key, timestamp: t.rawValue, kind: .valueReference, value: Array(v))
            }
        }
    }
}

/// How keys arrive, so that every kind of split happens.
enum Arrival: CaseIterable {
    case random, ascending, descending, hotKey, interleaved
}

func modelEntries(_ arrival: Arrival, count: Int, _ random: inout SeededRandom) -> [ModelEntry] {
    var seen: Set<[UInt8]> = []
    return (0..<count).map { i in
        var key: [UInt8]
        switch arrival {
        case .random: key = random.key(space: count)
        case .ascending:
            key = Array("k".utf8) + withUnsafeBytes(of: UInt32(i).bigEndian, Array.init)
        case .descending:
            key = Array("k".utf8) + withUnsafeBytes(of: UInt32(count - i).bigEndian, Array.init)
        case .hotKey: key = i % 3 == 0 ? [UInt8(truncatingIfNeeded: i)] : Array("hot".utf8)
        case .interleaved:
            key =
                Array("table\(i % 7)/".utf8)
                + withUnsafeBytes(of: UInt32(i).bigEndian, Array.init)
        }
        if i % 11 == 0, seen.count > 1 { key = seen.randomElement(using: &random) ?? key }
        seen.insert(key)
        let isDelete = random.below(8) == 0
        return ModelEntry(
            key: key, timestamp: UInt64(i + 1), kind: isDelete ? .delete : .put,
            value: isDelete ? [] : Array("value \(i)".utf8))
    }
}

@Suite struct MemTableTests {
    @Test(arguments: Arrival.allCases, [1, 15, 16, 17, 300, 6000])
    func agreesWithASortedArray(arrival: Arrival, count: Int) throws {
        var random = SeededRandom(seed: UInt64(count) * 31 + 5)
        let entries = modelEntries(arrival, count: count, &random)
        let table = try MemTable(capacityBytes: 64 << 20)
        for entry in entries { #expect(table.add(entry)) }
        let sorted = entries.sorted(by: ModelEntry.sorts)
        let note: Comment = "\(arrival), \(count), seed \(random.seed)"
        #expect(table.entryCount == count)
        let iterator = table.makeIterator()
        #expect(try iterator.collectForward() == sorted, note)
        #expect(try iterator.collectBackward() == Array(sorted.reversed()), note)

        for _ in 0..<min(count * 2, 2000) {
            let key =
                random.below(3) == 0
                ? random.key(space: count) : entries[random.below(count)].key
            let at = UInt64(random.below(count + 2))
            let probe = ModelEntry(key: key, timestamp: at, kind: .put, value: [])
            let lower = sorted.firstIndex { !ModelEntry.sorts($0, probe) }
            let expected = lower.flatMap { sorted[$0].key == key ? sorted[$0] : nil }
            #expect(table.find(key, at: at) == expected, note)
            try key.withUnsafeBytes { try iterator.seek($0, Timestamp(at)) }
            #expect((iterator.isValid ? iterator.entry : nil) == lower.map { sorted[$0] }, note)
            if iterator.isValid, let lower {
                try iterator.previous()
                #expect(
                    (iterator.isValid ? iterator.entry : nil)
                        == (lower > 0 ? sorted[lower - 1] : nil), note)
            }
            try key.withUnsafeBytes { try iterator.seekBefore($0) }
            let newest = ModelEntry(key: key, timestamp: .max, kind: .put, value: [])
            let before = sorted.lastIndex { ModelEntry.sorts($0, newest) }
            #expect((iterator.isValid ? iterator.entry : nil) == before.map { sorted[$0] }, note)
        }
    }

    @Test func fullArenaRefusesAndStaysWhole() throws {
        let table = try MemTable(capacityBytes: 1 << 20)
        var stored = 0
        while table.add(
            ModelEntry(
                key: Array("key \(stored)".utf8), timestamp: 1, kind: .put,
                value: Array(repeating: 7, count: 100)))
        { stored += 1 }
        #expect(stored > 1000)
        #expect(table.approximateBytes <= 1 << 20)
        #expect(try table.makeIterator().collectForward().count == stored)
        #expect(table.find(Array("key \(stored)".utf8), at: 9) == nil)
    }

    @Test func rangeTombstonesHideOlderEntriesOnly() throws {
        let table = try MemTable(capacityBytes: 1 << 20)
        for (key, t) in [("a", 1), ("b", 2), ("b", 9), ("c", 3), ("d", 4)] {
            _ = table.add(
                ModelEntry(key: Array(key.utf8), timestamp: UInt64(t), kind: .put, value: [1]))
        }
        #expect(
            table.addRangeTombstones([
                RangeTombstone(
                    lower: Array("b".utf8), upper: Array("d".utf8), timestamp: Timestamp(5))
            ]))
        func kind(_ key: String, _ t: UInt64) -> OperationKind? {
            table.find(Array(key.utf8), at: t)?.kind
        }
        #expect(kind("a", 8) == .put)
        #expect(kind("b", 8) == .delete)
        #expect(kind("b", 9) == .put)
        #expect(kind("b", 4) == .put, "the tombstone is newer than the reader")
        #expect(kind("c", 5) == .delete)
        #expect(kind("d", 8) == .put, "the upper bound is outside")
        #expect(kind("bb", 8) == .delete, "older layers are hidden too")
        #expect(!table.isEmpty)
    }

    /// Readers beside the writer: what was there before a read began is found, in order, both ways.
    @Test(arguments: [Arrival.random, .ascending, .descending, .interleaved])
    func readersBesideTheWriter(arrival: Arrival) async throws {
        let count = 40_000
        var random = SeededRandom(seed: 77)
        let entries = modelEntries(arrival, count: count, &random)
        let table = try MemTable(capacityBytes: 256 << 20)
        let progress = Progress()
        await withTaskGroup(of: String?.self) { group in
            group.addTask {
                for (index, entry) in entries.enumerated() {
                    if !table.add(entry) { return "full" }
                    progress.set(index + 1)
                }
                return nil
            }
            for reader in 0..<2 {
                group.addTask {
                    var random = SeededRandom(seed: UInt64(reader) + 1)
                    let iterator = table.makeIterator()
                    while true {
                        let done = progress.get()
                        if done > 0 {
                            for _ in 0..<50 {
                                let entry = entries[random.below(done)]
                                let found = table.find(entry.key, at: entry.timestamp)
                                if found != entry { return "lost \(entry), found \(found as Any)" }
                            }
                            if let wrong = Self.check(
                                iterator, entries, done: done, back: random.below(2) == 0, &random)
                            {
                                return wrong
                            }
                        }
                        if done == count { return nil }
                    }
                }
            }
            for await failure in group { #expect(failure == nil) }
        }
    }

    /// Walks 200 entries from a random place; every entry with a timestamp up to `done` between the
    /// first and the last must show.
    private static func check(
        _ iterator: InternalIterator, _ entries: [ModelEntry], done: Int, back: Bool,
        _ random: inout SeededRandom
    ) -> String? {
        let start = entries[random.below(done)]
        var seen: [ModelEntry] = []
        do {
            try start.key.withUnsafeBytes { try iterator.seek($0, Timestamp(start.timestamp)) }
            while iterator.isValid, seen.count < 200 {
                if iterator.timestamp.rawValue <= UInt64(done) { seen.append(iterator.entry) }
                if back { try iterator.previous() } else { try iterator.next() }
            }
        } catch { return "\(error)" }
        if back { seen.reverse() }
        guard let first = seen.first, let last = seen.last else { return "nothing at \(start)" }
        for (a, b) in zip(seen, seen.dropFirst()) where !ModelEntry.sorts(a, b) {
            return "out of order: \(a), \(b)"
        }
        let expected = entries[..<done].lazy.filter {
            !ModelEntry.sorts($0, first) && !ModelEntry.sorts(last, $0)
        }
        let found = expected.count
        return found == seen.count ? nil : "\(seen.count) of \(found) from \(start) back \(back)"
    }
}
