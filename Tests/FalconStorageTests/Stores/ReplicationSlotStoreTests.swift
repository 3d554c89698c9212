import Testing

@testable import FalconStorage

@Suite struct ReplicationSlotStoreTests {
    private static let database = DatabaseID(0)

    private func code(_ body: () throws -> Void) -> StorageErrorCode? {
        do {
            try body()
            return nil
        } catch { return (error as? StorageError)?.code }
    }

    private func bounded(_ change: (inout ReplicationSlotOptions) -> Void) -> EngineOptions {
        var options = EngineOptions.small
        change(&options.slots)
        return options
    }

    /// The first keys of the changes that a slot gives.
    private func keys(_ changes: ReplicationSlotStore.Changes) throws -> [String] {
        var keys: [String] = []
        for case .transaction(let transaction) in changes.events {
            try transaction.forEachOperation { operation throws(StorageError) in
                if operation.operationClass != .system { keys.append(text(operation.key)) }
                return true
            }
        }
        return keys
    }

    private func fill(_ fixture: EngineFixture, from first: Int = 0, bytes: Int) throws {
        let value = String(repeating: "v", count: 4096)
        for index in 0..<(bytes / 4096) { try fixture.put("fill\(first + index)", value) }
        try fixture.engine.flush()
    }

    @Test func aSlotGivesWhatCommitsFromThenOn() throws {
        let fixture = try EngineFixture()
        let store = ReplicationSlotStore(fixture.engine)
        try fixture.put("before", "1")
        let slot = try store.create("s", format: "falcon", database: Self.database)
        #expect(slot.format == "falcon" && slot.loss == nil)
        try fixture.put("a", "1")
        try fixture.put("b", "1")
        try fixture.put("c", "1")
        #expect(try keys(try store.poll("s")) == ["a", "b", "c"])
        let first = try store.poll("s", maximumTransactions: 2)
        #expect(try keys(first) == ["a", "b"])
        #expect(try keys(try store.poll("s", upTo: first.endLSN)) == ["a", "b"])
        #expect(try store.advance("s", to: first.endLSN) == first.endLSN)
        #expect(try keys(try store.poll("s")) == ["c"])
        try fixture.reopen()
        let again = ReplicationSlotStore(fixture.engine)
        #expect(try again.slot("s")?.confirmedLSN == first.endLSN)
        let rest = try again.poll("s")
        #expect(try keys(rest) == ["c"])
        try again.advance("s", to: rest.endLSN)
        #expect(try keys(try again.poll("s")) == [])
        try fixture.put("d", "1")
        #expect(try keys(try again.poll("s")) == ["d"])
    }

    @Test func anotherDatabasesChangesAreNotGiven() throws {
        let fixture = try EngineFixture()
        let store = ReplicationSlotStore(fixture.engine)
        try store.create("s", database: DatabaseID(7))
        try fixture.put("a", "1")
        let batch = WriteBatch()
        try batch.put("b", "1")
        try fixture.engine.commitAndWait(batch, CommitOptions(database: DatabaseID(7)))
        #expect(try keys(try store.poll("s")) == ["b"])
    }

    @Test(arguments: [CrashPolicy.dropUnsynced, .keepUnsynced, .tear(sectorBytes: 512), .reorder])
    func aSlotSurvivesACrash(policy: CrashPolicy) throws {
        let fixture = try EngineFixture()
        let store = ReplicationSlotStore(fixture.engine)
        try store.create("s", database: Self.database)
        try fixture.put("a", "1")
        let place = try store.advance("s", to: try store.poll("s").endLSN)
        try store.create("gone", database: Self.database)
        try store.drop("gone")
        try fixture.put("b", "1")
        let survivor = try EngineFixture(fixture.fileSystem.crashClone(policy))
        let again = ReplicationSlotStore(survivor.engine)
        #expect(try again.list().map(\.name) == ["s"])
        #expect(try again.slot("s")?.confirmedLSN == place)
        #expect(try keys(try again.poll("s")) == ["b"])
    }

    @Test func theLogIsHeldUntilItIsConfirmed() throws {
        let fixture = try EngineFixture()
        try ReplicationSlotStore(fixture.engine).create("s", database: Self.database)
        let restart = try #require(try ReplicationSlotStore(fixture.engine).slot("s")).restartLSN
        try fill(fixture, bytes: 512 << 10)
        // What is released goes by the next open at the latest.
        try fixture.reopen()
        try fixture.engine.flush()
        try fixture.reopen()
        let store = ReplicationSlotStore(fixture.engine)
        let side = try #require(fixture.engine.writeSide)
        #expect(side.wal.firstKeptLSN <= restart)
        let slot = try #require(try store.slot("s"))
        #expect(store.heldBytes(slot) >= 256 << 10)
        let all = try store.poll("s")
        #expect(try keys(all).count == 128)
        try store.advance("s", to: all.endLSN)
        try fill(fixture, from: 1000, bytes: 256 << 10)
        try store.advance("s", to: try store.poll("s").endLSN)
        try fixture.reopen()
        #expect(try #require(fixture.engine.writeSide).wal.firstKeptLSN > restart)
    }

    @Test func aSlotThatHoldsTooMuchIsLost() throws {
        let fixture = try EngineFixture(options: bounded { $0.maximumBytes = 128 << 10 })
        let store = ReplicationSlotStore(fixture.engine)
        let slot = try store.create("s", database: Self.database)
        try store.create("young", database: Self.database)
        try fill(fixture, bytes: 512 << 10)
        try store.drop("young")
        #expect(try store.slot("s")?.loss == .bytes)
        #expect(code { _ = try store.poll("s") } == .targetUnreachable)
        #expect(code { try store.advance("s", to: .max) } == .targetUnreachable)
        #expect(try store.maintain().map(\.name) == ["s"])
        #expect(try store.maintain().isEmpty)
        try fixture.reopen()
        let again = ReplicationSlotStore(fixture.engine)
        #expect(try again.slot("s")?.loss == .bytes)
        #expect(try #require(fixture.engine.writeSide).wal.firstKeptLSN > slot.restartLSN)
        try again.drop("s")
        try again.create("s", database: Self.database)
        try fixture.put("a", "1")
        #expect(try keys(try again.poll("s")) == ["a"])
    }

    @Test func aLossThatNobodyNotedIsFoundAtTheNextOpen() throws {
        let fixture = try EngineFixture(options: bounded { $0.maximumBytes = 128 << 10 })
        try ReplicationSlotStore(fixture.engine).create("s", database: Self.database)
        try fill(fixture, bytes: 512 << 10)
        try fixture.reopen()
        let store = ReplicationSlotStore(fixture.engine)
        #expect(try store.slot("s")?.loss == .bytes)
        #expect(code { _ = try store.poll("s") } == .targetUnreachable)
        // Nobody was told; now it is noted, and told once.
        #expect(try store.maintain().map(\.name) == ["s"])
        #expect(try store.noteLosses().isEmpty)
        try fixture.reopen()
        let again = ReplicationSlotStore(fixture.engine)
        #expect(try again.slot("s")?.loss == .bytes)
        #expect(try again.maintain().isEmpty)
    }

    @Test func aLossIsNotedBeforeItIsTold() throws {
        let fixture = try EngineFixture(options: bounded { $0.maximumBytes = 128 << 10 })
        let store = ReplicationSlotStore(fixture.engine)
        try store.create("s", database: Self.database)
        try fill(fixture, bytes: 512 << 10)
        #expect(try store.noteLosses().map(\.loss) == [.bytes])
        let survivor = try EngineFixture(fixture.fileSystem.crashClone(.dropUnsynced))
        let again = ReplicationSlotStore(survivor.engine)
        #expect(try again.slot("s")?.loss == .bytes)
        #expect(try again.maintain().isEmpty)
    }

    @Test func whatACrashLeavesUnusedIsNotBehind() throws {
        var fixture = try EngineFixture()
        var store = ReplicationSlotStore(fixture.engine)
        try store.create("s", database: Self.database)
        try fixture.put("a", "1")
        try store.advance("s", to: try store.poll("s").endLSN)
        try fixture.put("b", String(repeating: "v", count: 1000))
        let before = try store.behindBytes(try #require(try store.slot("s")))
        #expect((1000..<4000).contains(before))
        var distance: UInt64 = 0
        for _ in 0..<5 {
            fixture = try EngineFixture(fixture.fileSystem.crashClone(.dropUnsynced))
            store = ReplicationSlotStore(fixture.engine)
            let slot = try #require(try store.slot("s"))
            distance = try fixture.engine.currentLSN().rawValue - slot.confirmedLSN.rawValue
            // Each start logs a little of its own.
            #expect(try store.behindBytes(slot) < before + (64 << 10))
        }
        #expect(distance > 4 * (64 << 20))
    }

    @Test func whoUsesASlotIsNamed() throws {
        let fixture = try EngineFixture()
        let store = ReplicationSlotStore(fixture.engine, user: 42)
        try store.create("s", database: Self.database)
        try fixture.put("a", "1")
        #expect(store.activeUser("s") == nil)
        var seen: Int32?
        _ = try store.read("s", confirms: false) { _, _ throws(StorageError) in
            seen = ReplicationSlotStore(fixture.engine).activeUser("s")
            return .goOn
        }
        #expect(seen == 42)
        #expect(store.activeUser("s") == nil)
    }

    @Test func aSlotThatNobodyUsesIsLost() throws {
        let fixture = try EngineFixture(options: bounded { $0.maximumAgeMicros = 1_000_000 })
        let store = ReplicationSlotStore(fixture.engine)
        try store.create("used", database: Self.database)
        try store.create("left", database: Self.database)
        #expect(try store.maintain().isEmpty)
        fixture.clock.advance(micros: 900_000)
        _ = try store.poll("used")
        fixture.clock.advance(micros: 200_000)
        #expect(try store.maintain().map(\.name) == ["left"])
        #expect(try store.slot("left")?.loss == .age)
        #expect(try store.slot("used")?.loss == nil)
        try fixture.reopen()
        #expect(try ReplicationSlotStore(fixture.engine).slot("left")?.loss == .age)
    }

    @Test func aSlotInUseIsNotTouched() throws {
        let fixture = try EngineFixture()
        let store = ReplicationSlotStore(fixture.engine)
        try store.create("s", database: Self.database)
        try fixture.put("a", "1")
        var inner: [StorageErrorCode?] = []
        try store.read("s", confirms: true) { _, _ throws(StorageError) in
            #expect(store.isActive("s"))
            inner.append(self.code { try store.drop("s") })
            inner.append(self.code { _ = try store.poll("s") })
            return .goOn
        }
        #expect(inner.contains(.inUse) && inner.allSatisfy { $0 == .inUse })
        #expect(!store.isActive("s"))
        #expect(try keys(try store.poll("s")) == [])
    }

    @Test func askingInVainWritesNothing() throws {
        let fixture = try EngineFixture()
        let store = ReplicationSlotStore(fixture.engine)
        try store.create("s", database: Self.database)
        let end = try fixture.engine.currentLSN()
        for _ in 0..<3 {
            try store.read("s", confirms: true) { _, _ throws(StorageError) in .goOn }
        }
        #expect(try fixture.engine.currentLSN() == end)
        try fixture.put("a", "1")
        try store.read("s", confirms: true) { _, _ throws(StorageError) in .goOn }
        #expect(try keys(try store.poll("s")) == [])
    }

    /// Whoever has no room for an event ends before it; what it took is confirmed, and the event comes again.
    @Test func aReaderMayEndBeforeAnEvent() throws {
        let fixture = try EngineFixture()
        let store = ReplicationSlotStore(fixture.engine)
        try store.create("s", database: Self.database)
        for key in ["a", "b", "c"] { try fixture.put(key, "1") }
        var met = 0
        try store.read("s", confirms: true) { _, found throws(StorageError) in
            guard found.isNew, case .transaction = found.event else { return .goOn }
            met += 1
            // The first is the commit of the slot's own row.
            return met < 3 ? .goOn : .endBefore
        }
        #expect(met == 3)
        #expect(try keys(try store.poll("s")) == ["b", "c"])
    }

    @Test func aReaderThatFailsMovesNothing() throws {
        let fixture = try EngineFixture()
        let store = ReplicationSlotStore(fixture.engine)
        try store.create("s", database: Self.database)
        try fixture.put("a", "1")
        #expect(
            code {
                try store.read("s", confirms: true) { _, _ throws(StorageError) in
                    throw .invalidArgument("no")
                }
            } == .invalidArgument)
        #expect(try keys(try store.poll("s")) == ["a"])
    }

    @Test func whatMakesNoSlotIsRefused() throws {
        let fixture = try EngineFixture(options: bounded { $0.maximumSlots = 1 })
        let store = ReplicationSlotStore(fixture.engine)
        for name in ["", "A", "a-b", String(repeating: "a", count: 64)] {
            #expect(
                code { try store.create(name, database: Self.database) } == .invalidArgument)
        }
        let slot = try store.create("s", database: Self.database)
        #expect(code { try store.create("s", database: Self.database) } == .alreadyExists)
        #expect(code { try store.create("t", database: Self.database) } == .outOfMemory)
        #expect(code { try store.drop("t") } == .notFound)
        #expect(code { _ = try store.poll("t") } == .notFound)
        #expect(code { try store.advance("s", to: LSN(1)) } == .invalidArgument)
        #expect(try store.slot("s") == slot)
    }
}
