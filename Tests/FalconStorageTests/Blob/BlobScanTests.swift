import FalconTestKit
import Testing

@testable import FalconStorage

/// A scan reads large values ahead, whatever files they lie in, and finds each its own.
@Suite struct BlobScanTests {
    private static let keys = 600

    /// Values in several files, with garbage between the live ones.
    private func database(
        _ codec: BlockCodec
    ) throws -> (FaultInjectingFileSystem, StorageEngine) {
        let faulty = FaultInjectingFileSystem(MemoryFileSystem())
        var options = EngineOptions.smallBlobs
        options.memtableBytes = 1 << 20
        options.targetFileBytes = 1 << 20
        options.blockCacheBytes = 0
        options.blobGarbagePercent = 100
        options.compression = codec
        options.bottomCompression = codec
        let engine = try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(
                fileSystem: faulty, clock: ManualClock(), random: SystemRandom()))
        for round in 0..<4 {
            let batch = WriteBatch()
            for key in 0..<Self.keys where key % (round * 2 + 1) == 0 {
                try batch.put(key: bytes(name(key)), value: bytes(value(key, round)))
            }
            try engine.commitAndWait(batch)
            try engine.flush()
        }
        try engine.compact()
        try engine.awaitIdle()
        return (faulty, engine)
    }

    private func name(_ key: Int) -> String { "k\(1000 + key)" }
    private func value(_ key: Int, _ round: Int) -> String {
        EngineFixture.large(name(key), round, count: 300 + key % 7)
            + String(repeating: "z", count: key % 3 * 200)
    }

    @Test(arguments: [BlockCodec.none, .lz4])
    func aScanReadsAheadAndFindsEachValue(codec: BlockCodec) throws {
        let (faulty, engine) = try database(codec)
        defer { try? engine.close() }
        #expect(engine.statistics().blobs.fileCount == 4)
        let expected = (0..<Self.keys).map { key in
            let round = key % 7 == 0 ? 3 : key % 5 == 0 ? 2 : key % 3 == 0 ? 1 : 0
            return name(key) + "=" + value(key, round)
        }
        faulty.setRule(
            FaultRule(.operation(.read), pathContains: ".blob", index: .max, errno: 5))
        #expect(try engine.rows() == expected)
        #expect(faulty.matchedCount < Self.keys / 8, "\(faulty.matchedCount) reads")
        #expect(try engine.rows(backward: true) == expected.reversed())
        let range = KeyRange(lower: Array(name(100).utf8), upper: Array(name(140).utf8))
        #expect(try engine.rows(range) == Array(expected[100..<140]))
    }

    /// To and fro: the current value is the current key's after every step.
    @Test func stepsInBothDirectionsReadTheirOwnValues() throws {
        let (_, engine) = try database(.lz4)
        defer { try? engine.close() }
        let seed = SurvivalSettings.seed
        var random = SplitMix64(seed: seed)
        let iterator = try engine.makeIterator(.all, at: .max)
        var place = 300
        try iterator.seek(bytes(name(place)))
        for step in 0..<2000 {
            let key = place
            let round = key % 7 == 0 ? 3 : key % 5 == 0 ? 2 : key % 3 == 0 ? 1 : 0
            #expect(text(iterator.key) == name(key), "step \(step), seed \(seed)")
            #expect(text(iterator.value) == value(key, round), "step \(step), seed \(seed)")
            let forward = random.next() % 8 < 5
            if forward, place + 1 < Self.keys {
                place += 1
                try iterator.next()
            } else if !forward, place > 0 {
                place -= 1
                try iterator.previous()
            } else {
                place = Int(random.next() % UInt64(Self.keys))
                try iterator.seek(bytes(name(place)))
            }
        }
    }
}
