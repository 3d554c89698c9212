import Synchronization

@testable import FalconStorage

/// What a crash at any call that changes the disk would leave of a store.
final class StoreCrashes: Sendable {
    private struct Found {
        var calls: UInt64 = 0
        var checked = 0
        var problem: String?
        var floor: (@Sendable () -> Int)?
        var check: (@Sendable (StorageEngine, Int) throws -> Void)?
    }
    static let policies: [CrashPolicy] = [
        .dropUnsynced, .keepUnsynced, .tear(sectorBytes: 512), .reorder,
    ]
    let memory = MemoryFileSystem()
    let clock = ManualClock()
    private let found = Mutex(Found())
    private let options: EngineOptions

    init() {
        var options = EngineOptions.small
        options.memtableBytes = 8 << 10
        options.walRetainBytes = .max
        options.closedTimestampMicros = 0
        self.options = options
    }

    var checked: Int { found.withLock { $0.checked } }
    var problem: String? { found.withLock { $0.problem } }

    /// An engine on a disk that is cut before each change, and `check`ed on what is left, given what
    /// `floor` said before the cut: what was promised by then must be there.
    func open(
        floor: @escaping @Sendable () -> Int,
        _ check: @escaping @Sendable (StorageEngine, Int) throws -> Void
    ) throws -> StorageEngine {
        let observed = ObservedFileSystem(memory) { [unowned self] operation, path in
            cut(before: "\(operation.rawValue) \(path)")
        }
        let engine = try open(observed)
        found.withLock { ($0.floor, $0.check) = (floor, check) }
        return engine
    }

    func finish() { found.withLock { $0.check = nil } }

    private func open(_ fileSystem: any FileSystem) throws -> StorageEngine {
        try StorageEngine.open(
            at: "/db", options: options,
            environment: StorageEnvironment(
                fileSystem: fileSystem, clock: clock, random: SystemRandom()))
    }

    private func cut(before call: String) {
        let (number, floor, check) = found.withLock { found in
            found.calls += 1
            return (found.calls, found.floor, found.problem == nil ? found.check : nil)
        }
        guard let floor, let check else { return }
        let promised = floor()
        let policy = Self.policies[Int(number % UInt64(Self.policies.count))]
        let survivor = memory.crashClone(policy, seed: number)
        do {
            let engine = try open(survivor)
            defer { try? engine.close() }
            try check(engine, promised)
            found.withLock { $0.checked += 1 }
        } catch {
            found.withLock { $0.problem = "call \(number), before \(call), \(policy): \(error)" }
        }
    }
}
