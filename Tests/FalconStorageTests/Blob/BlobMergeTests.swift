import FalconTestKit
import Testing

@testable import FalconStorage

/// Small blob files become greater ones, at a bounded cost, and few files are open at a time.
@Suite struct BlobMergeTests {
    private func put(
        _ engine: StorageEngine, _ keys: [Int], round: Int, count: Int = 400
    ) throws {
        let batch = WriteBatch()
        for key in keys {
            let name = "k\(10_000 + key)"
            try batch.put(
                key: bytes(name), value: bytes(EngineFixture.large(name, round, count: count)))
        }
        try engine.commitAndWait(batch, CommitOptions(durability: .buffered))
        try engine.flush()
    }

    private static var options: EngineOptions {
        var options = EngineOptions.smallBlobs
        options.targetFileBytes = 256 << 10
        options.levelBaseBytes = 1 << 20
        return options
    }

    /// Each flush makes a file of one value; with keys in order tables are only moved.
    @Test(arguments: [true, false])
    func theNumberOfFilesFollowsTheLiveBytes(inOrder: Bool) throws {
        let fixture = try EngineFixture(options: Self.options)
        let count = 240
        for index in 0..<count {
            let key = inOrder ? index : index * 97 % count
            try put(fixture.engine, [key], round: 1)
        }
        try fixture.engine.awaitIdle()
        let blobs = fixture.blobs
        #expect(blobs.liveBytes > UInt64(count * 400))
        #expect(blobs.fileCount <= 24, "\(blobs.fileCount) files")
        #expect(blobs.movedBytes <= blobs.liveBytes * 4, "\(blobs.movedBytes) moved")
        #expect(try fixture.filesMatchVersion())
        let rows = (0..<count).map {
            "k\(10_000 + $0)=" + EngineFixture.large("k\(10_000 + $0)", 1)
        }
        #expect(try fixture.rows() == rows)
        try fixture.reopen()
        try fixture.engine.awaitIdle()
        #expect(try fixture.rows() == rows)
    }

    /// Overwriting at random: what is merged is what lives, and garbage is still collected.
    @Test func overwritingKeepsFilesFew() throws {
        let fixture = try EngineFixture(options: Self.options)
        let seed = SurvivalSettings.seed
        var random = SplitMix64(seed: seed)
        var newest = [Int](repeating: -1, count: 100)
        for round in 0..<200 {
            let keys = (0..<3).map { _ in Int(random.next() % 100) }
            for key in keys { newest[key] = round }
            try put(fixture.engine, keys, round: round)
        }
        try fixture.engine.awaitIdle()
        #expect(fixture.blobs.fileCount <= 24, "\(fixture.blobs.fileCount) files, seed \(seed)")
        #expect(try fixture.filesMatchVersion())
        for (key, round) in newest.enumerated() where round >= 0 {
            let name = "k\(10_000 + key)"
            #expect(try fixture.get(name) == EngineFixture.large(name, round), "seed \(seed)")
        }
    }

    /// A load whose flushes make files near the target size costs what it did.
    @Test func filesNearTheirTargetAreLeftAlone() throws {
        var options = Self.options
        options.targetFileBytes = 16 << 10
        options.blobGarbagePercent = 100
        let fixture = try EngineFixture(options: options)
        for round in 0..<40 {
            try put(fixture.engine, (0..<15).map { ($0 * 40 + round) }, round: 1)
        }
        try fixture.engine.awaitIdle()
        #expect(fixture.blobs.fileCount == 40)
        #expect(fixture.blobs.movedBytes == 0)
    }

    /// The choice: whatever the sizes, a value leaves its file only for one that is so much greater.
    @Test func aMergeMakesAFileThatIsMuchGreater() {
        let seed = SurvivalSettings.seed
        var random = SplitMix64(seed: seed)
        for _ in 0..<2000 {
            let uses = (0..<Int(random.next() % 40)).map { number in
                let bytes = 1 + random.next() % (1 << (random.next() % 20))
                return BlobFiles.SmallUse(
                    number: UInt64(number), recordBytes: bytes,
                    usedBytes: 1 + random.next() % bytes)
            }
            let parts = 1 + Int(random.next() % 3)
            let chosen = BlobFiles.worthMerging(uses, parts: parts)
            #expect(chosen == chosen.sorted())
            let members = uses.filter { chosen.contains($0.number) }
            let largest = members.map(\.recordBytes).max() ?? 0
            let sum = members.reduce(0) { $0 + $1.usedBytes }
            #expect(sum >= largest * 4 * UInt64(parts), "seed \(seed)")
            #expect(members.isEmpty || members.count >= 4 * parts, "seed \(seed)")
        }
        let alike = (0..<4).map { BlobFiles.SmallUse(number: $0, recordBytes: 9, usedBytes: 9) }
        #expect(BlobFiles.worthMerging(alike, parts: 1) == [0, 1, 2, 3])
    }

    /// With few descriptors there may still be many files: all are read, and flushes go on.
    @Test func manyFilesNeedFewDescriptors() throws {
        var options = Self.options
        // Too large to be merged.
        options.targetFileBytes = 4096
        let count = 1500
        options.level0CompactionTrigger = 500
        options.level0SlowdownTrigger = 600
        options.level0StopTrigger = 700
        options.blockCacheBytes = 0
        let limited = LimitedFileSystem(MemoryFileSystem(), openFileLimit: 32)
        let engine = try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(
                fileSystem: limited, clock: ManualClock(), random: SystemRandom()))
        defer { try? engine.close() }
        for index in 0..<60 {
            try put(engine, [index], round: 1, count: count)
            #expect(
                try engine.value("k\(10_000 + index / 2)")
                    == EngineFixture.large("k\(10_000 + index / 2)", 1, count: count))
        }
        #expect(engine.statistics().blobs.fileCount == 60)
        #expect(
            try engine.rows()
                == (0..<60).map {
                    "k\(10_000 + $0)="
                        + EngineFixture.large("k\(10_000 + $0)", 1, count: count)
                })
        #expect(limited.most <= 24, "\(limited.most) open")
    }
}
