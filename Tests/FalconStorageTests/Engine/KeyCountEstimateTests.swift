import Testing

@testable import FalconStorage

/// How many keys a range has, without reading them.
@Suite struct KeyCountEstimateTests {
    private static func range(_ prefix: String) -> KeyRange {
        let bytes: [UInt8] = Array(prefix.utf8)
        return KeyRange(prefix: bytes)
    }

    /// Three storages of 8 bytes each, side by side.
    private func filled(_ options: EngineOptions) throws -> EngineFixture {
        let fixture = try EngineFixture(options: options)
        var pairs: [(String, String)] = []
        for number in 0..<6000 { pairs.append(("storage1/\(100_000 + number)", "v")) }
        for number in 0..<30 { pairs.append(("storage2/\(100_000 + number)", "v")) }
        for number in 0..<2000 { pairs.append(("storage3/\(100_000 + number)", "v")) }
        while !pairs.isEmpty {
            try fixture.put(Array(pairs.prefix(50)), .buffered)
            pairs.removeFirst(min(50, pairs.count))
        }
        return fixture
    }

    private func check(_ engine: StorageEngine, _ place: String) {
        let large = engine.estimatedKeyCount(of: Self.range("storage1"))
        #expect((2000...18_000).contains(large), "\(large) \(place)")
        let other = engine.estimatedKeyCount(of: Self.range("storage3"))
        #expect((600...6000).contains(other), "\(other) \(place)")
        let few = engine.estimatedKeyCount(of: Self.range("storage2"))
        #expect(few == 30, "\(few) \(place)")
        #expect(engine.estimatedKeyCount(of: Self.range("storage4")) == 0)
    }

    @Test func memtablesAndTablesAreCounted() throws {
        var options = EngineOptions.small
        options.memtableBytes = 8 << 20
        let fixture = try filled(options)
        check(fixture.engine, "in the memtable")
        try fixture.engine.compact()
        #expect(try fixture.get("storage2/100000") == "v", "the table is open now")
        check(fixture.engine, "in tables")
        #expect(fixture.engine.knownKeyCount(of: Self.range("storage2")) == 30)
        for number in 0..<6000 { try fixture.delete("storage1/\(100_000 + number)") }
        try fixture.engine.flush()
        #expect(fixture.engine.estimatedKeyCount(of: Self.range("storage1")) < 2000)
    }

    /// What only a table tells that nobody has read yet is not known.
    @Test func guessesAreToldFromCounts() throws {
        let fixture = try filled(EngineOptions.small)
        try fixture.engine.compact()
        try fixture.reopen()
        #expect(fixture.engine.estimatedKeyCount(of: Self.range("storage2")) > 0)
        #expect(fixture.engine.knownKeyCount(of: Self.range("storage2")) == nil)
        #expect(fixture.engine.knownKeyCount(of: Self.range("storage4")) == 0)
        for number in [0, 3, 29] { _ = try fixture.get("storage2/\(100_000 + number)") }
        #expect(fixture.engine.knownKeyCount(of: Self.range("storage2")) == 30)
    }

    /// Few keys are counted, however many versions they have.
    @Test func versionsAreNoKeys() throws {
        var options = EngineOptions.small
        options.memtableBytes = 8 << 20
        let fixture = try EngineFixture(options: options)
        for round in 0..<2000 { try fixture.put("storage1/only", "\(round)", .buffered) }
        #expect(fixture.engine.estimatedKeyCount(of: Self.range("storage1")) == 1)
        try fixture.delete("storage1/only")
        #expect(fixture.engine.estimatedKeyCount(of: Self.range("storage1")) == 0)
    }

    /// Of a transaction's own writes.
    @Test func ownWritesAreCounted() throws {
        let batch = WriteBatch()
        for number in 0..<4000 {
            try batch.add(.put, Array("storage1/\(100_000 + number)".utf8), [1])
            try batch.add(.put, Array("storage2/\(100_000 + number / 100)".utf8), [1])
        }
        #expect((1500...12_000).contains(batch.estimatedKeyCount(of: Self.range("storage1"))))
        #expect(batch.estimatedKeyCount(of: Self.range("storage3")) == 0)
        #expect(WriteBatch().estimatedKeyCount(of: Self.range("storage1")) == 0)
    }
}
