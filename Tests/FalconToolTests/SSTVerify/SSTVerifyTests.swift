import FalconToolKit
import Testing

@testable import FalconStorage

@Suite struct SSTVerifyTests {
    /// Nothing is compacted.
    private var options: EngineOptions {
        var options = EngineOptions()
        options.compactOnlyWhenAsked()
        return options
    }

    /// A closed database in memory with a few tables.
    private func database(tables: Int = 3) throws -> (MemoryFileSystem, StorageEnvironment) {
        let memory = MemoryFileSystem()
        let environment = StorageEnvironment(
            fileSystem: memory, clock: SystemClock(),
            random: FalconStorage.SeededRandom(seed: 3))
        let engine = try StorageEngine.open(at: "data", options: options, environment: environment)
        for table in 0..<tables {
            let batch = WriteBatch()
            for row in 0..<500 {
                let key = Array("row \(row * 7 % 500) of \(table)".utf8)
                try key.withUnsafeBytes { key in
                    try Array("value \(row)".utf8).withUnsafeBytes {
                        try batch.put(key: key, value: $0)
                    }
                }
            }
            _ = try engine.commitAndWait(batch)
            try engine.flush()
        }
        try engine.close()
        return (memory, environment)
    }

    private func tables(_ memory: MemoryFileSystem) throws -> [String] {
        try memory.list("data/sst").sorted().map { "data/sst/" + $0 }
    }

    @Test func soundDirectory() throws {
        let (memory, environment) = try database()
        for path in ["data", "data/", "data/sst"] {
            let run = runVerify(memory, environment, [path])
            #expect(run.exit == .clean, "\(run.output)\(run.diagnostics)")
            #expect(run.output.contains("3 tables"))
            #expect(run.output.contains("1500 entries checked; all sound"))
        }
        let one = try tables(memory)[0]
        let run = runVerify(memory, environment, [one, "--format", "json"])
        #expect(run.exit == .clean)
        #expect(run.output.contains("\"entries\":500"))
        #expect(run.output.contains("\"findings\":[]"))
    }

    @Test func flippedBitIsNamedWithFileAndOffset() throws {
        let (memory, environment) = try database()
        let victim = try tables(memory)[1]
        try LogFixture.patch(memory, victim) { $0[200] ^= 4 }
        let run = runVerify(memory, environment, ["data", "--format", "jsonl"])
        #expect(run.exit == .corruption)
        let finding = try #require(run.lines.first { $0.contains("\"SST003\"") })
        #expect(finding.contains("\"file\":\"\(victim)\""))
        #expect(finding.contains("\"offset\":64"))
        #expect(finding.contains("blast_radius\":\"keys from"))
        #expect(!finding.contains(" of 1"), "user data is redacted")
        #expect(run.lines.contains { $0.contains("\"SST011\"") })
        // The other tables were checked all the same.
        #expect(run.lines.count { $0.contains("\"type\":\"record\"") } == 3)
    }

    @Test func blocksThatTheServerKnowsToBeDamagedAreTold() throws {
        let (memory, environment) = try database()
        let victim = try tables(memory)[1]
        try LogFixture.patch(memory, victim) { $0[200] ^= 4 }
        let engine = try StorageEngine.open(at: "data", options: options, environment: environment)
        let error = #expect(throws: StorageError.self) {
            let iterator = try engine.makeIterator(.all, at: .max)
            try iterator.seekToFirst()
            while iterator.isValid { try iterator.next() }
        }
        #expect(error?.code == .corruption)
        try engine.writable().background.keeper.awaitIdle()
        try engine.close()
        let run = runVerify(memory, environment, ["data", "--format", "jsonl"])
        #expect(run.exit == .corruption)
        let finding = try #require(run.lines.first { $0.contains("\"SST106\"") })
        #expect(finding.contains("\"file\":\"\(victim)\""))
        #expect(finding.contains("what no damaged block holds is served"))
        #expect(finding.contains("\"offset\":64"))
        #expect(finding.contains("blast_radius\":\"keys from"))
    }

    @Test func missingSwappedAndOrphanedFiles() throws {
        let (memory, environment) = try database()
        let names = try tables(memory)
        let file = try memory.open("data/sst/00000000000fffff.sst", .create)
        try file.write([1, 2, 3], at: 0)
        let orphan = runVerify(memory, environment, ["data"])
        #expect(orphan.exit == .benign)
        #expect(orphan.output.contains("SST102"))

        let a = try memory.contents(of: names[0])
        let b = try memory.contents(of: names[1])
        try LogFixture.patch(memory, names[0]) { $0 = b }
        try LogFixture.patch(memory, names[1]) { $0 = a }
        let swapped = runVerify(memory, environment, ["data"])
        #expect(swapped.exit == .corruption)
        #expect(swapped.output.contains("SST010"))

        try memory.remove(names[2])
        let missing = runVerify(memory, environment, ["data", "--keys", "none"])
        #expect(missing.exit == .corruption)
        #expect(missing.output.contains("SST101"))
    }

    @Test func damagedManifestStillChecksEachFile() throws {
        let (memory, environment) = try database()
        try LogFixture.patch(memory, "data/CURRENT") { $0[3] ^= 1 }
        let run = runVerify(memory, environment, ["data"])
        #expect(run.exit == .corruption)
        #expect(run.output.contains("SST104"))
        #expect(run.output.contains("3 tables"))
    }

    @Test func usageAndAbsence() throws {
        let (memory, environment) = try database(tables: 1)
        #expect(runVerify(memory, environment, []).exit == .usage)
        #expect(runVerify(memory, environment, ["nowhere"]).exit == .io)
        #expect(runVerify(memory, environment, ["explain", "SST007"]).output.contains("filter"))
        #expect(runVerify(memory, environment, ["data", "--keys", "all"]).exit == .usage)
    }
}
