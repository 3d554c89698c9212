import CFalconPlatform
import Synchronization
import Testing

@testable import FalconStorage

/// What the engine says in its log beside the commits: closed timestamps and checkpoints.
@Suite struct LogMarkTests {
    private struct Found {
        var commits: [Timestamp] = []
        var closed: [Timestamp] = []
        var checkpoints: [CheckpointRecord] = []
        /// Commits at or below a timestamp that was closed before them.
        var violations = 0
    }

    private func scan(_ fileSystem: any FileSystem) throws -> Found {
        let reader = try WALReader(directory: "/db/wal", fileSystem: fileSystem)
        var found = Found()
        while let record = try reader.next() {
            switch record.tag {
            case .commit:
                let timestamp = try #require(CommitRecordView(record.body)).header.timestamp
                if let closed = found.closed.last, timestamp <= closed { found.violations += 1 }
                found.commits.append(timestamp)
            case .closedTimestamp:
                found.closed.append(try #require(ClosedTimestampRecord(record.body)).timestamp)
            case .checkpoint:
                found.checkpoints.append(try #require(CheckpointRecord(record.body)))
            default: break
            }
        }
        #expect(!reader.verdict.isCorruption)
        return found
    }

    private var quiet: EngineOptions {
        var options = EngineOptions.small
        options.closedTimestampMicros = 0
        options.walRetainBytes = .max
        return options
    }

    @Test func aCleanCloseClosesThePresent() throws {
        let fixture = try EngineFixture(options: quiet)
        let receipt = try fixture.put("a", "1")
        fixture.clock.advance(micros: 5_000_000)
        let now = fixture.clock.wallMicros()
        try fixture.engine.close()
        let found = try scan(fixture.fileSystem)
        #expect(found.closed.count == 1)
        let closed = try #require(found.closed.last)
        #expect(closed > receipt.timestamp)
        // The whole of the present microsecond is over.
        #expect(ClosedTimestampRecord(timestamp: closed, wallMicros: 0).closedMicros == now)
        try fixture.reopen()
        // The clock stands still; new commits lie above what was closed all the same.
        #expect(try fixture.put("b", "2").timestamp > closed)
        try fixture.engine.close()
        #expect(try scan(fixture.fileSystem).violations == 0)
    }

    @Test func noCommitLiesAtOrBelowAClosedTimestamp() throws {
        var options = quiet
        options.memtableBytes = 8 << 20
        let fixture = try EngineFixture(options: options)
        let engine = fixture.engine
        let pipeline = try engine.writable().pipeline
        var writers: [WorkerThread] = []
        for writer in 0..<3 {
            writers.append(
                try WorkerThread(name: "writer") {
                    for index in 0..<500 {
                        let batch = WriteBatch()
                        try? batch.put(key: bytes("\(writer)/\(index)"), value: bytes("v"))
                        _ = try? engine.commitAndWait(batch, CommitOptions(durability: .buffered))
                    }
                })
        }
        for _ in 0..<300 { try pipeline.closeTimestamp() }
        for writer in writers { writer.join() }
        try engine.close()
        let found = try scan(fixture.fileSystem)
        #expect(found.commits.count == 1500)
        #expect(found.closed.count == 301)
        #expect(found.violations == 0)
        #expect(zip(found.closed, found.closed.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func aCommitIsFollowedByAClosedTimestampWithoutAnother() throws {
        var options = quiet
        options.closedTimestampMicros = 1000
        let fixture = try EngineFixture(options: options)
        for round in 0..<3 {
            // Only the first commit after each closing wakes the closing thread.
            let receipt = try fixture.put("a", "\(round)", .buffered)
            let wal = try fixture.engine.writable().wal
            let deadline = falcon_monotonic_nanos() + 20_000_000_000
            while wal.nextLSN <= receipt.lsn, falcon_monotonic_nanos() < deadline {
                pauseBriefly()
            }
            #expect(wal.nextLSN > receipt.lsn, "round \(round)")
        }
    }

    /// A closer on a log with nothing committed writes less and less; here its pauses are so long that
    /// none ends during the test.
    @Test func anIdleLogIsLeftAlone() throws {
        var options = quiet
        options.closedTimestampMicros = 1_000_000
        let fixture = try EngineFixture(options: options)
        let wal = try fixture.engine.writable().wal
        let before = wal.nextLSN
        for _ in 0..<20 { pauseBriefly() }
        #expect(wal.nextLSN == before)
        #expect(ClosedTimestampWriter.idleNanos.lowerBound >= 10_000_000_000)
    }

    @Test func checkpointsHoldTheCatalogOfTheirPlace() throws {
        var options = quiet
        options.catalogReader = { rows throws(StorageError) in
            try rows(KeyRange(prefix: Array("cat/".utf8)))
        }
        let fixture = try EngineFixture(options: options)
        func define(_ name: String, _ value: String) throws {
            let batch = WriteBatch()
            try batch.put(key: bytes("cat/" + name), value: bytes(value), class: .catalog)
            try fixture.engine.commitAndWait(batch)
        }
        try define("t1", "one")
        try fixture.put("row", "1")
        try fixture.engine.flush()
        try fixture.engine.awaitIdle()
        try define("t1", "two")
        try fixture.reopen()
        try fixture.engine.awaitIdle()
        try fixture.engine.close()
        let found = try scan(fixture.fileSystem).checkpoints.map { checkpoint in
            checkpoint.catalog.map {
                String(decoding: $0.key, as: UTF8.self) + "="
                    + String(decoding: $0.value, as: UTF8.self)
            }
        }
        #expect(found == [["cat/t1=one"], ["cat/t1=two"]])
        #expect(try ChangeReader.firstCheckpoint(root: "/db", fixture.fileSystem) != nil)
    }

    @Test func aCatalogThatChangedMeanwhileIsNotLogged() throws {
        let fixture = try EngineFixture(options: quiet)
        let pipeline = try fixture.engine.writable().pipeline
        let before = fixture.engine.publishedTimestamp
        let entry = CheckpointRecord.Entry(key: [1], value: [2])
        #expect(
            try pipeline.logCheckpoint([entry], readAt: before, replay: .zero, wallMicros: 0) != nil
        )
        let batch = WriteBatch()
        try batch.put(key: bytes("cat"), value: bytes("1"), class: .catalog)
        try fixture.engine.commitAndWait(batch)
        #expect(
            try pipeline.logCheckpoint([entry], readAt: before, replay: .zero, wallMicros: 0) == nil
        )
        let now = fixture.engine.publishedTimestamp
        try fixture.put("row", "1")
        #expect(
            try pipeline.logCheckpoint([entry], readAt: now, replay: .zero, wallMicros: 0) != nil)
    }

    private func pauseBriefly() {
        let monitor = Monitor()
        let never = MonitorCondition(monitor)
        monitor.lock()
        _ = never.wait(nanos: 1_000_000)
        monitor.unlock()
    }
}
