import Glibc
import Synchronization

@testable import FalconStorage

/// One workload with one fault in it, and what is found afterwards.
///
/// Every call has to succeed or to fail with an error that says what happened; an engine that gave up
/// says so and is opened again; and in the end every acknowledged commit is there, whether the process
/// alone went down or the machine.
final class FaultRun {
    let kind: FaultKind
    let seed: UInt64
    private let memory = MemoryFileSystem()
    private let faulty: FaultInjectingFileSystem
    private let options: EngineOptions
    private let ledger = CommitLedger()
    private var random: SplitMix64
    /// One sequence for all lives: no identity may come twice.
    private let identities: FalconStorage.SeededRandom
    private var engine: StorageEngine?
    /// There was a commit whose outcome nobody knows: reads cannot be judged.
    private var isUncertain = false
    private var waiting: (index: Int, durability: Durability, answer: Answer)?
    private var isKnown: Bool { !isUncertain && waiting == nil }
    private static let steps = 44

    init(_ kind: FaultKind, index: Int?, seed: UInt64) {
        self.kind = kind
        self.seed = seed
        faulty = FaultInjectingFileSystem(
            memory, rule: index.map { kind.rule($0) } ?? kind.counting)
        var options = SurvivalWorkload.options(seed)
        options.memtableBytes = min(options.memtableBytes, 48 << 10)
        self.options = options
        random = SplitMix64(seed: seed)
        identities = FalconStorage.SeededRandom(seed: seed)
    }

    /// Calls that the fault could have struck; known once the run has ended.
    private(set) var matchedCalls = 0
    var wasStruck: Bool { faulty.injectedCount > 0 }

    func play() throws {
        var failedOpens = 0
        for step in 0..<Self.steps {
            if engine == nil {
                guard try open() else {
                    failedOpens += 1
                    if failedOpens > 3, !kind.endsByItself { break }
                    continue
                }
            }
            try act(step)
        }
        if engine != nil { try close() }
        matchedCalls = faulty.matchedCount
        faulty.setRule(nil)
        try examine()
    }

    private func environment(_ fileSystem: any FileSystem) -> StorageEnvironment {
        StorageEnvironment(
            fileSystem: fileSystem, clock: ManualClock(), random: identities)
    }

    private func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }

    // MARK: - Calls

    /// Runs `body`; false when it failed with an error that the fault explains.
    @discardableResult
    private func attempt(_ what: String, _ body: () throws -> Void) throws -> StorageError? {
        do {
            try body()
            return nil
        } catch let error as StorageError {
            let expected: [StorageErrorCode] = [
                .io, .diskFull, .poisoned, .commitOutcomeUnknown, .closed,
            ]
            guard wasStruck, expected.contains(error.code) else {
                throw Mismatch("\(what) failed: \(error)")
            }
            return error
        }
    }

    private func open() throws -> Bool {
        let error = try attempt("open") {
            engine = try StorageEngine.open(
                at: "/db", options: options, environment: environment(faulty))
        }
        guard error == nil, let engine else { return false }
        let bounds = ledger.bounds
        var prefix = 0
        let unread = try attempt("reading after open") {
            prefix = try LedgerCheck.verify(
                engine, ledger, from: bounds.written, to: bounds.attempted)
        }
        if unread != nil {
            try close()
            return false
        }
        // What is shown now is durable.
        ledger.truncate(to: prefix)
        ledger.acknowledgeAll()
        isUncertain = false
        return true
    }

    private func close() throws {
        guard let engine else { return }
        let error = try attempt("close") { try engine.close() }
        try settle()
        if error == nil, !isUncertain { ledger.acknowledgeAll() }
        self.engine = nil
    }

    private func act(_ step: Int) throws {
        guard let engine else { return }
        switch below(20) {
        case 0..<12:
            if waiting == nil { try commit(engine) }
        case 12..<14:
            if waiting == nil, !kind.blocksCommits { try ingest(engine, step) }
        case 14:
            if try attempt("flush", { try engine.flush() }) == nil { ledger.acknowledgeAll() }
        case 15: try attempt("compact") { try engine.compact() }
        case 16..<19: try read(engine)
        default: try close()
        }
        if let engine = self.engine, engine.statistics().poisonCause != nil { try close() }
    }

    private func commit(_ engine: StorageEngine) throws {
        let durability: Durability = [.synced, .written, .buffered, .synced][below(4)]
        let count = below(8) == 0 ? 30 : 1 + below(4)
        let changes = (0..<count).map { _ -> LedgerChange in
            let key = "row/\(below(60))"
            switch below(16) {
            case 0: return .deleteRange(key, key + "~")
            case 1..<4: return .delete(key)
            default: return .put(key, String(repeating: "v\(below(1000))", count: 1 + below(60)))
            }
        }
        let (batch, index) = try ledger.begin(changes)
        if kind.blocksCommits { return try commitUnwatched(engine, batch, index, durability) }
        let spills = count > 16 && below(2) == 0
        let error = try attempt("commit") {
            if spills { try engine.spill(batch) }
            try engine.commitAndWait(batch, CommitOptions(durability: durability))
        }
        switch error?.code {
        case nil: ledger.acknowledge(index, durability)
        case .commitOutcomeUnknown: isUncertain = true
        default: ledger.truncate(to: index)
        }
    }

    private func ingest(_ engine: StorageEngine, _ step: Int) throws {
        let changes = (0..<(1 + below(12))).map { _ -> LedgerChange in
            let key = "row/\(below(60))"
            return below(4) == 0 ? .delete(key) : .put(key, "file \(below(1000))")
        }
        let path = "/sorted\(step).sst"
        let marker = LedgerChange.put(CommitLedger.marker, "\(ledger.count)")
        let unmade = try attempt("a sorted file") {
            try SortedFixture.write(
                changes + [marker], to: path, options: options, environment(faulty))
        }
        guard unmade == nil else { return }
        let (_, index) = try ledger.begin(SortedFixture.normalized(changes))
        let transfer: IngestOptions.Transfer = [.link, .copy, .move][below(3)]
        let error = try attempt("ingest") {
            try engine.ingest([path], IngestOptions(transfer: transfer))
        }
        switch error?.code {
        case nil: ledger.acknowledge(index, .synced)
        case .commitOutcomeUnknown: isUncertain = true
        default: ledger.truncate(to: index)
        }
    }

    /// What became of a commit that was not waited for.
    private final class Answer: Sendable {
        let result = Mutex<Result<CommitReceipt, StorageError>?>(nil)
    }

    /// Waits until the commit is answered or the log has no room: then it stays the last one.
    private func commitUnwatched(
        _ engine: StorageEngine, _ batch: WriteBatch, _ index: Int, _ durability: Durability
    ) throws {
        let answer = Answer()
        engine.commit(batch, CommitOptions(durability: durability)) { result in
            answer.result.withLock { $0 = result }
        }
        let wal = try engine.writable().wal
        while answer.result.withLock({ $0 == nil }), !wal.monitor.locked({ wal.isStalled }) {
            sched_yield()
        }
        waiting = (index, durability, answer)
        if answer.result.withLock({ $0 != nil }) { try settle() }
    }

    /// Takes in the answer of the commit that was waited for.
    private func settle() throws {
        guard let (index, durability, answer) = waiting else { return }
        waiting = nil
        switch answer.result.withLock({ $0 }) {
        case nil: throw Mismatch("a commit was not answered although the engine was closed")
        case .success: ledger.acknowledge(index, durability)
        case .failure(let error) where error.code == .commitOutcomeUnknown: isUncertain = true
        case .failure: ledger.truncate(to: index)
        }
    }

    private func read(_ engine: StorageEngine) throws {
        for _ in 0..<4 {
            let key = "row/\(below(60))"
            var found: String?
            let error = try attempt("get") { found = try engine.value(key) }
            if error == nil, isKnown, found != ledger.value(key) {
                throw Mismatch("get \(key) gives \(found ?? "nothing")")
            }
        }
        guard isKnown else { return }
        try attempt("scan") {
            try LedgerCheck.verify(engine, ledger, from: ledger.count, to: ledger.count)
        }
    }

    // MARK: - Afterwards

    private func examine() throws {
        let bounds = ledger.bounds
        try verify(
            memory.crashClone(.dropUnsynced), "power cut", bounds.synced, bounds.attempted)
        let restarted = memory.fork()
        // A power cut right after the restart: what that showed is durable by now.
        var remains = MemoryFileSystem()
        let shown = try verify(restarted, "restart", bounds.written, bounds.attempted) {
            remains = restarted.crashClone(.dropUnsynced)
        }
        try verify(remains, "restart and power cut", shown, shown)
    }

    @discardableResult
    private func verify(
        _ fileSystem: MemoryFileSystem, _ what: String, _ floor: Int, _ ceiling: Int,
        whileOpen body: () -> Void = {}
    ) throws -> Int {
        do {
            let engine = try StorageEngine.open(
                at: "/db", options: options, environment: environment(fileSystem))
            defer { try? engine.close() }
            let prefix = try LedgerCheck.verify(engine, ledger, from: floor, to: ceiling)
            body()
            return prefix
        } catch {
            throw Mismatch("after \(what): \(error)")
        }
    }
}
