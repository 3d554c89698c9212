import Glibc
import Synchronization
import Testing

@testable import FalconStorage

/// A large compaction is cut by keys, merged on several threads and installed as one.
@Suite struct SubcompactionTests {
    private static let rows = 30_000

    /// Two tables in level 0 with the same keys, and deletes of ranges that reach over any cut.
    private func filled(
        threads: Int, _ fileSystem: MemoryFileSystem = MemoryFileSystem()
    ) throws -> EngineFixture {
        var options = EngineOptions.small
        options.memtableBytes = 16 << 20
        options.compactionThreads = threads
        options.level0CompactionTrigger = 100
        options.level0SlowdownTrigger = 200
        options.level0StopTrigger = 300
        let fixture = try EngineFixture(fileSystem, options: options)
        for round in 0..<2 {
            try fixture.put(
                (0..<Self.rows).map { ("key \(100000 + $0)", "value \(round) of \($0 &* 7919)") },
                .written)
            if round == 1 {
                try fixture.deleteRange("key 100500", "key 101500")
                try fixture.deleteRange("key 101000", "key 103900")
            }
            try fixture.engine.flush()
        }
        return fixture
    }

    private func tables(_ fixture: EngineFixture) -> [TableFile] {
        fixture.engine.tree.state.version.levels.flatMap(\.files)
    }

    @Test func theResultIsThatOfOneThread() throws {
        let one = try filled(threads: 1)
        let many = try filled(threads: 4)
        let snapshots = [one, many].map { $0.engine.makeSnapshot() }
        for fixture in [one, many] {
            try fixture.put("key 100001", "newer")
            try fixture.engine.compact()
        }
        #expect(one.engine.statistics().subcompactions == one.engine.statistics().compactions)
        #expect(many.engine.statistics().subcompactions > many.engine.statistics().compactions)
        #expect(try one.rows() == many.rows())
        #expect(try one.rows().count == Self.rows - 3400)
        #expect(
            try one.rows(at: snapshots[0].timestamp) == many.rows(at: snapshots[1].timestamp))
        #expect(try one.rows(backward: true) == many.rows(backward: true))
    }

    @Test func progressIsToldByTheOwnerAlone() throws {
        let fixture = try filled(threads: 4)
        let caller = pthread_self()
        var seen: [CompactionProgress] = []
        try fixture.engine.compact {
            #expect(pthread_equal(caller, pthread_self()) != 0)
            seen.append($0)
            return true
        }
        #expect(fixture.engine.statistics().subcompactions > 1)
        #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.doneBytes <= $1.doneBytes })
        #expect(seen.allSatisfy { $0.doneBytes <= $0.totalBytes })
        #expect(seen.contains { $0.doneBytes > 0 })
    }

    /// One thread is asked again and again. Of several the owner alone is asked, and helpers may have
    /// merged all else before it is asked a second time: the compaction is then whole.
    @Test(arguments: [1, 4], [0, 1, 3])
    func whatIsGivenUpLeavesNothing(threads: Int, calls: Int) throws {
        let fixture = try filled(threads: threads)
        let before = tables(fixture).map(\.number)
        var left = calls
        do {
            try fixture.engine.compact { _ in
                left -= 1
                return left >= 0
            }
            #expect(threads > 1 && calls > 0, "it was not given up")
        } catch {
            #expect(error.code == .cancelled)
            #expect(tables(fixture).map(\.number) == before)
            #expect(try fixture.fileSystem.list("/db/sst").count == before.count)
        }
        try fixture.engine.compact()
        #expect(try fixture.rows().count == Self.rows - 3400)
    }

    @Test func onePartsFailureIsEveryPartsEnd() throws {
        let memory = MemoryFileSystem()
        try filled(threads: 1, memory).engine.close()
        let faults = FaultInjectingFileSystem(memory)
        var options = EngineOptions.small
        options.compactionThreads = 4
        options.memtableBytes = 16 << 20
        options.level0CompactionTrigger = 10
        let engine = try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(
                fileSystem: faults, clock: ManualClock(), random: SystemRandom()))
        defer { try? engine.close() }
        let before = try memory.list("/db/sst").sorted()
        faults.setRule(
            FaultRule(.operation(.sync), pathContains: ".sst", index: 5, count: 1, errno: 5))
        #expect(throws: StorageError.self) { try engine.compact() }
        #expect(faults.injectedCount == 1)
        #expect(try memory.list("/db/sst").sorted() == before)
        faults.setRule(nil)
        try engine.compact()
        #expect(try engine.rows().count == Self.rows - 3400)
    }

    @Test func cutsAreEvenAndCoverAllKeys() {
        let anchors = (0..<100).shuffled().map {
            TableReader.Anchor(key: [UInt8($0)], bytes: $0 < 50 ? 10 : 30)
        }
        let ranges = SubcompactionPlan.cut(anchors, parts: 4)
        #expect(ranges.first?.lower == nil && ranges.last?.upper == nil)
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upper == $1.lower })
        // Halfway in bytes is two thirds of the way in keys.
        #expect(ranges.map(\.upper) == [[49], [66], [83], nil])
        let same = (0..<9).map { _ in TableReader.Anchor(key: [1], bytes: 5) }
        #expect(SubcompactionPlan.cut(same, parts: 4).count == 2)
        #expect(SubcompactionPlan.cut([], parts: 4) == [.all])
    }
}
