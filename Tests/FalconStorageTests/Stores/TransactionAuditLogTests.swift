import Glibc
import Synchronization
import Testing

@testable import FalconStorage

@Suite struct TransactionAuditLogTests {
    private func fixture(_ change: (inout EngineOptions) -> Void = { _ in }) throws -> EngineFixture
    {
        var options = EngineOptions.small
        options.walRetainBytes = .max
        options.closedTimestampMicros = 0
        change(&options)
        return try EngineFixture(options: options)
    }

    @Test func commitsAreListedOnceWithTheirKeys() throws {
        let fixture = try fixture()
        var options = AuditOptions()
        options.maximumKeys = 2
        let audit = TransactionAuditLog(fixture.engine, options)
        let first = try fixture.put("a", "1")
        let second = try fixture.put([("b", "1"), ("c", "1"), ("d", "1")], .written)
        #expect(try audit.advance() == 2)
        #expect(try audit.advance() == 0)
        let commits = fixture.engine.statistics().commits
        #expect(try audit.advance() == 0)
        #expect(fixture.engine.statistics().commits == commits, "it writes for nothing")
        let third = try fixture.ingest([.put("x", "1"), .put("y", "2")])
        try fixture.reopen()
        let again = TransactionAuditLog(fixture.engine, options)
        #expect(try again.advance(limit: 1) == 1)
        let entries = try again.entries()
        #expect(entries.map(\.endLSN) == [first.lsn, second.lsn, third.lsn])
        #expect(entries.map(\.kind) == [.commit, .commit, .ingest])
        #expect(entries.map(\.operationCount) == [1, 3, 2])
        #expect(entries[1].keys == [Array("b".utf8), Array("c".utf8)])
        #expect(entries[1].timestamp == second.timestamp && entries[1].transaction.rawValue > 0)
        #expect(try again.position == third.lsn)
        #expect(try again.entries(from: second.lsn).map(\.endLSN) == [third.lsn])
        #expect(try again.entries(prefix: Array("b".utf8)).map(\.endLSN) == [second.lsn])
        #expect(try again.entries(limit: 2).count == 2)
    }

    @Test func oldAndManyEntriesGo() throws {
        let fixture = try fixture()
        var options = AuditOptions()
        options.maximumAgeMicros = 1000
        options.maximumBytes = 600
        let audit = TransactionAuditLog(fixture.engine, options)
        for number in 0..<4 {
            try fixture.put("k\(number)", "1")
            fixture.clock.advance(micros: 400)
        }
        try audit.advance()
        try audit.advance()
        #expect(try audit.entries().map { text($0.keys[0]) } == ["k2", "k3"])
        for number in 4..<40 { try fixture.put("k\(number)", "1") }
        try audit.advance()
        try fixture.put("last", "1")
        try audit.advance()
        let kept = try audit.entries()
        #expect(kept.count > 3 && kept.count < 20)
        #expect(text(try #require(kept.last?.keys.first)) == "last")
        fixture.clock.advance(micros: 1_000_000)
        try audit.advance()
        #expect(try audit.entries().isEmpty)
        #expect(try audit.advance() == 0)
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func aReleasedLogLeavesAGap() throws {
        let fixture = try fixture { $0.walRetainBytes = 0 }
        let audit = TransactionAuditLog(fixture.engine)
        let before = try fixture.put("a", "1")
        try audit.advance()
        for number in 0..<400 {
            try fixture.put("k\(number)", String(repeating: "v", count: 1000), .written)
        }
        try fixture.engine.flush()
        let last = try fixture.put("z", "1")
        try audit.advance()
        let entries = try audit.entries()
        #expect(entries.first?.endLSN == before.lsn && entries.last?.endLSN == last.lsn)
        let gaps = entries.filter { $0.kind == .gap }
        #expect(gaps.count == 1 && gaps.first?.lsn == before.lsn)
        #expect(entries.count < 400)
    }

    private func failure(_ audit: TransactionAuditLog) -> StorageError? {
        do throws(StorageError) {
            try audit.advance()
            return nil
        } catch {
            return error
        }
    }

    /// Segments are released in the background, perhaps just before one is read: each once at most.
    private func advance(_ audit: TransactionAuditLog) throws {
        for _ in 0..<20 {
            guard let error = failure(audit) else { return }
            if error.code != .targetUnreachable { throw error }
        }
    }

    private func segments(_ fixture: EngineFixture) throws -> [String] {
        try fixture.fileSystem.list("/db/wal").filter { $0.hasSuffix(".wal") }
    }

    /// A transaction whose first parts were released is part of the gap, to its COMMIT's end.
    @Test func aGapEndsWithTheTransactionItCuts() throws {
        let fixture = try fixture {
            $0.walRetainBytes = 0
            $0.batchPartBytes = 4096
        }
        let audit = TransactionAuditLog(fixture.engine)
        let before = try fixture.put("a", "1")
        try audit.advance()
        let pairs = (0..<200).map { ("k\($0)", String(repeating: "v", count: 1000)) }
        let large = try fixture.put(pairs)
        let first = try #require(try segments(fixture).min())
        try fixture.engine.flush()
        // The log's housekeeper releases it when it comes to it.
        for _ in 0..<1_000_000 where try segments(fixture).contains(first) { sched_yield() }
        let last = try fixture.put("z", "1")
        try advance(audit)
        let entries = try audit.entries()
        let gap = try #require(entries.first { $0.kind == .gap })
        // Under load the whole of it may be in one segment: then what is kept begins right behind.
        #expect(gap.lsn == before.lsn && gap.endLSN >= large.lsn && gap.endLSN < last.lsn)
        #expect(entries.last?.endLSN == last.lsn)
    }

    @Test func aCrashLosesNoEntryAndRepeatsNone() throws {
        let crashes = StoreCrashes()
        let expected = Mutex<[UInt64]>([])
        let engine = try crashes.open(floor: { expected.withLock { $0.count } }) { engine, floor in
            let known = expected.withLock { $0 }
            let audit = TransactionAuditLog(engine)
            try audit.advance()
            let found = try audit.entries()
            if found.contains(where: { $0.kind != .commit }) { throw Mismatch("a gap") }
            let ends = found.map(\.endLSN.rawValue)
            let marker = try engine.get("marker").map { String(decoding: $0, as: UTF8.self) }
            let survived = marker.flatMap { Int($0) }.map { $0 + 1 } ?? 0
            if survived < floor { throw Mismatch("\(survived) of \(floor) commits") }
            if ends.count != survived {
                throw Mismatch("\(ends.count) entries of \(survived) commits")
            }
            if !zip(ends, known).allSatisfy({ $0 == $1 }) { throw Mismatch("other entries") }
        }
        let audit = TransactionAuditLog(engine)
        for number in 0..<60 {
            let receipt = try engine.write { batch throws(StorageError) in
                try batch.put("marker", "\(number)")
                try batch.put("filler \(number)", String(repeating: "f", count: 300))
            }
            expected.withLock { $0.append(receipt?.lsn.rawValue ?? 0) }
            if number % 7 == 6 { try audit.advance() }
        }
        crashes.finish()
        try engine.close()
        #expect(crashes.problem == nil)
        #expect(crashes.checked > 50)
    }
}
