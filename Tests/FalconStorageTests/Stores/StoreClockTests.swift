import Testing

@testable import FalconStorage

/// What the stores keep for a time is kept for that time, whatever happens to the system's clock: it may be behind for a
/// while, as before a machine has asked for the time, or far ahead.
@Suite struct StoreClockTests {
    private static let hour: UInt64 = 3_600_000_000
    private static let day: UInt64 = 24 * hour

    /// An engine that has seen a commit by the right clock.
    private func fixture(_ change: (inout EngineOptions) -> Void = { _ in }) throws -> EngineFixture
    {
        var options = EngineOptions.small
        options.closedTimestampMicros = 0
        change(&options)
        let fixture = try EngineFixture(options: options)
        try fixture.put("before", "1")
        return fixture
    }

    /// Runs `body` while the clock is behind: by a day, or at its beginning, as after a reset.
    private func behind(
        _ fixture: EngineFixture, toBeginning: Bool, _ body: () throws -> Void
    ) throws {
        let wall = fixture.clock.wallMicros()
        fixture.clock.setWall(micros: toBeginning ? 0 : wall - Self.day)
        try body()
        fixture.clock.setWall(micros: wall + 1000)
    }

    /// Runs `body` while the clock is ten days ahead and nobody has said that it is right.
    private func ahead<R>(_ fixture: EngineFixture, _ body: () throws -> R) throws -> R {
        let wall = fixture.clock.wallMicros()
        fixture.clock.setWall(micros: wall + 10 * Self.day)
        defer { fixture.clock.setWall(micros: wall) }
        return try body()
    }

    @Test(arguments: [false, true], [false, true])
    func aRequestIsNotRunTwice(toBeginning: Bool, reopens: Bool) throws {
        let fixture = try fixture()
        var options = IdempotencyOptions()
        options.lifetimeMicros = Self.hour
        func run(_ key: String) throws -> Bool {
            try IdempotencyStore(fixture.engine, options).run(key, request: key) {
                batch throws(StorageError) in
                try batch.put("effect of \(key)", "1")
                return [1]
            }.isReplay
        }
        try behind(fixture, toBeginning: toBeginning) {
            if reopens { try fixture.reopen() }
            #expect(try !run("k"))
            #expect(try run("k"))
        }
        #expect(try IdempotencyStore(fixture.engine, options).collect() == 0)
        #expect(try run("k"), "it ran again once the clock was right")
        #expect(try IdempotencyStore(fixture.engine, options).result(of: "k") == [1])
        let early = try ahead(fixture) {
            try IdempotencyStore(fixture.engine, options).collect()
        }
        #expect(early == 0)
        let isReplay = try ahead(fixture) { try run("k") }
        #expect(isReplay, "it ran again while the clock was ahead")
        // It does expire: by the clock, and once somebody says that the clock is right.
        fixture.clock.advance(micros: 2 * Self.hour)
        if reopens { fixture.engine.confirmClockJump() }
        #expect(try IdempotencyStore(fixture.engine, options).result(of: "k") == nil)
        #expect(try IdempotencyStore(fixture.engine, options).collect() == 1)
        #expect(try !run("k"))
    }

    /// An engine that was idle for long before the clock was reset: the log was closed at the right time.
    @Test func aRestartByAWrongClockKeepsTheTime() throws {
        let fixture = try fixture()
        fixture.clock.advance(micros: 5 * Self.hour)
        try fixture.engine.close()
        var options = IdempotencyOptions()
        options.lifetimeMicros = Self.hour
        var runs = 0
        func run() throws {
            _ = try IdempotencyStore(fixture.engine, options).run("k", request: "r") {
                _ throws(StorageError) in
                runs += 1
                return []
            }
        }
        try behind(fixture, toBeginning: true) {
            try fixture.reopen()
            try run()
        }
        try run()
        #expect(runs == 1)
    }

    @Test(arguments: [false, true])
    func aDecisionIsNotForgottenEarly(toBeginning: Bool) throws {
        let fixture = try fixture()
        let store = TransactionOutcomeStore(fixture.engine)
        let transaction = UID(high: 1, low: 2)
        try behind(fixture, toBeginning: toBeginning) {
            try store.prepare(transaction, participants: [])
            try store.decide(transaction, commits: true)
        }
        #expect(try store.collect(olderThanMicros: Self.hour) == 0)
        let early = try ahead(fixture) { try store.collect(olderThanMicros: Self.hour) }
        #expect(early == 0)
        #expect(try store.outcome(of: transaction)?.state == .committed)
        fixture.clock.advance(micros: 2 * Self.hour)
        #expect(try store.collect(olderThanMicros: Self.hour) == 1)
    }

    @Test(arguments: [false, true])
    func aStatusIsNotForgottenEarly(toBeginning: Bool) throws {
        let fixture = try fixture()
        let store = TransactionStatusStore(fixture.engine)
        let number = fixture.engine.allocateTransactionID()
        try behind(fixture, toBeginning: toBeginning) {
            let batch = WriteBatch()
            try store.note(number, in: batch)
            try fixture.engine.commitAndWait(batch, CommitOptions(transactionID: number))
        }
        #expect(try store.collect(olderThanMicros: Self.hour, keeping: 10) == 0)
        let early = try ahead(fixture) {
            try store.collect(olderThanMicros: Self.hour, keeping: 10)
        }
        #expect(early == 0)
        guard case .committed = try store.status(of: number) else {
            Issue.record("the transaction is forgotten")
            return
        }
        fixture.clock.advance(micros: 2 * Self.hour)
        #expect(try store.collect(olderThanMicros: Self.hour, keeping: 10) == 1)
    }

    @Test(arguments: [false, true])
    func anAuditEntryIsKeptForItsTime(toBeginning: Bool) throws {
        let fixture = try fixture()
        var options = AuditOptions()
        options.maximumAgeMicros = Self.hour
        let audit = TransactionAuditLog(fixture.engine, options)
        try behind(fixture, toBeginning: toBeginning) { try fixture.put("k", "1") }
        // The second looks at what the first has taken in.
        try audit.advance()
        try audit.advance()
        #expect(try audit.entries().map(\.operationCount) == [1, 1])
        _ = try ahead(fixture) { try audit.advance() }
        #expect(try audit.entries().count == 2)
        fixture.clock.advance(micros: 2 * Self.hour)
        try audit.advance()
        #expect(try audit.entries().isEmpty)
    }

    /// Not even by a clock that was at its beginning when the engine was opened.
    @Test(arguments: [false, true], [false, true])
    func aSlotIsNotGivenUpEarly(toBeginning: Bool, reopens: Bool) throws {
        let fixture = try fixture { $0.slots.maximumAgeMicros = Self.hour }
        func store() -> ReplicationSlotStore { ReplicationSlotStore(fixture.engine) }
        try store().create("old", database: DatabaseID(0))
        // Nobody uses it any more; what is younger than its age is only the open.
        if reopens { try store().create("idle", database: DatabaseID(0)) }
        fixture.clock.advance(micros: Self.hour - 1000)
        try fixture.put("later", "1")
        try behind(fixture, toBeginning: toBeginning) {
            if reopens { try fixture.reopen() }
            _ = try store().poll("old")
            try store().create("s", database: DatabaseID(0))
        }
        fixture.clock.advance(micros: 5000)
        #expect(try store().maintain().isEmpty)
        let early = try ahead(fixture) { try store().maintain() }
        #expect(early.isEmpty)
        #expect(try store().list().allSatisfy { $0.loss == nil })
        fixture.clock.advance(micros: 2 * Self.hour)
        if reopens { fixture.engine.confirmClockJump() }
        let names = (reopens ? ["idle"] : []) + ["old", "s"]
        #expect(try store().maintain().map(\.name) == names)
    }

    /// No reading of the clock stops the engine or makes a commit older than the one before.
    @Test func commitsRiseByAnyClock() throws {
        let fixture = try fixture()
        let wall = fixture.clock.wallMicros()
        var newest = fixture.engine.publishedTimestamp
        let readings: [UInt64] = [
            0, 1, .max, Timestamp.epochMicrosSince1970 - 1, .max - 1, wall, 1 << 63, 0, wall + 1,
        ]
        for (number, reading) in readings.enumerated() {
            fixture.clock.setWall(micros: reading)
            let receipt = try fixture.put("k", "\(number)")
            #expect(receipt.timestamp > newest, "clock at \(reading)")
            newest = receipt.timestamp
            #expect(try fixture.get("k") == "\(number)")
            #expect(try IdempotencyStore(fixture.engine).result(of: "none") == nil)
            if reading <= wall { try fixture.engine.flush() }
        }
        // None of them was believed.
        #expect(newest.microsSince1970 < wall + Self.hour)
        fixture.clock.setWall(micros: 0)
        try fixture.reopen()
        #expect(try fixture.get("k") == "\(readings.count - 1)")
        #expect(try fixture.put("k", "again").timestamp > newest)
    }
}
