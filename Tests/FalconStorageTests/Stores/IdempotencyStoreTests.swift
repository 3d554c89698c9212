import Synchronization
import Testing

@testable import FalconStorage

@Suite struct IdempotencyStoreTests {
    private func code(_ body: () throws -> Void) -> StorageErrorCode? {
        do {
            try body()
            return nil
        } catch { return (error as? StorageError)?.code }
    }

    @Test func aRequestRunsOnce() throws {
        let fixture = try EngineFixture()
        let store = IdempotencyStore(fixture.engine)
        var runs = 0
        func pay(_ key: String, _ request: String) throws -> IdempotencyStore.Answer {
            try store.run(key, request: request) { batch throws(StorageError) in
                runs += 1
                try batch.put("paid/\(key)", request)
                return Array("receipt \(runs)".utf8)
            }
        }
        #expect(try store.result(of: "k1") == nil)
        #expect(try pay("k1", "10 to b") == .init(result: Array("receipt 1".utf8), isReplay: false))
        #expect(try pay("k1", "10 to b") == .init(result: Array("receipt 1".utf8), isReplay: true))
        #expect(code { _ = try pay("k1", "99 to b") } == .idempotencyConflict)
        #expect(try pay("k2", "10 to b").isReplay == false)
        #expect(runs == 2)
        try fixture.reopen()
        let again = IdempotencyStore(fixture.engine)
        #expect(try again.result(of: "k1") == Array("receipt 1".utf8))
        #expect(try fixture.get("paid/k1") == "10 to b")
    }

    @Test func aResultMayBeKeptForEver() throws {
        let fixture = try EngineFixture()
        var options = IdempotencyOptions()
        options.lifetimeMicros = .max
        let store = IdempotencyStore(fixture.engine, options)
        var runs = 0
        for _ in 0..<3 {
            _ = try store.run("k", request: "r") { _ throws(StorageError) in
                runs += 1
                return []
            }
            fixture.clock.advance(micros: 1 << 50)
            try store.collect()
        }
        #expect(runs == 1)
    }

    @Test func aRequestUnderWayIsNotRunAgain() throws {
        let fixture = try EngineFixture()
        let store = IdempotencyStore(fixture.engine)
        var inner: StorageErrorCode?
        _ = try store.run("k", request: "r") { batch throws(StorageError) in
            inner = self.code {
                _ = try store.run("k", request: "r") { _ throws(StorageError) in [] }
            }
            // One that fails leaves nothing behind.
            let failed = self.code {
                _ = try store.run("other", request: "r") { batch throws(StorageError) in
                    try batch.put("effect", "1")
                    throw .invalidArgument("no")
                }
            }
            #expect(failed == .invalidArgument)
            try batch.put("done", "1")
            return [1]
        }
        #expect(inner == .inUse)
        #expect(try store.result(of: "other") == nil && fixture.get("effect") == nil)
        #expect(
            try store.run("other", request: "r") { _ throws(StorageError) in [2] }.result == [2])
    }

    @Test func resultsExpireAndAreCollected() throws {
        let fixture = try EngineFixture()
        var options = IdempotencyOptions()
        options.lifetimeMicros = 1000
        options.maximumEntries = 3
        let store = IdempotencyStore(fixture.engine, options)
        func run(_ key: String) throws -> Bool {
            try store.run(key, request: key) { _ throws(StorageError) in [] }.isReplay
        }
        #expect(try !run("a"))
        fixture.clock.advance(micros: 600)
        #expect(try run("a") && !run("b"))
        fixture.clock.advance(micros: 600)
        // a has expired: it runs again, and its first expiry must not take the second result away.
        #expect(try store.result(of: "a") == nil && !run("a"))
        #expect(try store.collect() == 1)
        #expect(try run("a") && run("b"))
        for key in ["c", "d", "e"] {
            fixture.clock.advance(micros: 1)
            #expect(try !run(key))
        }
        #expect(try store.collect() == 2)
        #expect(try store.result(of: "b") == nil && store.result(of: "a") == nil)
        #expect(try store.result(of: "c") != nil)
        fixture.clock.advance(micros: 5000)
        #expect(try store.collect() == 3)
        #expect(try fixture.rows() == [])
    }

    @Test func whatIsTooLongIsRefused() throws {
        let fixture = try EngineFixture()
        var options = IdempotencyOptions()
        options.maximumKeyBytes = 4
        options.maximumResultBytes = 2
        let store = IdempotencyStore(fixture.engine, options)
        func run(_ key: String, _ result: [UInt8]) throws {
            _ = try store.run(key, request: "") { batch throws(StorageError) in
                try batch.put("effect", "1")
                return result
            }
        }
        #expect(code { try run("", []) } == .invalidArgument)
        #expect(code { try run("12345", []) } == .invalidArgument)
        #expect(code { try run("1234", [1, 2, 3]) } == .invalidArgument)
        #expect(try fixture.rows() == [])
        try run("1234", [1, 2])
    }

    @Test func aCrashLeavesResultAndEffectOrNeither() throws {
        let crashes = StoreCrashes()
        let acknowledged = Mutex(0)
        let engine = try crashes.open(floor: { acknowledged.withLock { $0 } }) { engine, floor in
            let store = IdempotencyStore(engine)
            for number in 0..<48 {
                let result = try store.result(of: "key \(number)")
                let effect = try engine.get("effect \(number)")
                if result != effect {
                    throw Mismatch("request \(number): \(result ?? []) and \(effect ?? [])")
                }
                if number < floor, result == nil { throw Mismatch("request \(number) is lost") }
            }
        }
        let store = IdempotencyStore(engine)
        for number in 0..<48 {
            let filler = String(repeating: "\(number)", count: 150)
            _ = try store.run("key \(number)", request: filler) { batch throws(StorageError) in
                try batch.put("effect \(number)", filler)
                return Array(filler.utf8)
            }
            acknowledged.withLock { $0 = number + 1 }
            if number % 16 == 15 { try engine.compact() }
        }
        crashes.finish()
        try engine.close()
        #expect(crashes.problem == nil)
        #expect(crashes.checked > 50)
    }
}
