import Testing

@testable import FalconStorage

/// A workload that notes what it was told, for the engine's promises to be checked after a crash.
///
/// Commit `n` writes `n/a`, `n/b` and the shared key `last`; so a commit that is there in part, or
/// without its predecessors, shows.
final class CrashWorkload {
    struct Acknowledged {
        var index: Int
        var durability: Durability
    }
    private(set) var acknowledged: [Acknowledged] = []
    private var next = 0
    private let fileSystem: any FileSystem
    private let clock = ManualClock()
    let options: EngineOptions

    init(_ fileSystem: any FileSystem, options: EngineOptions = .crashing) {
        self.fileSystem = fileSystem
        self.options = options
    }

    private var environment: StorageEnvironment {
        StorageEnvironment(fileSystem: fileSystem, clock: clock, random: SystemRandom())
    }

    /// Runs until the end or the first error.
    func run() {
        do {
            for life in 0..<2 {
                let engine = try StorageEngine.open(
                    at: "/db", options: options, environment: environment)
                do {
                    for step in 0..<24 {
                        try commit(engine)
                        if step == 9 { try engine.flush() }
                        if step == 17, life == 1 { try engine.compact() }
                    }
                } catch {
                    try? engine.close()
                    throw error
                }
                // A close that fails may lose what was only buffered: the next life would show a hole.
                try engine.close()
            }
        } catch {}
    }

    private func commit(_ engine: StorageEngine) throws {
        let index = next
        let batch = WriteBatch()
        try batch.put(key: bytes("\(index)/a"), value: bytes("\(index)"))
        try batch.put(key: bytes("last"), value: bytes("\(index)"))
        let padding = String(repeating: "p", count: 900)
        try batch.put(key: bytes("\(index)/b"), value: bytes("\(index)" + padding))
        if index % 5 == 4 { try batch.delete(key: bytes("\(index - 2)/extra")) }
        if index % 5 == 2 { try batch.put(key: bytes("\(index)/extra"), value: bytes("x")) }
        let durability: Durability = [.synced, .written, .synced, .buffered][index % 4]
        next += 1
        try engine.commitAndWait(batch, CommitOptions(durability: durability))
        acknowledged.append(Acknowledged(index: index, durability: durability))
    }

    var attempted: Int { next }
}

extension EngineOptions {
    static var crashing: EngineOptions {
        var options = EngineOptions.small
        options.memtableBytes = 16 << 10
        options.targetFileBytes = 8 << 10
        options.level0CompactionTrigger = 2
        options.level0SlowdownTrigger = 100
        options.level0StopTrigger = 200
        return options
    }
}

/// Opens what a crash left and checks it against what was acknowledged; nil when all is well.
func checkSurvivor(
    _ survivor: MemoryFileSystem, _ workload: CrashWorkload, floor: Durability
) throws -> String? {
    let environment = StorageEnvironment(
        fileSystem: survivor, clock: ManualClock(), random: SystemRandom())
    let engine = try StorageEngine.open(
        at: "/db", options: workload.options, environment: environment)
    defer { try? engine.close() }
    var present = 0
    while try engine.value("\(present)/a") != nil { present += 1 }
    for index in 0..<workload.attempted {
        let first = try engine.value("\(index)/a")
        let second = try engine.value("\(index)/b")
        if (first != nil) != (second != nil) { return "commit \(index) is there in part" }
        if (first != nil) != (index < present) { return "commit \(index) is there after a hole" }
        if let first, first != "\(index)" { return "commit \(index) holds \(first)" }
    }
    let last = try engine.value("last")
    if present > 0, last != "\(present - 1)" {
        return "the shared key is from commit \(last ?? "none"), not \(present - 1)"
    }
    for told in workload.acknowledged
    where told.durability.rawValue >= floor.rawValue && told.index >= present {
        return "acknowledged \(told.durability) commit \(told.index) of \(present) is lost"
    }
    let rows = try engine.rows()
    let expected = 2 * present + (present > 0 ? 1 : 0) + extras(present)
    if rows.count != expected { return "\(rows.count) rows instead of \(expected)" }
    // Life goes on: what is written now is there next time.
    let batch = WriteBatch()
    try batch.put(key: bytes("after"), value: bytes("crash"))
    try engine.commitAndWait(batch)
    try engine.flush()
    try engine.close()
    let again = try StorageEngine.open(
        at: "/db", options: workload.options, environment: environment)
    defer { try? again.close() }
    if try again.rows().count != rows.count + 1 { return "the second reopening lost rows" }
    return nil
}

/// Commit n with n % 5 == 2 adds `n/extra`, and commit n + 2 deletes it.
private func extras(_ present: Int) -> Int {
    (0..<present).filter { $0 % 5 == 2 && $0 + 2 >= present }.count
}

@Suite struct CrashTests {
    /// Stops the world at every n-th mutating call, under every policy of what survives.
    @Test(arguments: [
        CrashPolicy.dropUnsynced, .keepUnsynced, .reorder, .tear(sectorBytes: 512),
    ])
    func acknowledgedCommitsSurviveACrashAnywhere(_ policy: CrashPolicy) throws {
        // Every call under the strictest policy, a third of them under the others.
        let stride = policy == .dropUnsynced ? 1 : 3
        var index = 0
        var recoveries = 0
        while true {
            let memory = MemoryFileSystem()
            let faulty = FaultInjectingFileSystem(
                memory,
                rule: FaultRule(.mutating, index: index, count: .max, errno: 5))
            let workload = CrashWorkload(faulty)
            workload.run()
            let wasCut = faulty.injectedCount > 0
            let survivor = memory.crashClone(policy, seed: UInt64(index))
            let floor: Durability = policy == .keepUnsynced ? .written : .synced
            do {
                if let problem = try checkSurvivor(survivor, workload, floor: floor) {
                    Issue.record("\(policy) at call \(index): \(problem)")
                    return
                }
            } catch {
                Issue.record("\(policy) at call \(index): recovery failed: \(error)")
                return
            }
            recoveries += 1
            if !wasCut { break }
            index += stride
        }
        #expect(recoveries > 50)
    }

    /// The same with every transaction logged in parts: those without their COMMIT are dropped.
    @Test(arguments: [CrashPolicy.dropUnsynced, .keepUnsynced, .tear(sectorBytes: 512)])
    func transactionsInPartsSurviveWholeOrNotAtAll(_ policy: CrashPolicy) throws {
        var options = EngineOptions.crashing
        options.batchPartBytes = 64
        var index = 0
        while true {
            let memory = MemoryFileSystem()
            let faulty = FaultInjectingFileSystem(
                memory, rule: FaultRule(.mutating, index: index, count: .max, errno: 5))
            let workload = CrashWorkload(faulty, options: options)
            workload.run()
            let wasCut = faulty.injectedCount > 0
            let survivor = memory.crashClone(policy, seed: UInt64(index))
            do {
                let floor: Durability = policy == .keepUnsynced ? .written : .synced
                if let problem = try checkSurvivor(survivor, workload, floor: floor) {
                    Issue.record("\(policy) at call \(index): \(problem)")
                    return
                }
            } catch {
                Issue.record("\(policy) at call \(index): recovery failed: \(error)")
                return
            }
            if !wasCut { break }
            index += 3
        }
        #expect(index > 50)
    }

    /// A crash in the middle of recovery, at every mutating call of it, then another recovery.
    @Test func recoveryIsIdempotent() throws {
        let memory = MemoryFileSystem()
        let faulty = FaultInjectingFileSystem(
            memory, rule: FaultRule(.mutating, index: 150, count: .max, errno: 5))
        let workload = CrashWorkload(faulty)
        workload.run()
        #expect(faulty.injectedCount > 0)
        let first = memory.crashClone(.reorder, seed: 7)
        var index = 0
        while true {
            let base = first.crashClone(.keepUnsynced)
            let cut = FaultInjectingFileSystem(
                base, rule: FaultRule(.mutating, index: index, count: .max, errno: 5))
            let environment = StorageEnvironment(
                fileSystem: cut, clock: ManualClock(), random: SystemRandom())
            let engine = try? StorageEngine.open(
                at: "/db", options: workload.options, environment: environment)
            let wasCut = cut.injectedCount > 0
            let second = base.crashClone(.tear(sectorBytes: 512), seed: UInt64(index))
            try? engine?.close()
            do {
                if let problem = try checkSurvivor(second, workload, floor: .synced) {
                    Issue.record("recovery cut at call \(index): \(problem)")
                    return
                }
            } catch {
                Issue.record("recovery cut at call \(index): \(error)")
                return
            }
            if !wasCut { break }
            index += 1
        }
        #expect(index > 10)
    }

    /// One failing call, transient or not: nothing acknowledged is lost, and errors are told.
    @Test(arguments: [5, 28] as [Int32])
    func aFailingCallLosesNothingAcknowledged(_ errno: Int32) throws {
        var index = 0
        while true {
            let memory = MemoryFileSystem()
            let faulty = FaultInjectingFileSystem(
                memory, rule: FaultRule(.mutating, index: index, errno: errno))
            let workload = CrashWorkload(faulty)
            workload.run()
            let wasHit = faulty.injectedCount > 0
            do {
                if let problem = try checkSurvivor(
                    memory.crashClone(.dropUnsynced), workload, floor: .synced)
                {
                    Issue.record("errno \(errno) at call \(index): \(problem)")
                    return
                }
            } catch {
                Issue.record("errno \(errno) at call \(index): \(error)")
                return
            }
            if !wasHit { break }
            index += 1
        }
        #expect(index > 50)
    }
}
