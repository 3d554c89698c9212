import FalconTestKit
import Testing

@testable import FalconStorage

/// Memtables that get the memory of earlier ones.
struct ArenaPoolTests {
    private static let capacity = Tree.arenaCapacity(1 << 20, batchBytes: 0)

    private func filled(
        _ pool: ArenaPool, _ prefix: String, bytes: Int = 0
    ) throws -> MemTable {
        let table = try MemTable(capacityBytes: Self.capacity, pool: pool)
        var index = 0
        repeat {
            let key = Array("\(prefix)\(index)".utf8)
            let isIn = key.withUnsafeBytes { key in
                table.insert(key: key, timestamp: Timestamp(1), kind: .put, value: key)
            }
            try #require(isIn)
            index += 1
        } while table.approximateBytes < bytes || index < 100
        return table
    }

    @Test func theNextMemtableTakesTheMemoryAndNothingElse() throws {
        let pool = ArenaPool(memtableBytes: 1 << 20) { false }
        var old: MemTable? = try filled(pool, "old", bytes: 300 << 10)
        let base = try #require(old).arena.base
        let touched = try #require(old).arena.touchedBytes
        // A reader keeps it: nobody else may have it.
        var iterator: InternalIterator? = try #require(old).makeIterator()
        old = nil
        let beside = try filled(pool, "beside")
        #expect(beside.arena.base != base)
        #expect(iterator?.userKey.count ?? 0 > 0)
        iterator = nil
        let next = try MemTable(capacityBytes: Self.capacity, pool: pool)
        #expect(next.arena.base == base)
        #expect(next.isEmpty)
        #expect(next.arena.touchedBytes == touched)
        #expect(next.approximateBytes < 4096)
        #expect(try next.makeIterator().collectForward().isEmpty)
        let key = Array("new".utf8)
        #expect(
            key.withUnsafeBytes { key in
                next.insert(key: key, timestamp: Timestamp(2), kind: .put, value: key)
            })
        let all = try next.makeIterator().collectForward()
        #expect(all.map(\.key) == [key])
        #expect(try next.makeIterator().collectBackward() == all)
    }

    @Test func whatALargeBatchTouchedIsNotKept() throws {
        let pool = ArenaPool(memtableBytes: 256 << 10) { false }
        _ = try filled(pool, "large", bytes: 400 << 10)
        #expect(pool.isEmpty)
        _ = try filled(pool, "small")
        #expect(!pool.isEmpty)
    }

    @Test func nothingIsKeptWhileMemoryIsShortOrAfterTheEnd() throws {
        let budget = try MemoryBudget(totalBytes: 64 << 20)
        let pool = ArenaPool(memtableBytes: 1 << 20) { budget.pressure > .none }
        budget.charge(.queries, 45 << 20)
        #expect(budget.pressure > .none)
        _ = try filled(pool, "short")
        #expect(pool.isEmpty)
        budget.charge(.queries, -(45 << 20))
        _ = try filled(pool, "enough")
        #expect(!pool.isEmpty)
        pool.close()
        #expect(pool.isEmpty)
        _ = try filled(pool, "closed")
        #expect(pool.isEmpty)
    }

    /// The pages before the writer are asked for in steps, once each, up to where memtables are rotated.
    @Test func pagesAreAskedForAheadOfTheWriter() throws {
        let arena = try Arena(capacityBytes: 64 << 20, hugePages: true)
        let warmer = ArenaWarmer()
        defer { warmer.stop() }
        let limit = 16 << 20
        var asked: [Int] = []
        while arena.used < limit {
            _ = arena.allocate(64 << 10, alignment: 1)
            if arena.used > arena.warmMark {
                asked.append(arena.used)
                let isMore = arena.warmAhead(warmer, limit: limit)
                #expect(isMore == (asked.count < 5))
            }
        }
        // From 1 MiB on, 4 MiB ahead: at 1, 2, 6 and 10 MiB, and once at the end of it.
        #expect(asked.count == 5, "\(asked)")
        #expect(asked.first ?? 0 <= (1 << 20) + (65 << 10))
        arena.reset()
        #expect(arena.touchedBytes >= limit)
        #expect(arena.warmMark >= limit - ArenaWarmer.stepBytes)
    }

    /// The next memtable's first pages are there before it is needed.
    @Test func anArenaIsPreparedForTheNextMemtable() throws {
        let pool = ArenaPool(memtableBytes: 64 << 20) { false }
        let warmer = ArenaWarmer()
        defer { warmer.stop() }
        let capacity = Tree.arenaCapacity(64 << 20, batchBytes: 0)
        warmer.prepare(pool, capacityBytes: capacity, limit: 64 << 20)
        try eventually { !pool.isEmpty }
        let arena = try pool.take(capacityBytes: capacity)
        #expect(arena.touchedBytes == ArenaWarmer.stepBytes)
        #expect(arena.used == Arena.headerBytes)
        // What comes next is asked for behind it.
        #expect(arena.warmMark == 1 << 20)
        #expect(arena.warmAhead(warmer, limit: 64 << 20))
        #expect(arena.warmMark == ArenaWarmer.stepBytes)
        #expect(pool.isEmpty)
    }

    /// The page behind the last that is made ready would be the writer's to wait for.
    @Test func noMemtableUsesMoreThanIsMadeReady() throws {
        var options = EngineOptions.small
        options.memtableBytes = 1 << 20
        let fixture = try EngineFixture(options: options)
        let value = String(repeating: "v", count: 500)
        let active = { fixture.engine.tree.state.active }
        var (layer, rotated) = (active(), 0)
        for index in 0..<8000 {
            try fixture.put("\(index)", value)
            if active() === layer { continue }
            #expect(layer.table.arena.touchedBytes <= options.memtableBytes)
            #expect(layer.table.arena.touchedBytes > options.memtableBytes / 100 * 97)
            (layer, rotated) = (active(), rotated + 1)
        }
        #expect(rotated >= 3)
    }

    @Test func anArenaIsNotPreparedBesideAnotherNorWhileMemoryIsShort() throws {
        let budget = try MemoryBudget(totalBytes: 64 << 20)
        let pool = ArenaPool(memtableBytes: 1 << 20) { budget.pressure > .none }
        budget.charge(.queries, 45 << 20)
        pool.prepare(try Arena(capacityBytes: 1 << 20, hugePages: false))
        #expect(pool.isEmpty)
        budget.charge(.queries, -(45 << 20))
        let first = try Arena(capacityBytes: 1 << 20, hugePages: false)
        pool.prepare(first)
        pool.prepare(try Arena(capacityBytes: 1 << 20, hugePages: false))
        #expect(try pool.take(capacityBytes: 1 << 20) === first)
        pool.close()
        pool.prepare(first)
        #expect(pool.isEmpty)
    }

    /// An engine has the next memtable's arena prepared before the memtable is full.
    @Test func anEnginePreparesTheNextArena() throws {
        var options = EngineOptions()
        options.memtableBytes = 16 << 20
        let engine = try StorageEngine.open(
            at: "db", options: options,
            environment: StorageEnvironment(fileSystem: MemoryFileSystem()))
        let pool = try engine.writable().tree.arenas
        let value = [UInt8](repeating: 7, count: 64 << 10)
        var number = 0
        while engine.statistics().flushes == 0, pool.isEmpty, number < 230 {
            number += 1
            let batch = WriteBatch()
            try batch.put("key\(number)", value)
            try engine.commitAndWait(batch, CommitOptions(durability: .buffered))
        }
        try eventually { !pool.isEmpty }
        #expect(engine.statistics().flushes == 0)
        try engine.close()
    }
}
