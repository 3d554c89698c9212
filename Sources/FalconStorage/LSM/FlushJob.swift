/// Writes one immutable layer to level 0, cut where the tables beneath end: so that a compaction of
/// one of those needs only its part of each flush.
struct FlushJob {
    var layer: MemtableLayer
    var store: TableStore
    var versions: VersionSet
    var tree: Tree
    var random: any StorageRandom
    var table: TableOptions
    var blobs: BlobOutput.Options
    var safepoint: Timestamp
    /// The level that level 0 empties into, or the first with tables below.
    var beneath = LevelFiles.empty
    /// No part is smaller.
    var leastBytes: UInt64 = .max
    var limiter: WriteLimiter?
    var rest: BackgroundRest?
    var tableTombstones: TableTombstones?
    /// Where each ingested file of the layer goes.
    var ingestLevels: [Int] = []
    /// See ``EngineOptions/catalogStorageLimit``.
    var catalogLimit: UInt32 = 0
    /// Numbers of transactions below it may have been given to somebody.
    var transactionLimit: TransactionID?

    /// Returns the bytes written. The layer is gone from the read state and its log is releasable.
    func run() throws(StorageError) -> UInt64 {
        var (edit, written) = try Self.write(
            layer, store: store, random: random, table: table, blobs: blobs,
            safepoint: safepoint, beneath: beneath, leastBytes: leastBytes, limiter: limiter,
            rest: rest,
            tableTombstones: tableTombstones, ingestLevels: ingestLevels,
            catalogLimit: catalogLimit, allocateNumber: versions.allocateFileNumber)
        edit.transactionLimit = transactionLimit
        // A failed edit leaves the tables behind: whether it is durable is unknown, so they stay.
        try versions.apply(edit, known: layer.ingestedByNumber) {
            tree.install($0, flushed: layer)
        }
        return written
    }

    /// Makes tables of a layer and says what MANIFEST has to take in.
    static func write(
        _ layer: MemtableLayer, store: TableStore, random: any StorageRandom, table: TableOptions,
        blobs: BlobOutput.Options, safepoint: Timestamp, beneath: LevelFiles = .empty,
        leastBytes: UInt64 = .max, limiter: WriteLimiter? = nil,
        rest: BackgroundRest? = nil, tableTombstones: TableTombstones? = nil,
        ingestLevels: [Int] = [],
        catalogLimit: UInt32 = 0, allocateNumber: @escaping () -> FileNumber
    ) throws(StorageError) -> (edit: VersionEdit, bytes: UInt64) {
        let tombstones = layer.table.rangeTombstones
        var edit = VersionEdit()
        var written: UInt64 = 0
        if !layer.isEmpty {
            let output = TableOutput(
                store: store,
                options: .init(
                    table: table, targetBytes: .max, flushEpoch: layer.epoch, blobs: blobs,
                    pacing: WritePacing(limiter: limiter, isFlush: true),
                    catalogLimit: catalogLimit),
                random: random, tombstones: tombstones, allocateNumber: allocateNumber)
            do throws(StorageError) {
                var collapse = VersionCollapse(
                    safepoint: safepoint, deeper: .unknown, tombstones: tombstones,
                    grandparents: beneath.count > 1 ? Grandparents(beneath) : nil,
                    targetBytes: .max)
                collapse.borderBytes = leastBytes
                collapse.rest = rest
                try collapse.copy(from: layer.makeIterator(), to: output)
                edit.added = try output.finish().map { .init(level: 0, file: $0) }
            } catch {
                output.abandon()
                throw error
            }
            written = output.writtenBytes
            tableTombstones?.learn(output.writtenTombstones)
        }
        for (file, level) in zip(layer.ingested, ingestLevels) {
            edit.added.append(.init(level: level, file: file.metadata))
        }
        edit.flushedLSN = layer.lastLSN
        edit.timestampFloor = layer.lastTimestamp
        edit.nextFlushEpoch = layer.epoch + 1
        edit.safepoint = safepoint
        return (edit, written)
    }
}
