extension BackgroundWork {
    /// How often a manual compaction that waits for tables asks whether it is still wanted.
    private static let waitNanos: UInt64 = 50_000_000

    /// Compacts what overlaps `range` level by level to the last that has any, then rewrites there what holds
    /// garbage; this thread owns each step and the compaction threads help. Tables that are in another
    /// compaction are waited for. False from `progress` ends it with `cancelled`.
    func compactManually(
        _ range: KeyRange, _ progress: (CompactionProgress) -> Bool
    ) throws(StorageError) {
        monitor.lock()
        manualCompactions += 1
        monitor.unlock()
        defer {
            monitor.lock()
            manualCompactions -= 1
            work.broadcast()
            monitor.unlock()
        }
        var done: UInt64 = 0
        let limit = versions.allocateFileNumber()
        let safepoint = safepoint()
        func perform(
            _ pick: (Version, PickContext) -> CompactionPicker.ManualStep
        ) throws(StorageError) {
            while let compaction = try nextManual(range, done, progress, pick) {
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
        }
        try perform { picker.pickManual($0, range, $1) }
        try perform {
            picker.pickRewrite($0, range, safepoint: safepoint, before: limit, $1)
        }
    }

    /// The next step, begun; nil at the end. Waits for what is busy.
    private func nextManual(
        _ range: KeyRange, _ done: UInt64, _ ask: (CompactionProgress) -> Bool,
        _ pick: (Version, PickContext) -> CompactionPicker.ManualStep
    ) throws(StorageError) -> Compaction? {
        monitor.lock()
        defer { monitor.unlock() }
        while true {
            if isStopping { throw StorageError(.closed, kind: .user, "The engine is closed.") }
            if let cause = pipeline.poisoned { throw CommitPipeline.poisonedError(cause) }
            if placements == 0 {
                let context = PickContext(safepoint: safepoint(), running: running)
                switch pick(versions.current, context) {
                case .compaction(let compaction):
                    begin(compaction)
                    return compaction
                case .done: return nil
                case .busy: break
                }
            }
            _ = progress.wait(nanos: Self.waitNanos)
            monitor.unlock()
            let total = done + picker.manualBytes(versions.current, range)
            let isWanted = ask(.init(doneBytes: done, totalBytes: total))
            monitor.lock()
            if !isWanted { throw CompactionParts.cancelled }
        }
    }
}
