import Testing

@testable import FalconStorage

/// Everything that an engine keeps in memory comes out of one budget.
@Suite struct MemoryBudgetTests {
    @Test func theCacheGetsWhatTheOthersLeave() throws {
        let budget = try MemoryBudget(totalBytes: 100 << 20)
        #expect(budget.cache.capacityBytes == 82 << 20)
        budget.charge(.memtables, 50 << 20)
        #expect(budget.cache.capacityBytes == 32 << 20)
        #expect(budget.pressure == .none)
        budget.charge(.transactions, 15 << 20)
        #expect(budget.pressure == .soft)
        budget.charge(.tables, 40 << 20)
        #expect(budget.pressure == .hard)
        #expect(budget.cache.capacityBytes == 5 << 20)
        budget.charge(.memtables, -(50 << 20))
        budget.charge(.transactions, -(15 << 20))
        #expect(budget.pressure == .none)
        #expect(budget.usedBytes == 40 << 20)
        let error = #expect(throws: StorageError.self) { _ = try MemoryBudget(totalBytes: 1000) }
        #expect(error?.code == .invalidArgument)
    }

    /// What can be refused is refused at the hard level, and nothing is charged then.
    @Test func refusalsChargeNothing() throws {
        let budget = try MemoryBudget(totalBytes: 100 << 20)
        #expect(budget.hardLevelBytes == 80 << 20)
        #expect(budget.tryCharge(.transactions, 50 << 20))
        #expect(budget.cache.capacityBytes == 32 << 20)
        #expect(!budget.tryCharge(.queries, 31 << 20))
        #expect(budget.usedBytes(.queries) == 0 && budget.usedBytes == 50 << 20)
        #expect(budget.tryCharge(.queries, 30 << 20) && budget.pressure == .soft)
        #expect(!budget.tryCharge(.locks, 1))
        // The engine cannot be refused.
        budget.charge(.memtables, 10 << 20)
        #expect(budget.pressure == .hard)
        // To give back is always possible.
        #expect(budget.tryCharge(.queries, -(30 << 20)))
        #expect(budget.tryCharge(.transactions, -(50 << 20)))
        #expect(budget.pressure == .none && budget.usedBytes == 10 << 20)
        let names = MemoryBudget.Account.allCases.map(\.name)
        #expect(Set(names).count == names.count)
    }

    /// A batch says what it takes in memory, undone operations included.
    @Test func aBatchKnowsItsMemory() throws {
        let batch = WriteBatch()
        let empty = batch.memoryBytes
        #expect(empty <= 1024)
        for _ in 0..<10 {
            let mark = batch.nextOrdinal
            for key in 0..<1000 { try batch.put("key \(key)", String(repeating: "x", count: 100)) }
            batch.rollback(toOrdinal: mark)
        }
        #expect(batch.byteCount == 0)
        #expect(batch.memoryBytes > 10 * 1000 * 110)
        #expect(batch.memoryBytes < 10 * 1000 * 300)
        batch.removeAll()
        #expect(batch.memoryBytes == empty)
    }

    private func engine(_ budget: MemoryBudget, memtableBytes: Int) throws -> EngineFixture {
        var options = EngineOptions.small
        options.memoryBudget = budget
        options.memtableBytes = memtableBytes
        return try EngineFixture(options: options)
    }

    private func fill(_ fixture: EngineFixture, _ rounds: Range<Int>) throws {
        for round in rounds {
            try fixture.put(
                (0..<500).map { ("\(round)/\($0)", String(repeating: "x", count: 200)) }, .written)
        }
    }

    @Test func memtablesAndTablesAreChargedAndGivenBack() throws {
        let budget = try MemoryBudget(totalBytes: 64 << 20)
        var fixture: EngineFixture? = try engine(budget, memtableBytes: 1 << 20)
        if let fixture {
            // One active, those that may wait, and one on its way between the two.
            let reserved = (fixture.options.maximumImmutableMemtables + 2) << 20
            #expect(budget.usedBytes(.memtables) == reserved)
            try fill(fixture, 0..<30)
            try fixture.engine.flush()
            try fixture.engine.awaitIdle()
            #expect(budget.usedBytes(.memtables) == reserved)
            for round in 0..<30 { #expect(try fixture.get("\(round)/7") != nil) }
            let tables = budget.usedBytes(.tables)
            #expect(tables > 20 * 2048 && tables < 2 << 20)
            #expect(fixture.engine.store.cache === budget.cache)
            #expect(budget.cache.usedBytes > 0)
        }
        fixture = nil
        for account in MemoryBudget.Account.allCases { #expect(budget.usedBytes(account) == 0) }
    }

    @Test func shortMemoryHoldsWritersBackAndIsNamed() throws {
        let controller = WriteController()
        controller.update(.init(isMemoryShort: true))
        #expect(controller.needsPacing)
        var statistics = EngineStatistics()
        controller.addStatistics(to: &statistics)
        #expect(statistics.delayReason == .memory && statistics.delayNanos > 0)
        controller.update(.init())
        #expect(!controller.needsPacing)
    }

    /// Somebody else takes most of the memory: memtables are rotated at a quarter.
    @Test func shortMemoryFlushesEarly() throws {
        let budget = try MemoryBudget(totalBytes: 128 << 20)
        let fixture = try engine(budget, memtableBytes: 4 << 20)
        try fill(fixture, 0..<10)
        #expect(fixture.engine.statistics().flushes == 0)
        budget.charge(.transactions, 120 << 20)
        try fill(fixture, 10..<40)
        try fixture.engine.awaitIdle()
        #expect(fixture.engine.statistics().flushes >= 3)
        budget.charge(.transactions, -(120 << 20))
        #expect(budget.pressure == .none)
    }
}
