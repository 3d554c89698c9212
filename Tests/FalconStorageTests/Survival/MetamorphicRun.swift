@testable import FalconStorage

/// One history under one configuration; every operation gives a line of the transcript.
final class MetamorphicRun {
    private let options: EngineOptions
    private let clock = ManualClock()
    private let identities: FalconStorage.SeededRandom
    private var memory = MemoryFileSystem()
    private var engine: StorageEngine
    private var snapshots: [Snapshot] = []
    private var iterators: [RangeIterator] = []
    /// Timestamps of the commits of this life, oldest first.
    private var commits: [Timestamp] = []
    private var copies = 0

    init(_ options: EngineOptions, seed: UInt64) throws {
        self.options = options
        identities = FalconStorage.SeededRandom(seed: seed)
        engine = try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(
                fileSystem: memory, clock: clock, random: identities))
    }

    deinit { try? engine.close() }

    private var environment: StorageEnvironment {
        StorageEnvironment(fileSystem: memory, clock: clock, random: identities)
    }

    func perform(_ operation: MetamorphicOperation) throws -> String {
        switch operation {
        case .write(let changes, let durability):
            return try write(changes, durability) ? "written" : "out of order"
        case .ingest(let changes):
            return try ingest(changes) ? "ingested" : "out of order"
        case .get(let key): return show(try engine.value(key))
        case .getAt(let key, let number):
            guard let snapshot = snapshot(number) else { return "no snapshot" }
            return show(try engine.value(key, at: snapshot.timestamp))
        case .getPast(let key, let ago): return try getPast(key, ago)
        case .newestCommit(let key): return try newestCommit(key)
        case .scan(let range, let backward, let number):
            return digest(try engine.rows(range, at: timestamp(number), backward: backward))
        case .walk(let range, let start, let steps, let number):
            let iterator = try engine.makeIterator(range, at: timestamp(number))
            return try walk(iterator, from: start, steps)
        case .overlay(let changes, let range, let backward):
            return digest(
                try engine.rows(range, backward: backward, overlay: try batch(changes)))
        case .openIterator(let range, let start):
            let iterator = try engine.makeIterator(range, at: .max)
            try iterator.seek(bytes(start))
            if iterators.count == 4 { iterators.removeFirst() }
            iterators.append(iterator)
            return show(iterator)
        case .stepIterator(let number, let forward, let count):
            return try step(number, forward: forward, count)
        case .takeSnapshot:
            if snapshots.count == 8 { snapshots.removeFirst().release() }
            snapshots.append(engine.makeSnapshot())
            return "\(snapshots.count) snapshots"
        case .releaseSnapshot(let number):
            guard !snapshots.isEmpty else { return "no snapshot" }
            snapshots.remove(at: number % snapshots.count).release()
            return "\(snapshots.count) snapshots"
        default: return try maintain(operation)
        }
    }

    private func maintain(_ operation: MetamorphicOperation) throws -> String {
        switch operation {
        case .flush: try engine.flush()
        case .compact(let range): try engine.compact(range)
        case .checkpoint: return try checkpoint()
        case .readOnly:
            try synchronize()
            var options = options
            options.isReadOnly = true
            let reader = try StorageEngine.open(
                at: "/db", options: options, environment: environment)
            return digest(try reader.rows())
        case .reopen:
            forgetLife()
            try engine.close()
            engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
        case .crash:
            try synchronize()
            forgetLife()
            let survivor = memory.crashClone(.dropUnsynced)
            try engine.close()
            memory = survivor
            engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
        default: break
        }
        if let problem = engine.tree.state.version.problem { return problem }
        return digest(try engine.rows())
    }

    // MARK: - Writing

    private func batch(_ changes: [LedgerChange]) throws -> WriteBatch {
        let batch = WriteBatch()
        for change in changes {
            switch change {
            case .put(let key, let value): try batch.put(key: bytes(key), value: bytes(value))
            case .delete(let key): try batch.delete(key: bytes(key))
            case .deleteRange(let lower, let upper):
                try batch.deleteRange(lower: bytes(lower), upper: bytes(upper))
            }
        }
        return batch
    }

    /// False when the commit's timestamp is not above its predecessor's.
    private func write(_ changes: [LedgerChange], _ durability: Durability) throws -> Bool {
        let receipt = try engine.commitAndWait(
            try batch(changes), CommitOptions(durability: durability))
        defer { commits.append(receipt.timestamp) }
        return commits.last.map { $0 < receipt.timestamp } ?? true
    }

    private func ingest(_ changes: [LedgerChange]) throws -> Bool {
        copies += 1
        let path = "/sorted\(copies).sst"
        try SortedFixture.write(changes, to: path, options: options, environment)
        let receipt = try engine.ingest([path], IngestOptions(transfer: .move))
        defer { commits.append(receipt.timestamp) }
        return commits.last.map { $0 < receipt.timestamp } ?? true
    }

    /// After this everything written before is on the device.
    private func synchronize() throws {
        _ = try write([.put("synchronized", "\(commits.count)")], .synced)
    }

    private func forgetLife() {
        for snapshot in snapshots { snapshot.release() }
        snapshots = []
        iterators = []
        commits = []
    }

    private func checkpoint() throws -> String {
        copies += 1
        let path = "/copy\(copies)"
        try engine.checkpoint(to: path)
        let copy = try StorageEngine.open(at: path, options: options, environment: environment)
        defer { try? copy.close() }
        return digest(try copy.rows())
    }

    // MARK: - Reading

    private func snapshot(_ number: Int) -> Snapshot? {
        snapshots.isEmpty ? nil : snapshots[number % snapshots.count]
    }

    private func timestamp(_ number: Int?) -> Timestamp {
        number.flatMap(snapshot)?.timestamp ?? .max
    }

    /// Only what a snapshot holds is promised to be readable.
    private func getPast(_ key: String, _ ago: Int) throws -> String {
        guard let oldest = snapshots.map(\.timestamp).min() else { return "no snapshot" }
        let index = commits.count - 1 - ago
        guard commits.indices.contains(index), commits[index] >= oldest else { return "too old" }
        return show(try engine.value(key, at: commits[index]))
    }

    /// Whether a deleted key's newest version is still known depends on compactions: asked only for
    /// keys that are there. So does the exact time of a version that every snapshot sees: what is
    /// promised, and what transactions ask, is which snapshots it came after.
    private func newestCommit(_ key: String) throws -> String {
        guard try engine.value(key) != nil else { return "absent" }
        guard let newest = try engine.newestCommit(of: bytes(key)) else { return "unknown" }
        let after = snapshots.map { newest > $0.timestamp ? "1" : "0" }.joined()
        if let held = snapshots.map(\.timestamp).min(), newest > held {
            let commit = commits.firstIndex(of: newest).map { "commit \($0)" }
            return "after \(after), \(commit ?? "an earlier life's")"
        }
        return newest <= engine.publishedTimestamp ? "after \(after)" : "in the future"
    }

    private func walk(
        _ iterator: RangeIterator, from start: String, _ steps: [Bool]
    ) throws -> String {
        if steps.first == true {
            try iterator.seek(bytes(start))
        } else {
            try iterator.seekBefore(bytes(start))
        }
        var trail = [show(iterator)]
        for forward in steps {
            guard iterator.isValid else { break }
            if forward { try iterator.next() } else { try iterator.previous() }
            trail.append(show(iterator))
        }
        return digest(trail)
    }

    private func step(_ number: Int, forward: Bool, _ count: Int) throws -> String {
        guard !iterators.isEmpty else { return "no iterator" }
        let iterator = iterators[number % iterators.count]
        for _ in 0..<count where iterator.isValid {
            if forward { try iterator.next() } else { try iterator.previous() }
        }
        return show(iterator)
    }

    private func show(_ value: String?) -> String { value.map { digest([$0]) } ?? "absent" }

    private func show(_ iterator: RangeIterator) -> String {
        iterator.isValid
            ? text(iterator.key) + "=" + text(iterator.value).prefix(24) : "at the end"
    }

    private func digest(_ rows: [String]) -> String {
        var sum: UInt64 = 0
        for row in rows { sum = Array(row.utf8).withUnsafeBytes { Checksum.xxh3($0, seed: sum) } }
        return "\(rows.count) rows \(FileNames.hex(sum))"
    }
}
