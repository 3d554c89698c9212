/// Writes one immutable memtable to level 0.
struct FlushJob {
    var layer: MemtableLayer
    var store: TableStore
    var versions: VersionSet
    var tree: Tree
    var random: any StorageRandom
    var table: TableOptions
    var blobs: BlobOutput.Options
    var safepoint: Timestamp
    /// Where each ingested file of the layer goes.
    var ingestLevels: [Int] = []

    /// Returns the bytes written. The layer is gone from the read state and its log is releasable.
    func run() throws(StorageError) -> UInt64 {
        let tombstones = layer.table.rangeTombstones
        var edit = VersionEdit()
        var written: UInt64 = 0
        if !layer.table.isEmpty || !tombstones.isEmpty {
            let output = TableOutput(
                store: store,
                options: .init(
                    table: table, targetBytes: .max, flushEpoch: layer.epoch, blobs: blobs),
                random: random, tombstones: tombstones,
                allocateNumber: versions.allocateFileNumber)
            do throws(StorageError) {
                var collapse = VersionCollapse(
                    safepoint: safepoint, deeper: .unknown, tombstones: tombstones,
                    grandparents: nil, targetBytes: .max)
                try collapse.copy(from: layer.table.makeIterator(), to: output)
                edit.added = try output.finish().map { .init(level: 0, file: $0) }
            } catch {
                output.abandon()
                throw error
            }
            written = output.writtenBytes
        }
        for (file, level) in zip(layer.ingested, ingestLevels) {
            edit.added.append(.init(level: level, file: file.metadata))
        }
        edit.flushedLSN = layer.lastLSN
        edit.timestampFloor = layer.lastTimestamp
        edit.nextFlushEpoch = layer.epoch + 1
        edit.safepoint = safepoint
        // A failed edit leaves the tables behind: whether it is durable is unknown, so they stay.
        let known = Dictionary(
            layer.ingested.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
        try versions.apply(edit, known: known) { tree.install($0, flushed: layer) }
        return written
    }
}
