import Testing

@testable import FalconStorage

/// Records that are copied from log to log chunk by chunk.
@Suite struct WALRunTests {
    private func write(_ count: Int) throws -> (log: WALFixture, ends: [LSN]) {
        let fixture = WALFixture(segmentBytes: 32 << 10, chunkBytes: 1 << 10)
        let writer = try fixture.open()
        var ends: [LSN] = []
        for index in 0..<count {
            let tag: WALRecordTag = index % 3 == 0 ? .commit : .logicalMessage
            ends.append(try writer.append(tag, WALFixture.body(index, index % 300)).end)
        }
        try writer.close()
        return (fixture, ends)
    }

    @Test func aCopyHasTheSameRecordsUpToTheLimit() throws {
        let (source, ends) = try write(900)
        for kept in [0, 1, 2, 37, 500, 899, 900] {
            let limit = kept == 0 ? LSN(8) : ends[kept - 1]
            let reader = try WALReader(directory: "wal", fileSystem: source.fileSystem)
            let target = WALFixture(segmentBytes: 32 << 10, chunkBytes: 1 << 10, seed: 2)
            let writer = try target.open()
            var commits = 0
            while let run = try reader.nextRun(upTo: limit) {
                let place = try writer.append(copied: run.bytes)
                #expect(place == WALPosition(start: run.lsn, end: run.end))
                commits += run.commitCount
                #expect(run.ingests.isEmpty)
            }
            try writer.close()
            let (records, copy) = try WALFixture.readAll(target.fileSystem)
            #expect(records.map(\.lsn) == Array(([LSN(8)] + ends).prefix(kept)))
            #expect(copy.verdict == .clean(end: limit))
            #expect(commits == (kept + 2) / 3)
            for (index, record) in records.enumerated() {
                #expect(record.body == WALFixture.body(index, index % 300))
            }
        }
    }

    /// What is behind the limit can still be read one by one.
    @Test func aRunThatMeetsTheLimitTakesNothingBehindIt() throws {
        let (source, ends) = try write(40)
        let reader = try WALReader(directory: "wal", fileSystem: source.fileSystem)
        while let run = try reader.nextRun(upTo: ends[3]) {
            #expect(run.end <= ends[3])
            if run.end == ends[3] { break }
        }
        #expect(try reader.next()?.lsn == ends[3])
    }
}
