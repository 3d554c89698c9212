extension BackgroundWork {
    /// What a compaction thread finds to do.
    private enum Duty {
        case compaction(Compaction)
        /// Merges key ranges of a compaction that another thread owns.
        case help(CompactionParts)
    }

    /// How often tables are looked at again that wait for the safepoint to pass them.
    private static let safepointNanos: UInt64 = 1_000_000_000

    func runCompactions() {
        var backoffNanos: UInt64 = 10_000_000
        while let duty = nextDuty() {
            do throws(StorageError) {
                switch duty {
                case .compaction(let compaction):
                    try run(compaction) { _ in stopFlag.load(ordering: .relaxed) }
                case .help(let parts): parts.help()
                }
                backoffNanos = 10_000_000
            } catch {
                if giveUp(after: error) || stopFlag.load(ordering: .acquiring) { return }
                pause(nanos: backoffNanos)
                backoffNanos = min(backoffNanos * 2, 1_000_000_000)
            }
        }
    }

    private func nextDuty() -> Duty? {
        monitor.lock()
        defer { monitor.unlock() }
        while !isStopping {
            switch findDuty() {
            case .found(let duty): return duty
            case .wait(let nanos): waitForWork(nanos: nanos)
            }
        }
        return nil
    }

    private enum Search {
        case found(Duty)
        case wait(nanos: UInt64?)
    }

    /// With the monitor held. Nothing that it looked at is held on to while its caller waits: versions
    /// keep tables.
    private func findDuty() -> Search {
        let (version, context) = look()
        if let parts = calls.first(where: \.hasMore) { return .found(.help(parts)) }
        if manualCompactions == 0, placements == 0,
            let compaction = picker.pick(version, context)
        {
            begin(compaction)
            return .found(.compaction(compaction))
        }
        return .wait(
            nanos: picker.awaitsSafepoint(version, context) ? Self.safepointNanos : nil)
    }

    /// With the monitor held: what there is to pick from.
    private func look() -> (Version, PickContext) {
        let version = versions.current
        let safepoint = safepoint()
        let context = PickContext(
            safepoint: safepoint, tombstones: tombstones.visible(version, at: safepoint),
            running: running, freshKeys: store.fileSystem.keys?.ring.freshIDs)
        return (version, context)
    }

    /// With the monitor held.
    func begin(_ compaction: Compaction) {
        compaction.mark(true)
        running.append(compaction)
    }

    /// Runs a compaction that has begun, and ends it.
    func run(
        _ compaction: Compaction, isCancelled: (UInt64) -> Bool
    ) throws(StorageError) {
        var failure: StorageError?
        var result = CompactionJob.Result()
        withoutActuallyEscaping(isCancelled) { isCancelled in
            var job = CompactionJob(
                compaction: compaction, store: store, versions: versions, tree: tree,
                random: environment.random, options: options, safepoint: safepoint(),
                limiter: limiter, tableTombstones: tombstones,
                maximumParts: options.compactionThreads, isCancelled: isCancelled)
            job.makeRest = { [unowned self] in makeRest(isFlush: false) }
            job.noteDamage = { [keeper] in keeper.note($0, by: .compaction) }
            job.callForHelp = { [unowned self] parts in
                monitor.lock()
                calls.append(parts)
                work.broadcast()
                monitor.unlock()
            }
            job.endHelp = { [unowned self] parts in
                monitor.lock()
                calls.removeAll { $0 === parts }
                monitor.unlock()
            }
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
        running.removeAll { $0.inputs.first === compaction.inputs.first }
        compactionFailure = failure
        if failure == nil { count(compaction, result) }
        work.broadcast()
        progress.broadcast()
        monitor.unlock()
        updateController()
        if let failure {
            keeper.note(failure, by: .compaction)
            throw failure
        }
    }

    /// With the monitor held.
    private func count(_ compaction: Compaction, _ result: CompactionJob.Result) {
        if compaction.dropsInputs {
            figures.tablesDroppedUnread += UInt64(compaction.inputs.count)
        } else if result.wasMove {
            figures.trivialMoves += 1
        } else {
            figures.compactions += 1
            figures.subcompactions += UInt64(result.parts)
            figures.compactionReadBytes += result.readBytes
            figures.compactionWrittenBytes += result.writtenBytes
            figures.blobs.movedBytes += result.movedBytes
        }
    }

    /// Blocks until no flush or compaction runs or is due, no damage waits to be examined and every
    /// obsolete table that nobody reads is unlinked; for tests and measurements.
    func awaitIdle() {
        kick()
        monitor.lock()
        while !isStopping, pipeline.poisoned == nil {
            if isIdle() { break }
            progress.wait()
        }
        monitor.unlock()
        // Who examines a damaged file reads it: it could not be unlinked yet.
        keeper.awaitIdle()
        store.awaitRemovals()
    }

    /// With the monitor held.
    private func isIdle() -> Bool {
        let (version, context) = look()
        return running.isEmpty && idleThreads == threads.count && tree.state.immutables.isEmpty
            && picker.pick(version, context) == nil
    }
}
