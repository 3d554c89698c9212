import Testing

@testable import FalconStorage

/// Range deletes beside cursors and snapshots, wherever the rows lie that they delete.
@Suite struct RangeDeleteTests {
    enum Place: String, CaseIterable, Sendable {
        case memtable, level0, deepest, blobs, ingested
    }

    private static func key(_ row: Int) -> String { "k\(100 + row)" }
    private static func value(_ row: Int, _ place: Place) -> String {
        place == .blobs ? EngineFixture.large(key(row)) : "v\(row)"
    }

    /// Rows 0-59, all in `place`.
    private static func fixture(_ place: Place) throws -> EngineFixture {
        let fixture = try EngineFixture(options: .smallBlobs)
        let rows = (0..<60).map { (key($0), value($0, place)) }
        if place == .ingested {
            try fixture.ingest(rows.map { .put($0.0, $0.1) })
        } else {
            try fixture.put(rows)
        }
        switch place {
        case .memtable, .ingested: break
        case .level0: try fixture.engine.flush()
        case .deepest, .blobs: try fixture.engine.compact()
        }
        #expect((fixture.blobs.fileCount > 0) == (place == .blobs))
        return fixture
    }

    private static func row(_ cursor: RangeIterator) -> String {
        text(cursor.key) + "=" + text(cursor.value)
    }

    /// Whoever began before sees the rows to the end, in both directions; whoever begins afterwards sees none.
    @Test(arguments: Place.allCases)
    func cursorsFromBeforeSeeWhatWasThere(_ place: Place) throws {
        let fixture = try Self.fixture(place)
        let all = try fixture.rows()
        #expect(all == (0..<60).map { Self.key($0) + "=" + Self.value($0, place) })
        let snapshot = fixture.engine.makeSnapshot()
        let forward = try fixture.engine.makeIterator(.all, at: .max)
        let backward = try fixture.engine.makeIterator(.all, at: .max)
        let resting = try fixture.engine.makeIterator(
            KeyRange(lower: Array(Self.key(20).utf8), upper: Array(Self.key(40).utf8)), at: .max)
        try forward.seekToFirst()
        try backward.seekToLast()
        var (ahead, behind) = ([String](), [String]())
        func step(_ count: Int) throws {
            for _ in 0..<count {
                if forward.isValid {
                    ahead.append(Self.row(forward))
                    try forward.next()
                }
                if backward.isValid {
                    behind.append(Self.row(backward))
                    try backward.previous()
                }
            }
        }
        try step(15)
        try fixture.deleteRange(Self.key(10), Self.key(50))
        let kept = Array(all[..<10] + all[50...])
        func check(_ moment: Comment) throws {
            #expect(try fixture.rows() == kept, moment)
            #expect(try fixture.rows(backward: true) == kept.reversed(), moment)
            #expect(try fixture.get(Self.key(9)) != nil && fixture.get(Self.key(10)) == nil, moment)
            #expect(
                try fixture.get(Self.key(49)) == nil && fixture.get(Self.key(50)) != nil, moment)
            #expect(try fixture.rows(at: snapshot.timestamp) == all, moment)
            #expect(
                try fixture.rows(at: snapshot.timestamp, backward: true) == all.reversed(), moment)
            #expect(
                try fixture.get(Self.key(30), at: snapshot.timestamp) == Self.value(30, place),
                moment)
        }
        try check("in the memtable")
        try step(10)
        try fixture.engine.flush()
        try check("flushed")
        try step(10)
        try fixture.engine.compact()
        try check("compacted")
        try step(100)
        #expect(ahead == all)
        #expect(behind == all.reversed())
        // One that was made before, and moves for the first time now.
        try resting.seekToLast()
        for row in (20..<40).reversed() {
            #expect(resting.isValid && Self.row(resting) == all[row])
            try resting.previous()
        }
        #expect(!resting.isValid)
        snapshot.release()
        try fixture.engine.compact()
        #expect(try fixture.rows() == kept)
        try fixture.reopen()
        #expect(try fixture.rows() == kept)
    }

    /// Rows that come back after the range delete, in the same commit or a later one.
    @Test(arguments: Place.allCases)
    func whatIsPutLaterIsThere(_ place: Place) throws {
        let fixture = try Self.fixture(place)
        let batch = WriteBatch()
        try batch.put("k120", "before")
        try batch.deleteRange("k1", "k2")
        try batch.put("k130", "same commit")
        try fixture.engine.commitAndWait(batch)
        let between = fixture.engine.makeSnapshot()
        try fixture.put("k140", "next commit")
        func check(_ moment: Comment) throws {
            #expect(try fixture.rows() == ["k130=same commit", "k140=next commit"], moment)
            #expect(try fixture.get("k120") == nil, moment)
            #expect(
                try fixture.rows(at: between.timestamp, backward: true) == ["k130=same commit"],
                moment)
        }
        try check("in the memtable")
        try fixture.engine.flush()
        try check("flushed")
        try fixture.engine.compact()
        try check("compacted")
    }

    /// Bounds that hold nothing between them delete nothing; no key is too small to be one.
    @Test func emptyAndReversedBoundsDeleteNothing() throws {
        let fixture = try EngineFixture()
        try fixture.put([("", "empty"), ("a", "1"), ("b", "2"), ("c", "3")])
        let all = ["=empty", "a=1", "b=2", "c=3"]
        for (lower, upper) in [("b", "b"), ("c", "a"), ("", ""), ("a", "")] {
            let batch = WriteBatch()
            try batch.deleteRange(lower, upper)
            #expect(batch.isEmpty && batch.rangeDeleteCount == 0)
            try fixture.engine.commitAndWait(batch)
            #expect(try fixture.rows() == all, "[\(lower), \(upper))")
        }
        func check(_ rows: [String], _ moment: Comment) throws {
            #expect(try fixture.rows() == rows, moment)
            #expect(try fixture.rows(backward: true) == rows.reversed(), moment)
            #expect(try fixture.get("") == (rows.contains("=empty") ? "empty" : nil), moment)
        }
        try fixture.engine.compact()
        try check(all, "compacted")
        // The first key that can be, and no other: its successor is one zero byte.
        let snapshot = fixture.engine.makeSnapshot()
        try fixture.deleteRange("", "\u{0}")
        try check(Array(all.dropFirst()), "without the empty key")
        try fixture.engine.flush()
        try check(Array(all.dropFirst()), "flushed")
        #expect(try fixture.rows(at: snapshot.timestamp) == all)
        snapshot.release()
        try fixture.engine.compact()
        try check(Array(all.dropFirst()), "gone")
        try fixture.deleteRange("", "b")
        try check(["b=2", "c=3"], "from the beginning")
        try fixture.reopen()
        try check(["b=2", "c=3"], "reopened")
    }

    /// Histories at random beside a model, with cursors that live through them.
    @Test(arguments: [EngineShape.small, .tinyTables, .wideLevels], [11, 12, 13, 14] as [UInt64])
    func randomHistoriesMatchTheModel(_ shape: EngineShape, _ seed: UInt64) throws {
        let run = try RangeDeleteRun(shape.options, seed: seed)
        for step in 0..<400 {
            do {
                try run.step()
            } catch {
                Issue.record("\(shape) seed \(seed) step \(step): \(error)")
                return
            }
        }
    }
}
