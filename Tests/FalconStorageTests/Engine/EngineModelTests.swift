import Testing

@testable import FalconStorage

@Suite struct EngineModelTests {
    @Test(arguments: EngineShape.allCases, [1, 2, 3] as [UInt64])
    func randomHistoriesMatchTheModel(_ shape: EngineShape, _ seed: UInt64) throws {
        var run = try ModelRun(shape: shape, seed: seed)
        for step in 0..<600 {
            do {
                try run.step()
            } catch {
                Issue.record("\(shape) seed \(seed) step \(step): \(error)")
                return
            }
            if run.mismatch != nil { break }
        }
        try run.checkAll()
        #expect(run.mismatch == nil, "\(shape) seed \(seed): \(run.mismatch ?? "")")
    }
}

/// One random history beside its model.
struct ModelRun {
    let fixture: EngineFixture
    private var model = EngineModel()
    private var random: SplitMix64
    private var snapshots: [Snapshot] = []
    private(set) var mismatch: String?
    private var counter = 0

    init(shape: EngineShape, seed: UInt64) throws {
        fixture = try EngineFixture(options: shape.options)
        random = SplitMix64(seed: seed)
    }

    private mutating func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }

    private mutating func key() -> String {
        let number = below(300)
        return number % 7 == 0 ? "k\(number)" : "table/\(number / 10)/row/\(number)"
    }

    private mutating func expect<T: Equatable>(_ a: T, _ b: T, _ what: @autoclosure () -> String) {
        if a != b, mismatch == nil { mismatch = "\(what()): engine \(a), model \(b)" }
    }

    mutating func step() throws {
        switch below(100) {
        case 0..<60: try write()
        case 60..<75: try pointReads()
        case 75..<85: try scan()
        case 85..<90:
            snapshots.append(fixture.engine.makeSnapshot())
            if snapshots.count > 4 { snapshots.remove(at: below(snapshots.count)) }
        case 90..<94: try fixture.engine.flush()
        case 94..<96: try fixture.engine.compact()
        case 96..<97:
            let lower = Array(key().utf8)
            try fixture.engine.compact(KeyRange(lower: lower, upper: nil))
        default:
            // Snapshots end with their engine.
            snapshots = []
            try fixture.reopen()
        }
    }

    private mutating func write() throws {
        let batch = WriteBatch()
        var writes: [(String, String?)] = []
        var ranges: [(String, String)] = []
        for _ in 0..<(below(4) == 0 ? 40 : 1 + below(3)) {
            let key = key()
            counter += 1
            switch below(12) {
            case 0..<8:
                let value = "v\(counter)" + String(repeating: "x", count: below(200))
                try batch.put(key: bytes(key), value: bytes(value))
                writes.append((key, value))
            case 8..<11:
                try batch.delete(key: bytes(key))
                writes.append((key, nil))
            default:
                let other = self.key()
                let (lower, upper) = (min(key, other), max(key, other))
                guard lower < upper, ranges.isEmpty, writes.isEmpty else { continue }
                try batch.deleteRange(lower: bytes(lower), upper: bytes(upper))
                ranges.append((lower, upper))
            }
        }
        guard !batch.isEmpty else { return }
        let durability: Durability = [.buffered, .written, .synced][below(3)]
        let receipt = try fixture.engine.commitAndWait(
            batch, CommitOptions(durability: durability))
        for (lower, upper) in ranges { model.deleteRange(lower, upper, receipt.timestamp) }
        // The newest write of a key in the batch is the one that counts.
        var newest: [String: String?] = [:]
        for (key, value) in writes { newest[key] = .some(value) }
        for (key, value) in newest { model.put(key, value, receipt.timestamp) }
    }

    private mutating func timestamp() -> Timestamp {
        let pick = below(snapshots.count + 1)
        return pick < snapshots.count
            ? snapshots[pick].timestamp : fixture.engine.publishedTimestamp
    }

    private mutating func pointReads() throws {
        for _ in 0..<10 {
            let (key, at) = (key(), timestamp())
            expect(try fixture.get(key, at: at), model.get(key, at: at), "get \(key) at \(at)")
        }
    }

    private mutating func scan() throws {
        var range = KeyRange.all
        if below(3) > 0 { range.lower = Array(key().utf8) }
        if below(3) > 0 { range.upper = Array(key().utf8) }
        if let lower = range.lower, let upper = range.upper, KeyOrder.less(upper, lower) {
            range = KeyRange(lower: upper, upper: lower)
        }
        let at = timestamp()
        let expected = model.rows(range, at: at)
        expect(try fixture.rows(range, at: at), expected, "scan \(range) at \(at)")
        expect(
            try fixture.rows(range, at: at, backward: true), expected.reversed(),
            "reverse scan \(range) at \(at)")
        try walk(range, at, expected)
    }

    /// Random steps in both directions from a random seek.
    private mutating func walk(
        _ range: KeyRange, _ at: Timestamp, _ expected: [String]
    ) throws {
        let iterator = try fixture.engine.makeIterator(range, at: at)
        let start = key()
        var position = 0
        let keys = expected.map { String($0.prefix { $0 != "=" }) }
        if below(2) == 0 {
            try iterator.seek(bytes(start))
            position = keys.firstIndex { $0 >= start } ?? keys.count
        } else {
            try iterator.seekBefore(bytes(start))
            position = keys.lastIndex { $0 < start } ?? -1
        }
        for _ in 0..<20 {
            let model = keys.indices.contains(position) ? expected[position] : nil
            let engine = iterator.isValid ? text(iterator.key) + "=" + text(iterator.value) : nil
            expect(engine, model, "walk from \(start) at \(at)")
            guard engine != nil else { return }
            if below(2) == 0 {
                try iterator.next()
                position += 1
            } else {
                try iterator.previous()
                position -= 1
            }
        }
    }

    mutating func checkAll() throws {
        let at = fixture.engine.publishedTimestamp
        expect(try fixture.rows(at: at), model.rows(at: at), "at the end")
        snapshots = []
        try fixture.engine.compact()
        expect(try fixture.rows(), model.rows(at: at), "after compaction")
        try fixture.reopen()
        expect(try fixture.rows(), model.rows(at: at), "after reopening")
    }
}
