extension StorageEngine {
    /// Makes a copy at `path`, which must not exist, that opens as an engine of its own branch: what
    /// was committed when the call began, and perhaps some of what came meanwhile. Tables are hard
    /// links, or copies on another file system; the log starts anew, since WAL is never linked. After a throw
    /// nothing is left of it, unless the disk refuses to remove what was made.
    public func checkpoint(to path: String) throws(StorageError) {
        let side = try writable()
        try flush()
        // Holding the state holds its files.
        let state = cell.retained()
        try refuseDamaged(state.version)
        try environment.fileSystem.createDirectory(path)
        do throws(StorageError) {
            try fill(path, side, state)
        } catch {
            try? environment.fileSystem.removeTree(path)
            throw error
        }
    }

    private func fill(
        _ path: String, _ side: WriteSide, _ state: ReadState
    ) throws(StorageError) {
        let fileSystem = environment.fileSystem
        let target = FileNames(root: path)
        let copied = copyEnvironment()
        try fileSystem.createDirectory(target.sstDirectory)
        for level in state.version.levels {
            for file in level.files {
                try linkOrCopy(
                    store.names.table(file.number), to: target.table(file.number))
            }
        }
        for entry in state.version.blobs.entries {
            let number = entry.file.number
            try linkOrCopy(store.names.blob(number), to: target.blob(number))
        }
        try fileSystem.syncDirectory(target.sstDirectory)
        let formatBytes = try fileSystem.contents(of: store.names.format)
        let format = try FormatFile.decode(
            formatBytes, path: store.names.format, forWriting: true)
        try fileSystem.replace(target.format, with: formatBytes)

        let start = max(state.version.flushedLSN, WALContinuation.beginning.firstLSN)
        let limit = TransactionID(
            side.pipeline.transactionLimit.rawValue &+ RecoveryApplier.transactionReserve)
        let incarnation = Incarnation(
            number: 1, branch: environment.random.nextUID(), parent: side.branch,
            forkLSN: start, epoch: 0)
        let floor = tracker.publishedTimestamp
        try beginLog(target, copied, format, incarnation, start, limit, floor)
        var edit = VersionEdit(snapshotOf: state.version)
        edit.incarnation = incarnation
        edit.flushedLSN = start
        edit.transactionLimit = limit
        edit.timestampFloor = floor
        edit.nextFileNumber = side.versions.allocateFileNumber()
        edit.nextFlushEpoch = state.active.epoch &+ 1
        let manifest = try ManifestWriter(
            number: 1, uid: environment.random.nextUID(), shard: format.shard, snapshot: edit,
            target, copied.fileSystem)
        try manifest.close()
        // Last: keys may have been rotated while files were copied, and the copy's own need the newest.
        try environment.fileSystem.keys?.ring.copy(to: target.keys)
        try CurrentMarker.write(manifest: 1, target, fileSystem)
        try fileSystem.syncDirectory(VFSPath.parent(of: path))
    }

    /// A copy that lacks rows must not pass for a whole one.
    func refuseDamaged(_ version: Version) throws(StorageError) {
        let report = version.corruptionReport(store.names)
        if let lost = report.blobFiles.first {
            throw .corruption(
                "A blob file is damaged: a copy would lack some of its values.", path: lost.path,
                offset: lost.offset,
                hint: "Restore the file, or accept the loss (dropQuarantined); then copy.")
        }
        if let lost = report.entries.first {
            throw .corruption(
                "A damaged table is out of service: a copy would lack its rows.", path: lost.path,
                offset: lost.offset,
                hint: "Restore the file, or accept the loss (dropQuarantined); then copy.")
        }
    }

    /// What writes files of the copy's own: of a scope of theirs.
    func copyEnvironment() -> StorageEnvironment {
        guard let keys = environment.fileSystem.keys else { return environment }
        return environment.with(
            KeyedFileSystem(
                environment.fileSystem.unkeyed, FileKeys(keys.ring, override: .backup)))
    }

    func linkOrCopy(_ from: String, to: String) throws(StorageError) {
        do throws(StorageError) {
            return try environment.fileSystem.link(from, to: to)
        } catch  where error.code != .notFound && error.code != .diskFull {}
        try copy(from, to: to)
    }

    func copy(_ from: String, to: String) throws(StorageError) {
        let fileSystem = environment.fileSystem
        try fileSystem.copy(from, to: to, byteCount: fileSystem.fileSize(from))
    }

    /// The copy's log: one segment that begins where the tables end.
    private func beginLog(
        _ target: FileNames, _ copied: StorageEnvironment, _ format: FormatFile,
        _ incarnation: Incarnation, _ start: LSN,
        _ limit: TransactionID, _ floor: Timestamp
    ) throws(StorageError) {
        let wal = try WALWriter.open(
            directory: target.walDirectory,
            identity: WALIdentity(
                cluster: format.shard, shard: format.shard, branch: incarnation.branch,
                incarnation: incarnation.number),
            continuation: WALContinuation(
                segment: WALContinuation.beginning.segment, firstLSN: start, predecessor: nil),
            options: options.walOptions, environment: copied, callbacks: WALCallbacks())
        do throws(StorageError) {
            try wal.append(
                .incarnation,
                IncarnationRecord(
                    branch: incarnation.branch, parent: incarnation.parent,
                    forkLSN: incarnation.forkLSN, incarnation: incarnation.number, epoch: 0,
                    wallMicros: environment.clock.wallMicros(), transactionFloor: limit,
                    timestampFloor: floor
                ).encoded())
        } catch {
            try? wal.close()
            throw error
        }
        try wal.close()
    }
}

extension VersionEdit {
    /// The whole of `version`, as the first edit of a manifest.
    init(snapshotOf version: Version) {
        self.init()
        isSnapshot = true
        flushedLSN = version.flushedLSN
        safepoint = version.safepoint
        for (level, files) in version.levels.enumerated() {
            for file in files.files {
                added.append(.init(level: level, file: file.metadata))
                if let record = file.quarantine { quarantined.append(record) }
            }
        }
        for entry in version.blobs.entries {
            added.append(.init(level: 0, file: entry.file.metadata))
            if let record = entry.file.quarantine { quarantined.append(record) }
        }
    }
}
