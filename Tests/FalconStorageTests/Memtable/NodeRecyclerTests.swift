import Synchronization
import Testing

@testable import FalconStorage

/// Memory of replaced nodes is used again when nobody can stand in them, and not before.
@Suite struct NodeRecyclerTests {
    private final class Reused {
        let shards = ReaderShards()
        let table: MemTable
        let layer: MemtableLayer
        let cell: ReadStateCell
        private var random = SeededRandom(seed: 11)
        private var time: UInt64 = 0

        init(capacityBytes: Int = 64 << 20) throws {
            table = try MemTable(capacityBytes: capacityBytes, shards: shards)
            layer = MemtableLayer(table: table, epoch: 1, lastLSN: .zero)
            cell = ReadStateCell(
                ReadState(active: layer, immutables: [], version: .empty), shards: shards)
        }

        func state() -> ReadState { ReadState(active: layer, immutables: [], version: .empty) }

        /// Arena bytes that `count` more entries of random keys took.
        func fill(_ count: Int) -> Int {
            let before = table.approximateBytes
            for _ in 0..<count {
                time += 1
                let key = withUnsafeBytes(of: random.next(), Array.init)
                _ = table.add(ModelEntry(key: key, timestamp: time, kind: .put, value: [1]))
            }
            return table.approximateBytes - before
        }
    }

    private static let count = 20_000

    @Test func replacedNodesAreUsedAgain() throws {
        let plain = try MemTable(capacityBytes: 64 << 20)
        var random = SeededRandom(seed: 11)
        for time in 1...Self.count {
            let key = withUnsafeBytes(of: random.next(), Array.init)
            _ = plain.add(ModelEntry(key: key, timestamp: UInt64(time), kind: .put, value: [1]))
        }
        let reused = try Reused()
        let bytes = reused.fill(Self.count)
        // Of each two nodes that splits make, one takes a replaced one's place.
        #expect(bytes * 10 < plain.approximateBytes * 8)
    }

    /// Whoever may stand in a node keeps all from being used again: as many bytes as without.
    @Test(arguments: ["borrow", "iterator", "older state", "borrow of an older state"])
    func nothingIsUsedAgainUnderAReader(_ kind: String) throws {
        let reused = try Reused()
        let free = reused.fill(Self.count)
        var iterator: InternalIterator?
        var older: ReadState?
        var borrow: ReadStateCell.Borrow?
        switch kind {
        case "borrow": borrow = reused.cell.borrow()
        case "iterator": iterator = reused.table.makeIterator()
        case "older state":
            older = reused.cell.retained()
            reused.cell.replace(with: reused.state())
        default:
            borrow = reused.cell.borrow()
            reused.cell.replace(with: reused.state())
        }
        // Nodes that were free already are taken first.
        _ = reused.fill(2_000)
        let held = reused.fill(Self.count)
        withExtendedLifetime((iterator, older)) {}
        iterator = nil
        older = nil
        if let borrow { reused.cell.release(borrow) }
        _ = reused.fill(2_000)
        let after = reused.fill(Self.count)
        #expect(held * 8 > free * 9, "\(kind): \(free), held \(held)")
        #expect(after * 9 < held * 8, "\(kind): held \(held), after \(after)")
    }

    /// Point reads, iterators and new states beside the writer: what was there before a read is found.
    @Test func readersBesideTheWriterFindAll() throws {
        let reused = try Reused(capacityBytes: 256 << 20)
        let table = reused.table
        let cell = reused.cell
        var random = SeededRandom(seed: 5)
        let entries = modelEntries(.random, count: 60_000, &random)
        let progress = Progress()
        let done = Atomic<Bool>(false)
        var threads: [WorkerThread] = []
        for reader in 0..<3 {
            threads.append(
                try WorkerThread(name: "reader") {
                    var random = SeededRandom(seed: UInt64(reader) + 1)
                    while !done.load(ordering: .acquiring) {
                        let written = progress.get()
                        if written == 0 { continue }
                        let entry = entries[random.below(written)]
                        let borrow = cell.borrow()
                        let found = borrow.state.takeUnretainedValue().active.table.find(
                            entry.key, at: entry.timestamp)
                        cell.release(borrow)
                        if found != entry { Issue.record("lost \(entry)") }
                        if random.below(64) == 0 {
                            let state = cell.retained()
                            let iterator = state.active.table.makeIterator()
                            var last: [UInt8] = []
                            do {
                                try entry.key.withUnsafeBytes {
                                    try iterator.seek($0, Timestamp(entry.timestamp))
                                }
                                if !iterator.isValid || iterator.entry != entry {
                                    Issue.record("an iterator lost \(entry)")
                                }
                                for _ in 0..<40 where iterator.isValid {
                                    let key = Array(iterator.userKey)
                                    if key.lexicographicallyPrecedes(last) {
                                        Issue.record("order")
                                    }
                                    last = key
                                    try iterator.next()
                                }
                            } catch { Issue.record(error) }
                        }
                    }
                })
        }
        for (index, entry) in entries.enumerated() {
            #expect(table.add(entry))
            progress.set(index + 1)
            if index % 5000 == 4999 { cell.replace(with: reused.state()) }
        }
        done.store(true, ordering: .releasing)
        for thread in threads { thread.join() }
        let sorted = entries.sorted(by: ModelEntry.sorts)
        #expect(try table.makeIterator().collectForward() == sorted)
    }
}
