/// The writing half of recovery: begins a new incarnation on what was read.
///
/// Order: FORMAT and directories (of a new engine), log segment with its INCARNATION record, synced;
/// manifest, synced; CURRENT; then orphans are removed. A crash before CURRENT leaves the old state
/// and an unused segment and manifest; the next open replays the same log and takes new names.
struct RecoveryApplier {
    let names: FileNames
    let options: EngineOptions
    let environment: StorageEnvironment
    let store: TableStore
    let lock: any FileLock
    /// What the replay has written before: removed again when the open fails before its manifest.
    let overflow: ReplayOverflow
    let stalls: StallReporter?

    /// Transaction numbers set aside by each open and each flush, so that numbers given out and never
    /// logged are not given again.
    static let transactionReserve: UInt64 = 1 << 32

    func apply(_ recovered: RecoveredState) throws(StorageError) -> StorageEngine {
        let fileSystem = environment.fileSystem
        let format = try makeFormat(recovered)
        let incarnation = makeIncarnation(recovered)

        let tracker = SnapshotTracker()
        // Nothing below what is visible now is asked for; the floor may be above the last commit.
        tracker.publish(max(recovered.lastCommit, recovered.version.safepoint))
        let clock = HybridClock(
            clock: environment.clock, floor: max(recovered.timestampFloor, recovered.lastCommit))
        let tree = try StorageEngine.makeTree(recovered, options)
        let events = EngineEvents(path: names.root, listener: options.eventListener)
        let controller = WriteController(
            diskFullWaitNanos: options.diskFullWaitMicros.multipliedCapped(by: 1000),
            onReasonChange: { events.send(.delayChanged($0)) })
        let pipeline = CommitPipeline(
            clock: clock, tracker: tracker, epoch: incarnation.epoch,
            firstTransaction: recovered.transactionFloor, partBytes: options.batchPartBytes)

        let notes = RotationNotes()
        let wal = try WALWriter.open(
            directory: names.walDirectory,
            identity: WALIdentity(
                cluster: format.shard, shard: format.shard, branch: incarnation.branch,
                incarnation: incarnation.number, epoch: incarnation.epoch),
            continuation: recovered.continuation, options: options.walOptions,
            environment: environment,
            callbacks: WALCallbacks(
                progress: { [pipeline] written, synced in
                    pipeline.progress(written: written, synced: synced)
                },
                failure: { [pipeline, controller] error in
                    pipeline.poison(error)
                    controller.releaseAll()
                    events.send(.poisoned(error))
                },
                stall: { [controller] error in controller.setLogStalled(error != nil) },
                rotation: { [notes] segment in notes.note(segment) }))
        do throws(StorageError) {
            return try finish(
                recovered, format, incarnation, tracker, tree, controller, pipeline, wal, notes,
                fileSystem)
        } catch {
            pipeline.closer?.stop()
            pipeline.abandon()
            try? wal.close()
            throw error
        }
    }

    private func finish(
        _ recovered: RecoveredState, _ format: FormatFile, _ incarnation: Incarnation,
        _ tracker: SnapshotTracker, _ tree: Tree, _ controller: WriteController,
        _ pipeline: CommitPipeline, _ wal: WALWriter, _ notes: RotationNotes,
        _ fileSystem: any FileSystem
    ) throws(StorageError) -> StorageEngine {
        let record = IncarnationRecord(
            branch: incarnation.branch, parent: incarnation.parent, forkLSN: incarnation.forkLSN,
            incarnation: incarnation.number, epoch: incarnation.epoch,
            wallMicros: environment.clock.wallMicros(),
            transactionFloor: recovered.transactionFloor,
            timestampFloor: recovered.timestampFloor)
        let position = try wal.append(.incarnation, record.encoded())
        try wal.sync(waitsForRoom: false)
        // What the old log held is now vouched for by the new segment, and flushed with the layers
        // it was replayed to; the gap between the two holds nothing.
        let start = recovered.continuation.firstLSN
        recovered.layers.first?.lastLSN = start
        tree.state.active.lastLSN = position.end
        pipeline.begin(wal, end: position.end)

        let manifest = try ManifestWriter(
            number: recovered.nextManifestNumber, uid: environment.random.nextUID(),
            shard: format.shard,
            snapshot: snapshot(recovered, incarnation, wal.currentSegment), names, fileSystem)
        overflow.keep()
        try CurrentMarker.write(manifest: manifest.number, names, fileSystem)

        removeOrphans(recovered.orphans)
        if let old = recovered.manifest { try? fileSystem.remove(names.manifest(old.number)) }

        let versions = VersionSet(
            version: recovered.version, nextFileNumber: recovered.nextFileNumber,
            writer: manifest, store: store)
        notes.begin(versions)
        let archiver = try makeArchiver(format, wal)
        let slots = SlotTable(
            options.slots, wal: wal,
            openedMicros: max(
                environment.clock.wallMicros(), recovered.timestampFloor.microsSince1970))
        let background = BackgroundWork(
            tree: tree, versions: versions, store: store, wal: wal, pipeline: pipeline,
            tracker: tracker, controller: controller, environment: environment, options: options,
            checkpoints: makeCheckpointWriter(tree, tracker, pipeline, wal))
        let writeSide = WriteSide(
            names: names, tree: tree, versions: versions, pipeline: pipeline, wal: wal,
            background: background, controller: controller, lock: lock,
            incarnation: incarnation, archiver: archiver, slots: slots, options: options,
            stalls: stalls, random: environment.random)
        pipeline.target = writeSide
        pipeline.setPublishListener { [background] in background.kick() }
        if options.closedTimestampMicros > 0 {
            let closer = ClosedTimestampWriter(
                pipeline: pipeline,
                intervalNanos: options.closedTimestampMicros.multipliedCapped(by: 1000))
            pipeline.closer = closer
            pipeline.awaitsFirstCommit = true
            try closer.start()
        }
        try background.start()
        try archiver?.start()
        let report = recovered.version.corruptionReport(names)
        for entry in report.entries { background.events.send(.quarantined(entry)) }
        for file in report.blobFiles { background.events.send(.blobDamaged(file)) }
        let engine = StorageEngine(
            path: names.root, options: options, environment: environment, store: store,
            tree: tree, tracker: tracker, writeSide: writeSide)
        // Rows that cannot be read now hold all of the log, within the cap; whoever asks for a slot hears why.
        try? slots.load(engine)
        return engine
    }

    /// Data files may be many and large: they go in the background, as obsolete ones do. The others go at
    /// once, since their names are used again.
    private func removeOrphans(_ orphans: [String]) {
        for orphan in orphans {
            switch FileNames.parse(VFSPath.name(of: orphan)) {
            case .table, .blob, .spilledRun, .spilledOperations: store.doom(orphan: orphan)
            default: try? environment.fileSystem.remove(orphan)
            }
        }
    }

    private func makeCheckpointWriter(
        _ tree: Tree, _ tracker: SnapshotTracker, _ pipeline: CommitPipeline, _ wal: WALWriter
    ) -> CheckpointWriter? {
        guard let read = options.catalogReader else { return nil }
        let reader = StorageEngine(
            path: names.root, options: options, environment: environment, store: store, tree: tree,
            tracker: tracker, writeSide: nil)
        return CheckpointWriter(reader: reader, pipeline: pipeline, wal: wal, read: read)
    }

    private func makeArchiver(
        _ format: FormatFile, _ wal: WALWriter
    ) throws(StorageError) -> LogArchiver? {
        guard let archive = options.archive else { return nil }
        let events = EngineEvents(path: names.root, listener: options.eventListener)
        return try LogArchiver(
            options: archive, shard: format.shard, wal: wal, environment: environment
        ) { events.send($0) }
    }

    private func makeFormat(_ recovered: RecoveredState) throws(StorageError) -> FormatFile {
        let fileSystem = environment.fileSystem
        if let format = recovered.format {
            try fileSystem.createDirectoryIfMissing(names.sstDirectory)
            try fileSystem.syncDirectory(names.root)
            return format
        }
        var format = FormatFile(
            shard: environment.random.nextUID(),
            createdWallMicros: environment.clock.wallMicros())
        if fileSystem.keys != nil { format.features.readIncompatible |= FeatureBits.encryption }
        try fileSystem.createDirectoryIfMissing(names.sstDirectory)
        try fileSystem.createDirectoryIfMissing(names.walDirectory)
        try fileSystem.replace(names.format, with: format.encoded())
        return format
    }

    private func makeIncarnation(_ recovered: RecoveredState) -> Incarnation {
        Incarnation(
            number: recovered.highestIncarnation &+ 1, branch: environment.random.nextUID(),
            parent: recovered.incarnation?.branch ?? .zero,
            forkLSN: recovered.continuation.predecessor?.lastLSN ?? .zero,
            epoch: recovered.incarnation?.epoch ?? 0)
    }

    /// The whole state, as the first edit of the new manifest.
    private func snapshot(
        _ recovered: RecoveredState, _ incarnation: Incarnation, _ segment: WALSegmentNumber
    ) -> VersionEdit {
        var edit = VersionEdit(snapshotOf: recovered.version)
        edit.incarnation = incarnation
        edit.nextFileNumber = recovered.nextFileNumber
        edit.timestampFloor = recovered.timestampFloor
        edit.transactionLimit = TransactionID(
            recovered.transactionFloor.rawValue &+ Self.transactionReserve)
        edit.nextFlushEpoch = recovered.nextFlushEpoch
        edit.logSegment = segment
        return edit
    }
}
