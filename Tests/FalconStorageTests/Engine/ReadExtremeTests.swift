import Testing

@testable import FalconStorage

/// Reads at the ends of what can be asked.
@Suite struct ReadExtremeTests {
    /// Ranges that hold nothing, whatever their bounds.
    private static let empty: [KeyRange] = [
        KeyRange(lower: [0x62], upper: [0x62]), KeyRange(lower: [0x63], upper: [0x61]),
        KeyRange(lower: [], upper: []), KeyRange(lower: [0x61], upper: []),
        KeyRange(lower: [0xFF, 0xFF], upper: nil), KeyRange(lower: nil, upper: [0]),
        KeyRange(lower: [UInt8](repeating: 0xFF, count: 100), upper: [0xFF]),
    ]

    private func filled() throws -> EngineFixture {
        var options = EngineOptions.small
        options.partitioningBytes = 256
        options.blockBytes = 256
        let fixture = try EngineFixture(options: options)
        for round in 0..<3 {
            try fixture.put(
                (0..<100).map { ("a\(100 + $0)", "\(round)") } + [("b", "b"), ("c", "c")])
            if round == 0 { try fixture.engine.compact() }
            if round == 1 { try fixture.engine.flush() }
        }
        return fixture
    }

    @Test func emptyRangesAreEmptyEverywhere() throws {
        let fixture = try filled()
        let engine = fixture.engine
        #expect(try fixture.rows().count == 102)
        let overlay = WriteBatch()
        try overlay.put("b", "mine")
        try overlay.deleteRange("a", "z")
        try overlay.put("c", "mine")
        for range in Self.empty {
            #expect(try fixture.rows(range) == [], "\(range)")
            #expect(try fixture.rows(range, backward: true) == [], "\(range)")
            #expect(try engine.rows(range, overlay: overlay) == [], "\(range)")
            #expect(engine.estimatedKeyCount(of: range) <= 1000, "\(range)")
            let cursor = try engine.makeIterator(range, at: .max)
            try cursor.seek(bytes("b"))
            #expect(!cursor.isValid)
            try cursor.seekBefore(bytes("b"))
            #expect(!cursor.isValid)
            // Where there is nothing there is nowhere to go.
            try cursor.next()
            try cursor.previous()
            #expect(!cursor.isValid)
            try engine.compact(range)
        }
        #expect(try fixture.rows().count == 102)
        #expect(try engine.multiGet([]) == [])
        #expect(try engine.rows(overlay: overlay) == ["c=mine"])
    }

    @Test func timestampsAtTheirEnds() throws {
        let fixture = try EngineFixture()
        #expect(try fixture.rows(at: .zero) == [] && fixture.get("a", at: .zero) == nil)
        try fixture.put("a", "1")
        let newest = fixture.engine.publishedTimestamp
        #expect(try fixture.rows(at: .zero) == [])
        for at in [newest, newest.successor, Timestamp(UInt64.max - 1), .max] {
            #expect(try fixture.rows(at: at) == ["a=1"] && fixture.get("a", at: at) == "1")
        }
        try fixture.put("a", "2")
        try fixture.engine.compact()
        // Versions of that time may be gone by now, and nobody is told otherwise.
        for at in [Timestamp.zero, Timestamp(1)] {
            let error = #expect(throws: StorageError.self) { try fixture.rows(at: at) }
            #expect(error?.code == .snapshotTooOld)
            let point = #expect(throws: StorageError.self) { try fixture.get("a", at: at) }
            #expect(point?.code == .snapshotTooOld)
        }
        #expect(try fixture.rows(at: .max) == ["a=2"])
    }

    /// Nothing is newer than the newest; everything may be newer than the oldest, so that is not asked for.
    @Test func changesSinceTheEndsOfTime() throws {
        let fixture = try filled()
        let held = fixture.engine.makeSnapshot()
        try fixture.put("d", "new")
        try fixture.delete("b")
        func changes(
            since: Timestamp, at: Timestamp = .max, _ range: KeyRange = .all
        ) throws -> [String] {
            var options = ReadOptions()
            options.newerThan = since
            options.includesDeletions = true
            let cursor = try fixture.engine.makeIterator(range, at: at, options: options)
            var found: [String] = []
            try cursor.seekToFirst()
            while cursor.isValid {
                found.append(text(cursor.key) + (cursor.isDeletion ? " gone" : ""))
                try cursor.next()
            }
            #expect(cursor.deletedRanges == [])
            return found
        }
        #expect(try changes(since: held.timestamp) == ["b gone", "d"])
        #expect(try changes(since: .max) == [])
        #expect(try changes(since: fixture.engine.publishedTimestamp) == [])
        #expect(try changes(since: .max, at: held.timestamp) == [])
        #expect(try changes(since: fixture.engine.publishedTimestamp, at: held.timestamp) == [])
        for range in Self.empty { #expect(try changes(since: held.timestamp, range) == []) }
        try fixture.engine.flush()
        #expect(try changes(since: held.timestamp) == ["b gone", "d"])
        #expect(try changes(since: .max) == [])
        let error = #expect(throws: StorageError.self) { try changes(since: .zero) }
        #expect(error?.code == .snapshotTooOld)
        held.release()
    }

    @Test func limitsOfNothing() throws {
        let fixture = try EngineFixture()
        let audit = TransactionAuditLog(fixture.engine)
        try fixture.put("a", "1")
        #expect(try audit.advance(limit: 0) == 0)
        #expect(try audit.advance(limit: -1) == 0)
        #expect(try audit.advance() == 1)
        for limit in [0, -1, Int.min] { #expect(try audit.entries(limit: limit).isEmpty) }
        #expect(try audit.entries(from: .max).isEmpty)
        let outcomes = TransactionOutcomeStore(fixture.engine)
        let transaction = UID(high: 1, low: 1)
        try outcomes.prepare(transaction, participants: [])
        for limit in [0, -1, Int.min] { #expect(try outcomes.prepared(limit: limit).isEmpty) }
        try outcomes.decide(transaction, commits: true)
        for limit in [0, -1, Int.min] {
            #expect(try outcomes.collect(olderThanMicros: 0, limit: limit) == 0)
        }
        #expect(try outcomes.collect(olderThanMicros: .max) == 0)
        let statuses = TransactionStatusStore(fixture.engine)
        let batch = WriteBatch()
        let number = fixture.engine.allocateTransactionID()
        try statuses.note(number, in: batch)
        try fixture.engine.commitAndWait(batch, CommitOptions(transactionID: number))
        #expect(try statuses.collect(olderThanMicros: .max, keeping: .max) == 0)
        #expect(try statuses.collect(olderThanMicros: .max, keeping: .min) == 1)
        #expect(try statuses.status(of: TransactionID(.max)) == .absent)
        var options = IdempotencyOptions()
        options.maximumEntries = .min
        let requests = IdempotencyStore(fixture.engine, options)
        _ = try requests.run("k", request: "r") { _ throws(StorageError) in [1] }
        #expect(try requests.collect() == 1)
        #expect(try requests.result(of: "k") == nil)
    }
}
