import Glibc
import Testing

@testable import FalconStorage

/// Known ways to lose or resurrect rows in flushes, compactions and reads, each with its number in
/// docs/design/corruption-classes.md.
@Suite struct CorruptionClassTreeTests {
    @Test func class10_flushesThatFailAreRepeatedInOrder() throws {
        let fixture = try ClassEngine {
            $0.memtableBytes = 8 << 10
            $0.maximumImmutableMemtables = 8
        }
        for errno in [EIO, ENOSPC] {
            fixture.faulty.setRule(
                FaultRule(.mutating, pathContains: ".sst", index: 0, count: 3, errno: errno))
            // Several memtables wait, each with a newer value of every key.
            for round in 0..<4 { try fixture.fill(0..<40, "\(errno)/\(round)/", bytes: 100) }
            while try failure({ try fixture.engine.flush() }) != nil {}
            let rows = try fixture.engine.rows()
            #expect(rows.count == 40 && rows.allSatisfy { $0.contains("=\(errno)/3/") })
            fixture.faulty.setRule(nil)
            try fixture.engine.compact()
            #expect(try fixture.engine.rows() == rows)
        }
    }

    @Test func class11_aReadErrorInACompactionLosesNoKeys() throws {
        var index = 0
        while true {
            let fixture = try ClassEngine { $0.blockCacheBytes = 0 }
            for round in 0..<3 {
                try fixture.fill(0..<60, "\(round)")
                try fixture.engine.flush()
            }
            let expected = try fixture.engine.rows()
            try fixture.reopen()
            // From the first read on, offset 0 included.
            fixture.faulty.setRule(
                FaultRule(.reading, pathContains: ".sst", index: index, errno: EIO))
            let error = try failure { try fixture.engine.compact() }
            let wasStruck = fixture.faulty.injectedCount > 0
            fixture.faulty.setRule(nil)
            #expect((error?.code == .io) == wasStruck, "read \(index): \(error as Any)")
            #expect(try fixture.engine.rows() == expected, "read \(index)")
            try fixture.engine.compact()
            #expect(try fixture.engine.rows() == expected, "read \(index), compacted")
            if !wasStruck { break }
            index += 1
        }
        #expect(index > 5)
    }

    @Test func class12_aReadErrorInAScanIsNoEndAndNoMissingRangeDelete() throws {
        let fixture = try ClassEngine {
            $0.blockCacheBytes = 0
            $0.blockBytes = 256
        }
        for round in 0..<3 {
            try fixture.fill(0..<80, "\(round)")
            try fixture.deleteRange("k1\(round)0", "k1\(round)7")
            try fixture.engine.flush()
        }
        let expected = try fixture.engine.rows()
        for backward in [false, true] {
            var index = 0
            while true {
                try fixture.reopen()
                fixture.faulty.setRule(
                    FaultRule(.reading, pathContains: ".sst", index: index, errno: EIO))
                var rows: [String]?
                let error = try failure { rows = try fixture.engine.rows(backward: backward) }
                let wasStruck = fixture.faulty.injectedCount > 0
                fixture.faulty.setRule(nil)
                #expect((error?.code == .io) == wasStruck, "read \(index): \(error as Any)")
                if let rows { #expect(rows == (backward ? expected.reversed() : expected)) }
                if !wasStruck { break }
                index += 1
            }
            #expect(index > 10)
        }
    }

    @Test func class13_aSnapshotTakenDuringAFlushKeepsDeletesDeleted() throws {
        let fixture = try ClassEngine { $0.memtableBytes = 8 << 10 }
        for round in 0..<6 {
            try fixture.fill(0..<30, "\(round)")
            let before = fixture.engine.makeSnapshot()
            for row in 0..<30 where row % 3 == 0 { try fixture.delete("k\(100 + row)") }
            let after = fixture.engine.makeSnapshot()
            // Rows and deletes go down together or apart, with the snapshots held or gone.
            if round % 2 == 0 { before.release() }
            try fixture.engine.flush()
            if round % 3 == 0 { after.release() }
            try fixture.engine.compact()
            #expect(try fixture.engine.rows().count == 20, "round \(round)")
            if round % 2 == 1 {
                #expect(try fixture.engine.rows(at: before.timestamp).count == 30)
            }
            if round % 3 != 0 {
                #expect(try fixture.engine.rows(at: after.timestamp).count == 20)
            }
            before.release()
            after.release()
        }
    }

    @Test func class21_concurrentCompactionsLeaveNoOverlap() throws {
        let fixture = try ClassEngine {
            $0.memtableBytes = 8 << 10
            $0.targetFileBytes = 4 << 10
            $0.level0CompactionTrigger = 2
            $0.levelBaseBytes = 8 << 10
            $0.levelMultiplier = 2
            $0.compactionThreads = 3
        }
        let engine = fixture.engine
        let compactors = try (0..<3).map { lane in
            try WorkerThread(name: "compactor") {
                for round in 0..<12 {
                    let lower = Array("k\(100 + (round * 7 + lane * 13) % 90)".utf8)
                    try? engine.compact(
                        KeyRange(lower: lower, upper: lane == 0 ? nil : [0x6B, 0x7A]))
                }
            }
        }
        for round in 0..<30 {
            try fixture.fill(0..<100, "\(round)/", bytes: 20)
            #expect(fixture.overlap == nil)
        }
        for compactor in compactors { compactor.join() }
        #expect(fixture.overlap == nil)
        let rows = try fixture.engine.rows()
        #expect(rows.count == 100 && rows.allSatisfy { $0.contains("=29/") })
    }

    @Test func class14_aCompactionMissesNoInput() throws {
        let fixture = try ClassEngine {
            $0.targetFileBytes = 4 << 10
            $0.levelBaseBytes = 8 << 10
            $0.levelMultiplier = 2
        }
        for round in 0..<8 {
            try fixture.fill(0..<120, "\(round)/", bytes: 60)
            try fixture.engine.flush()
            // Down in pieces, as a round-robin cursor would.
            for first in [0, 40, 80] {
                try fixture.engine.compact(
                    KeyRange(
                        lower: Array("k\(100 + first)".utf8), upper: Array("k\(139 + first)".utf8)))
                #expect(fixture.overlap == nil)
                let rows = try fixture.engine.rows()
                #expect(rows.count == 120 && rows.allSatisfy { $0.contains("=\(round)/") })
            }
        }
    }

    @Test func class15_aRangeDeleteHidesWhatLiesBelowAtEveryLevel() throws {
        let fixture = try ClassEngine {
            $0.targetFileBytes = 4 << 10
            $0.levelBaseBytes = 8 << 10
            $0.levelMultiplier = 2
        }
        try fixture.fill(0..<150, "old", bytes: 60)
        try fixture.engine.compact()
        let held = fixture.engine.makeSnapshot()
        try fixture.deleteRange("k120", "k220")
        try fixture.engine.flush()
        try fixture.fill(50..<60, "new")
        let expected = try fixture.engine.rows()
        #expect(expected.count == 60)
        for (lower, upper) in [("k100", "k130"), ("k150", "k160"), ("k125", "k240")] {
            try fixture.engine.compact(
                KeyRange(lower: Array(lower.utf8), upper: Array(upper.utf8)))
            #expect(try fixture.engine.rows() == expected, "\(lower)")
            #expect(try fixture.engine.rows(at: held.timestamp).count == 150, "\(lower)")
        }
        held.release()
        try fixture.engine.compact()
        #expect(try fixture.engine.rows() == expected)
        try fixture.reopen()
        #expect(try fixture.engine.rows() == expected)
    }

    @Test func class17_tablesOfOneNumberInOneCacheAreToldApart() throws {
        let cache = BlockCache(capacityBytes: 4 << 20)
        let first = try ClassEngine(cache: cache)
        let second = try ClassEngine(cache: cache)
        for (fixture, value) in [(first, "one"), (second, "two")] {
            try fixture.fill(0..<50, value)
            try fixture.engine.flush()
        }
        #expect(try first.files("sst", ".sst") == second.files("sst", ".sst"))
        for _ in 0..<2 {
            #expect(try first.engine.rows().allSatisfy { $0.contains("=one") })
            #expect(try second.engine.rows().allSatisfy { $0.contains("=two") })
            #expect(try first.engine.value("k120")?.hasPrefix("one") == true)
            #expect(try second.engine.value("k120")?.hasPrefix("two") == true)
        }
    }

    @Test func class18_aShortReadServesNoStaleBytes() throws {
        let fixture = try ClassEngine {
            $0.blockCacheBytes = 0
            $0.blockBytes = 256
        }
        try fixture.fill(0..<400, bytes: 100)
        try fixture.engine.flush()
        let expected = try fixture.engine.rows()
        // Long enough for read-ahead, which reads into a buffer that holds older blocks.
        for (index, kept) in (0..<12).flatMap({ index in [0, 1, 700].map { (index, $0) } }) {
            fixture.faulty.setRule(
                FaultRule(
                    .reading, pathContains: ".sst", index: index, errno: 0, partialBytes: kept,
                    isShortRead: true))
            #expect(try fixture.engine.rows() == expected, "read \(index), \(kept) bytes")
            // An end that is none, for good: an error of the device and not damage.
            fixture.faulty.setRule(
                FaultRule(
                    .reading, pathContains: ".sst", index: index, count: .max, errno: 0,
                    isShortRead: true))
            let error = try failure { _ = try fixture.engine.rows() }
            if fixture.faulty.injectedCount > 0 { #expect(error?.code == .io, "\(error as Any)") }
            fixture.faulty.setRule(nil)
        }
    }

    /// A multi-get has one answer for all its keys: none of them is dropped, made up or taken from a buffer
    /// that a short read left.
    @Test func class18_aMultiGetReportsWhatOneOfItsKeysMeets() throws {
        let fixture = try ClassEngine {
            $0.blockCacheBytes = 0
            $0.blockBytes = 256
        }
        try fixture.fill(0..<200, bytes: 100)
        try fixture.engine.flush()
        let keys = stride(from: 199, through: 0, by: -3).map { Array("k\(100 + $0)".utf8) }
        let expected = try fixture.engine.multiGet(keys)
        #expect(expected.allSatisfy { $0 != nil })
        var refused = 0
        for (index, kept) in stride(from: 0, to: 70, by: 7).flatMap({ i in
            [0, 1, 90].map { (i, $0) }
        }) {
            for isLasting in [false, true] {
                fixture.faulty.setRule(
                    FaultRule(
                        .reading, pathContains: ".sst", index: index, count: isLasting ? .max : 1,
                        errno: 0, partialBytes: isLasting ? 0 : kept, isShortRead: true))
                do {
                    #expect(try fixture.engine.multiGet(keys) == expected, "read \(index)")
                } catch {
                    #expect(isLasting && error.code == .io, "read \(index): \(error)")
                    refused += 1
                }
            }
        }
        #expect(refused > 0)
        fixture.faulty.setRule(nil)
        // One damaged block: the keys in it are not nil, and the others are no answer either.
        let path = try #require(try fixture.files("sst", ".sst").first)
        let file = try fixture.memory.open(path, .readWrite)
        let byte = try file.readExactly(1, at: 4000)
        try file.write([byte[0] ^ 1], at: 4000)
        let error = try failure { _ = try fixture.engine.multiGet(keys) }
        #expect(error?.code == .corruption && error?.location?.path == path)
    }

    @Test func class28_aMemtableIsRotatedBeforeItsOffsetsOverflow() throws {
        var options = EngineOptions()
        options.memtableBytes = 4 << 30
        #expect(throws: StorageError.self) { try options.validate() }
        options.memtableBytes = 2 << 30
        try options.validate()
        // A batch larger than the memtable's limit gets a layer of its own, whole.
        let fixture = try ClassEngine { $0.memtableBytes = 4096 }
        let batch = WriteBatch()
        for row in 0..<500 {
            try batch.put(key: bytes("k\(row)"), value: bytes(String(repeating: "v", count: 400)))
        }
        try fixture.engine.commitAndWait(batch)
        #expect(try fixture.engine.rows().count == 500)
        try fixture.reopen()
        #expect(try fixture.engine.rows().count == 500)
        let table = try MemTable(capacityBytes: 1 << 20)
        var taken = 0
        let large = WriteBatch()
        try large.put(key: bytes("k"), value: bytes(String(repeating: "v", count: 100_000)))
        while table.canFit(large), taken < 100 {
            #expect(table.apply(large, at: Timestamp(UInt64(taken + 1))))
            taken += 1
        }
        #expect(taken > 5 && taken < 100)
    }
}
