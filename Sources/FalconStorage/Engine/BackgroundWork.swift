import Synchronization

/// The flush thread, the compaction threads and the thread that unlinks obsolete tables of one engine.
final class BackgroundWork: @unchecked Sendable {
    private let tree: Tree
    private let versions: VersionSet
    private let store: TableStore
    private let wal: WALWriter
    private let pipeline: CommitPipeline
    private let tracker: SnapshotTracker
    private let controller: WriteController
    private let environment: StorageEnvironment
    private let options: EngineOptions
    private let picker: CompactionPicker
    private let checkpoints: CheckpointWriter?
    private let events: EngineEvents
    private let memtableCharge: MemoryCharge
    private let bufferCharge: MemoryCharge

    private let monitor = Monitor()
    private let work: MonitorCondition
    private let progress: MonitorCondition
    private let loading = Monitor()
    private var threads: [WorkerThread] = []
    private var remover: WorkerThread?
    // Guarded by the monitor.
    private var isStopping = false
    private var runningCompactions = 0
    private var manualCompactions = 0
    /// No compaction may begin while an ingested file is given its level.
    private var placements = 0
    private var flushFailures: UInt64 = 0
    private var failedCompactions = 0
    /// Threads that wait for work and hold no table.
    private var idleThreads = 0
    private var compactionFailure: StorageError?
    private var flushFailure: StorageError?
    private var checkpointFailure: StorageError?
    private var figures = EngineStatistics()
    private let stopFlag = Atomic<Bool>(false)

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
        memtableCharge = MemoryCharge(options.memoryBudget, .memtables)
        bufferCharge = MemoryCharge(
            options.memoryBudget, .background,
            bytes: (options.compactionThreads + 1) * Self.jobBytes + Self.logBytes)
        picker = CompactionPicker(options: options)
        work = MonitorCondition(monitor)
        progress = MonitorCondition(monitor)
    }

    func start() throws(StorageError) {
        threads.append(try WorkerThread(name: "falcon-flush") { [self] in runFlushes() })
        for _ in 0..<options.compactionThreads {
            threads.append(try WorkerThread(name: "falcon-compact") { [self] in runCompactions() })
        }
        remover = try WorkerThread(name: "falcon-unlink") { [store] in store.runRemovals() }
        updateController()
    }

    /// Ends the threads; a running compaction is given up, a running flush ends.
    func stop() {
        stopFlag.store(true, ordering: .releasing)
        monitor.lock()
        isStopping = true
        work.broadcast()
        progress.broadcast()
        monitor.unlock()
        for thread in threads { thread.join() }
        threads = []
        store.stopRemovals()
        remover?.join()
        remover = nil
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
        let now = environment.clock.wallMicros()
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
                var job = FlushJob(
                    layer: layer, store: store, versions: versions, tree: tree,
                    random: environment.random, table: options.tableOptions,
                    blobs: .init(options, codec: options.compression),
                    safepoint: safepoint())
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
                backoffNanos = 10_000_000
                monitor.lock()
                flushFailure = nil
                figures.flushes += 1
                figures.flushedBytes += written
                work.broadcast()
                progress.broadcast()
                monitor.unlock()
                updateController()
                writeCheckpoint()
            } catch {
                monitor.lock()
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

    /// Runs `body` with the tables that compactions have taken; no other begins meanwhile.
    private func placing<R>(
        _ body: ([TableFile]) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        monitor.lock()
        placements += 1
        var busy: [TableFile] = []
        for level in versions.current.levels {
            busy += level.files.filter(\.isBeingCompacted)
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
            if let layer = tree.state.immutables.last { return layer }
            waitForWork()
        }
        return nil
    }

    /// True when MANIFEST takes no more edits: nothing can be flushed any more, so the engine takes no
    /// more commits either, instead of holding them up for ever.
    private func giveUp(after error: StorageError) -> Bool {
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
        try wal.sync(waitsForRoom: false)
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
    private func waitForWork() {
        idleThreads += 1
        progress.broadcast()
        work.wait()
        idleThreads -= 1
    }

    private func pause(nanos: UInt64) {
        monitor.lock()
        if !isStopping { _ = work.wait(nanos: nanos) }
        monitor.unlock()
    }

    /// Blocks until every layer up to `epoch` is in tables; throws what stopped a flush meanwhile.
    func awaitFlush(upTo epoch: UInt64) throws(StorageError) {
        kick()
        monitor.lock()
        defer { monitor.unlock() }
        let failuresBefore = flushFailures
        while true {
            let state = tree.state
            if !state.immutables.contains(where: { $0.epoch <= epoch }) { return }
            if flushFailures != failuresBefore, let flushFailure { throw flushFailure }
            if let cause = pipeline.poisoned { throw CommitPipeline.poisonedError(cause) }
            if isStopping { throw StorageError(.closed, kind: .user, "The engine is closed.") }
            progress.wait()
        }
    }

    // MARK: - Compaction

    private func runCompactions() {
        var backoffNanos: UInt64 = 10_000_000
        while let compaction = nextCompaction() {
            do throws(StorageError) {
                try run(compaction) { _ in stopFlag.load(ordering: .relaxed) }
                backoffNanos = 10_000_000
            } catch {
                if giveUp(after: error) || stopFlag.load(ordering: .acquiring) { return }
                pause(nanos: backoffNanos)
                backoffNanos = min(backoffNanos * 2, 1_000_000_000)
            }
        }
    }

    private func nextCompaction() -> Compaction? {
        monitor.lock()
        defer { monitor.unlock() }
        while !isStopping {
            if manualCompactions == 0, placements == 0,
                let compaction = picker.pick(versions.current)
            {
                compaction.mark(true)
                runningCompactions += 1
                return compaction
            }
            waitForWork()
        }
        return nil
    }

    /// Runs a compaction whose tables are marked, and unmarks them.
    private func run(
        _ compaction: Compaction, isCancelled: (UInt64) -> Bool
    ) throws(StorageError) {
        var failure: StorageError?
        var result = CompactionJob.Result()
        withoutActuallyEscaping(isCancelled) { isCancelled in
            let job = CompactionJob(
                compaction: compaction, store: store, versions: versions, tree: tree,
                random: environment.random, options: options, safepoint: safepoint(),
                isCancelled: isCancelled)
            do throws(StorageError) {
                result = try events.compaction(compaction) { () throws(StorageError) in
                    try job.run()
                }
            } catch {
                failure = error
            }
        }
        monitor.lock()
        compaction.mark(false)
        runningCompactions -= 1
        compactionFailure = failure
        if failure == nil {
            if result.wasMove {
                figures.trivialMoves += 1
            } else {
                figures.compactions += 1
                figures.compactionReadBytes += result.readBytes
                figures.compactionWrittenBytes += result.writtenBytes
                figures.blobs.movedBytes += result.movedBytes
            }
        }
        work.broadcast()
        progress.broadcast()
        monitor.unlock()
        updateController()
        if let failure { throw failure }
    }

    /// Compacts what overlaps `range` level by level to the last that has any, on this thread.
    func compactManually(
        _ range: KeyRange, _ progress: (CompactionProgress) -> Bool
    ) throws(StorageError) {
        monitor.lock()
        manualCompactions += 1
        while runningCompactions > 0, !isStopping { self.progress.wait() }
        monitor.unlock()
        defer {
            monitor.lock()
            manualCompactions -= 1
            work.broadcast()
            monitor.unlock()
        }
        var done: UInt64 = 0
        func step(_ compaction: Compaction) throws(StorageError) {
            let bytes = compaction.inputBytes
            let entries = max(compaction.inputEntries, 1)
            let total = done + max(bytes, picker.manualBytes(versions.current, range))
            try run(compaction) { read in
                let part = Double(bytes) * min(1, Double(read) / Double(entries))
                return stopFlag.load(ordering: .relaxed)
                    || !progress(.init(doneBytes: done + UInt64(part), totalBytes: total))
            }
            done += bytes
        }
        while let compaction = try nextManual({ $0.pickManual($1, range) }) {
            try step(compaction)
        }
        let rewrites = picker.pickRewrite(versions.current, range, safepoint: safepoint())
        for rewrite in rewrites {
            guard let compaction = try nextManual({ _, _ in rewrite }) else { return }
            try step(compaction)
        }
    }

    private func nextManual(
        _ pick: (CompactionPicker, Version) -> Compaction?
    ) throws(StorageError) -> Compaction? {
        monitor.lock()
        defer { monitor.unlock() }
        while placements > 0, !isStopping { progress.wait() }
        if isStopping { throw StorageError(.closed, kind: .user, "The engine is closed.") }
        guard let compaction = pick(picker, versions.current) else { return nil }
        compaction.mark(true)
        runningCompactions += 1
        return compaction
    }

    /// Blocks until no flush or compaction runs or is due and every obsolete table that nobody reads is
    /// unlinked; for tests and measurements.
    func awaitIdle() {
        kick()
        monitor.lock()
        while !isStopping, pipeline.poisoned == nil {
            if runningCompactions == 0, idleThreads == threads.count,
                tree.state.immutables.isEmpty, picker.pick(versions.current) == nil
            {
                break
            }
            progress.wait()
        }
        monitor.unlock()
        store.awaitRemovals()
    }

    // MARK: - Load

    /// What a flush or compaction keeps in memory: output, hashes for the filter, blocks read.
    private static let jobBytes = 12 << 20
    /// The log's two buffers in a busy moment.
    private static let logBytes = 4 << 20

    /// Looking and telling are one step: what was seen earlier must not be told later, or writers wait
    /// for a flush that is over.
    func updateController() {
        loading.lock()
        defer { loading.unlock() }
        let state = tree.state
        // All memtables that there may be are charged all the time. To take a burst of writes from the
        // cache would not do: what it frees in small blocks goes back to the allocator, not to the
        // system, and the memtables come on top of it.
        memtableCharge.set(
            max(
                (options.maximumImmutableMemtables + 2) * options.rotationBytes,
                state.immutables.reduce(options.rotationBytes) { $0 + $1.table.approximateBytes }))
        let targets = picker.targets(state.version)
        monitor.lock()
        let isDiskFull =
            flushFailure?.code == .diskFull || compactionFailure?.code == .diskFull
        let failure = flushFailure
        monitor.unlock()
        controller.update(
            .init(
                immutables: state.immutables.count,
                maximumImmutables: options.maximumImmutableMemtables,
                level0Files: state.version.level0.count,
                level0Slowdown: options.level0SlowdownTrigger,
                level0Stop: options.level0StopTrigger,
                debtBytes: picker.debt(state.version, targets),
                softDebtBytes: options.softDebtBytes, hardDebtBytes: options.hardDebtBytes,
                isMemoryShort: options.memoryBudget?.pressure == .hard
                    && !state.immutables.isEmpty,
                isDiskFull: isDiskFull, flushFailure: failure))
    }

    func addStatistics(to statistics: inout EngineStatistics) {
        let version = tree.state.version
        let targets = picker.targets(version)
        statistics.baseLevel = targets.baseLevel
        statistics.compactionDebtBytes = picker.debt(version, targets)
        statistics.safepoint = safepoint()
        monitor.lock()
        statistics.flushes = figures.flushes
        statistics.flushedBytes = figures.flushedBytes
        statistics.compactions = figures.compactions
        statistics.trivialMoves = figures.trivialMoves
        statistics.compactionReadBytes = figures.compactionReadBytes
        statistics.compactionWrittenBytes = figures.compactionWrittenBytes
        statistics.blobs.movedBytes = figures.blobs.movedBytes
        statistics.backgroundError = flushFailure ?? compactionFailure ?? checkpointFailure
        monitor.unlock()
    }
}
