import Glibc
import Synchronization
import Testing

@testable import FalconStorage

/// A full disk refuses commits after a bounded wait, loses nothing, and is over when there is room.
@Suite struct DiskFullTests {
    private struct Full {
        let memory = MemoryFileSystem()
        let faulty: FaultInjectingFileSystem
        let engine: StorageEngine

        init(waitMicros: UInt64, _ change: (inout EngineOptions) -> Void = { _ in }) throws {
            faulty = FaultInjectingFileSystem(memory)
            var options = EngineOptions.small
            options.closedTimestampMicros = 0
            options.diskFullWaitMicros = waitMicros
            change(&options)
            engine = try StorageEngine.open(
                at: "/db", options: options,
                environment: StorageEnvironment(
                    fileSystem: faulty, clock: ManualClock(), random: SystemRandom()))
        }

        func fill(_ path: String) {
            faulty.setRule(
                FaultRule(
                    .operation(.write), pathContains: path, index: 0, count: .max, errno: 28))
        }
        func free() { faulty.setRule(nil) }

        func put(_ key: String, _ durability: Durability = .synced, bytes count: Int = 8) throws {
            let batch = WriteBatch()
            try batch.put(key: bytes(key), value: bytes(String(repeating: "v", count: count)))
            try engine.commitAndWait(batch, CommitOptions(durability: durability))
        }

        var controller: WriteController {
            get throws { try engine.writable().controller }
        }
    }

    /// Makes the log stall: a commit that nobody waits for meets the full disk.
    private func stall(_ full: Full) throws {
        full.fill("/wal/")
        try full.put("buffered", .buffered)
        // On this thread, as a commit would: meets the full disk and tells the controller.
        try full.engine.writable().wal.writePending()
        while try !full.controller.needsPacing { _ = try full.engine.writable().wal.writePending() }
    }

    @Test func aCommitOnAFullLogIsRefusedAndTheNextOneIsTaken() throws {
        let full = try Full(waitMicros: 0)
        defer { try? full.engine.close() }
        try full.put("first")
        try stall(full)
        let error = #expect(throws: StorageError.self) { try full.put("second") }
        #expect(error?.code == .diskFull && error?.kind == .retryable)
        #expect(try full.engine.value("second") == nil)
        #expect(full.engine.statistics().delayReason == .diskFull)
        full.free()
        // The log goes on by itself: a sync waits for it without another commit.
        try full.engine.writable().wal.sync()
        #expect(try !full.controller.needsPacing)
        try full.put("second")
        #expect(try full.engine.rows().count == 3)
    }

    @Test func callbackCommitsAreRefusedInOrder() async throws {
        let full = try Full(waitMicros: 0)
        defer { try? full.engine.close() }
        try stall(full)
        let engine = full.engine
        for index in 0..<5 {
            let batch = WriteBatch()
            try batch.put(key: bytes("k\(index)"), value: bytes("v"))
            let result = await withCheckedContinuation { continuation in
                engine.commit(batch, CommitOptions()) { continuation.resume(returning: $0) }
            }
            guard case .failure(let error) = result else {
                Issue.record("commit \(index) was taken")
                continue
            }
            #expect(error.code == .diskFull)
        }
        full.free()
    }

    /// A commit that is held back can be taken back, the one in front of it included.
    @Test func aHeldCommitIsTakenBack() throws {
        let full = try Full(waitMicros: 600_000_000)
        defer { try? full.engine.close() }
        try stall(full)
        let results = Mutex<[String: StorageErrorCode?]>([:])
        var tickets: [CommitTicket] = []
        for key in ["a", "b", "c"] {
            let batch = WriteBatch()
            try batch.put(key: bytes(key), value: bytes("v"))
            let ticket = full.engine.commit(batch, CommitOptions()) { result in
                var code: StorageErrorCode?
                if case .failure(let error) = result { code = error.code }
                results.withLock { $0[key] = code }
            }
            tickets.append(try #require(ticket))
        }
        tickets[1].cancel()
        #expect(results.withLock { $0["b"] } == .cancelled)
        tickets[0].cancel()
        #expect(results.withLock { $0["a"] } == .cancelled)
        full.free()
        while results.withLock({ $0.count }) < 3 { sched_yield() }
        #expect(results.withLock { $0["c"] } == .some(nil))
        // Too late: without effect.
        tickets[2].cancel()
        #expect(try full.engine.value("a") == nil && full.engine.value("c") != nil)
    }

    /// What the log holds and cannot write cannot be taken back, only left: a close does not wait.
    @Test func ordersThatCannotBeWrittenAreAbandoned() async throws {
        let full = try Full(waitMicros: 600_000_000)
        try full.put("acknowledged")
        full.fill("/wal/")
        let batch = WriteBatch()
        try batch.put(key: bytes("unknown"), value: bytes("v"))
        let engine = full.engine
        let result = await withCheckedContinuation { continuation in
            engine.commit(batch, CommitOptions()) { continuation.resume(returning: $0) }
            while engine.statistics().delayReason != .diskFull { sched_yield() }
            engine.abandonStalledCommits()
        }
        guard case .failure(let error) = result else {
            Issue.record("the commit was acknowledged")
            return
        }
        #expect(error.code == .commitOutcomeUnknown)
        #expect(throws: StorageError.self) { try engine.close() }
        let again = try StorageEngine.open(
            at: "/db", options: .small,
            environment: StorageEnvironment(
                fileSystem: full.memory, clock: ManualClock(), random: SystemRandom()))
        #expect(try again.value("acknowledged") != nil)
        try again.close()
    }

    /// A commit that waits within its bound goes through once there is room.
    @Test func aWaitingCommitGoesOnWhenThereIsRoom() throws {
        let full = try Full(waitMicros: 600_000_000)
        defer { try? full.engine.close() }
        try stall(full)
        let outcome = Mutex<Bool?>(nil)
        let waiter = try WorkerThread(name: "waiter") {
            let isTaken = (try? full.put("waiting")) != nil
            outcome.withLock { $0 = isTaken }
        }
        full.free()
        waiter.join()
        #expect(outcome.withLock { $0 } == true)
        #expect(try full.engine.value("waiting") != nil)
    }

    /// Flushes fail, memtables pile up: the stop is bounded, too.
    @Test func aStopByFailedFlushesIsRefused() throws {
        let full = try Full(waitMicros: 0) {
            $0.memtableBytes = 4096
            $0.maximumImmutableMemtables = 1
        }
        defer { try? full.engine.close() }
        full.fill(".sst")
        var refused: StorageError?
        var taken = 0
        for index in 0..<2000 where refused == nil {
            do {
                try full.put("k\(index)", .buffered, bytes: 400)
                taken += 1
            } catch let error as StorageError {
                refused = error
            }
        }
        #expect(refused?.code == .diskFull)
        full.free()
        try full.engine.flush()
        try full.put("after")
        #expect(try full.engine.rows().count == taken + 1)
    }

    @Test func aLargeTransactionIsRefusedBetweenItsParts() throws {
        let full = try Full(waitMicros: 0) { $0.batchPartBytes = 1 << 20 }
        try full.put("first")
        full.fill("/wal/")
        let batch = WriteBatch()
        for index in 0..<40 {
            try batch.put(
                key: bytes("k\(index)"), value: bytes(String(repeating: "v", count: 1 << 20)))
        }
        let error = #expect(throws: StorageError.self) { try full.engine.commitAndWait(batch) }
        #expect(error?.code == .diskFull && error?.kind == .retryable)
        #expect(try full.engine.rows().count == 1)
        full.free()
        try full.engine.writable().wal.sync()
        try full.put("second")
        try full.engine.close()
        // Its parts are in the log, without a COMMIT.
        let engine = try StorageEngine.open(
            at: "/db", options: .small,
            environment: StorageEnvironment(
                fileSystem: full.memory, clock: ManualClock(), random: SystemRandom()))
        #expect(try engine.rows().count == 2)
        try engine.close()
    }
}
