import Synchronization
import Testing

@testable import FalconStorage

let testUID = UID(high: 0x1122_3344_5566_7788, low: 0x99AA_BBCC_DDEE_FF01)

/// Writes `entries`, which are sorted, as a table.
func writeTable(
    _ entries: [ModelEntry], _ options: TableOptions, tombstones: [RangeTombstone] = [],
    uid: UID = testUID
) throws -> (BytesFile, TableSummary) {
    let file = BytesFile()
    let writer = try TableWriter(file: file, uid: uid, options: options)
    for entry in entries {
        try entry.key.withUnsafeBytes { key in
            try entry.value.withUnsafeBytes {
                try writer.add(
                    key: key, timestamp: Timestamp(entry.timestamp), kind: entry.kind, value: $0)
            }
        }
    }
    for tombstone in tombstones { try writer.addRangeTombstone(tombstone) }
    return (file, try writer.finish())
}

extension TableReader {
    func find(_ key: [UInt8], at timestamp: UInt64) throws -> ModelEntry? {
        var pin = BlockPin()
        return try key.withUnsafeBytes { bytes -> ModelEntry? in
            switch try get(bytes, at: Timestamp(timestamp), pin: &pin) {
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

@Suite struct TableTests {
    struct Shape: Sendable, CustomStringConvertible {
        var codec: BlockCodec
        var blockBytes: Int
        var restartInterval: Int
        var partitionBytes: Int
        var filterBits: Int
        var cacheBytes: Int?
        var dictionaryBytes = 0
        var options: TableOptions {
            var options = TableOptions()
            options.codec = codec
            options.blockBytes = blockBytes
            options.restartInterval = restartInterval
            options.partitioningBytes = partitionBytes
            options.filterBitsPerKey = filterBits
            options.dictionaryBytes = dictionaryBytes
            return options
        }
        var description: String {
            "\(codec) block \(blockBytes) restart \(restartInterval) index \(partitionBytes)"
                + " filter \(filterBits) cache \(cacheBytes.map(String.init) ?? "none")"
        }
    }
    static let shapes = [
        Shape(
            codec: .none, blockBytes: 4096, restartInterval: 16, partitionBytes: 1 << 20,
            filterBits: 10, cacheBytes: 1 << 20),
        Shape(
            codec: .lz4, blockBytes: 300, restartInterval: 4, partitionBytes: 500,
            filterBits: 10, cacheBytes: 4096),
        Shape(
            codec: .zstd, blockBytes: 1000, restartInterval: 1, partitionBytes: 2000,
            filterBits: 0, cacheBytes: nil),
        Shape(
            codec: .lz4, blockBytes: 1, restartInterval: 16, partitionBytes: 1 << 20,
            filterBits: 3, cacheBytes: 0),
        Shape(
            codec: .zstd, blockBytes: 200, restartInterval: 4, partitionBytes: 300,
            filterBits: 10, cacheBytes: 1 << 20, dictionaryBytes: 256),
    ]

    @Test(arguments: shapes, Arrival.allCases)
    func agreesWithASortedArray(shape: Shape, arrival: Arrival) throws {
        for count in [1, 40, 2500] {
            var random = SeededRandom(seed: UInt64(count) + 99)
            let entries = modelEntries(arrival, count: count, &random)
                .sorted(by: ModelEntry.sorts)
            let (file, summary) = try writeTable(entries, shape.options)
            #expect(summary.entryCount == UInt64(count))
            #expect(summary.tombstoneCount == UInt64(entries.count { $0.kind == .delete }))
            #expect(summary.smallestKey == entries.first?.key)
            #expect(summary.largestKey == entries.last?.key)
            #expect(summary.fileBytes == UInt64(file.contents.count))
            #expect(summary.fileHash == file.contents.withUnsafeBytes { Checksum.xxh3($0) })
            let cache = shape.cacheBytes.map { BlockCache(capacityBytes: $0) }
            let table = try TableReader.open(
                file: file, uid: testUID, size: summary.fileBytes, cache: cache)
            let prefixes = Set(entries.map { $0.key.withUnsafeBytes { EntryTree.window($0, 0) } })
            #expect(
                table.properties.storageCounts.reduce(0) { $0 + $1.entries }
                    == (prefixes.count > StorageCounts.limit ? 0 : UInt64(count)))
            for fillCache in [true, false] {
                let iterator = table.makeIterator(fillCache: fillCache)
                #expect(try iterator.collectForward() == entries)
                #expect(try iterator.collectBackward() == entries.reversed())
            }
            try probe(table, entries, count, &random)
        }
    }

    private func probe(
        _ table: TableReader, _ sorted: [ModelEntry], _ count: Int, _ random: inout SeededRandom
    ) throws {
        let iterator = table.makeIterator()
        for _ in 0..<min(count * 2, 400) {
            let key =
                random.below(3) == 0
                ? random.key(space: count) : sorted[random.below(count)].key
            let at = UInt64(random.below(count + 2))
            let probe = ModelEntry(key: key, timestamp: at, kind: .put, value: [])
            let lower = sorted.firstIndex { !ModelEntry.sorts($0, probe) }
            let expected = lower.flatMap { sorted[$0].key == key ? sorted[$0] : nil }
            #expect(try table.find(key, at: at) == expected)
            try key.withUnsafeBytes { try iterator.seek($0, Timestamp(at)) }
            #expect((iterator.isValid ? iterator.entry : nil) == lower.map { sorted[$0] })
            var place = lower ?? count
            // A walk that turns around at random.
            for _ in 0..<8 where iterator.isValid {
                if random.below(2) == 0 {
                    try iterator.next()
                    place += 1
                } else {
                    try iterator.previous()
                    place -= 1
                }
                let here = sorted.indices.contains(place) ? sorted[place] : nil
                #expect((iterator.isValid ? iterator.entry : nil) == here)
            }
            try key.withUnsafeBytes { try iterator.seekBefore($0) }
            let newest = ModelEntry(key: key, timestamp: .max, kind: .put, value: [])
            let before = sorted.lastIndex { ModelEntry.sorts($0, newest) }
            #expect((iterator.isValid ? iterator.entry : nil) == before.map { sorted[$0] })
        }
    }

    @Test func rangeTombstones() throws {
        let entries = [("b", 9), ("b", 2), ("c", 3), ("d", 4)].map {
            ModelEntry(key: Array($0.0.utf8), timestamp: UInt64($0.1), kind: .put, value: [1])
        }
        let tombstone = RangeTombstone(
            lower: Array("a".utf8), upper: Array("d".utf8), timestamp: Timestamp(5))
        let (file, summary) = try writeTable(entries, .init(), tombstones: [tombstone])
        #expect(summary.smallestKey == Array("a".utf8))
        #expect(summary.rangeTombstoneCount == 1)
        let table = try TableReader.open(
            file: file, uid: nil, size: summary.fileBytes, cache: nil)
        #expect(table.rangeTombstones == [tombstone])
        func kind(_ key: String, _ t: UInt64) throws -> OperationKind? {
            try table.find(Array(key.utf8), at: t)?.kind
        }
        #expect(try kind("aa", 8) == .delete)
        #expect(try kind("b", 8) == .delete)
        #expect(try kind("b", 9) == .put)
        #expect(try kind("b", 4) == .put)
        #expect(try kind("c", 5) == .delete)
        #expect(try kind("d", 8) == .put)

        let (only, about) = try writeTable([], .init(), tombstones: [tombstone])
        let bare = try TableReader.open(file: only, uid: testUID, size: about.fileBytes, cache: nil)
        #expect(try bare.find(Array("c".utf8), at: 6)?.kind == .delete)
        #expect(try bare.makeIterator().collectForward().isEmpty)
        #expect(try bare.makeIterator().collectBackward().isEmpty)
    }

    @Test func refusesWhatIsOutOfOrder() throws {
        let entries = [("b", 2), ("a", 3)].map {
            ModelEntry(key: Array($0.0.utf8), timestamp: UInt64($0.1), kind: .put, value: [1])
        }
        #expect(throws: StorageError.self) { try writeTable(entries, .init()) }
        let newer = [("a", 2), ("a", 3)].map {
            ModelEntry(key: Array($0.0.utf8), timestamp: UInt64($0.1), kind: .put, value: [1])
        }
        #expect(throws: StorageError.self) { try writeTable(newer, .init()) }
    }

    @Test func anotherFilesTableIsRefused() throws {
        let entries = [ModelEntry(key: [1], timestamp: 1, kind: .put, value: [1])]
        let (file, summary) = try writeTable(entries, .init())
        #expect(throws: StorageError.self) {
            try TableReader.open(
                file: file, uid: UID(high: 1, low: 2), size: summary.fileBytes, cache: nil)
        }
    }

    /// Its entries would be misread.
    @Test func anotherDraftsTableIsRefused() throws {
        let entries = [ModelEntry(key: [1], timestamp: 1, kind: .put, value: [1])]
        let (file, summary) = try writeTable(entries, .init())
        var bytes = file.contents
        let footer = bytes.count - TableFormat.footerBytes
        bytes[footer + 88] = 0
        let seed = Checksum.locationSeed(
            uid: testUID, offset: UInt64(footer), kind: TableFormat.BlockKind.footer.rawValue)
        let sum = bytes[footer..<(footer + 112)].withUnsafeBytes { Checksum.xxh3($0, seed: seed) }
        withUnsafeBytes(of: sum.littleEndian) {
            bytes.replaceSubrange((footer + 112)..<(footer + 120), with: $0)
        }
        let error = #expect(throws: StorageError.self) {
            _ = try TableReader.open(
                file: BytesFile(bytes), uid: testUID, size: summary.fileBytes, cache: nil)
        }
        #expect(error?.code == .unsupportedFormat)
    }

    private final class Noted: Sendable {
        let error: Mutex<StorageError?>
        init(_ error: StorageError?) { self.error = Mutex(error) }
    }

    /// Reads everything; the error if damage is noticed, else the entries. Damage of the filter is noted and
    /// fails no read.
    private func readAll(
        _ bytes: [UInt8]
    ) throws -> ([ModelEntry], [ModelEntry?], noted: StorageError?) {
        let file = BytesFile(bytes)
        let table = try TableReader.open(
            file: file, uid: testUID, size: UInt64(bytes.count), cache: nil)
        let noted = Noted(table.filterDamage)
        table.noteDamage = { error in noted.error.withLock { $0 = error } }
        let entries = try table.makeIterator().collectForward()
        let found = try entries.map { try table.find($0.key, at: .max) }
        return (entries, found, noted.error.withLock { $0 })
    }

    /// Every bit of a table matters: flipped, it is reported as corruption with file and offset.
    @Test(arguments: [BlockCodec.none, .lz4])
    func everyBitFlipIsDetected(codec: BlockCodec) throws {
        var random = SeededRandom(seed: 4)
        let entries = modelEntries(.random, count: 60, &random).sorted(by: ModelEntry.sorts)
        var options = TableOptions()
        options.codec = codec
        options.blockBytes = 600
        options.partitioningBytes = 200
        let tombstone = RangeTombstone(lower: [0xFE], upper: [0xFF], timestamp: Timestamp(5))
        let (file, _) = try writeTable(entries, options, tombstones: [tombstone])
        let good = file.contents
        let expected = try readAll(good)
        #expect(expected.0 == entries)
        for bit in 0..<(good.count * 8) {
            var bad = good
            bad[bit / 8] ^= 1 << UInt8(bit % 8)
            do {
                let found = try readAll(bad)
                guard let noted = found.noted else {
                    Issue.record("bit \(bit % 8) of byte \(bit / 8) went unnoticed")
                    continue
                }
                #expect(found.0 == expected.0 && found.1 == expected.1)
                throw noted
            } catch let error as StorageError {
                let known = error.code == .corruption
                #expect(known && error.location != nil, "byte \(bit / 8): \(error)")
            }
        }
    }

    @Test func everyTruncationIsDetected() throws {
        var random = SeededRandom(seed: 4)
        let entries = modelEntries(.random, count: 60, &random).sorted(by: ModelEntry.sorts)
        let (file, _) = try writeTable(entries, .init())
        let good = file.contents
        for length in 0..<good.count {
            #expect(throws: StorageError.self) { try readAll(Array(good.prefix(length))) }
        }
        #expect(throws: StorageError.self) { try readAll(good + [0]) }
    }

    /// Blocks whose checksum is right and whose bytes are not: what validation refuses, and what it
    /// lets pass can be walked without leaving the block.
    @Test func damagedBlocksNeverTrap() throws {
        var random = SeededRandom(seed: 12)
        let entries = modelEntries(.random, count: 40, &random).sorted(by: ModelEntry.sorts)
        let builder = DataBlockBuilder(restartInterval: 5, capacity: 4096)
        for entry in entries {
            entry.key.withUnsafeBytes { key in
                entry.value.withUnsafeBytes {
                    builder.add(key, entry.timestamp, entry.kind.rawValue, $0)
                }
            }
        }
        let good = Array(builder.finish())
        #expect(good.withUnsafeBytes { DataBlock.validate($0) } == nil)
        var refused = 0
        for _ in 0..<20_000 {
            var bad = good
            for _ in 0...random.below(3) {
                bad[random.below(bad.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.below(4) == 0 { bad.removeLast(random.below(bad.count)) }
            bad.withUnsafeBytes { bytes in
                if DataBlock.validate(bytes) != nil {
                    refused += 1
                    return
                }
                let block = DataBlock(validated: bytes)
                entries[random.below(entries.count)].key.withUnsafeBytes {
                    _ = block.find($0, random.next())
                }
            }
        }
        #expect(refused > 5000)
    }

    @Test func filterKeepsItsPromise() throws {
        var random = SeededRandom(seed: 8)
        let present = (0..<20_000).map { _ in random.next() }
        let filter = present.withUnsafeBufferPointer {
            BloomFilter.build(hashes: $0, bitsPerKey: 10)
        }
        defer { UnsafeMutableRawPointer(mutating: filter.baseAddress)?.deallocate() }
        let base = try #require(filter.baseAddress)
        #expect(BloomFilter.validate(filter) == nil)
        #expect(present.allSatisfy { BloomFilter.mayContain(base, $0) })
        let wrong = (0..<100_000).count { _ in BloomFilter.mayContain(base, random.next()) }
        #expect(wrong < 1500, "\(Double(wrong) / 1000) % false positives")
    }
}
