import Glibc
import Synchronization
import Testing

@testable import FalconStorage

@Suite struct TransactionOutcomeStoreTests {
    private func code(_ body: () throws -> Void) -> StorageErrorCode? {
        do {
            try body()
            return nil
        } catch { return (error as? StorageError)?.code }
    }

    private func id(_ number: Int) -> UID { UID(high: 7, low: UInt64(number)) }

    @Test func outcomesAreDecidedOnce() throws {
        let fixture = try EngineFixture()
        let store = TransactionOutcomeStore(fixture.engine)
        #expect(try store.outcome(of: id(1)) == nil)
        #expect(code { _ = try store.decide(id(1), commits: true) } == .notFound)
        try store.prepare(id(1), participants: [1, 2])
        try store.prepare(id(2), participants: [3])
        #expect(code { try store.prepare(id(1), participants: []) } == .alreadyExists)
        #expect(try store.prepared().map(\.transaction) == [id(1), id(2)])
        #expect(try store.prepared(limit: 1).count == 1)
        let batch = WriteBatch()
        try batch.put("row", "1")
        #expect(try store.decide(id(1), commits: true, with: batch) != nil)
        #expect(try fixture.get("row") == "1")
        #expect(try store.decide(id(1), commits: true) == nil)
        #expect(code { _ = try store.decide(id(1), commits: false) } == .alreadyExists)
        #expect(code { try store.prepare(id(1), participants: []) } == .alreadyExists)
        try fixture.reopen()
        let again = TransactionOutcomeStore(fixture.engine)
        let outcome = try again.outcome(of: id(1))
        #expect(outcome?.state == .committed && outcome?.participants == [1, 2])
        #expect(try again.prepared().map(\.transaction) == [id(2)])
        try again.decide(id(2), commits: false)
        #expect(try again.outcome(of: id(2))?.state == .aborted)
        #expect(try again.prepared().isEmpty)
    }

    @Test func aPayloadIsKeptUntilTheDecision() throws {
        let fixture = try EngineFixture()
        var store = TransactionOutcomeStore(fixture.engine)
        let parts = (0..<3).map { Array(repeating: UInt8($0), count: 10) }
        try store.prepare(id(1), participants: [1], payload: parts)
        #expect(try fixture.rows().count == 4)
        try fixture.reopen()
        store = TransactionOutcomeStore(fixture.engine)
        #expect(try store.outcome(of: id(1))?.payloadParts == 3)
        #expect(try store.payload(of: id(1)) == parts.flatMap { $0 })
        try store.decide(id(1), commits: true)
        #expect(try store.payload(of: id(1)).isEmpty)
        #expect(try store.outcome(of: id(1))?.participants == [1])
        #expect(try fixture.rows().count == 2)
    }

    /// What failed leaves the caller's batch as it was.
    @Test func aFailedCallLeavesTheBatchAlone() throws {
        let fixture = try EngineFixture()
        try TransactionOutcomeStore(fixture.engine).prepare(id(1), participants: [])
        var options = EngineOptions.small
        options.isReadOnly = true
        let reader = try StorageEngine.open(
            at: "/db", options: options, environment: fixture.environment)
        defer { try? reader.close() }
        let store = TransactionOutcomeStore(reader)
        let batch = WriteBatch()
        try batch.put("row", "1")
        #expect(code { _ = try store.decide(id(1), commits: true, with: batch) } == .readOnly)
        #expect(batch.operationCount == 1)
        #expect(
            code { try store.prepare(id(2), participants: [], with: batch) } == .readOnly)
        #expect(batch.operationCount == 1)
    }

    @Test func withoutWaitingItIsTheSame() throws {
        let fixture = try EngineFixture()
        let store = TransactionOutcomeStore(fixture.engine)
        let batch = WriteBatch()
        try batch.put("row", "1")
        func decide(_ transaction: UID, commits: Bool) throws -> StorageErrorCode? {
            let result = Mutex<Result<CommitReceipt, StorageError>?>(nil)
            _ = store.decide(transaction, commits: commits, with: batch, .init()) { answer in
                result.withLock { $0 = answer }
            }
            while result.withLock({ $0 == nil }) { sched_yield() }
            return code { _ = try result.withLock { $0 }?.get() }
        }
        #expect(try decide(id(1), commits: true) == .notFound)
        #expect(batch.operationCount == 1)
        let isPrepared = Mutex(false)
        _ = store.prepare(
            id(1), participants: [], payload: [[7]], with: WriteBatch(), .init()
        ) { result in
            if case .success = result { isPrepared.withLock { $0 = true } }
        }
        while !isPrepared.withLock({ $0 }) { sched_yield() }
        #expect(try fixture.get("row") == nil)
        #expect(try decide(id(1), commits: true) == nil)
        #expect(try fixture.get("row") == "1")
        #expect(try store.outcome(of: id(1))?.state == .committed)
        #expect(try decide(id(1), commits: true) == .alreadyExists)
    }

    @Test func onlyWhatIsDecidedLongAgoIsForgotten() throws {
        let fixture = try EngineFixture()
        let store = TransactionOutcomeStore(fixture.engine)
        for number in 0..<4 {
            try store.prepare(id(number), participants: [])
            fixture.clock.advance(micros: 10)
            if number < 3 { try store.decide(id(number), commits: number == 1) }
        }
        #expect(try store.collect(olderThanMicros: 25) == 1)
        #expect(try store.outcome(of: id(0)) == nil)
        #expect(try store.outcome(of: id(1))?.state == .committed)
        fixture.clock.advance(micros: 1_000_000)
        #expect(try store.collect(olderThanMicros: 0, limit: 1) == 1)
        #expect(try store.collect(olderThanMicros: 0) == 1)
        #expect(try store.collect(olderThanMicros: 0) == 0)
        #expect(try store.prepared().map(\.transaction) == [id(3)])
        #expect(try fixture.rows().count == 1)
    }

    @Test func aCrashKeepsWhatWasDecided() throws {
        let crashes = StoreCrashes()
        let steps = Mutex(0)
        let engine = try crashes.open(floor: { steps.withLock { $0 } }) { [self] engine, floor in
            let store = TransactionOutcomeStore(engine)
            for number in 0..<30 {
                let outcome = try store.outcome(of: id(number))
                let effect = try engine.get("effect \(number)")
                if floor > 2 * number, outcome == nil { throw Mismatch("\(number) is lost") }
                if floor > 2 * number + 1, outcome?.state == .prepared {
                    throw Mismatch("the decision of \(number) is lost")
                }
                if (outcome?.state == .committed) != (effect != nil) {
                    throw Mismatch("\(number) is torn")
                }
            }
        }
        let store = TransactionOutcomeStore(engine)
        for number in 0..<30 {
            try store.prepare(
                id(number), participants: Array(repeating: UInt8(number), count: 200))
            steps.withLock { $0 += 1 }
            let batch = WriteBatch()
            if number % 3 > 0 { try batch.put("effect \(number)", "1") }
            try store.decide(id(number), commits: number % 3 > 0, with: batch)
            steps.withLock { $0 += 1 }
        }
        crashes.finish()
        try engine.close()
        #expect(crashes.problem == nil)
        #expect(crashes.checked > 40)
    }
}
