import Glibc

extension StorageEngine {
    /// How the archive of the log stands; nil: the log is not archived.
    public func archiveStatus() -> ArchiveStatus? { writeSide?.archiver?.status }

    /// Ends the log's current segment, if there is a record in it, and returns where it ends. With an archive the
    /// segment is archived soon.
    @discardableResult
    public func switchLogSegment() throws(StorageError) -> LSN {
        try writable().wal.switchSegment()
    }

    /// Returns once every commit before the call is archived.
    public func archiveNow() throws(StorageError) {
        let side = try writable()
        let archiver = try archiver(side)
        try side.wal.switchSegment()
        try archiver.awaitArchived(before: side.wal.currentSegment)
    }

    /// Where the log ends at the moment: the next record's LSN.
    public func currentLSN() throws(StorageError) -> LSN { try writable().wal.nextLSN }

    /// Logs a named place to restore to, and returns its LSN once it is durable.
    public func createRestorePoint(_ name: String) throws(StorageError) -> LSN {
        guard name.utf8.count < 64 else {
            throw .invalidArgument("A restore point's name has 63 bytes at most.")
        }
        let side = try writable()
        let end = try side.pipeline.logRestorePoint(name)
        try side.wal.sync()
        return end
    }

    /// The name under which the archive has the segment that `lsn` lies in, or will have it; nil: it is no longer
    /// in the log.
    public func logSegmentName(at lsn: LSN) throws(StorageError) -> String? {
        let side = try writable()
        guard let segment = side.wal.allSegments.last(where: { $0.firstLSN <= lsn }),
            case .header(let header) = try WALDirectory.readHeader(
                segment.path, environment.fileSystem)
        else { return nil }
        let path = RepositoryNames(root: "").segment(
            header.identity.branch, header.firstLSN, header.uid)
        return String(VFSPath.name(of: path).dropLast(RepositoryNames.segmentSuffix.count))
    }

    /// The base backups of the archive's repository, oldest first; empty without an archive.
    public func backups() throws(StorageError) -> [BackupManifest] {
        guard let archiver = writeSide?.archiver else { return [] }
        return try archiver.repository().inventory().backups
    }

    /// Makes a base backup in the archive's repository while commits go on: what was committed when the call began
    /// can be restored from it, and with the archived log every later moment. An archive that was lost is begun anew.
    /// Tables that an earlier backup has are not copied again.
    /// - Parameters:
    ///   - maxBytesPerSecond: what is copied of tables and blob files; 0: as fast as it can; nil: as
    ///     ``ArchiveOptions/backupBytesPerSecond`` says.
    ///   - progress: called with the bytes copied so far and those there are, often also while it waits; throws to
    ///     end the backup.
    @discardableResult
    public func backup(
        label: String, maxBytesPerSecond: UInt64? = nil,
        progress: (UInt64, UInt64) throws(StorageError) -> Void = { _, _ throws(StorageError) in }
    ) throws(StorageError) -> BackupManifest {
        try backup(
            label: label, maxBytesPerSecond: maxBytesPerSecond, sleep: { usleep($0 &* 1000) },
            progress: progress)
    }

    /// - Parameter sleep: waits so many milliseconds, to keep within the limit.
    func backup(
        label: String, maxBytesPerSecond: UInt64?, sleep: @escaping @Sendable (UInt32) -> Void,
        progress: (UInt64, UInt64) throws(StorageError) -> Void
    ) throws(StorageError) -> BackupManifest {
        let side = try writable()
        let archiver = try archiver(side)
        try BackupManifest.checkLabel(label)
        let repository = try archiver.repository()
        let lock = try repository.fileSystem.lock(repository.names.lock)
        defer { lock.release() }
        // A killed backup's are nobody's: who makes one, or removes old ones, holds the lock. What cannot be removed
        // now harms nobody.
        try? repository.removeUnfinishedBackups()
        try? repository.removeUnfinishedCopies()
        archiver.begin()
        let pace = BytePace(
            bytesPerSecond: maxBytesPerSecond ?? archiver.options.backupBytesPerSecond,
            clock: environment.clock, sleep: sleep)
        var manifest = BackupManifest()
        manifest.label = label
        manifest.beganMicros = environment.clock.wallMicros()
        manifest.id = makeBackupID(manifest.beganMicros)
        let partial = repository.names.backup(manifest.id) + RepositoryNames.partialSuffix
        archiver.noteBackup(
            BackupProgress(
                id: manifest.id, label: label, beganMicros: manifest.beganMicros,
                maxBytesPerSecond: pace.bytesPerSecond))
        defer { archiver.noteBackup(nil) }
        do throws(StorageError) {
            try repository.fileSystem.createDirectory(partial)
            try copyBase(side, repository, partial, &manifest, pace, progress)
            // A record at least belongs to the segment that a restore begins with.
            try side.pipeline.closeTimestamp()
            try side.wal.switchSegment()
            try archiver.awaitArchived(before: side.wal.currentSegment) {
                () throws(StorageError) in try progress(manifest.byteCount, manifest.byteCount)
            }
            manifest.endLSN = side.archiver?.status.lastLSN ?? .zero
            manifest.endedMicros = environment.clock.wallMicros()
            try publish(manifest, partial, repository)
        } catch {
            try? repository.fileSystem.removeTree(partial)
            throw error
        }
        return manifest
    }

    private func archiver(_ side: WriteSide) throws(StorageError) -> LogArchiver {
        guard let archiver = side.archiver else {
            throw StorageError(
                .invalidArgument, kind: .user, "The log is not archived.",
                hint: "Name a directory for archive and backups (archive.directory).")
        }
        return archiver
    }

    /// The moment, to be read, and something that no other backup has.
    private func makeBackupID(_ micros: UInt64) -> String {
        let date = CivilTime(micros: micros)
        let suffix = FileNames.hex(environment.random.next()).suffix(8)
        return "\(date.compact)-\(suffix)"
    }

    private func copyBase(
        _ side: WriteSide, _ repository: Repository, _ partial: String,
        _ manifest: inout BackupManifest, _ pace: BytePace,
        _ progress: (UInt64, UInt64) throws(StorageError) -> Void
    ) throws(StorageError) {
        let newest = tracker.publishedTimestamp
        try flush()
        // Holding the state holds its files.
        let state = cell.retained()
        try refuseDamaged(state.version)
        let files = state.version.dataFiles
        let total = files.reduce(0) { $0 &+ $1.byteCount }
        var shown = side.archiver?.status.backup
        shown?.totalBytes = total
        side.archiver?.noteBackup(shown)
        var done: UInt64 = 0
        try withoutActuallyEscaping(progress) { (progress) throws(StorageError) -> Void in
            let copier = BackupCopier(
                repository: repository, source: store.names, fileSystem: environment.fileSystem,
                pieceBytes: Self.pieceBytes(pace.bytesPerSecond)
            ) { count throws(StorageError) in
                done &+= count
                shown?.copiedBytes = done
                side.archiver?.noteBackup(shown)
                try self.pay(count, pace) { () throws(StorageError) in try progress(done, total) }
            }
            for file in files {
                let entry = try copier.bring(file)
                if entry.isReused { done &+= file.byteCount }
                manifest.files.append(entry)
            }
        }
        shown?.copiedBytes = total
        side.archiver?.noteBackup(shown)
        try repository.fileSystem.syncDirectory(repository.names.files)
        try writeState(side, state, repository, partial, &manifest)
        // Commits went on between the look at the clock and the flush.
        manifest.newestMicros = max(newest, state.version.newestTimestamp).microsSince1970
    }

    /// About an eighth of a second's, so that a low rate does not come in bursts.
    private static func pieceBytes(_ bytesPerSecond: UInt64) -> Int {
        bytesPerSecond == 0 ? 1 << 20 : Int(min(max(bytesPerSecond / 8, 4 << 10), 1 << 20))
    }

    /// Waits until the bytes keep within the limit. `check` is called before and while it waits; it throws to end
    /// that, as a close of the engine does.
    private func pay(
        _ bytes: UInt64, _ pace: BytePace, _ check: () throws(StorageError) -> Void
    ) throws(StorageError) {
        try check()
        var failure: StorageError?
        pace.spend(bytes) {
            do throws(StorageError) {
                _ = try writable()
                try check()
                return true
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
    }

    /// FORMAT, MANIFEST, CURRENT and KEYS, as a restore wants them.
    private func writeState(
        _ side: WriteSide, _ state: ReadState, _ repository: Repository, _ partial: String,
        _ manifest: inout BackupManifest
    ) throws(StorageError) {
        let files = repository.fileSystem
        let target = FileNames(root: partial)
        let format = try files.contents(of: store.names.format)
        try files.replace(target.format, with: format)
        let shard = try FormatFile.decode(
            format, path: store.names.format, forWriting: true
        ).shard
        let copied = copyEnvironment()
        var edit = VersionEdit(snapshotOf: state.version)
        edit.incarnation = side.incarnation
        edit.transactionLimit = TransactionID(
            side.pipeline.transactionLimit.rawValue &+ RecoveryApplier.transactionReserve)
        edit.timestampFloor = tracker.publishedTimestamp
        edit.nextFileNumber = side.versions.allocateFileNumber()
        edit.nextFlushEpoch = state.active.epoch &+ 1
        let writer = try ManifestWriter(
            number: 1, uid: environment.random.nextUID(), shard: shard, snapshot: edit, target,
            copied.fileSystem)
        try writer.close()
        if let ring = environment.fileSystem.keys?.ring {
            manifest.isEncrypted = true
            try ring.copy(to: target.keys)
        }
        try CurrentMarker.write(manifest: 1, target, files)
        manifest.shard = shard
        manifest.branch = side.incarnation.branch
        manifest.incarnation = side.incarnation.number
        manifest.startLSN = state.version.flushedLSN
        manifest.logSegment = try segmentUID(at: manifest.startLSN, side)
        for name in try files.list(partial).sorted() {
            let bytes = try files.contents(of: partial + "/" + name)
            manifest.metas.append(
                .init(
                    name: name, byteCount: UInt64(bytes.count),
                    hash: bytes.withUnsafeBytes { Checksum.xxh3($0) }))
        }
    }

    /// The segment with the first record that the tables lack.
    private func segmentUID(at lsn: LSN, _ side: WriteSide) throws(StorageError) -> UID {
        let segments = side.wal.allSegments
        guard let segment = segments.last(where: { $0.firstLSN <= lsn }) ?? segments.first,
            case .header(let header) = try WALDirectory.readHeader(
                segment.path, environment.fileSystem)
        else {
            throw StorageError(
                .internalError, kind: .bug, "No segment of the log holds \(lsn).",
                location: .init(path: store.names.walDirectory))
        }
        return header.uid
    }

    private func publish(
        _ manifest: BackupManifest, _ partial: String, _ repository: Repository
    ) throws(StorageError) {
        let files = repository.fileSystem
        try files.replace(
            partial + "/" + RepositoryNames.backupManifest, with: manifest.encoded())
        try files.syncDirectory(partial)
        try files.rename(partial, to: repository.names.backup(manifest.id))
        try files.syncDirectory(repository.names.backups)
    }
}

extension Version {
    /// Tables and blob files.
    var dataFiles: [FileMetadata] {
        levels.flatMap { $0.files.map(\.metadata) } + blobs.entries.map { $0.file.metadata }
    }

    /// Of all rows in tables.
    var newestTimestamp: Timestamp {
        levels.reduce(.zero) { $1.files.reduce($0) { max($0, $1.metadata.maxTimestamp) } }
    }
}
