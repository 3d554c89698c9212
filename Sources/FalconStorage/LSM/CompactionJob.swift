/// Runs one compaction: merges its inputs, drops what is dead, writes and installs the outputs.
struct CompactionJob {
    struct Result {
        var readBytes: UInt64 = 0
        var writtenBytes: UInt64 = 0
        /// Of them, values that left a blob file with much garbage.
        var movedBytes: UInt64 = 0
        /// Key ranges merged on their own; 0 when nothing was read.
        var parts = 0
        var wasMove: Bool { parts == 0 }
    }
    var compaction: Compaction
    var store: TableStore
    var versions: VersionSet
    var tree: Tree
    var random: any StorageRandom
    var options: EngineOptions
    var safepoint: Timestamp
    var limiter: WriteLimiter?
    /// Made for each thread that merges.
    var makeRest: () -> BackgroundRest? = { nil }
    var tableTombstones: TableTombstones?
    /// Key ranges to cut a large compaction into, at most.
    var maximumParts = 1
    /// Told at once of damage in values that were to be moved, on any thread; the job goes on.
    var noteDamage: (StorageError) -> Void = { _ in }
    /// Polled with the entries read so far.
    var isCancelled: (UInt64) -> Bool
    /// Told of ranges that other threads may merge, and then that none is left.
    var callForHelp: (CompactionParts) -> Void = { _ in }
    var endHelp: (CompactionParts) -> Void = { _ in }

    func run() throws(StorageError) -> Result {
        var edit = VersionEdit()
        edit.removed =
            compaction.inputs.map { .init(level: compaction.inputLevel, number: $0.number) }
            + compaction.overlapped.map { .init(level: compaction.outputLevel, number: $0.number) }
        if compaction.dropsInputs {
            edit.safepoint = safepoint
            try versions.apply(edit) { tree.install($0) }
            return Result()
        }
        if compaction.isTrivialMove {
            edit.added = compaction.inputs.map {
                .init(level: compaction.outputLevel, file: $0.metadata)
            }
            try versions.apply(edit) { tree.install($0) }
            return Result()
        }
        let (outputs, parts) = try mergeAll()
        var result = Result(readBytes: compaction.inputBytes, parts: parts)
        for output in outputs {
            edit.added += output.finished.map {
                .init(level: $0.kind == .blob ? 0 : compaction.outputLevel, file: $0)
            }
            tableTombstones?.learn(output.writtenTombstones)
            result.writtenBytes &+= output.writtenBytes
            result.movedBytes &+= output.movedBytes
        }
        edit.safepoint = safepoint
        // A failed edit leaves the tables behind: whether it is durable is unknown, so they stay.
        try versions.apply(edit) { tree.install($0) }
        result.readBytes &+= result.movedBytes
        return result
    }

    private func mergeAll() throws(StorageError) -> ([TableOutput], Int) {
        let tombstones = try rangeTombstones()
        let ranges = try SubcompactionPlan.ranges(
            of: compaction, limit: maximumParts, leastBytes: options.targetFileByteCount)
        // Helpers may let go of the parts after the end: what is only called here must not be among it.
        var job = self
        job.isCancelled = { _ in false }
        job.callForHelp = { _ in }
        job.endHelp = { _ in }
        let blobs = blobOptions(parts: ranges.count)
        let parts = CompactionParts(ranges) { [job] range, isCancelled throws(StorageError) in
            try job.merge(range, tombstones, blobs, isCancelled)
        }
        if ranges.count > 1 { callForHelp(parts) }
        defer { if ranges.count > 1 { endHelp(parts) } }
        return (try parts.run(isCancelled), ranges.count)
    }

    /// Merges the keys of `range` into tables of their own, which end where it does.
    private func merge(
        _ range: KeyRange, _ tombstones: [RangeTombstone], _ blobs: BlobOutput.Options,
        _ isCancelled: @escaping (UInt64) -> Bool
    ) throws(StorageError) -> TableOutput {
        // Beside its inputs level 0 may hold older tables.
        let deeper =
            compaction.outputLevel == 0
            ? DeeperLevels.unknown
            : DeeperLevels(Array(compaction.version.levels[(compaction.outputLevel + 1)...]))
        let output = TableOutput(
            store: store,
            options: .init(
                table: tableOptions, targetBytes: targetBytes,
                flushEpoch: compaction.allInputs.map(\.metadata.flushEpoch).max() ?? 0,
                range: range, blobs: blobs,
                pacing: WritePacing(limiter: limiter, isFlush: false),
                catalogLimit: options.catalogStorageLimit),
            random: random, tombstones: tombstones.filter { isNeeded($0, deeper) },
            allocateNumber: versions.allocateFileNumber)
        do throws(StorageError) {
            var collapse = VersionCollapse(
                safepoint: safepoint, deeper: deeper, tombstones: tombstones,
                grandparents: compaction.outputLevel > 0
                    && compaction.outputLevel + 1 < Version.levelCount
                    ? Grandparents(compaction.version.levels[compaction.outputLevel + 1]) : nil,
                targetBytes: targetBytes)
            collapse.range = range
            collapse.isCancelled = isCancelled
            collapse.rest = makeRest()
            collapse.coarsensTimestamps = compaction.outputLevel == LevelTargets.last
            try collapse.copy(from: source(range), to: output)
            _ = try output.finish()
        } catch {
            output.abandon()
            throw error
        }
        return output
    }

    /// Tables of level 0 are searched one after the other: there each merge makes one.
    private var targetBytes: UInt64 {
        compaction.outputLevel == 0 ? .max : options.targetFileByteCount
    }

    private var tableOptions: TableOptions {
        var table = options.tableOptions
        if compaction.outputLevel == LevelTargets.last {
            table.codec = options.bottomCompression
            table.dictionaryBytes = options.bottomDictionaryBytes
        }
        return table
    }

    private func blobOptions(parts: Int) -> BlobOutput.Options {
        var blobs = BlobOutput.Options(options, codec: tableOptions.codec)
        blobs.source = compaction.version.blobs
        blobs.noteDamage = noteDamage
        blobs.collected = blobs.source.collected(garbagePercent: options.blobGarbagePercent)
        if let ring = store.fileSystem.keys?.ring {
            let stale = blobs.source.stale(ring.freshIDs)
            blobs.collected = Set(blobs.collected).union(stale).sorted()
        }
        if options.blobThresholdBytes > 0 {
            let merged = blobs.source.merged(
                by: compaction.allInputs.lazy.map(\.metadata),
                targetBytes: options.targetFileByteCount, parts: parts)
            blobs.collected = Set(blobs.collected).union(merged).sorted()
        }
        return blobs
    }

    private func source(_ range: KeyRange) throws(StorageError) -> InternalIterator {
        var runs =
            compaction.inputLevel == 0
            ? Sublevels.arrange(compaction.inputs) : [LevelFiles(compaction.inputs)]
        runs.append(LevelFiles(compaction.overlapped))
        var children: [InternalIterator] = []
        for run in runs {
            if let child = try run.cursor(in: range, TableScan(fillCache: false)) {
                children.append(child)
            }
        }
        return MergingIterator.merging(children)
    }

    private func rangeTombstones() throws(StorageError) -> [RangeTombstone] {
        var tombstones: [RangeTombstone] = []
        for file in compaction.allInputs where file.metadata.rangeTombstoneCount > 0 {
            tombstones += try file.reader().rangeTombstones
        }
        return tombstones
    }

    /// False: the tombstone is below the safepoint and nothing it could hide lies deeper.
    private func isNeeded(_ tombstone: RangeTombstone, _ deeper: DeeperLevels) -> Bool {
        tombstone.timestamp > safepoint
            || deeper.overlaps(KeyRange(lower: tombstone.lower, upper: tombstone.upper))
    }
}
