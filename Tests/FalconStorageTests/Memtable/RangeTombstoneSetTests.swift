import Testing

@testable import FalconStorage

@Suite struct RangeTombstoneSetTests {
    /// Answers as looking at every tombstone would, however it was built.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func answersAsAFullSearch(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var all: [RangeTombstone] = []
        var grown = RangeTombstoneSet()
        for time in 1...120 {
            let a = UInt8.random(in: 0..<60, using: &random)
            let length = UInt8.random(in: 0..<(time % 7 == 0 ? 40 : 3), using: &random)
            let tombstone = RangeTombstone(
                lower: [a], upper: [a + length, 7],
                timestamp: Timestamp(UInt64.random(in: 1...50, using: &random)))
            all.append(tombstone)
            grown.insert(tombstone)
        }
        let built = RangeTombstoneSet(all)
        for _ in 0..<500 {
            let key = [
                UInt8.random(in: 0..<110, using: &random),
                UInt8.random(in: 0..<20, using: &random),
            ]
            let time = Timestamp(UInt64.random(in: 0...55, using: &random))
            key.withUnsafeBytes { key in
                let expected = all.filter { $0.timestamp <= time && $0.covers(key) }
                    .map(\.timestamp).max()
                #expect(grown.newestCovering(key, at: time) == expected, "seed \(seed)")
                #expect(built.newestCovering(key, at: time) == expected, "seed \(seed)")
            }
            let end = [UInt8.random(in: 0..<110, using: &random)]
            let range = KeyRange(
                lower: time.rawValue % 9 == 0 ? nil : key,
                upper: time.rawValue % 8 == 0 ? nil : end)
            let expected = all.filter { tombstone in
                (range.lower.map { KeyOrder.less($0, tombstone.upper) } ?? true)
                    && (range.upper.map { KeyOrder.less(tombstone.lower, $0) } ?? true)
            }
            var found: [RangeTombstone] = []
            grown.appendOverlapping(range, to: &found)
            #expect(Set(found) == Set(expected) && found.count == expected.count, "seed \(seed)")
        }
    }
}
