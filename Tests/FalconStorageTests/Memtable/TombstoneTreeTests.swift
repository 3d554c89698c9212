import Synchronization
import Testing

@testable import FalconStorage

@Suite struct TombstoneTreeTests {
    private func key(_ number: Int) -> [UInt8] { Array("k\(10_000 + number)".utf8) }

    private func add(_ tree: TombstoneTree, _ tombstone: RangeTombstone) {
        tombstone.lower.withUnsafeBytes { lower in
            tombstone.upper.withUnsafeBytes { tree.add(lower, $0, tombstone.timestamp) }
        }
    }

    private func covering(_ tree: TombstoneTree, _ key: [UInt8], _ timestamp: UInt64) -> Timestamp {
        key.withUnsafeBytes { tree.newestCovering($0, at: Timestamp(timestamp)) }
    }

    /// Nested, overlapping, equal and adjacent ranges against a list that is searched through.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func agreesWithAList(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let tree = try TombstoneTree()
        var list: [RangeTombstone] = []
        var timestamp: UInt64 = 0
        let width = [3, 10, 60, 200, 200][Int(seed - 1)]
        for step in 0..<300 {
            if Int.random(in: 0..<3, using: &random) > 0 { timestamp += 1 }
            let lower = Int.random(in: 0..<200, using: &random)
            let upper = lower + Int.random(in: 0...width, using: &random)
            let tombstone = RangeTombstone(
                lower: key(lower), upper: key(upper), timestamp: Timestamp(max(timestamp, 1)))
            add(tree, tombstone)
            list.append(tombstone)
            for _ in 0..<20 {
                let at = UInt64.random(in: 0...(timestamp + 1), using: &random)
                // Between the bounds, too.
                let probe =
                    key(Int.random(in: 0..<420, using: &random))
                    + (Bool.random(using: &random) ? [0x2E] : [])
                let expected = probe.withUnsafeBytes {
                    list.newestCovering($0, at: Timestamp(at)) ?? .zero
                }
                try #require(
                    covering(tree, probe, at) == expected, "seed \(seed), step \(step), at \(at)")
            }
            if step % 10 == 0 {
                let at = Timestamp(UInt64.random(in: 0...(timestamp + 1), using: &random))
                let from = Int.random(in: 0..<200, using: &random)
                let to = from + Int.random(in: 1..<100, using: &random)
                let pieces = RangeTombstoneFragments(
                    tree.pieces(in: KeyRange(lower: key(from), upper: key(to)), at: at), at: .max)
                let whole = RangeTombstoneFragments(tree.pieces(in: .all, at: at), at: .max)
                let expected = RangeTombstoneFragments(list, at: at)
                for number in 0..<420 {
                    let (got, all, want) = key(number).withUnsafeBytes {
                        (pieces.covering($0), whole.covering($0), expected.covering($0))
                    }
                    try #require(all == want, "seed \(seed), step \(step), key \(number)")
                    if number >= from, number < to {
                        try #require(got == want, "seed \(seed), step \(step), key \(number)")
                    }
                }
            }
        }
    }

    /// A table's tombstones come in any order.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func aTreeOfAListAgreesWithIt(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let list = (0..<120).map { _ in
            let lower = Int.random(in: 0..<60, using: &random)
            return RangeTombstone(
                lower: key(lower), upper: key(lower + Int.random(in: 1..<40, using: &random)),
                timestamp: Timestamp(UInt64.random(in: 1...50, using: &random)))
        }
        let tree = try #require(try TombstoneTree(of: list))
        for _ in 0..<1000 {
            let probe = key(Int.random(in: 0..<110, using: &random))
            let at = UInt64.random(in: 0...55, using: &random)
            let expected = probe.withUnsafeBytes {
                list.newestCovering($0, at: Timestamp(at)) ?? .zero
            }
            #expect(covering(tree, probe, at) == expected, "seed \(seed)")
        }
    }

    /// What was covered when a reader set out stays covered for it, whatever the writer cuts.
    @Test func readersBesideTheWriterMissNothing() throws {
        let tree = try TombstoneTree()
        // Everything is covered at 1; later tombstones cut it at random places.
        add(tree, RangeTombstone(lower: key(0), upper: key(2000), timestamp: Timestamp(1)))
        let isDone = Atomic<Bool>(false)
        let missed = Atomic<Int>(0)
        var readers: [WorkerThread] = []
        for reader in 0..<3 {
            readers.append(
                try WorkerThread(name: "reader") {
                    var random = SplitMix64(seed: UInt64(reader) + 77)
                    while !isDone.load(ordering: .acquiring) {
                        let probe = self.key(Int.random(in: 0..<2000, using: &random))
                        if self.covering(tree, probe, 1) != Timestamp(1) {
                            missed.wrappingAdd(1, ordering: .relaxed)
                        }
                        let pieces = tree.pieces(
                            in: KeyRange(lower: probe, upper: nil), at: Timestamp(1))
                        if pieces.count != 1 { missed.wrappingAdd(1, ordering: .relaxed) }
                    }
                })
        }
        var random = SplitMix64(seed: 5)
        for step in 0..<2000 {
            let lower = Int.random(in: 0..<1990, using: &random)
            add(
                tree,
                RangeTombstone(
                    lower: key(lower), upper: key(lower + Int.random(in: 1...10, using: &random)),
                    timestamp: Timestamp(UInt64(step) + 2)))
        }
        isDone.store(true, ordering: .releasing)
        for reader in readers { reader.join() }
        #expect(missed.load(ordering: .relaxed) == 0)
    }

    /// 10,000 dropped tables: prints what a lookup costs in the tree and in a list.
    @Test func tenThousandTombstones() throws {
        let table = try MemTable()
        var list: [RangeTombstone] = []
        let clock = SystemClock()
        let began = clock.monotonicNanos()
        for number in 0..<10_000 {
            let tombstone = RangeTombstone(
                lower: key(2 * number), upper: key(2 * number + 1),
                timestamp: Timestamp(UInt64(number) + 1))
            #expect(table.addRangeTombstones([tombstone]))
            list.append(tombstone)
        }
        let added = clock.monotonicNanos()
        var random = SplitMix64(seed: 3)
        let probes = (0..<2000).map { _ in key(Int.random(in: 0..<20_000, using: &random)) }
        func measure(_ body: (UnsafeRawBufferPointer) -> Bool) -> (hits: Int, nanos: UInt64) {
            let began = clock.monotonicNanos()
            var hits = 0
            for probe in probes where probe.withUnsafeBytes(body) { hits += 1 }
            return (hits, (clock.monotonicNanos() - began) / UInt64(probes.count))
        }
        let inTree = measure { key in
            if case .deleted = table.get(key, at: .max) { true } else { false }
        }
        let inList = measure { list.newestCovering($0, at: .max) != nil }
        let cursor = clock.monotonicNanos()
        let pieces = table.rangeTombstones(
            in: KeyRange(lower: key(5000), upper: key(5010)), at: .max)
        let cursorNanos = clock.monotonicNanos() - cursor
        #expect(inTree.hits == inList.hits && inTree.hits > 0)
        #expect(pieces.count == 5)
        print(
            "10,000 tombstones: added \((added - began) / 10_000) ns each; a lookup "
                + "\(inTree.nanos) ns, in a list \(inList.nanos) ns; those of a range "
                + "\(cursorNanos) ns")
    }
}
