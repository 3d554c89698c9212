import Testing

@testable import FalconStorage

/// Scans of what is newer than a moment, against all that there is.
@Suite struct RecentScanTests {
    private struct Found: Equatable {
        var rows: [String: String] = [:]
        var deleted: Set<String> = []
    }

    private static func scan(
        _ engine: StorageEngine, newerThan: Timestamp, at timestamp: Timestamp, _ range: KeyRange,
        backward: Bool, deletions: Bool
    ) throws -> (found: Found, deletedRanges: [KeyRange]) {
        var options = ReadOptions()
        options.newerThan = newerThan
        options.includesDeletions = deletions
        let iterator = try engine.makeIterator(range, at: timestamp, options: options)
        var found = Found()
        var last: String?
        if backward { try iterator.seekToLast() } else { try iterator.seekToFirst() }
        while iterator.isValid {
            let key = text(iterator.key)
            if let last { #expect(backward ? key < last : last < key) }
            last = key
            #expect(iterator.versionTimestamp > newerThan)
            if iterator.isDeletion {
                #expect(deletions && iterator.value.isEmpty)
                found.deleted.insert(key)
            } else {
                found.rows[key] = text(iterator.value)
            }
            if backward { try iterator.previous() } else { try iterator.next() }
        }
        return (found, iterator.deletedRanges)
    }

    private struct Moment {
        var snapshot: Snapshot
        var rows: [String: String]
        /// When each row's version was committed.
        var versions: [String: Timestamp]
    }

    /// Brings every older moment's rows up to every newer one's by scans alone.
    @Test(arguments: 0..<12)
    func agreesWithTheWhole(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var options = EngineOptions.small
        options.blockBytes = [64, 256, 1024][random.below(3)]
        options.partitioningBytes = [64, 512, 128 << 10][random.below(3)]
        options.memtableBytes = [8 << 10, 64 << 10][random.below(2)]
        options.blobThresholdBytes = [0, 8][random.below(2)]
        options.targetFileBytes = 4 << 10
        options.levelBaseBytes = 8 << 10
        let fixture = try EngineFixture(options: options)
        let engine = fixture.engine
        var rows: [String: String] = [:]
        var versions: [String: Timestamp] = [:]
        var moments: [Moment] = []
        func key(_ n: Int) -> String { "key" + String(1000 + n) }
        for step in 0..<500 {
            let hot = random.below(300)
            switch random.below(20) {
            case 0...2:
                try fixture.delete(key(hot))
                rows[key(hot)] = nil
            case 3:
                let upper = hot + 1 + random.below(30)
                try fixture.deleteRange(key(hot), key(upper))
                for gone in hot..<upper { rows[key(gone)] = nil }
            case 4 where step % 3 == 0: try engine.flush()
            case 5 where step % 5 == 0: try engine.compact()
            default:
                // Neighbours, so that whole blocks are old.
                for n in hot..<min(hot + 4, 300) {
                    let value = "value \(step) \(n)"
                    try fixture.put(key(n), value, .buffered)
                    rows[key(n)] = value
                    versions[key(n)] = engine.publishedTimestamp
                }
            }
            if step % 45 == 44 {
                moments.append(
                    Moment(snapshot: engine.makeSnapshot(), rows: rows, versions: versions))
            }
        }
        for (index, old) in moments.enumerated() {
            for new in moments[index...] where random.below(2) == 0 || index + 1 == moments.count {
                try check(engine, old, new, key(random.below(300)), &random)
            }
        }
    }

    private func check(
        _ engine: StorageEngine, _ old: Moment, _ new: Moment, _ cut: String,
        _ random: inout SeededRandom
    ) throws {
        let range =
            random.below(2) == 0
            ? KeyRange.all : KeyRange(lower: nil, upper: Array(cut.utf8))
        func isInside(_ key: String) -> Bool { range.upper == nil || key < cut }
        let since = old.snapshot.timestamp
        let at = new.snapshot.timestamp
        let expected = new.rows.filter {
            isInside($0.key) && (new.versions[$0.key] ?? .zero) > since
        }
        for backward in [false, true] {
            let (plain, none) = try Self.scan(
                engine, newerThan: since, at: at, range, backward: backward, deletions: false)
            #expect(plain == Found(rows: expected), "seed \(random.seed)")
            #expect(none.isEmpty)
            let (found, ranges) = try Self.scan(
                engine, newerThan: since, at: at, range, backward: backward, deletions: true)
            var copy = old.rows.filter { isInside($0.key) }
            for deleted in ranges {
                copy = copy.filter { row in
                    let key = Array(row.key.utf8)
                    return KeyOrder.less(key, deleted.lower ?? [])
                        || !KeyOrder.less(key, deleted.upper ?? [])
                }
            }
            for key in found.deleted { copy[key] = nil }
            copy.merge(found.rows) { $1 }
            #expect(copy == new.rows.filter { isInside($0.key) }, "seed \(random.seed)")
        }
    }

    @Test func oldBlocksAndTablesAreNotRead() throws {
        var options = EngineOptions.small
        options.blockBytes = 512
        options.partitioningBytes = 1 << 10
        options.targetFileBytes = 64 << 10
        let fixture = try EngineFixture(options: options)
        let engine = fixture.engine
        for i in 0..<5000 { try fixture.put("key\(10_000 + i)", "value \(i)", .buffered) }
        try engine.compact()
        let snapshot = engine.makeSnapshot()
        for i in 2000..<2010 { try fixture.put("key\(10_000 + i)", "new \(i)", .buffered) }
        try engine.compact()
        let before = engine.statistics()
        #expect(before.levels.reduce(0) { $0 + $1.fileCount } > 1)
        let (found, _) = try Self.scan(
            engine, newerThan: snapshot.timestamp, at: .max, .all, backward: false,
            deletions: false)
        #expect(found.rows.count == 10 && found.rows["key12007"] == "new 2007")
        let after = engine.statistics()
        #expect(after.skippedTables > 0)
        #expect(after.skippedPartitions > 2)
        #expect(after.skippedBlocks > 0)
        let looks = after.cacheHits + after.cacheMisses - before.cacheHits - before.cacheMisses
        #expect(looks < 8, "\(looks) blocks were looked at")
        // Other scans skip nothing.
        #expect(try engine.rows().count == 5000)
        #expect(engine.statistics().skippedBlocks == after.skippedBlocks)
    }

    @Test func whatMayBeGoneIsRefused() throws {
        let fixture = try EngineFixture()
        try fixture.put("a", "1")
        let early = fixture.engine.publishedTimestamp
        try fixture.put("a", "2")
        try fixture.put("b", "2")
        try fixture.engine.compact()
        var options = ReadOptions()
        options.newerThan = early
        do {
            _ = try fixture.engine.makeIterator(.all, at: .max, options: options)
            Issue.record("the scan was begun")
        } catch {
            #expect(error.code == .snapshotTooOld)
        }
    }
}
