/// Runs one compaction: merges its inputs, drops what is dead, writes and installs the outputs.
struct CompactionJob {
    struct Result {
        var readBytes: UInt64 = 0
        var writtenBytes: UInt64 = 0
        /// Of them, values that left a blob file with much garbage.
        var movedBytes: UInt64 = 0
        var wasMove = false
    }
    var compaction: Compaction
    var store: TableStore
    var versions: VersionSet
    var tree: Tree
    var random: any StorageRandom
    var options: EngineOptions
    var safepoint: Timestamp
    /// Polled with the entries read so far.
    var isCancelled: (UInt64) -> Bool

    func run() throws(StorageError) -> Result {
        var edit = VersionEdit()
        edit.removed =
            compaction.inputs.map { .init(level: compaction.inputLevel, number: $0.number) }
            + compaction.overlapped.map { .init(level: compaction.outputLevel, number: $0.number) }
        if compaction.isTrivialMove {
            edit.added = compaction.inputs.map {
                .init(level: compaction.outputLevel, file: $0.metadata)
            }
            try versions.apply(edit) { tree.install($0) }
            return Result(wasMove: true)
        }
        let tombstones = try rangeTombstones()
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
                blobs: blobOptions),
            random: random, tombstones: tombstones.filter { isNeeded($0, deeper) },
            allocateNumber: versions.allocateFileNumber)
        do throws(StorageError) {
            var collapse = VersionCollapse(
                safepoint: safepoint, deeper: deeper, tombstones: tombstones,
                grandparents: compaction.outputLevel > 0
                    && compaction.outputLevel + 1 < Version.levelCount
                    ? Grandparents(compaction.version.levels[compaction.outputLevel + 1]) : nil,
                targetBytes: targetBytes)
            collapse.isCancelled = isCancelled
            collapse.coarsensTimestamps = compaction.outputLevel == LevelTargets.last
            try collapse.copy(from: source(), to: output)
            edit.added = try output.finish().map {
                .init(level: $0.kind == .blob ? 0 : compaction.outputLevel, file: $0)
            }
        } catch {
            output.abandon()
            throw error
        }
        edit.safepoint = safepoint
        try versions.apply(edit) { tree.install($0) }
        return Result(
            readBytes: compaction.inputBytes &+ output.movedBytes,
            writtenBytes: output.writtenBytes, movedBytes: output.movedBytes)
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

    private var blobOptions: BlobOutput.Options {
        var blobs = BlobOutput.Options(options, codec: tableOptions.codec)
        blobs.source = compaction.version.blobs
        blobs.collected = blobs.source.collected(garbagePercent: options.blobGarbagePercent)
        return blobs
    }

    private func source() throws(StorageError) -> InternalIterator {
        var children: [InternalIterator] = []
        if compaction.inputLevel == 0 {
            for file in compaction.inputs {
                children.append(try file.reader().makeIterator(fillCache: false))
            }
        } else {
            children.append(
                LevelIterator(LevelFiles(compaction.inputs), TableScan(fillCache: false)))
        }
        if !compaction.overlapped.isEmpty {
            children.append(
                LevelIterator(LevelFiles(compaction.overlapped), TableScan(fillCache: false)))
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
