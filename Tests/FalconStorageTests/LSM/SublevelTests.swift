import Testing

@testable import FalconStorage

/// Level 0 as runs without overlaps, what is picked from it, and how flushes are cut to fit.
@Suite struct SublevelTests {
    private func picker(_ change: (inout EngineOptions) -> Void = { _ in }) -> CompactionPicker {
        var options = EngineOptions()
        options.level0CompactionTrigger = 3
        change(&options)
        return CompactionPicker(options: options)
    }

    // MARK: - Arrangement

    @Test func aTableLiesAboveEveryOlderOneItOverlaps() {
        var builder = VersionBuilder()
        builder.add(0, "a", "c")  // 1
        builder.add(0, "m", "p")  // 2
        builder.add(0, "b", "n")  // 3: over both
        builder.add(0, "x", "z")  // 4: over nothing
        builder.add(0, "c", "d")  // 5: over 3
        let version = builder.version
        #expect(
            version.sublevels.map { $0.files.map(\.number.rawValue) } == [[5], [3], [1, 2, 4]])
        #expect(version.problem == nil)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func randomTablesAreArrangedByTheRules(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var builder = VersionBuilder()
        func letter(_ value: UInt64) -> String { String(UnicodeScalar(UInt8(97 + value % 26))) }
        for _ in 0..<60 {
            let bounds = [letter(random.next()), letter(random.next())].sorted()
            builder.add(0, bounds[0], bounds[1])
        }
        #expect(builder.version.problem == nil, "seed \(seed)")
    }

    @Test func brokenRulesAreSeen() {
        var builder = VersionBuilder()
        builder.add(0, "a", "c")
        builder.add(0, "b", "d")
        let good = builder.version
        let swapped = Version(
            levels: good.levels, sublevels: good.sublevels.reversed(), blobs: .none,
            flushedLSN: .zero, safepoint: .zero)
        #expect(swapped.problem != nil)
        let merged = Version(
            levels: good.levels, sublevels: [LevelFiles(good.level0.files.reversed())],
            blobs: .none, flushedLSN: .zero, safepoint: .zero)
        #expect(merged.problem != nil)
        let missing = Version(
            levels: good.levels, sublevels: [good.sublevels[0]], blobs: .none, flushedLSN: .zero,
            safepoint: .zero)
        #expect(missing.problem != nil)
        builder.add(6, "a", "c")
        builder.add(6, "b", "d")
        #expect(builder.version.problem != nil)
    }

    // MARK: - Picks

    @Test func onlyTheTallStackIsCompacted() {
        var builder = VersionBuilder()
        let left = (0..<3).map { _ in builder.add(0, "a", "d") }
        for _ in 0..<2 { builder.add(0, "m", "p") }
        let (below, aside) = (builder.add(6, "b", "f"), builder.add(6, "n", "o"))
        #expect(below != aside)
        let version = builder.version
        let picked = picker().pick(version, PickContext())
        #expect(picked?.numbers == [left, [below]])
        #expect(picked?.outputLevel == 6)
        #expect(picker { $0.level0CompactionTrigger = 4 }.pick(version, PickContext()) == nil)
    }

    @Test func whatIsOlderAndOverlapsGoesAlong() {
        var builder = VersionBuilder()
        let base = builder.add(0, "a", "z")
        let middle = builder.add(0, "k", "m")
        let top = builder.add(0, "l", "l")
        let newer = builder.add(0, "a", "b")
        let picked = picker().pick(builder.version, PickContext())
        // The newest lies wholly over what is rewritten, so it goes too.
        #expect(picked?.numbers == [[base, middle, top, newer].sorted(), []])
    }

    @Test func aTableBeyondTheRewrittenKeysStays() {
        var builder = VersionBuilder()
        let stack = (0..<3).map { _ in builder.add(0, "c", "f") }
        builder.add(0, "e", "k")
        let picked = picker().pick(builder.version, PickContext())
        #expect(picked != nil)
        #expect(picked?.numbers.first?.count == 4, "the tallest stack begins at the newest")
        let version = builder.version
        for file in version.level0.files where !stack.contains(file.number.rawValue) {
            file.isBeingCompacted = true
        }
        #expect(picker().pick(version, PickContext())?.numbers.first == stack)
    }

    @Test func nothingIsWrittenWhereAnotherCompactionWrites() {
        var builder = VersionBuilder()
        builder.add(0, "a", "b", epoch: 1)
        builder.add(0, "y", "z", epoch: 1)
        let first = builder.version
        let running = Compaction(
            reason: .manual, version: first, inputLevel: 0, outputLevel: 6,
            inputs: first.level0.files, overlapped: [])
        running.mark(true)
        for _ in 0..<3 { builder.add(0, "m", "n") }
        let version = builder.version
        #expect(picker().pick(version, PickContext(running: [running])) == nil)
        running.mark(false)
        #expect(picker().pick(version, PickContext()) != nil)
    }

    @Test func bytesCountWhereSublevelsAreFew() {
        var builder = VersionBuilder()
        builder.add(6, "a", "z")
        for letter in ["b", "d", "f"] { builder.add(0, letter, letter, bytes: 100 << 20) }
        let few = picker { $0.level0CompactionTrigger = 4 }
        #expect(few.pick(builder.version, PickContext()) != nil)
        let fewer = picker {
            $0.level0CompactionTrigger = 4
            $0.levelBaseBytes = 1 << 30
        }
        #expect(fewer.pick(builder.version, PickContext()) == nil)
    }

    @Test func whatIsInKeyOrderOnlyMoves() {
        var builder = VersionBuilder()
        let below = builder.add(6, "a", "c")
        #expect(below == 1)
        let fresh = ["d", "f", "h"].map { builder.add(0, $0, $0 + "z") }
        let picked = picker().pick(builder.version, PickContext())
        #expect(picked?.numbers == [fresh, []])
        #expect(picked?.isTrivialMove == true)
    }

    @Test func sequentialWritesAreNeverRewritten() throws {
        var options = EngineOptions.small
        options.memtableBytes = 4 << 20
        let fixture = try EngineFixture(options: options)
        for round in 0..<9 {
            try fixture.put((0..<300).map { ("key \(10000 + round * 300 + $0)", "v") }, .written)
            try fixture.engine.flush()
            try fixture.engine.awaitIdle()
        }
        let statistics = fixture.engine.statistics()
        #expect(statistics.trivialMoves == 2 && statistics.compactions == 0)
        #expect(statistics.levels[0].fileCount == 1 && statistics.level0Sublevels == 1)
        #expect(try fixture.rows().count == 2700)
    }

    // MARK: - Flushes

    @Test func aFlushIsCutWhereTheTablesBeneathEnd() throws {
        var options = EngineOptions.small
        options.memtableBytes = 4 << 20
        options.compression = .none
        options.bottomCompression = .none
        let fixture = try EngineFixture(options: options)
        let rows = (0..<3000).map { ("key \(10000 + $0)", "a value of key number \($0)") }
        try fixture.put(rows, .written)
        try fixture.engine.compact()
        let beneath = fixture.engine.statistics().levels[6].fileCount
        #expect(beneath >= 4)
        // Nothing of the range tombstone's may be compacted away meanwhile.
        let snapshot = fixture.engine.makeSnapshot()
        try fixture.put(rows.map { ($0.0, "new") }, .written)
        try fixture.deleteRange("key 10900", "key 12100")
        try fixture.engine.flush()
        let version = fixture.engine.tree.state.version
        #expect(version.level0.count == beneath && version.sublevels.count == 1)
        #expect(Set(version.level0.files.map(\.metadata.flushEpoch)).count == 1)
        #expect(version.problem == nil)
        #expect(try fixture.rows().count == 1800)
        #expect(try fixture.rows(at: snapshot.timestamp).count == 3000)
        #expect(try fixture.get("key 10899") == "new" && fixture.get("key 11000") == nil)
        try fixture.reopen()
        #expect(try fixture.rows(backward: true).count == 1800)
    }
}
