@testable import FalconStorage

/// A seeded workload that notes in a ledger what it was told.
final class SurvivalWorkload {
    let ledger = CommitLedger()
    let options: EngineOptions
    private(set) var random: SplitMix64
    private let environment: StorageEnvironment
    private(set) var engine: StorageEngine
    private var copies = 0
    /// Checkpoints made, and how many commits each must hold at least.
    private(set) var checkpoints: [(path: String, floor: Int)] = []

    init(_ fileSystem: any FileSystem, options: EngineOptions, seed: UInt64) throws {
        self.options = options
        random = SplitMix64(seed: seed)
        environment = StorageEnvironment(
            fileSystem: fileSystem, clock: ManualClock(),
            random: FalconStorage.SeededRandom(seed: seed))
        engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
    }

    func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }

    /// Options that make a short run rotate, flush, compact and log in parts, all at random sizes.
    static func options(_ seed: UInt64) -> EngineOptions {
        var random = SplitMix64(seed: seed ^ 0x0BAD_5EED)
        func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
        var options = EngineOptions.small
        options.memtableBytes = pick([8 << 10, 16 << 10, 48 << 10, 1 << 20])
        options.targetFileBytes = pick([4 << 10, 16 << 10])
        options.blockBytes = pick([256, 1024, 4096])
        options.level0CompactionTrigger = pick([1, 2, 4])
        options.level0SlowdownTrigger = 100
        options.level0StopTrigger = 200
        options.levelBaseBytes = pick([8 << 10, 64 << 10])
        options.levelMultiplier = pick([2, 4, 10])
        options.compression = pick([.none, .lz4, .zstd])
        options.batchPartBytes = pick([64, 512, 1 << 20])
        options.walRetainBytes = pick([0, 0, 100 << 10, .max])
        options.closedTimestampMicros = pick([0, 500])
        options.compactionThreads = pick([1, 2, 4])
        options.diskFullWaitMicros = 0
        options.blobThresholdBytes = pick([0, 16, 64, 200])
        options.blobGarbagePercent = pick([1, 25, 50])
        if pick([false, false, true]) {
            options.encryption = EncryptionOptions(masterKey: EncryptedFixture.key)
        }
        return options
    }

    func key() -> String {
        let number = below(160)
        return number % 5 == 0 ? "k\(number)" : "table/\(number / 10)/row/\(number)"
    }

    func changes() -> [LedgerChange] {
        let count = below(12) == 0 ? 20 + below(60) : 1 + below(5)
        return (0..<count).map { _ in
            let key = key()
            switch below(20) {
            case 0:
                let other = self.key()
                return key == other
                    ? .delete(key) : .deleteRange(min(key, other), max(key, other))
            case 1..<5: return .delete(key)
            default:
                let filler = String(repeating: "x", count: below(4) == 0 ? below(400) : below(40))
                return .put(key, "v\(below(1 << 30))" + filler)
            }
        }
    }

    func step() throws {
        switch below(100) {
        case 0..<83: try commit()
        case 83..<88: try ingest()
        case 88..<93:
            try engine.flush()
            ledger.acknowledgeAll()
        case 93..<95: try engine.compact()
        case 95..<97: try engine.compact(KeyRange(lower: Array(key().utf8), upper: nil))
        case 97: try checkpoint()
        default: try reopen()
        }
    }

    func commit() throws {
        let durability: Durability = [.synced, .written, .buffered, .synced][below(4)]
        // Some of the larger ones go to files every so many operations.
        let spilling = below(2) == 0 ? 5 + below(20) : Int.max
        let (batch, index) = try ledger.begin(changes()) { batch in
            if Int(batch.nextOrdinal) % spilling == 0 { try engine.spill(batch) }
        }
        try engine.commitAndWait(batch, CommitOptions(durability: durability))
        ledger.acknowledge(index, durability)
    }

    /// A commit by one or two files from outside.
    func ingest() throws {
        let changes = SortedFixture.normalized(changes())
        copies += 1
        let marker = LedgerChange.put(CommitLedger.marker, "\(ledger.count)")
        var paths = ["/sorted\(copies).sst"]
        if below(2) == 0 {
            try SortedFixture.write(changes + [marker], to: paths[0], options: options, environment)
        } else {
            // The marker sorts behind all other keys.
            paths.append("/marker\(copies).sst")
            try SortedFixture.write(changes, to: paths[0], options: options, environment)
            try SortedFixture.write([marker], to: paths[1], options: options, environment)
        }
        let (_, index) = try ledger.begin(changes)
        let transfer: IngestOptions.Transfer = [.link, .copy, .move][below(3)]
        try engine.ingest(paths, IngestOptions(transfer: transfer))
        ledger.acknowledge(index, .synced)
    }

    func reopen() throws {
        try engine.close()
        ledger.acknowledgeAll()
        engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
    }

    private func checkpoint() throws {
        copies += 1
        let path = "/copy\(copies)"
        let floor = ledger.count
        try engine.checkpoint(to: path)
        ledger.acknowledgeAll()
        checkpoints.append((path, floor))
    }

    func close() throws { try engine.close() }
}
