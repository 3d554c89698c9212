import Glibc
import Synchronization

/// The flush thread, the compaction threads and the thread that unlinks obsolete tables of one engine.
final class BackgroundWork: @unchecked Sendable {
    let tree: Tree
    let versions: VersionSet
    let store: TableStore
    private let wal: WALWriter
    let pipeline: CommitPipeline
    let tracker: SnapshotTracker
    let controller: WriteController
    let environment: StorageEnvironment
    let options: EngineOptions
    let picker: CompactionPicker
    let tombstones = TableTombstones()
    let sampler: ReadSampler
    /// Nil: background writes are not limited.
    let limiter: WriteLimiter?
    private let checkpoints: CheckpointWriter?
    let events: EngineEvents
    let keeper: DamageKeeper
    let memtableCharge: MemoryCharge
    private let bufferCharge: MemoryCharge

    let monitor = Monitor()
    let work: MonitorCondition
    let progress: MonitorCondition
    let loading = Monitor()
    private(set) var threads: [WorkerThread] = []
    private var remover: WorkerThread?
    // Guarded by the monitor.
    var isStopping = false
    var running: [Compaction] = []
    /// Compactions whose key ranges other threads may merge.
    var calls: [CompactionParts] = []
    var manualCompactions = 0
    /// No compaction may begin while an ingested file is given its level.
    var placements = 0
    private var flushFailures: UInt64 = 0
    /// The layer whose flush is running or has yet to be counted.
    private var flushing: UInt64?
    /// Threads that wait for work and hold no table.
    var idleThreads = 0
    var compactionFailure: StorageError?
    var flushFailure: StorageError?
    var checkpointFailure: StorageError?
    var figures = EngineStatistics()
    let stopFlag = Atomic<Bool>(false)
    let rests = Atomic<UInt64>(0)
    /// A flush is writing its tables.
    private let isFlushing = Atomic<Bool>(false)
    /// One processor for the threads that commit, and one for the rest.
    private static let hasTwoProcessors = sysconf(Int32(_SC_NPROCESSORS_ONLN)) <= 2

    /// What a flush or compaction keeps in memory: output, hashes for the filter, blocks read.
    private static let jobBytes = 12 << 20
    /// The log's two buffers in a busy moment.
    private static let logBytes = 4 << 20

    init(
        tree: Tree, versions: VersionSet, store: TableStore, wal: WALWriter,
        pipeline: CommitPipeline, tracker: SnapshotTracker, controller: WriteController,
        environment: StorageEnvironment, options: EngineOptions, checkpoints: CheckpointWriter?
    ) {
        self.tree = tree
        self.versions = versions
        self.store = store
        self.wal = wal
        self.pipeline = pipeline
        self.tracker = tracker
        self.controller = controller
        self.environment = environment
        self.options = options
        self.checkpoints = checkpoints
        events = EngineEvents(path: store.names.root, listener: options.eventListener)
        keeper = DamageKeeper(
            DamageRecords(
                tree: tree, versions: versions, store: store, events: events,
                clock: environment.clock),
            options, environment.random)
        memtableCharge = MemoryCharge(options.memoryBudget, .memtables)
        bufferCharge = MemoryCharge(
            options.memoryBudget, .background,
            bytes: (options.compactionThreads + 1) * Self.jobBytes + Self.logBytes)
        picker = CompactionPicker(options: options)
        limiter =
            options.backgroundBytesPerSecond > 0
            ? WriteLimiter(bytesPerSecond: options.backgroundBytesPerSecond) : nil
        work = MonitorCondition(monitor)
        progress = MonitorCondition(monitor)
        sampler = ReadSampler { [monitor, work] in
            monitor.lock()
            work.broadcast()
            monitor.unlock()
        }
    }

    func start() throws(StorageError) {
        threads.append(
            try WorkerThread(name: "falcon-flush", niceness: WorkerThread.backgroundNiceness) {
                [self] in runFlushes()
            })
        for _ in 0..<options.compactionThreads {
            threads.append(
                try WorkerThread(name: "falcon-compact", niceness: WorkerThread.backgroundNiceness)
                { [self] in runCompactions() })
        }
        remover = try WorkerThread(name: "falcon-unlink", niceness: WorkerThread.backgroundNiceness)
        { [store] in store.runRemovals() }
        keeper.begin { [weak self] in self?.tablesChanged() }
        updateController()
    }

    /// A table went out of service or came back, or a blob file is collected no more or again: jobs that
    /// failed on it are tried no more, others may be due.
    private func tablesChanged() {
        monitor.lock()
        versions.current.blobMerges = nil
        if compactionFailure?.code == .corruption { compactionFailure = nil }
        work.broadcast()
        progress.broadcast()
        monitor.unlock()
        updateController()
    }

    /// Ends the threads; a running compaction is given up, a running flush ends.
    func stop() {
        stopFlag.store(true, ordering: .releasing)
        limiter?.setLifted(true)
        monitor.lock()
        isStopping = true
        work.broadcast()
        progress.broadcast()
        monitor.unlock()
        for thread in threads { thread.join() }
        threads = []
        keeper.stop()
        store.stopRemovals()
        remover?.join()
        remover = nil
    }

    /// A large batch has become a layer of its own.
    func noteAdoption() {
        monitor.lock()
        figures.adoptedBatches += 1
        monitor.unlock()
    }

    /// Something changed that the threads may have waited for: a rotation, a publication.
    func kick() {
        monitor.lock()
        work.broadcast()
        monitor.unlock()
    }

    /// What readers may still ask for, retention included.
    func safepoint() -> Timestamp {
        let tracked = tracker.safepoint()
        guard options.versionRetentionMicros > 0 else { return tracked }
        // No later than commits have it: a clock that jumps ahead, which they do not follow until it is
        // confirmed, must not end the retention of everything.
        let now = min(environment.clock.wallMicros(), tracker.publishedTimestamp.microsSince1970)
        let oldest = now &- min(now, options.versionRetentionMicros)
        guard oldest > Timestamp.epochMicrosSince1970 else { return .zero }
        return min(
            tracked, Timestamp(microsSince2000: oldest - Timestamp.epochMicrosSince1970))
    }

    // MARK: - Flush

    private func runFlushes() {
        var backoffNanos: UInt64 = 10_000_000
        writeCheckpoint()
        while let layer = nextFlush() {
            do throws(StorageError) {
                try awaitCommitted(layer)
                var job = makeFlush(layer)
                isFlushing.store(true, ordering: .relaxed)
                defer { isFlushing.store(false, ordering: .relaxed) }
                let written: UInt64
                if layer.ingested.isEmpty {
                    written = try events.flush(layer) { () throws(StorageError) in try job.run() }
                } else {
                    written = try placing { busy throws(StorageError) in
                        job.ingestLevels = IngestPlacement(versions.current, busy: busy)
                            .levels(of: layer.ingested)
                        return try job.run()
                    }
                }
                wal.releaseSegments(below: layer.lastLSN)
                retireOldKeys()
                backoffNanos = 10_000_000
                monitor.lock()
                flushFailure = nil
                flushing = nil
                figures.flushes += 1
                figures.flushedBytes += written
                work.broadcast()
                progress.broadcast()
                monitor.unlock()
                updateController()
                writeCheckpoint()
            } catch {
                monitor.lock()
                flushing = nil
                flushFailures += 1
                flushFailure = error
                progress.broadcast()
                let ends = isStopping || pipeline.poisoned != nil
                monitor.unlock()
                updateController()
                if giveUp(after: error) || ends { return }
                pause(nanos: backoffNanos)
                backoffNanos = min(backoffNanos * 2, 1_000_000_000)
            }
        }
    }

    /// A registry that cannot be written keeps its keys for now.
    private func retireOldKeys() {
        guard let encryption = options.encryption, let ring = store.fileSystem.keys?.ring,
            ring.isSealing
        else { return }
        do throws(StorageError) {
            try EncryptionSetup.retireOld(ring, encryption, environment.clock)
        } catch {
            events.send(.keysNotReplaced(error))
        }
    }

    private func makeFlush(_ layer: MemtableLayer) -> FlushJob {
        let version = tree.state.version
        let base = picker.targets(version).baseLevel
        return FlushJob(
            layer: layer, store: store, versions: versions, tree: tree,
            random: environment.random, table: options.tableOptions,
            blobs: .init(options, codec: options.compression), safepoint: safepoint(),
            beneath: version.levels[base...].first { $0.count > 0 } ?? .empty,
            leastBytes: options.targetFileByteCount / 16, limiter: limiter,
            rest: makeRest(isFlush: true),
            tableTombstones: tombstones, catalogLimit: options.catalogStorageLimit,
            transactionLimit: TransactionID(
                pipeline.transactionLimit.rawValue &+ RecoveryApplier.transactionReserve))
    }

    func makeRest(isFlush: Bool) -> BackgroundRest {
        BackgroundRest(
            commitsEnd: { [pipeline] in pipeline.publishedEnd.rawValue },
            isPressed: { [controller] in controller.isPressed },
            givesWay: { [unowned self] in
                !isFlush && Self.hasTwoProcessors && isFlushing.load(ordering: .relaxed)
            },
            onRest: { [unowned self] in rests.wrappingAdd(1, ordering: .relaxed) })
    }

    /// Runs `body` with the tables that compactions have taken; no other begins meanwhile.
    private func placing<R>(
        _ body: ([TableFile]) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        monitor.lock()
        placements += 1
        var busy: [TableFile] = []
        for level in versions.current.levels {
            busy += level.files.filter(\.isTaken)
        }
        monitor.unlock()
        defer {
            monitor.lock()
            placements -= 1
            work.broadcast()
            progress.broadcast()
            monitor.unlock()
        }
        return try body(busy)
    }

    /// A reader in mid-log finds the schema. Failing that, it takes the directory's newest.
    private func writeCheckpoint() {
        var failure: StorageError?
        do throws(StorageError) { try checkpoints?.writeIfDue() } catch { failure = error }
        monitor.lock()
        checkpointFailure = failure
        monitor.unlock()
    }

    /// Waits for the oldest immutable memtable; nil at the end.
    private func nextFlush() -> MemtableLayer? {
        monitor.lock()
        defer { monitor.unlock() }
        while !isStopping {
            if let layer = tree.state.immutables.last {
                flushing = layer.epoch
                return layer
            }
            waitForWork()
        }
        return nil
    }

    /// True when MANIFEST takes no more edits: nothing can be flushed any more, so the engine takes no
    /// more commits either, instead of holding them up for ever.
    func giveUp(after error: StorageError) -> Bool {
        guard versions.hasFailed else { return false }
        pipeline.poison(error)
        controller.releaseAll()
        monitor.lock()
        work.broadcast()
        progress.broadcast()
        monitor.unlock()
        return true
    }

    /// A table must hold nothing that the log could still lose.
    private func awaitCommitted(_ layer: MemtableLayer) throws(StorageError) {
        if pipeline.publishedEnd >= layer.lastLSN, pipeline.syncedEnd >= layer.lastLSN { return }
        try wal.syncBehind(layer.lastLSN)
        pipeline.setListening(true)
        defer { pipeline.setListening(false) }
        monitor.lock()
        defer { monitor.unlock() }
        while pipeline.publishedEnd < layer.lastLSN {
            if let cause = pipeline.poisoned { throw CommitPipeline.poisonedError(cause) }
            if isStopping {
                throw StorageError(.closed, kind: .user, "The engine is closing.")
            }
            // The listener wakes this; the timeout covers a publication just before it listened.
            _ = work.wait(nanos: 10_000_000)
        }
    }

    /// With the monitor held: what `awaitIdle` waits for.
    func waitForWork(nanos: UInt64? = nil) {
        idleThreads += 1
        progress.broadcast()
        if let nanos { _ = work.wait(nanos: nanos) } else { work.wait() }
        idleThreads -= 1
    }

    func pause(nanos: UInt64) {
        monitor.lock()
        if !isStopping { _ = work.wait(nanos: nanos) }
        monitor.unlock()
    }

    /// Blocks until every layer up to `epoch` is in tables, counted, and its log released; throws what
    /// stopped a flush meanwhile.
    func awaitFlush(upTo epoch: UInt64) throws(StorageError) {
        kick()
        monitor.lock()
        defer { monitor.unlock() }
        // One under way may have met what is over by now: it is tried again.
        let earlierFailures = flushFailures &+ (flushing == nil ? 0 : 1)
        while true {
            let state = tree.state
            if !state.immutables.contains(where: { $0.epoch <= epoch }), flushing ?? .max > epoch {
                return
            }
            if flushFailures > earlierFailures, let flushFailure { throw flushFailure }
            if let cause = pipeline.poisoned { throw CommitPipeline.poisonedError(cause) }
            if isStopping { throw StorageError(.closed, kind: .user, "The engine is closed.") }
            progress.wait()
        }
    }
}
