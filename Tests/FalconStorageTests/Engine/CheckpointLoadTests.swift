import Testing

@testable import FalconStorage

/// Checkpoints that are made while everything else goes on.
@Suite struct CheckpointLoadTests {
    /// Each copy is what the engine held after some commit, none before those that were told when the call began; it
    /// is durable, and an engine of its own.
    @Test(arguments: [false, true], [1, 2] as [UInt64])
    func aCopyIsTheStateAfterOneCommit(encrypted: Bool, seed: UInt64) throws {
        let load = try LoadedEngine(encrypted: encrypted, seed: seed)
        do {
            for number in 0..<6 {
                try load.letPass(40)
                let path = "/checkpoint\(number)"
                let floor = load.acknowledgedCount
                try load.engine.checkpoint(to: path)
                let ceiling = load.ledger.count
                try check(load, path, floor...ceiling)
            }
        } catch { Issue.record("encrypted \(encrypted), seed \(seed): \(error)") }
        try load.stop()
        // The original knows nothing of its copies.
        let count = load.ledger.count
        try LedgerCheck.verify(load.engine, load.ledger, from: count, to: count)
        try load.engine.close()
    }

    private func check(
        _ load: LoadedEngine, _ path: String, _ commits: ClosedRange<Int>
    ) throws {
        let survivor = load.memory.crashClone(.dropUnsynced)
        let environment = StorageEnvironment(
            fileSystem: survivor, clock: ManualClock(), random: SystemRandom())
        func open() throws -> StorageEngine {
            try StorageEngine.open(at: path, options: load.options, environment: environment)
        }
        let copy = try open()
        let prefix = try LedgerCheck.verify(
            copy, load.ledger, from: commits.lowerBound, to: commits.upperBound)
        // It goes on by itself, from where it is.
        let batch = WriteBatch()
        try batch.put("after", "the copy")
        try copy.commitAndWait(batch)
        try copy.compact()
        try copy.close()
        let again = try open()
        var expected = load.ledger.digest(after: prefix) ?? RowDigest()
        expected.add(RowDigest.row("after", "the copy"))
        if try LedgerCheck.read(again).digest != expected {
            throw Mismatch("the copy's next life lost rows")
        }
        try again.close()
    }

    /// What is not made whole is not left in part, and the place is free for the next try.
    @Test(arguments: [false, true])
    func aCheckpointThatFailsLeavesNothing(encrypted: Bool) throws {
        let memory = MemoryFileSystem()
        let faults = FaultInjectingFileSystem(memory)
        let environment = StorageEnvironment(
            fileSystem: faults, clock: ManualClock(), random: SystemRandom())
        let options = LoadedEngine.options(encrypted: encrypted)
        let engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
        let rows = (0..<40).map { ("k\(100 + $0)", EngineFixture.large("\($0)")) }
        let batch = WriteBatch()
        for (key, value) in rows { try batch.put(key, value) }
        try engine.commitAndWait(batch)
        var failures = 0
        while true {
            faults.setRule(
                FaultRule(.mutating, pathContains: "/copy", index: failures, errno: 5))
            do throws(StorageError) {
                try engine.checkpoint(to: "/copy")
                break
            } catch {
                #expect([.io, .poisoned].contains(error.code), "call \(failures): \(error)")
                #expect(try !memory.exists("/copy"), "call \(failures)")
            }
            failures += 1
            try #require(failures < 500)
        }
        #expect(failures > 10)
        faults.setRule(nil)
        let taken = #expect(throws: StorageError.self) { try engine.checkpoint(to: "/copy") }
        #expect(taken?.code == .alreadyExists)
        let copy = try StorageEngine.open(at: "/copy", options: options, environment: environment)
        let expected = rows.map { $0.0 + "=" + $0.1 }
        #expect(try copy.rows() == expected)
        #expect(try engine.rows() == expected)
        try copy.close()
        try engine.close()
    }
}
