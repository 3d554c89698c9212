import FalconTestKit
import Testing

@testable import FalconStorage

/// No table holds the catalog and rows.
@Suite struct KeyScopeTests {
    private let limit: UInt32 = 1000

    private func key(_ database: UInt32, _ storage: UInt32, _ row: Int) -> String {
        let prefix = UInt64(database) << 32 | UInt64(storage)
        // Text below 0x80 in every byte, so that it may pass for a string.
        return String(decoding: KeyScopes.key(prefix), as: UTF8.self) + "r\(1000 + row)"
    }

    private func scope(_ prefix: UInt64) -> UInt64 {
        let scopes = KeyScopes(catalogLimit: limit)
        return scopes.start(of: prefix) ?? 0
    }

    private func expectSeparation(_ engine: StorageEngine, _ place: String) {
        for level in engine.tree.state.version.levels {
            for file in level.files {
                // Nothing but range tombstones may span scopes.
                if file.metadata.entryCount == 0 { continue }
                let first = file.smallest.bytes64
                var last = file.largest.bytes64
                if file.largestIsExclusive, last > 0 { last -= 1 }
                #expect(
                    scope(first) == scope(last),
                    "\(place): \(String(first, radix: 16)) to \(String(last, radix: 16))")
            }
        }
    }

    @Test func scopesAlternate() {
        let scopes = KeyScopes(catalogLimit: 1000)
        #expect(scopes.start(of: 5) == nil && scopes.end(of: 5) == 1000)
        #expect(scopes.start(of: 1000) == 1000 && scopes.end(of: 1000) == 1 << 32)
        #expect(scopes.start(of: 1 << 32) == 1 << 32 && scopes.end(of: 1 << 32) == 1 << 32 | 1000)
        #expect(scopes.end(of: .max) == nil)
    }

    @Test func filesAreCutBetweenThem() throws {
        let seed = SurvivalSettings.seed
        var random = SplitMix64(seed: seed)
        let fixture = try ClassEngine {
            $0.catalogStorageLimit = limit
            $0.memtableBytes = 32 << 10
            $0.level0CompactionTrigger = 3
            $0.compactionThreads = 2
        }
        // Characters in keys below 0x80: storage ids whose bytes are small.
        let places: [(UInt32, UInt32)] = [
            (0, 1), (0, 33), (1, 4), (1, 5), (1, 0x0401), (1, 0x0402), (2, 4), (2, 0x0500),
        ]
        var model: [String: String] = [:]
        for round in 0..<40 {
            if round % 4 == 3 {
                // Whole storages, as when a table is dropped, and beyond.
                let ends = [0, 1].map { _ in
                    let place = places[Int(random.next() % UInt64(places.count))]
                    return key(place.0, place.1, Int(random.next() % 50))
                }.sorted { KeyOrder.less(Array($0.utf8), Array($1.utf8)) }
                if ends[0] != ends[1] { try fixture.deleteRange(ends[0], ends[1]) }
                model = model.filter { known in
                    KeyOrder.less(Array(known.key.utf8), Array(ends[0].utf8))
                        || !KeyOrder.less(Array(known.key.utf8), Array(ends[1].utf8))
                }
            }
            let batch = WriteBatch()
            for _ in 0..<30 {
                let place = places[Int(random.next() % UInt64(places.count))]
                let row = key(place.0, place.1, Int(random.next() % 50))
                switch random.next() % 8 {
                case 0:
                    try batch.delete(key: bytes(row))
                    model[row] = nil
                default:
                    let value = "round \(round)" + String(repeating: "x", count: 60)
                    try batch.put(key: bytes(row), value: bytes(value))
                    model[row] = value
                }
            }
            try fixture.engine.commitAndWait(batch)
            if round % 3 == 0 { try fixture.engine.flush() }
            if round % 13 == 12 { try fixture.engine.compact() }
            if round == 25 { try fixture.reopen() }
            expectSeparation(fixture.engine, "round \(round), seed \(seed)")
            #expect(fixture.overlap == nil)
        }
        let expected = model.sorted { KeyOrder.less(Array($0.key.utf8), Array($1.key.utf8)) }
            .map { $0.key + "=" + $0.value }
        #expect(try fixture.engine.rows() == expected, "seed \(seed)")
        try fixture.engine.compact()
        expectSeparation(fixture.engine, "at the end")
        #expect(try fixture.engine.rows() == expected, "seed \(seed)")
    }

    private func files(_ engine: StorageEngine) -> [TableFile] {
        engine.tree.state.version.levels.flatMap(\.files)
    }

    /// Not one file for each of the scopes between its ends.
    @Test func aTombstoneOverManyDatabasesIsCutAtItsEnds() throws {
        let fixture = try ClassEngine { $0.catalogStorageLimit = limit }
        try fixture.deleteRange(key(1, 0x0402, 5), key(120, 4, 5))
        try fixture.engine.flush()
        let spans = files(fixture.engine).map {
            [$0.metadata.smallest, $0.metadata.largest]
        }.sorted { KeyOrder.less($0[0], $1[0]) }
        #expect(
            spans == [
                [Array(key(1, 0x0402, 5).utf8), KeyScopes.key(2 << 32)],
                [KeyScopes.key(2 << 32), KeyScopes.key(120 << 32)],
                [KeyScopes.key(120 << 32), Array(key(120, 4, 5).utf8)],
            ])
        #expect(fixture.overlap == nil)
    }

    /// Keys between are separated from it, in flushes and compactions.
    @Test func keysAmidALongTombstoneKeepToTheirScopes() throws {
        let fixture = try ClassEngine { $0.catalogStorageLimit = limit }
        let rows = [(1, 4), (1, 0x0402), (60, 4), (60, 5), (60, 0x0402), (120, 4), (126, 0x0402)]
            .map { key($0.0, $0.1, 9) }
        for round in 0..<3 {
            let snapshot = fixture.engine.makeSnapshot()
            defer { snapshot.release() }
            for row in rows { try fixture.put(row, "old") }
            try fixture.deleteRange(key(1, 4, 0), key(125, 4, 5))
            try fixture.deleteRange(key(60, 5, 0), key(60, 6, 0))
            for row in rows { try fixture.put(row, "round \(round)") }
            try fixture.engine.flush()
            if round > 0 { try fixture.engine.compact() }
            expectSeparation(fixture.engine, "round \(round)")
            #expect(files(fixture.engine).count < 40 && fixture.overlap == nil)
            #expect(try fixture.engine.rows() == rows.map { $0 + "=round \(round)" })
        }
    }

    /// A key too short for a prefix belongs to no scope, but neither does it come between files.
    @Test func shortKeysAreNobodys() throws {
        let fixture = try ClassEngine { $0.catalogStorageLimit = limit }
        let short = "\0\0\0\u{1}\0\0\u{4}"
        let rows = ["\0", key(1, 4, 1), short, short + "\0", key(1, 0x0402, 1), "\u{1}"]
            .sorted { KeyOrder.less(Array($0.utf8), Array($1.utf8)) }
        try fixture.put(key(1, 0x0402, 2), "gone")
        try fixture.deleteRange(key(0, 4, 1), key(100, 4, 1))
        for row in rows { try fixture.put(row, "v") }
        try fixture.engine.flush()
        #expect(fixture.overlap == nil)
        try fixture.engine.compact()
        #expect(fixture.overlap == nil)
        #expect(try fixture.engine.rows() == rows.map { $0 + "=v" })
        try fixture.reopen()
        #expect(try fixture.engine.rows() == rows.map { $0 + "=v" })
    }

    @Test func oneFlushMakesAFileOfEach() throws {
        let fixture = try ClassEngine { $0.catalogStorageLimit = limit }
        for row in 0..<20 {
            try fixture.put(key(1, 4, row), "table")
            try fixture.put(key(1, 0x0401, row), "row")
        }
        try fixture.engine.flush()
        let files = fixture.engine.tree.state.version.level0.files
        #expect(files.count == 2 && fixture.engine.tree.state.version.sublevels.count == 1)
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var bytes64: UInt64 { EntryTree.window(self, 0) }
}
