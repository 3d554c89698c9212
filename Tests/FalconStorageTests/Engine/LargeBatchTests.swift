import Testing

@testable import FalconStorage

/// Large batches become layers of their own.
@Suite struct LargeBatchTests {
    // MARK: The layer alone

    /// A batch with keys written several times, undone writes and range deletes, made again and again from
    /// one seed.
    private func batch(_ seed: UInt64) throws -> WriteBatch {
        var random = SplitMix64(seed: seed)
        func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
        let batch = WriteBatch()
        for _ in 0..<(100 + below(300)) {
            let key = "key/\(below(120))"
            switch below(20) {
            case 0:
                let other = "key/\(below(120))"
                if key != other { try batch.deleteRange(min(key, other), max(key, other)) }
            case 1..<5: try batch.delete(key)
            case 5:
                let mark = batch.nextOrdinal
                try batch.put(key, "undone")
                try batch.delete("key/\(below(120))")
                batch.rollback(toOrdinal: mark)
            default:
                try batch.put(key, "\(below(1 << 30))" + String(repeating: "x", count: below(300)))
            }
        }
        return batch
    }

    private func shown(_ found: PointLookup) -> String {
        switch found {
        case .absent: "absent"
        case .deleted(let timestamp): "deleted \(timestamp.rawValue)"
        case .value(let timestamp, let value): "\(timestamp.rawValue) \(text(value))"
        case .reference: "reference"
        }
    }

    private func shown(_ iterator: InternalIterator) -> String {
        guard iterator.isValid else { return "end" }
        return "\(text(iterator.userKey))@\(iterator.timestamp.rawValue) \(iterator.kind) "
            + text(iterator.value)
    }

    /// Whatever is asked of it, the answer is that of a memtable the batch was applied to.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func anAdoptedBatchAnswersLikeAMemtable(_ seed: UInt64) throws {
        let timestamp = Timestamp(1 << 40)
        let table = try MemTable(capacityBytes: 4 << 20)
        #expect(table.apply(try batch(seed), at: timestamp))
        let original = try batch(seed)
        #expect(AdoptedBatch.canAdopt(original))
        let placeholder = try MemTable(capacityBytes: 0)
        #expect(placeholder.addRangeTombstones(of: original, at: timestamp))
        let layer = MemtableLayer(
            table: placeholder, epoch: 1, lastLSN: .zero,
            adopted: AdoptedBatch(original, at: timestamp))
        #expect(original.isEmpty && original.nextOrdinal == 0 && !layer.isEmpty)
        #expect(layer.table.rangeTombstones.count == table.rangeTombstones.count)
        // The batch is good for the next transaction.
        try original.put("other", "value")
        #expect(original.operationCount == 1)

        let times = [Timestamp(1), Timestamp((1 << 40) - 1), timestamp, .max]
        for number in 0..<125 {
            let key = bytes("key/\(number)")
            for time in times {
                #expect(
                    shown(layer.get(key, at: time)) == shown(table.get(key, at: time)),
                    "seed \(seed)")
            }
        }
        let ours = layer.makeIterator()
        let theirs = table.makeIterator()
        func same(_ what: String) {
            #expect(shown(ours) == shown(theirs), "seed \(seed), \(what)")
        }
        try ours.seekToFirst()
        try theirs.seekToFirst()
        var count = 0
        while theirs.isValid {
            same("forward")
            try ours.next()
            try theirs.next()
            count += 1
        }
        same("forward")
        #expect(count > 20)
        try ours.seekToLast()
        try theirs.seekToLast()
        while theirs.isValid {
            same("backward")
            try ours.previous()
            try theirs.previous()
        }
        same("backward")
        var random = SplitMix64(seed: seed)
        for _ in 0..<200 {
            let key = bytes("key/\(random.next() % 130)")
            if random.next() % 2 == 0 {
                let time = times[Int(random.next() % 4)]
                try ours.seek(key, time)
                try theirs.seek(key, time)
            } else {
                try ours.seekBefore(key)
                try theirs.seekBefore(key)
            }
            same("seek")
            for _ in 0..<3 where theirs.isValid {
                if random.next() % 2 == 0 {
                    try ours.next()
                    try theirs.next()
                } else {
                    try ours.previous()
                    try theirs.previous()
                }
                same("step")
            }
        }
    }

    // MARK: In the engine

    private func rows(_ range: Range<Int>, _ value: String) throws -> WriteBatch {
        let batch = WriteBatch()
        for row in range {
            try batch.put("k\(10000 + row)", value + String(repeating: "x", count: 100))
        }
        return batch
    }

    private var options: EngineOptions {
        var options = EngineOptions.small
        options.closedTimestampMicros = 0
        return options
    }

    /// Small and large commits in turn, on the same keys: the newest wins, older snapshots see the older.
    @Test func commitsKeepTheirOrder() throws {
        let fixture = try EngineFixture(options: options)
        var snapshots: [(Snapshot, String, String)] = []
        for round in 0..<6 {
            let large = try rows(0..<300, "large\(round)-")
            let receipt = try fixture.engine.commitAndWait(large)
            #expect(large.isEmpty)
            #expect(try fixture.get("k10007")?.hasPrefix("large\(round)-") == true)
            let newest = try fixture.engine.newestCommit(of: bytes("k10007"))
            #expect(newest == receipt.timestamp)
            if round % 2 == 0 { try fixture.put("k10007", "small\(round)") }
            snapshots.append(
                (
                    fixture.engine.makeSnapshot(), try #require(try fixture.get("k10007")),
                    try #require(try fixture.get("k10299"))
                ))
        }
        #expect(fixture.engine.statistics().adoptedBatches == 6)
        for (snapshot, seventh, last) in snapshots {
            #expect(try fixture.get("k10007", at: snapshot.timestamp) == seventh)
            #expect(try fixture.get("k10299", at: snapshot.timestamp) == last)
            let rows = try fixture.rows(at: snapshot.timestamp)
            #expect(rows.count == 300 && rows[7] == "k10007=\(seventh)")
            let backward = try fixture.rows(at: snapshot.timestamp, backward: true)
            #expect(rows == Array(backward.reversed()))
        }
        let rows = try fixture.rows()
        try fixture.reopen()
        #expect(try fixture.rows() == rows)
        try fixture.engine.flush()
        try fixture.engine.compact()
        #expect(try fixture.rows() == rows)
    }

    /// Recovery makes a layer of what a commit made one of, also where few operations are large.
    @Test(arguments: [3, 300])
    func recoveryAdoptsWhatACommitAdopts(count: Int) throws {
        let fixture = try EngineFixture(options: options)
        try fixture.put("before", "1")
        let large = WriteBatch()
        for row in 0..<count {
            try large.put("k\(row)", String(repeating: "x", count: 60_000 / count))
        }
        try fixture.engine.commitAndWait(large)
        #expect(fixture.engine.statistics().adoptedBatches == 1)
        try fixture.put("after", "1")
        var scanner = LogScanner(
            directory: "/db/wal", from: .zero, memtableBytes: options.rotationBytes)
        let scan = try scanner.run(
            try WALReader(directory: "/db/wal", fileSystem: fixture.fileSystem),
            RecoveryProgress(path: "/db", listener: nil, clock: ManualClock()), offsets: [:])
        #expect(scan.slices.map(\.isOneBatch) == [false, true, false])
    }

    /// What is not ordered stays with its owner.
    @Test func aRefusedBatchIsLeftAlone() throws {
        let fixture = try EngineFixture(options: options)
        let large = try rows(0..<300, "v")
        try fixture.engine.close()
        #expect(throws: StorageError.self) { try fixture.engine.commitAndWait(large) }
        #expect(large.operationCount == 300)
        try fixture.reopen()
        try fixture.engine.commitAndWait(large)
        #expect(try fixture.rows().count == 300)
    }

    /// Small ones, those of a few large values and those with many range deletes go to the memtable.
    @Test func othersGoToTheMemtable() throws {
        let fixture = try EngineFixture(options: options)
        try fixture.engine.commitAndWait(try rows(0..<100, "v"))
        let ranges = try rows(0..<300, "v")
        for row in 0..<(AdoptedBatch.mostRangeDeletes + 1) {
            try ranges.deleteRange("k\(10000 + row * 2)", "k\(10001 + row * 2)")
        }
        try fixture.engine.commitAndWait(ranges)
        #expect(fixture.engine.statistics().adoptedBatches == 0)
        #expect(try fixture.rows().count == 300 - AdoptedBatch.mostRangeDeletes - 1)
        let rows = try fixture.rows()
        try fixture.reopen()
        #expect(try fixture.rows() == rows)
    }

    /// The crash and fault suites cut through adoptions: their workload makes them.
    @Test func theSurvivalWorkloadMakesThem() throws {
        var options = SurvivalWorkload.options(1)
        options.memtableBytes = 8 << 10
        let workload = try SurvivalWorkload(MemoryFileSystem(), options: options, seed: 1)
        var adopted: UInt64 = 0
        for _ in 0..<200 {
            try workload.step()
            adopted = max(adopted, workload.engine.statistics().adoptedBatches)
        }
        #expect(adopted > 2)
        try workload.close()
    }

    /// What a crash leaves of `fixture`, whose memtable is so large that nothing was flushed.
    private func crashed(_ fixture: EngineFixture) -> StorageEnvironment {
        #expect(fixture.engine.statistics().flushes == 0)
        return StorageEnvironment(
            fileSystem: fixture.fileSystem.crashClone(.keepUnsynced), clock: ManualClock(),
            random: SystemRandom())
    }

    private func roomy() throws -> EngineFixture {
        var roomy = options
        roomy.memtableBytes = 64 << 20
        return try EngineFixture(options: roomy)
    }

    /// A replay makes layers of large transactions, with range deletes and later writes in them.
    @Test func replayAdoptsToo() throws {
        let fixture = try roomy()
        try fixture.put("k10001", "before")
        try fixture.put("k10150", "before")
        let large = try rows(0..<300, "v")
        try large.deleteRange("k10100", "k10200")
        try large.put("k10150", "after")
        try fixture.engine.commitAndWait(large)
        try fixture.put("k10002", "behind")
        let rows = try fixture.rows()
        #expect(rows.count == 201 && rows.contains("k10150=after"))
        let environment = crashed(fixture)
        var readOnly = options
        readOnly.isReadOnly = true
        let reader = try StorageEngine.open(at: "/db", options: readOnly, environment: environment)
        let layers = reader.tree.state.immutables
        #expect(layers.map { $0.adopted != nil } == [false, true, false])
        #expect(layers.map(\.epoch) == layers.map(\.epoch).sorted(by: >))
        #expect(layers.map(\.lastLSN) == layers.map(\.lastLSN).sorted(by: >))
        #expect(try reader.rows() == rows)
        try reader.close()
        let again = try StorageEngine.open(at: "/db", options: options, environment: environment)
        #expect(try again.rows() == rows)
        try again.flush()
        #expect(try again.rows() == rows)
        try again.close()
    }

    /// Of large transactions a replay keeps no more in memory than memtables may take.
    @Test func replayKeepsToTheMemtablesMemory() throws {
        let fixture = try roomy()
        for round in 0..<4 {
            try fixture.engine.commitAndWait(try rows(0..<3000, "v\(round)"))
        }
        let rows = try fixture.rows()
        let environment = crashed(fixture)
        let again = try StorageEngine.open(at: "/db", options: options, environment: environment)
        let kept = again.tree.state.immutables.reduce(0) { $0 + $1.approximateBytes }
        #expect(kept <= options.maximumImmutableMemtables * options.memtableBytes)
        #expect(try again.rows() == rows)
        try again.close()
    }
}
