import FalconTestKit
import Synchronization
import Testing

@testable import FalconStorage

/// The world stops at every call of a workload that changes the disk; what a crash would leave there is
/// recovered and must hold every acknowledged commit, none in part, and none after a hole.
@Suite struct CrashSimulationTests {
    static let recoveries = SurvivalSettings.number("FALCON_CRASH_RECOVERIES", 6000)
    static let lanes = 2

    @Test(arguments: 0..<lanes)
    func acknowledgedCommitsSurviveEveryCrash(_ lane: Int) throws {
        var seed = SurvivalSettings.seed &+ UInt64(lane)
        var made = 0
        while made < Self.recoveries / Self.lanes {
            let run = CrashRun(seed: seed)
            try run.play()
            made += run.recoveries
            if let problem = run.problem {
                Issue.record("\(problem); \(SurvivalSettings.replay(seed))")
                return
            }
            SurvivalSettings.progress("crash: seed \(seed): \(made) recoveries")
            seed &+= UInt64(Self.lanes)
        }
    }
}

/// One workload, cut at every mutating call.
final class CrashRun: Sendable {
    static let policies: [CrashPolicy] = [
        .dropUnsynced, .keepUnsynced, .tear(sectorBytes: 512), .tear(sectorBytes: 4096), .reorder,
        .loseEntries,
    ]
    private struct Progress {
        var calls: UInt64 = 0
        var recoveries = 0
        var problem: String?
    }
    let seed: UInt64
    private let memory = MemoryFileSystem()
    private let options: EngineOptions
    private let progress = Mutex(Progress())

    init(seed: UInt64) {
        self.seed = seed
        options = SurvivalWorkload.options(seed)
    }

    var recoveries: Int { progress.withLock { $0.recoveries } }
    var problem: String? { progress.withLock { $0.problem } }

    func play() throws {
        let ledger = Mutex<CommitLedger?>(nil)
        let observed = ObservedFileSystem(memory) { [unowned self] operation, path in
            guard let ledger = ledger.withLock({ $0 }) else { return }
            cut(before: "\(operation.rawValue) \(path)", ledger)
        }
        let workload = try SurvivalWorkload(observed, options: options, seed: seed)
        ledger.withLock { $0 = workload.ledger }
        for _ in 0..<160 {
            try workload.step()
            if problem != nil { break }
        }
        ledger.withLock { $0 = nil }
        try workload.close()
        for (path, floor) in workload.checkpoints where problem == nil {
            attempt("checkpoint \(path)") {
                let survivor = memory.crashClone(.dropUnsynced)
                try open(survivor, path) { engine in
                    try LedgerCheck.verify(
                        engine, workload.ledger, from: floor, to: workload.ledger.count)
                }
            }
        }
    }

    /// Called by whatever thread of the engine is about to change the disk.
    private func cut(before call: String, _ ledger: CommitLedger) {
        let number = progress.withLock { progress in
            progress.calls += 1
            return progress.problem == nil ? progress.calls : 0
        }
        guard number > 0 else { return }
        var random = SplitMix64(seed: seed ^ (number &* 0x9E37_79B9))
        let policy = Self.policies[Int((number &+ seed) % UInt64(Self.policies.count))]
        // Read before the clone is made: what was promised by then must be in it.
        let before = ledger.bounds
        let survivor = memory.crashClone(policy, seed: random.next())
        let keepsWritten = policy == .keepUnsynced || policy == .loseEntries
        let floor = keepsWritten ? before.written : before.synced
        let kind = random.next() % 4
        attempt("call \(number), before \(call), \(policy)") {
            let ceiling = ledger.bounds.attempted
            if kind == 0 {
                try crashAgain(survivor, ledger, floor, ceiling, &random)
            } else {
                try recover(survivor, ledger, floor, ceiling, goesOn: kind == 1)
            }
        }
    }

    private func attempt(_ what: String, _ body: () throws -> Void) {
        do {
            try body()
            progress.withLock { $0.recoveries += 1 }
        } catch {
            progress.withLock { $0.problem = $0.problem ?? "\(what): \(error)" }
        }
    }

    @discardableResult
    private func open<R>(
        _ fileSystem: any FileSystem, _ path: String = "/db", _ body: (StorageEngine) throws -> R
    ) throws -> R {
        let engine = try StorageEngine.open(
            at: path, options: options,
            environment: StorageEnvironment(
                fileSystem: fileSystem, clock: ManualClock(), random: SystemRandom()))
        do {
            let result = try body(engine)
            try engine.close()
            return result
        } catch {
            try? engine.close()
            throw error
        }
    }

    /// Opens and looks; when it goes on, also writes and finds everything again the next time.
    private func recover(
        _ survivor: MemoryFileSystem, _ ledger: CommitLedger, _ floor: Int, _ ceiling: Int,
        goesOn: Bool
    ) throws {
        var expected = RowDigest()
        try open(survivor) { engine in
            let prefix = try LedgerCheck.verify(engine, ledger, from: floor, to: ceiling)
            guard goesOn else { return }
            expected = ledger.digest(after: prefix) ?? expected
            let batch = WriteBatch()
            try batch.put(key: bytes("after"), value: bytes("crash"))
            try engine.commitAndWait(batch)
            if prefix % 2 == 0 { try engine.flush() }
            expected.add(RowDigest.row("after", "crash"))
        }
        guard goesOn else { return }
        try open(survivor) { engine in
            if try LedgerCheck.read(engine).digest != expected {
                throw Mismatch("the next life lost what the recovered one held")
            }
        }
    }

    /// Cuts the recovery as well, then recovers what that leaves. What a recovery that ended has shown
    /// is durable.
    private func crashAgain(
        _ survivor: MemoryFileSystem, _ ledger: CommitLedger, _ floor: Int, _ ceiling: Int,
        _ random: inout SplitMix64
    ) throws {
        let policy = Self.policies[Int(random.next() % UInt64(Self.policies.count))]
        let target = random.next() % 40
        let cloneSeed = random.next()
        let calls = Mutex<UInt64>(0)
        let second = Mutex<MemoryFileSystem?>(nil)
        let observed = ObservedFileSystem(survivor) { _, _ in
            let isChosen = calls.withLock { calls in
                defer { calls += 1 }
                return calls == target
            }
            guard isChosen else { return }
            let clone = survivor.crashClone(policy, seed: cloneSeed)
            second.withLock { $0 = clone }
        }
        let engine = try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(
                fileSystem: observed, clock: ManualClock(), random: SystemRandom()))
        defer { try? engine.close() }
        let shown = try LedgerCheck.verify(engine, ledger, from: floor, to: ceiling)
        let wasCut = second.withLock { $0 != nil }
        let remains = second.withLock { $0 } ?? survivor.crashClone(policy, seed: cloneSeed)
        try open(remains) { again in
            let prefix = try LedgerCheck.verify(again, ledger, from: floor, to: ceiling)
            if !wasCut, prefix != shown {
                throw Mismatch("\(shown) commits were shown after recovery, \(prefix) survived it")
            }
        }
    }
}
