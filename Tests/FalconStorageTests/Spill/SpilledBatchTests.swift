import Testing

@testable import FalconStorage

/// A batch that has spilled answers as one that has not.
@Suite struct SpilledBatchTests {
    /// The same operations in two batches, of which one spills now and then.
    private final class Twins {
        let fixture: EngineFixture
        let whole = WriteBatch()
        let spilled = WriteBatch()
        var random: SplitMix64
        /// Ordinals that may be rolled back to.
        var marks: [UInt32] = []
        /// Those below which somebody reads: they stay.
        var floor: UInt32 = 0
        var spills = 0

        init(_ fixture: EngineFixture, seed: UInt64) {
            self.fixture = fixture
            random = SplitMix64(seed: seed)
        }

        func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
        func key() -> String { "key/\(below(120))" }

        func both(_ body: (WriteBatch) throws -> Void) rethrows {
            try body(whole)
            try body(spilled)
        }

        func step() throws {
            let key = key()
            switch below(40) {
            case 0:
                let other = self.key()
                if key != other {
                    try both { try $0.deleteRange(min(key, other), max(key, other)) }
                }
            case 1..<6: try both { try $0.delete(key) }
            case 6: marks.append(whole.nextOrdinal)
            case 7:
                while let mark = marks.popLast() {
                    if mark < floor { continue }
                    both { $0.rollback(toOrdinal: mark) }
                    break
                }
            case 8, 9: try spill()
            default:
                let value = "\(below(1 << 30))" + String(repeating: "x", count: below(100))
                let before = below(4) == 0 ? bytes("b" + value) : nil
                try both {
                    try $0.put(
                        key: bytes(key), value: bytes(value), class: .index, sql: .update,
                        descriptorVersion: 7, before: before)
                }
            }
        }

        func spill() throws {
            let had = spilled.firstOrdinalInMemory
            try fixture.engine.spill(spilled)
            if spilled.firstOrdinalInMemory != had { spills += 1 }
        }

        /// Everything that can be asked of the two.
        func compare(below ordinal: UInt32 = .max) throws {
            #expect(whole.nextOrdinal == spilled.nextOrdinal)
            #expect(whole.operationCount == spilled.operationCount)
            #expect(whole.byteCount == spilled.byteCount)
            #expect(whole.rangeDeleteCount == spilled.rangeDeleteCount)
            for number in 0..<125 {
                let key = bytes("key/\(number)")
                #expect(
                    try shown(whole.lookup(key, below: ordinal))
                        == shown(spilled.lookup(key, below: ordinal)))
                #expect(
                    try whole.ordinalOfValue(key, below: ordinal)
                        == spilled.ordinalOfValue(key, below: ordinal))
            }
            for ordinal in 0..<whole.nextOrdinal {
                #expect(
                    try shown(whole.operation(at: ordinal))
                        == shown(spilled.operation(at: ordinal)))
            }
            #expect(try rows(whole, ordinal) == rows(spilled, ordinal))
            #expect(try rows(spilled, ordinal, true) == rows(spilled, ordinal).reversed())
        }

        func rows(
            _ batch: WriteBatch, _ ordinal: UInt32, _ backward: Bool = false
        ) throws -> [String] {
            let rows = try fixture.engine.makeIterator(
                .all, at: .max, overlay: batch, below: ordinal)
            var found: [String] = []
            if backward { try rows.seekToLast() } else { try rows.seekToFirst() }
            while rows.isValid {
                found.append(text(rows.key) + "=" + text(rows.value))
                if backward { try rows.previous() } else { try rows.next() }
            }
            return found
        }

        private func shown(_ found: WriteBatch.Lookup) -> String {
            switch found {
            case .absent: "absent"
            case .deleted: "deleted"
            case .value(let value): text(value)
            }
        }

        private func shown(_ found: WriteBatch.Operation?) -> String {
            guard let found else { return "none" }
            let before = found.before.map { text($0) } ?? "-"
            return "\(found.ordinal) \(found.kind) \(found.class) \(found.sql) "
                + "\(found.descriptorVersion) \(text(found.key)) \(text(found.value)) \(before)"
        }
    }

    private func fixture() throws -> EngineFixture {
        var options = EngineOptions.small
        options.closedTimestampMicros = 0
        options.blockBytes = 256
        options.partitioningBytes = 512
        let fixture = try EngineFixture(options: options)
        for number in stride(from: 0, to: 125, by: 3) {
            try fixture.put("key/\(number)", "committed \(number)", .buffered)
        }
        return fixture
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func itAnswersAsIfItHadNot(_ seed: UInt64) throws {
        let fixture = try fixture()
        let twins = Twins(fixture, seed: seed)
        for round in 0..<12 {
            for _ in 0..<60 { try twins.step() }
            if round % 3 == 0 { try twins.compare() }
            if round % 3 == 1 {
                try twins.compare(below: UInt32(twins.below(Int(twins.whole.nextOrdinal))))
            }
        }
        try twins.compare()
        // More than are merged to one.
        #expect(twins.spills > BatchSpill.mergedRuns, "seed \(seed)")
        let files = try fixture.fileSystem.list("/db/spill")
        #expect(files.contains { $0.hasSuffix(".ops") } && files.contains { $0.hasSuffix(".run") })
    }

    /// A statement's cursors, forward and backward, stay where they are while the statement's own writes spill.
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func cursorsStayGoodWhileMoreSpills(_ seed: UInt64) throws {
        let fixture = try fixture()
        let twins = Twins(fixture, seed: seed)
        for _ in 0..<150 { try twins.step() }
        let ordinal = twins.whole.nextOrdinal
        twins.floor = ordinal
        let expected = try twins.rows(twins.whole, ordinal)
        let forward = try fixture.engine.makeIterator(
            .all, at: .max, overlay: twins.spilled, below: ordinal)
        let backward = try fixture.engine.makeIterator(
            .all, at: .max, overlay: twins.spilled, below: ordinal)
        try forward.seekToFirst()
        try backward.seekToLast()
        for place in expected.indices {
            #expect(text(forward.key) + "=" + text(forward.value) == expected[place])
            let mirrored = expected[expected.count - 1 - place]
            #expect(text(backward.key) + "=" + text(backward.value) == mirrored)
            for _ in 0..<6 { try twins.step() }
            if place % 10 == 0 { try twins.spill() }
            try forward.next()
            try backward.previous()
            // A change of direction and back.
            if place % 7 == 3, forward.isValid, backward.isValid {
                try forward.previous()
                try forward.next()
                try backward.next()
                try backward.previous()
            }
        }
        #expect(!forward.isValid && !backward.isValid)
        #expect(try twins.rows(twins.spilled, ordinal) == expected)
        try twins.compare()
    }

    /// What commits is the same, at the commit's timestamp and not before, in the log's order, whatever happens
    /// to it afterwards.
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func itCommitsAsIfItHadNot(_ seed: UInt64) throws {
        let fixture = try fixture()
        let other = try self.fixture()
        let before = try fixture.rows()
        let snapshot = fixture.engine.makeSnapshot()
        let twins = Twins(fixture, seed: seed)
        for _ in 0..<700 { try twins.step() }
        try twins.spill()
        #expect(twins.spilled.hasSpilled && !twins.spilled.isEmpty)
        try other.engine.commitAndWait(twins.whole)
        let receipt = try fixture.engine.commitAndWait(twins.spilled)
        let expected = try other.rows()
        #expect(expected != before)
        #expect(try fixture.rows() == expected)
        #expect(try fixture.rows(backward: true) == expected.reversed())
        #expect(try fixture.rows(at: snapshot.timestamp) == before)
        for number in 0..<125 {
            let key = "key/\(number)"
            #expect(try fixture.get(key) == other.get(key))
        }
        let newest = try fixture.engine.newestCommit(of: bytes(CommitMarker.key(expected)))
        #expect(newest.map { $0 <= receipt.timestamp } ?? false)
        #expect(try logged(fixture.fileSystem) == logged(other.fileSystem))
        twins.spilled.removeAll()
        try fixture.put("later", "1")
        try other.put("later", "1")
        try fixture.reopen()
        try other.reopen()
        #expect(try fixture.rows() == other.rows())
        try fixture.engine.compact()
        #expect(try fixture.rows() == other.rows())
        try fixture.reopen()
        #expect(try fixture.rows() == other.rows())
        #expect(try fixture.fileSystem.list("/db/spill") == [])
    }

    /// Its files lie in the other engine's directory.
    @Test func aBatchThatSpilledElsewhereIsRefused() throws {
        let (first, second) = (try EngineFixture(), try EngineFixture())
        let batch = WriteBatch()
        for index in 0..<2000 { try batch.put("k\(index)", String(repeating: "v", count: 50)) }
        try first.engine.spill(batch)
        #expect(batch.hasSpilled)
        for refused: () throws -> Void in [
            { try second.engine.commitAndWait(batch) },
            {
                try batch.put("more", String(repeating: "v", count: 64 << 10))
                try second.engine.spill(batch)
            },
        ] {
            let error = #expect(throws: StorageError.self) { try refused() }
            #expect(error?.code == .invalidArgument)
        }
        try second.reopen()
        #expect(try second.rows() == [])
        try first.engine.commitAndWait(batch)
        #expect(try first.rows().count == 2001)
    }

    private enum CommitMarker {
        static func key(_ rows: [String]) -> String {
            String(rows[0].prefix { $0 != "=" })
        }
    }

    /// The operations of all commits, as change capture would see them.
    private func logged(_ fileSystem: MemoryFileSystem) throws -> [String] {
        let reader = try WALReader(directory: "/db/wal", fileSystem: fileSystem)
        var found: [String] = []
        while let record = try reader.next() {
            var operations: WALOperationIterator
            switch record.tag {
            case .commit:
                guard let view = CommitRecordView(record.body) else { continue }
                operations = view.operations()
            case .batchPart:
                guard let view = BatchPartView(record.body) else { continue }
                operations = view.operations()
            default: continue
            }
            while let operation = operations.next() {
                found.append(
                    "\(operation.kind) \(operation.sql) \(text(operation.key)) "
                        + "\(text(operation.value)) \(operation.before.map { text($0) } ?? "-")")
            }
        }
        return found
    }
}
