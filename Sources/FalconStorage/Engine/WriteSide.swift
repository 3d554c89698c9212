import Synchronization

/// What only a writable engine has: log, manifest, commit pipeline and background threads.
final class WriteSide: CommitTarget, @unchecked Sendable {
    let names: FileNames
    let tree: Tree
    let versions: VersionSet
    let pipeline: CommitPipeline
    let wal: WALWriter
    let background: BackgroundWork
    let controller: WriteController
    let pacer: CommitPacer
    /// Where batches spill that are too large for memory.
    let spills: SpillSpace
    /// The life of the engine, and the branch of the log that it writes.
    let incarnation: Incarnation
    var branch: UID { incarnation.branch }
    /// Nil: the log is not archived.
    let archiver: LogArchiver?
    let slots: SlotTable
    /// Nil when the options want no report.
    let stalls: StallReporter?
    private let lock: any FileLock
    private let memtableBytes: Int
    private let budget: MemoryBudget?
    private let warmer = ArenaWarmer()
    /// Guarded by the commit section.
    @exclusivity(unchecked) private var active: MemtableLayer
    private let closing = Monitor()
    private var isClosed = false
    private let ended = Atomic<Bool>(false)
    /// Its directory may be another engine's by now.
    var hasEnded: Bool { ended.load(ordering: .acquiring) }

    init(
        names: FileNames, tree: Tree, versions: VersionSet, pipeline: CommitPipeline,
        wal: WALWriter, background: BackgroundWork, controller: WriteController,
        lock: any FileLock, incarnation: Incarnation, archiver: LogArchiver?,
        slots: SlotTable, options: EngineOptions, stalls: StallReporter?,
        random: any StorageRandom
    ) {
        self.names = names
        self.tree = tree
        self.versions = versions
        self.pipeline = pipeline
        self.wal = wal
        self.background = background
        self.controller = controller
        self.lock = lock
        self.incarnation = incarnation
        self.archiver = archiver
        self.slots = slots
        self.stalls = stalls
        spills = SpillSpace(store: versions.store, options: options, random: random) {
            [versions] in versions.allocateFileNumber()
        }
        memtableBytes = options.rotationBytes
        budget = options.memoryBudget
        pacer = CommitPacer(controller: controller, pipeline: pipeline)
        active = tree.state.active
        super.init(AdoptionRule(rotationBytes: options.rotationBytes))
    }

    override func layer(for batch: WriteBatch) throws(StorageError) -> MemtableLayer {
        let table = active.table
        let used = table.approximateBytes
        if used < fullBytes, table.canFit(batch) {
            if used > table.arena.warmMark { warm(table.arena) }
            return active
        }
        let fresh = try rotate(batchBytes: batch.byteCount + batch.operationCount * 280)
        guard fresh.table.canFit(batch) else {
            throw .invalidArgument(
                "A transaction of \(batch.operationCount) operations with \(batch.byteCount) bytes is "
                    + "too large.", hint: "Split it.")
        }
        return fresh
    }

    /// Where the active memtable is rotated: earlier while memory is short.
    @inline(__always)
    private var rotationBytes: Int {
        guard let budget else { return memtableBytes }
        return memtableBytes >> budget.pressure.rawValue
    }

    /// What is in use then: the last batch that goes in, unless it is large, stays within the pages made ready up to
    /// ``rotationBytes``. One entry beyond them has the system clear a huge page, which took commits 6 ms.
    @inline(__always)
    private var fullBytes: Int {
        let bytes = rotationBytes
        return bytes - min(bytes / 64, Self.lastBatchBytes)
    }
    private static let lastBatchBytes = 64 << 10

    @inline(never)
    private func warm(_ arena: Arena) {
        guard !arena.warmAhead(warmer, limit: rotationBytes) else { return }
        warmer.prepare(
            tree.arenas, capacityBytes: Tree.arenaCapacity(memtableBytes, batchBytes: 0),
            limit: rotationBytes)
    }

    @inline(never)
    private func rotate(batchBytes: Int) throws(StorageError) -> MemtableLayer {
        let table = try MemTable(
            capacityBytes: Tree.arenaCapacity(memtableBytes, batchBytes: batchBytes),
            shards: tree.cell.shards, pool: tree.arenas)
        active = tree.rotate(to: table)
        background.updateController()
        background.kick()
        return active
    }

    override func preparePlace() throws(StorageError) -> LayerPlace {
        LayerPlace(
            placeholder: try MemTable(capacityBytes: 0),
            fresh: active.table.isEmpty
                ? nil
                : try MemTable(
                    capacityBytes: Tree.arenaCapacity(memtableBytes, batchBytes: 0),
                    shards: tree.cell.shards, pool: tree.arenas))
    }

    override func install(_ record: IngestRecord, end: LSN, in place: LayerPlace) {
        put(before: place.fresh) { [store = versions.store] epoch in
            let files = record.files.map {
                TableFile(
                    metadata: FileMetadata($0, at: record.timestamp, epoch: epoch), store: store)
            }
            let layer = MemtableLayer(
                table: place.placeholder, epoch: epoch, lastLSN: end, ingested: files)
            layer.lastTimestamp = record.timestamp
            return layer
        }
    }

    override func adopt(
        _ batch: WriteBatch, at timestamp: Timestamp, end: LSN, in place: LayerPlace
    ) -> Bool {
        guard place.placeholder.addRangeTombstones(of: batch, at: timestamp) else { return false }
        put(before: place.fresh) { epoch in
            let layer = MemtableLayer(
                table: place.placeholder, epoch: epoch, lastLSN: end,
                adopted: AdoptedBatch(batch, at: timestamp))
            layer.lastTimestamp = timestamp
            return layer
        }
        background.noteAdoption()
        return true
    }

    private func put(before fresh: MemTable?, _ make: (UInt64) -> MemtableLayer) {
        active = tree.place(make, before: fresh).active
        background.updateController()
        background.kick()
    }

    /// Makes the active memtable immutable unless it is empty; returns the newest epoch that a
    /// flush has to reach.
    func sealActive() throws(StorageError) -> UInt64 {
        try pipeline.withSection { () throws(StorageError) -> UInt64 in
            let sealed = active
            if sealed.table.isEmpty { return sealed.epoch &- 1 }
            _ = try rotate(batchBytes: 0)
            return sealed.epoch
        }
    }

    /// A log that was closed whole has an end that MANIFEST can vouch for. Without the note, for want of
    /// room, the log's own seal is all there is; nothing is lost by that.
    private func noteEnd() {
        guard let end = wal.sealedEnd else { return }
        var edit = VersionEdit()
        edit.logEnd = end
        do throws(StorageError) { try versions.note(edit) } catch {}
    }

    func close() throws(StorageError) {
        closing.lock()
        defer { closing.unlock() }
        if isClosed { return }
        isClosed = true
        ended.store(true, ordering: .releasing)
        controller.releaseAll()
        pacer.stop()
        pipeline.closer?.stop()
        pipeline.stop()
        var failure: StorageError?
        // Ends the commits that wait: they are published, or fail with the log.
        if pipeline.poisoned == nil {
            do throws(StorageError) {
                try pipeline.closeTimestamp(isLast: true)
                try wal.sync(waitsForRoom: false)
            } catch { failure = error }
        }
        archiver?.stop()
        background.stop()
        warmer.stop()
        tree.arenas.close()
        do throws(StorageError) {
            try wal.close()
            // There was room in the end.
            if failure?.code == .diskFull { failure = nil }
        } catch { failure = failure ?? error }
        pipeline.abandon()
        if failure == nil { archiver?.archiveEnd() }
        noteEnd()
        do throws(StorageError) { try versions.close() } catch { failure = failure ?? error }
        stalls?.stop()
        lock.release()
        if let failure { throw failure }
    }
}
