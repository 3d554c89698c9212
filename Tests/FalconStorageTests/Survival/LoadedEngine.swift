import FalconTestKit
import Synchronization

@testable import FalconStorage

/// An engine that one thread writes to, with commits and ingestions, while another flushes and compacts, until it is
/// told to stop; the ledger says what it must hold.
final class LoadedEngine: Sendable {
    let memory = MemoryFileSystem()
    let options: EngineOptions
    let environment: StorageEnvironment
    let engine: StorageEngine
    let ledger: CommitLedger
    private let acknowledged = Mutex(0)
    private let isOver = Atomic<Bool>(false)
    private let failure = Mutex<String?>(nil)
    private let threads = Mutex<[WorkerThread]>([])

    /// Small tables and many blob files, so that names come and go all the time.
    static func options(encrypted: Bool) -> EngineOptions {
        var options = EngineOptions.small
        options.memtableBytes = 16 << 10
        options.targetFileBytes = 8 << 10
        options.levelBaseBytes = 16 << 10
        options.level0CompactionTrigger = 2
        options.blobThresholdBytes = 64
        options.blobGarbagePercent = 10
        // Enough that a reader finds the log it begins with.
        options.walRetainBytes = 4 << 20
        if encrypted { options.encryption = EncryptionOptions(masterKey: EncryptedFixture.key) }
        return options
    }

    init(encrypted: Bool, seed: UInt64) throws {
        options = Self.options(encrypted: encrypted)
        environment = StorageEnvironment(
            fileSystem: memory, clock: ManualClock(), random: SystemRandom())
        // The writing thread's alone from here on.
        nonisolated(unsafe) let workload = try SurvivalWorkload(
            memory, options: options, seed: seed)
        engine = workload.engine
        ledger = workload.ledger
        let writer = try WorkerThread(name: "load-writer") { [self] in
            run { step in
                if step % 6 == 5 { try workload.ingest() } else { try workload.commit() }
                acknowledged.withLock { $0 = ledger.count }
            }
        }
        let keeper = try WorkerThread(name: "load-keeper") { [self] in
            run { step in
                if step % 3 == 2 { try engine.flush() } else { try engine.compact() }
            }
        }
        threads.withLock { $0 = [writer, keeper] }
    }

    private func run(_ body: (Int) throws -> Void) {
        var step = 0
        do {
            while !isOver.load(ordering: .acquiring) {
                try body(step)
                step += 1
            }
        } catch { failure.withLock { $0 = $0 ?? "\(error)" } }
    }

    /// Commits that were told to their writer, whatever their durability.
    var acknowledgedCount: Int { acknowledged.withLock { $0 } }

    /// Lets `count` more commits come.
    func letPass(_ count: Int) throws {
        let target = acknowledgedCount + count
        try eventually {
            if let failure = failure.withLock({ $0 }) { throw Mismatch(failure) }
            return acknowledgedCount >= target
        }
    }

    /// Ends the threads; throws what ended one of them before.
    func stop() throws {
        isOver.store(true, ordering: .releasing)
        for thread in threads.withLock({ $0 }) { thread.join() }
        threads.withLock { $0 = [] }
        if let failure = failure.withLock({ $0 }) { throw Mismatch(failure) }
    }
}
