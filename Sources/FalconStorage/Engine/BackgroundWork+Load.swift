extension BackgroundWork {
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
                state.immutables.reduce(options.rotationBytes) { $0 + $1.approximateBytes }))
        let targets = picker.targets(state.version)
        monitor.lock()
        let isDiskFull =
            flushFailure?.code == .diskFull || compactionFailure?.code == .diskFull
        let failure = flushFailure
        monitor.unlock()
        store.setDiskFull(isDiskFull)
        let garbage = state.version.blobs.garbage(percent: options.blobGarbagePercent)
        controller.update(
            .init(
                immutables: state.immutables.count,
                maximumImmutables: options.maximumImmutableMemtables,
                level0Files: state.version.sublevels.count,
                level0Slowdown: options.level0SlowdownTrigger,
                level0Stop: options.level0StopTrigger,
                debtBytes: picker.debt(state.version, targets),
                softDebtBytes: options.softDebtBytes, hardDebtBytes: options.hardDebtBytes,
                blobGarbageBytes: garbage.bytes,
                softBlobGarbageBytes: garbage.allowedBytes.addingCapped(blobSlackBytes),
                logBytes: pipeline.publishedEnd.rawValue
                    &- min(
                        pipeline.publishedEnd.rawValue, state.version.flushedLSN.rawValue),
                softLogBytes: softLogBytes,
                isMemoryShort: options.memoryBudget?.pressure == .hard
                    && !state.immutables.isEmpty,
                memory: options.memoryBudget?.measure,
                isDiskFull: isDiskFull, flushFailure: failure))
        limiter?.setLifted(controller.needsPacing || stopFlag.load(ordering: .relaxed))
    }

    /// Four times what memtables make of it: parts of large transactions, or flushes that fail.
    private var softLogBytes: UInt64 {
        max(
            UInt64(options.maximumImmutableMemtables + 2)
                .multipliedCapped(by: UInt64(options.rotationBytes)).multipliedCapped(by: 4),
            1 << 30)
    }

    /// What may become garbage at once, with what waits in level 0 for its compaction: no reason to hold
    /// anybody back.
    private var blobSlackBytes: UInt64 {
        UInt64(max(options.targetFileBytes, options.rotationBytes)).multipliedCapped(by: 8)
    }

    func addStatistics(to statistics: inout EngineStatistics) {
        let version = tree.state.version
        let targets = picker.targets(version)
        statistics.baseLevel = targets.baseLevel
        statistics.compactionDebtBytes =
            picker.debt(version, targets)
            &+ version.blobs.garbage(percent: options.blobGarbagePercent).excessBytes
        statistics.safepoint = safepoint()
        statistics.backgroundRests = rests.load(ordering: .relaxed)
        monitor.lock()
        statistics.adoptedBatches = figures.adoptedBatches
        statistics.flushes = figures.flushes
        statistics.flushedBytes = figures.flushedBytes
        statistics.compactions = figures.compactions
        statistics.subcompactions = figures.subcompactions
        statistics.trivialMoves = figures.trivialMoves
        statistics.tablesDroppedUnread = figures.tablesDroppedUnread
        statistics.compactionReadBytes = figures.compactionReadBytes
        statistics.compactionWrittenBytes = figures.compactionWrittenBytes
        statistics.blobs.movedBytes = figures.blobs.movedBytes
        statistics.backgroundError = flushFailure ?? compactionFailure ?? checkpointFailure
        monitor.unlock()
    }
}
