import FalconToolKit
import Testing

@testable import FalconStorage

@Suite struct WALInspectTests {
    private func inspect(
        _ fileSystem: MemoryFileSystem, _ arguments: [String] = [], directory: String = "data"
    ) -> ToolRun {
        let before = fileSystem.snapshotContents()
        let run = ToolRun(
            WALInspect.self, [directory] + arguments,
            environment: StorageEnvironment(fileSystem: fileSystem, clock: ManualClock()))
        #expect(fileSystem.snapshotContents() == before, "the directory was written to")
        return run
    }

    private func makeLog(_ count: Int = 20) throws -> LogFixture {
        let fixture = try LogFixture()
        for index in 0..<count {
            try fixture.commit([([UInt8(truncatingIfNeeded: index)], Array("value".utf8))])
        }
        return fixture
    }

    @Test func aSealedLogIsClean() throws {
        let fixture = try makeLog()
        try fixture.writer.close()
        for directory in ["data", "data/wal", "data/"] {
            let run = inspect(fixture.memory, directory: directory)
            #expect(run.exit == .clean)
            #expect(run.output.contains("verdict: clean"))
            #expect(run.output.contains("transaction 20 of 2026-01-01T00:00:20.000000Z"))
            #expect(run.output.contains("COMMIT: 20 records"))
        }
    }

    /// What was not read, because nobody reads on, is not missing.
    @Test(arguments: ["text", "json", "jsonl"])
    func aReaderThatLeavesIsNoDamage(_ format: String) throws {
        let fixture = try LogFixture()
        for index in 0..<40 {
            try fixture.commit([
                ([UInt8(index)], [UInt8](repeating: 7, count: 100_000))
            ])
        }
        try fixture.writer.close()
        let run = ToolRun(
            WALInspect.self, ["data", "--records", "--format", format],
            environment: StorageEnvironment(fileSystem: fixture.memory, clock: ManualClock()),
            readerLeavesAfter: 200)
        #expect(run.exit == .clean)
        #expect(run.diagnostics == "")
    }

    @Test func aTornTailIsBenignAndCounted() throws {
        let fixture = try makeLog()
        let clone = try fixture.crash()
        let offset = try #require(
            try WALReaderEnd.offset(clone))
        try LogFixture.patch(clone, LogFixture.firstSegment) { bytes in
            for index in (Int(offset) - 20)..<bytes.count { bytes[index] = 0 }
        }
        let run = inspect(clone, ["--format", "json"])
        #expect(run.exit == .benign)
        #expect(run.output.contains("\"WAL010\""))
        #expect(run.output.contains("\"verdict\":\"torn-tail\""))
        #expect(run.output.contains("\"last_transaction\":19"))
    }

    @Test func damageIsNamedWithItsPlaceAndCost() throws {
        let fixture = try makeLog()
        let clone = try fixture.crash()
        let chunk = 4096 + 64
        try LogFixture.patch(clone, LogFixture.firstSegment) { $0[chunk + 3] ^= 0x10 }
        let run = inspect(clone, ["--format", "jsonl"])
        #expect(run.exit == .corruption)
        let finding = run.lines.first { $0.contains("\"finding\"") } ?? ""
        #expect(finding.contains("\"WAL001\""))
        #expect(finding.contains("\"offset\":4096"))
        #expect(finding.contains("LSN 0/00000008 to"))
        // What follows the damage is counted all the same.
        #expect(run.output.contains("\"last_transaction\":20"))
    }

    @Test func recordsAreListedFilteredAndRedacted() throws {
        let fixture = try makeLog()
        try fixture.writer.close()
        let all = inspect(fixture.memory, ["--records", "--format", "csv"])
        #expect(all.lines.count == 21)
        let one = inspect(
            fixture.memory, ["--records", "--transaction", "7", "--format", "jsonl"])
        let records = one.lines.filter { $0.contains("\"record\"") }
        #expect(records.count == 1 && records[0].contains("\"COMMIT\""))
        let secret = "76616c7565"
        #expect(!one.output.contains(secret) && !one.output.contains("value\":\"v"))
        let shown = inspect(fixture.memory, ["--records", "--transaction", "7", "--data"])
        #expect(shown.output.contains(secret))
        let from = fixture.commits[15].start.description
        let tail = inspect(
            fixture.memory, ["--records", "--from-lsn", from, "--format", "csv"])
        #expect(tail.lines.count == 6)
        let hour = inspect(
            fixture.memory,
            ["--records", "--since", "2026-01-01T00:00:19Z", "--format", "csv"])
        #expect(hour.lines.count == 3)
        let few = inspect(fixture.memory, ["--records", "--limit", "2", "--format", "csv"])
        #expect(few.lines.count == 3)
    }

    @Test func anEmptyOrMissingDirectorySaysSo() throws {
        let memory = MemoryFileSystem()
        #expect(inspect(memory).exit == .io)
        try memory.createDirectory("data")
        #expect(inspect(memory).exit == .usage)
    }
}

enum WALReaderEnd {
    /// One beyond the last good chunk of the last segment.
    static func offset(_ fileSystem: any FileSystem) throws(StorageError) -> UInt64? {
        let reader = try WALReader(directory: "data/wal", fileSystem: fileSystem)
        while try reader.next() != nil {}
        return reader.summaries.last?.usedBytes
    }
}
