import Testing

@testable import FalconStorage

/// Large tables: index and filter in partitions, held in the cache, and how old each block is.
@Suite struct PartitionTests {
    static func entries(_ count: Int) -> [ModelEntry] {
        (0..<count).map { i in
            let number: [UInt8] = withUnsafeBytes(of: UInt32(i).bigEndian, Array.init)
            return ModelEntry(
                key: Array("keyspace".utf8) + number,
                timestamp: UInt64(1_000_000 + i * 37 % 5000), kind: .put,
                value: Array("value \(i)".utf8))
        }
    }
    static var small: TableOptions {
        var options = TableOptions()
        options.blockBytes = 400
        options.partitioningBytes = 8 << 10
        return options
    }

    @Test func openingReadsNoMoreOfALargeTable() throws {
        for count in [10, 1000, 20_000] {
            let (file, summary) = try writeTable(Self.entries(count), Self.small)
            let before = file.readCount.load(ordering: .relaxed)
            let table = try TableReader.open(
                file: file, uid: testUID, size: summary.fileBytes, cache: nil)
            // The header and the last pages.
            #expect(file.readCount.load(ordering: .relaxed) - before == 2, "\(count) entries")
            #expect(table.hasPartitions == (count > 1000))
        }
    }

    @Test func openingAnEngineReadsNoTable() throws {
        let fixture = try EngineFixture()
        for i in 0..<3000 { try fixture.put("key\(i)", "value \(i)", .buffered) }
        try fixture.engine.flush()
        try fixture.engine.awaitIdle()
        try fixture.engine.close()
        let tracing = TracingFileSystem(fixture.fileSystem, recordsReads: true)
        let engine = try StorageEngine.open(
            at: "/db", options: fixture.options,
            environment: StorageEnvironment(
                fileSystem: tracing, clock: fixture.clock, random: SystemRandom()))
        defer { try? engine.close() }
        #expect(engine.statistics().levels.reduce(0) { $0 + $1.fileCount } > 2)
        let touched = tracing.events.filter { $0.path.hasSuffix(".sst") }
        // Size and ends are checked; index, filter and data stay where they are.
        let isEnd = { (detail: String) in detail.hasSuffix("+128") || detail.hasSuffix("+64") }
        #expect(touched.allSatisfy { $0.operation != .read || isEnd($0.detail) }, "\(touched)")
        #expect(try engine.value("key77") == "value 77")
        #expect(tracing.events.contains { $0.path.hasSuffix(".sst") })
    }

    @Test func partitionsAreHeldUpToTheirShareOfTheCache() throws {
        let entries = Self.entries(20_000)
        let (file, summary) = try writeTable(entries, Self.small)
        let cache = BlockCache(capacityBytes: 200 << 10)
        func read(_ table: TableReader) throws {
            for entry in entries where entry.timestamp % 3 == 0 {
                let found = try table.find(entry.key, at: .max)
                #expect(found == entry)
                #expect(try table.find(entry.key + [0], at: .max) == nil)
            }
            #expect(try table.makeIterator().collectForward().count == entries.count)
        }
        do {
            let table = try TableReader.open(
                file: file, uid: testUID, size: summary.fileBytes, cache: cache)
            try read(table)
            #expect((25 << 10...50 << 10).contains(cache.heldBytes))
            #expect(cache.usedBytes <= 200 << 10)
            // Of level 0 all is held.
            table.holdsBeyondShare.store(true, ordering: .relaxed)
            try read(table)
            #expect(cache.heldBytes > 60 << 10)
            // What is held needs no further look into the cache.
            let before = cache.hits + cache.misses
            #expect(try table.find(entries[77].key, at: .max) == entries[77])
            #expect(cache.hits + cache.misses == before + 1)
        }
        // A capacity below what is held leaves room for other blocks, and no more.
        do {
            let table = try TableReader.open(
                file: file, uid: testUID, size: summary.fileBytes, cache: cache)
            table.holdsBeyondShare.store(true, ordering: .relaxed)
            try read(table)
            let held = cache.heldBytes
            cache.setCapacity(40 << 10)
            try read(table)
            #expect(cache.heldBytes == held)
            #expect(cache.usedBytes > held + 2000 && cache.usedBytes < held + held / 4 + (20 << 10))
        }
        // A closed table leaves its partitions to eviction.
        #expect(cache.heldBytes == 0)
        cache.setCapacity(0)
        #expect(cache.usedBytes == 0)
    }

    /// Versions of one key over many blocks and partitions.
    @Test func aKeysVersionsMayFillPartitions() throws {
        let versions = (0..<2000).map {
            ModelEntry(
                key: Array("hot".utf8), timestamp: UInt64(5000 - $0), kind: .put,
                value: Array("\($0)".utf8))
        }
        var options = Self.small
        options.partitioningBytes = 512
        let (file, summary) = try writeTable(versions, options)
        let cache = BlockCache(capacityBytes: 1 << 20)
        let table = try TableReader.open(
            file: file, uid: testUID, size: summary.fileBytes, cache: cache)
        #expect((table.index?.count ?? 0) > 20)
        for version in versions {
            #expect(try table.find(version.key, at: version.timestamp) == version)
        }
        #expect(TableVerifier.verify(file).findings == [])
    }

    @Test func scalesRoundOutwards() {
        var random = SeededRandom(seed: 31)
        for _ in 0..<20_000 {
            let bits = UInt64(random.below(64))
            var bounds = TimestampBounds.none
            var some: [UInt64] = [0, .max, random.next()].shuffled(using: &random)
            some.removeLast(random.below(3))
            some += (0..<5).map { _ in random.next() >> bits }
            for timestamp in some { bounds.add(timestamp) }
            let scale = TimestampScale(covering: bounds)
            for timestamp in some {
                let step = scale.step(timestamp)
                #expect(scale.first(step) <= timestamp && timestamp <= scale.last(step))
            }
            #expect(scale.last(0) &- scale.first(0) <= (bounds.newest &- bounds.oldest) / 32768)
        }
    }

    /// Index blocks whose checksum is right and whose bytes are not: what validation lets pass can be
    /// searched without leaving the block.
    @Test(arguments: [false, true])
    func damagedIndexesNeverTrap(hasTimestamps: Bool) throws {
        var random = SeededRandom(seed: 12)
        let builder = IndexBlockBuilder()
        let keys = (0..<40).map { "key\(100 + $0)" + String(repeating: "x", count: $0 % 5) }
        for (i, key) in keys.enumerated() {
            Array(key.utf8).withUnsafeBytes {
                builder.add(
                    $0, hasTimestamps && i % 7 == 0 ? 5 : 0,
                    .init(
                        handle: BlockHandle(offset: UInt64(i) * 100, payloadBytes: 84),
                        bounds: TimestampBounds(oldest: UInt64(i), newest: UInt64(i * i))))
            }
        }
        let good = builder.encode(0..<40)
        #expect(good.withUnsafeBytes { IndexBlock.validate($0) } == nil)
        var refused = 0
        for _ in 0..<20_000 {
            var bad = good
            let reach = random.below(2) == 0 ? 24 : bad.count
            bad[random.below(reach)] = UInt8(truncatingIfNeeded: random.next())
            if random.below(4) == 0 { bad.removeLast(random.below(bad.count)) }
            let memory = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(bad.count, 1), alignment: 16)
            defer { memory.deallocate() }
            memory.copyBytes(from: bad)
            let bytes = UnsafeRawBufferPointer(rebasing: memory[..<bad.count])
            if IndexBlock.validate(bytes) != nil {
                refused += 1
                continue
            }
            let index = IndexBlock(validated: bytes)
            let key = Array(keys[random.below(keys.count)].utf8)
            let place = key.withUnsafeBytes { index.search($0, random.next()) }
            for i in 0..<index.count where i == place || i == index.count - 1 {
                _ = (index.handle(i), index.timestamp(i))
                _ = (index.oldest(i), index.newest(i), index.key(i).count)
            }
        }
        #expect(refused > 5000)
    }

    /// Blocks that follow each other are read many at a time; a seek after a scan reads one again.
    @Test func scansReadAhead() throws {
        let entries = Self.entries(50_000)
        let (file, summary) = try writeTable(entries, Self.small)
        let cache = BlockCache(capacityBytes: 64 << 10)
        let table = try TableReader.open(
            file: file, uid: testUID, size: summary.fileBytes, cache: cache)
        func readsOfScan(_ iterator: InternalIterator) throws -> Int {
            let before = file.readCount.load(ordering: .relaxed)
            let count = try iterator.collectForward().count
            #expect(count == 50_000)
            return file.readCount.load(ordering: .relaxed) - before
        }
        let blocks = Int(table.properties.dataBlockCount)
        #expect(blocks > 2000)
        let iterator = table.makeIterator()
        let scanned = try readsOfScan(iterator)
        // Beside the pieces of up to 256 KiB, one read per index partition.
        #expect(scanned < blocks / 20, "\(scanned) reads for \(blocks) blocks")
        let before = file.readBytes.load(ordering: .relaxed)
        for i in stride(from: 0, to: 50_000, by: 5000) {
            try entries[i].key.withUnsafeBytes { try iterator.seek($0, .max) }
            #expect(iterator.isValid && iterator.entry == entries[i])
        }
        let sought = file.readBytes.load(ordering: .relaxed) - before
        #expect(sought < 10 * 4096, "\(sought) bytes for 10 seeks")
        // A compaction reads large pieces from the start.
        let eager = try readsOfScan(table.makeIterator(fillCache: false))
        #expect(eager < scanned)
    }
}
