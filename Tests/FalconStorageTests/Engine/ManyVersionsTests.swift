import Testing

@testable import FalconStorage

/// Scans over keys with many versions, which seek instead of stepping, agree with reads of one key.
@Suite struct ManyVersionsTests {
    /// Three keys in turn, 60 versions each, every seventh a deletion; the timestamp after each.
    private func history(_ fixture: EngineFixture, flushed: Bool) throws -> [Timestamp] {
        var moments = [fixture.engine.publishedTimestamp]
        for round in 0..<180 {
            let key = ["a", "b", "c"][round % 3]
            let receipt =
                round % 7 == 6
                ? try fixture.delete(key) : try fixture.put(key, "\(round)", .written)
            moments.append(receipt.timestamp)
            if flushed, round == 90 { try fixture.engine.flush() }
        }
        if flushed { try fixture.engine.flush() }
        return moments
    }

    @Test(arguments: [false, true])
    func scansSeeWhatReadsSee(flushed: Bool) throws {
        let fixture = try EngineFixture()
        let pin = fixture.engine.makeSnapshot()
        let moments = try history(fixture, flushed: flushed)
        let overlay = WriteBatch()
        try overlay.put(key: bytes("b"), value: bytes("own"))
        for moment in moments {
            var rows: [String] = []
            for key in ["a", "b", "c"] {
                if let value = try fixture.get(key, at: moment) { rows.append("\(key)=\(value)") }
            }
            #expect(try fixture.rows(at: moment) == rows, "at \(moment)")
            #expect(try fixture.rows(at: moment, backward: true) == rows.reversed(), "at \(moment)")
            let own = (rows.filter { !$0.hasPrefix("b=") } + ["b=own"]).sorted()
            for backward in [false, true] {
                #expect(
                    try fixture.engine.rows(at: moment, backward: backward, overlay: overlay)
                        == (backward ? own.reversed() : own), "at \(moment)")
            }
        }
        withExtendedLifetime(pin) {}
    }

    /// Turning round inside the versions of a key shows no row twice and leaves none out.
    @Test func turningRoundIsExact() throws {
        let fixture = try EngineFixture()
        let pin = fixture.engine.makeSnapshot()
        let moments = try history(fixture, flushed: false)
        for moment in moments.dropFirst(20) {
            let keys = try ["a", "b", "c"].filter { try fixture.get($0, at: moment) != nil }
            let iterator = try fixture.engine.makeIterator(.all, at: moment)
            try iterator.seekToFirst()
            for (at, key) in keys.enumerated() {
                #expect(text(iterator.key) == key)
                try iterator.next()
                #expect(iterator.isValid == (at + 1 < keys.count))
                guard iterator.isValid else { break }
                try iterator.previous()
                #expect(text(iterator.key) == key)
                try iterator.next()
                #expect(text(iterator.key) == keys[at + 1])
            }
        }
        withExtendedLifetime(pin) {}
    }
}
