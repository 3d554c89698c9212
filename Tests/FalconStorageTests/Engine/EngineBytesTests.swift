import Testing

@testable import FalconStorage

/// The engine's API with arrays and strings.
@Suite struct EngineBytesTests {
    @Test func keysMayBeArraysOrStrings() throws {
        let fixture = try EngineFixture()
        let engine = fixture.engine
        let receipt = try engine.write { batch throws(StorageError) in
            try batch.put("a", "1")
            try batch.put([0x61, 0x62] as [UInt8], [7, 8] as [UInt8])
            try batch.put("b/longer than fifteen bytes"[...], "2")
            try batch.put([0, 0xC0, 0xFF][1...], "raw")
        }
        #expect(try engine.get("a") == [0x31])
        #expect(try engine.get("ab") == [7, 8])
        #expect(try engine.get([0xC0, 0xFF] as [UInt8]) == Array("raw".utf8))
        #expect(try engine.contains("a") && !engine.contains("c"))
        #expect(try engine.get("a", at: Timestamp(receipt?.timestamp.rawValue ?? 0)) == [0x31])
        try engine.write { batch throws(StorageError) in
            try batch.delete("a")
            try batch.deletePrefix("b/")
        }
        #expect(try !engine.contains("a"))
        #expect(try engine.get("b/longer than fifteen bytes") == nil)
        #expect(try engine.get("ab") == [7, 8])
        #expect(try engine.write { _ throws(StorageError) in } == nil)
        let error = #expect(throws: StorageError.self) {
            try engine.write { batch throws(StorageError) in
                try batch.deletePrefix([0xFF, 0xFF] as [UInt8])
            }
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test func aThrownErrorCommitsNothing() throws {
        let fixture = try EngineFixture()
        _ = #expect(throws: StorageError.self) {
            try fixture.engine.write { batch throws(StorageError) in
                try batch.put("a", "1")
                throw StorageError.invalidArgument("no")
            }
        }
        #expect(try fixture.rows() == [])
        #expect(fixture.engine.statistics().commits == 0)
    }

    @Test func prefixesAndRangesAreWalked() throws {
        let fixture = try EngineFixture()
        try fixture.put([
            ("a", "0"), ("b", "1"), ("b/1", "2"), ("b/2", "3"), ("b0", "4"), ("c", "5"),
        ])
        let rows = try fixture.engine.makeIterator(prefix: "b/")
        try rows.seekToFirst()
        #expect(rows.isValid && rows.keyBytes == Array("b/1".utf8))
        try rows.seek("b/2")
        #expect(rows.isValid && rows.valueBytes == Array("3".utf8))
        try rows.next()
        #expect(!rows.isValid)
        try rows.seekBefore("b/2")
        #expect(rows.isValid && rows.keyBytes == Array("b/1".utf8))
        var seen: [String] = []
        try fixture.engine.forEach(
            in: KeyRange(from: "b", to: "c")
        ) { key, value throws(StorageError) in
            seen.append(text(key) + text(value))
            return seen.count < 3
        }
        #expect(seen == ["b1", "b/12", "b/23"])
    }

    @Test(arguments: EngineProfile.allCases)
    func everyProfileOpensAndStoresThings(_ profile: EngineProfile) throws {
        let fixture = try EngineFixture(options: EngineOptions(profile: profile))
        try fixture.put("a", String(repeating: "x", count: 20_000))
        try fixture.engine.compact()
        #expect(try fixture.get("a")?.utf8.count == 20_000)
    }

    @Test func profilesAreWhatTheySay() {
        func options(_ profile: EngineProfile) -> EngineOptions { EngineOptions(profile: profile) }
        let standard = options(.standard)
        #expect(standard.memtableBytes == EngineOptions().memtableBytes)
        #expect(options(.pointReads).filterBitsPerKey > standard.filterBitsPerKey)
        #expect(options(.bulkLoad).level0StopTrigger > standard.level0StopTrigger)
        let low = options(.lowMemory)
        #expect(
            low.memtableBytes * (low.maximumImmutableMemtables + 2) + low.blockCacheBytes
                <= 16 << 20)
        #expect(options(.largeValues).blobThresholdBytes < standard.blobThresholdBytes)
    }
}
