import FalconToolKit
import Testing

@testable import FalconStorage

/// sst-verify knows blob files: sound ones, damaged, missing, and references that lead nowhere.
@Suite struct SSTVerifyBlobTests {
    /// A closed database in memory: 200 values of 2000 bytes, half of them written twice.
    private func database() throws -> (MemoryFileSystem, StorageEnvironment) {
        let memory = MemoryFileSystem()
        let environment = StorageEnvironment(
            fileSystem: memory, clock: SystemClock(),
            random: FalconStorage.SeededRandom(seed: 5))
        var options = EngineOptions()
        options.blobGarbagePercent = 100
        let engine = try StorageEngine.open(at: "data", options: options, environment: environment)
        for round in 0..<2 {
            let batch = WriteBatch()
            for row in 0..<(round == 0 ? 200 : 100) {
                let value = (0..<2000).map { UInt8(truncatingIfNeeded: $0 * (row + 3) >> 3) }
                try Array("row \(1000 + row)".utf8).withUnsafeBytes { key in
                    try value.withUnsafeBytes { try batch.put(key: key, value: $0) }
                }
            }
            _ = try engine.commitAndWait(batch)
            try engine.flush()
        }
        try engine.compact()
        try engine.close()
        return (memory, environment)
    }

    private func blobs(_ memory: MemoryFileSystem) throws -> [String] {
        try memory.list("data/sst").filter { $0.hasSuffix(".blob") }.sorted()
            .map { "data/sst/" + $0 }
    }

    @Test func soundBlobFilesAreCountedWithTheirGarbage() throws {
        let (memory, environment) = try database()
        let run = runVerify(memory, environment, ["data"])
        #expect(run.exit == .clean, "\(run.output)\(run.diagnostics)")
        #expect(run.output.contains("2 blob files"))
        #expect(run.output.contains("200 values, "))
        let json = runVerify(memory, environment, ["data", "--format", "jsonl"])
        let first = try #require(json.lines.first { $0.contains("\"kind\":\"blob\"") })
        #expect(!first.contains("\"garbage_bytes\":0,"), "half of the first file is garbage")
        #expect(first.contains("\"entries\":200"))
        let alone = runVerify(memory, environment, [try blobs(memory)[0]])
        #expect(alone.exit == .clean)
        #expect(alone.output.contains("200 values"))
    }

    /// The record is named, the walk goes on behind it, and the key that needs it is named too.
    @Test func aFlippedBitNamesRecordAndKey() throws {
        let (memory, environment) = try database()
        let victim = try blobs(memory)[1]
        try LogFixture.patch(memory, victim) { $0[64 + 24 + 3] ^= 1 }
        let run = runVerify(memory, environment, ["data", "--format", "jsonl"])
        #expect(run.exit == .corruption)
        let finding = try #require(run.lines.first { $0.contains("\"BLB002\"") })
        #expect(finding.contains("\"file\":\"\(victim)\""))
        #expect(finding.contains("\"offset\":64"))
        #expect(run.lines.contains { $0.contains("\"BLB005\"") })
        let lost = try #require(run.lines.first { $0.contains("\"BLB007\"") })
        #expect(lost.contains("blast_radius\":\"keys from"))
        #expect(run.lines.count { $0.contains("\"BLB007\"") } == 1)
        let record = try #require(
            run.lines.first { $0.contains("\"record\"") && $0.contains(victim) })
        #expect(record.contains("\"entries\":99"))
    }

    @Test func damagedFramesMissingAndSwappedFiles() throws {
        let (memory, environment) = try database()
        let names = try blobs(memory)
        let (a, b) = (try memory.contents(of: names[0]), try memory.contents(of: names[1]))
        for place in [3, a.count - 20] {
            try LogFixture.patch(memory, names[0]) { $0[place] ^= 16 }
            let run = runVerify(memory, environment, ["data"])
            #expect(run.exit == .corruption)
            #expect(run.output.contains("BLB001"))
            #expect(run.output.contains("BLB007"))
            try LogFixture.patch(memory, names[0]) { $0[place] ^= 16 }
        }
        try LogFixture.patch(memory, names[0]) { $0 = b }
        try LogFixture.patch(memory, names[1]) { $0 = a }
        let swapped = runVerify(memory, environment, ["data"])
        #expect(swapped.exit == .corruption)
        #expect(swapped.output.contains("BLB004"))
        try memory.remove(names[0])
        let missing = runVerify(memory, environment, ["data"])
        #expect(missing.exit == .corruption)
        #expect(missing.output.contains("BLB101"))
        #expect(runVerify(memory, environment, ["explain", "BLB007"]).output.contains("blob"))
    }
}
