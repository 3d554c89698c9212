/// Copies each ended segment of an engine's log into a repository, on a thread of its own, and lets the log release
/// it only then.
///
/// Commits never wait for it: what waits to be archived is bounded by ``ArchiveOptions/maximumPendingBytes``, and the
/// log itself gives the archive up beyond that (``WALWriter/boundArchive()``).
final class LogArchiver: @unchecked Sendable {
    let options: ArchiveOptions
    let shard: UID
    let wal: WALWriter
    private let environment: StorageEnvironment
    /// Hears of failures, losses and their ends.
    private let tell: @Sendable (EngineEvent) -> Void
    private var fileSystem: any FileSystem { environment.fileSystem }

    let monitor = Monitor()
    private let wake: MonitorCondition
    private let rounded: MonitorCondition
    private var thread: WorkerThread?

    // MARK: Guarded by the monitor

    private var isStopping = false
    private var isKicked = false
    /// Looks at the log that have ended.
    private var rounds: UInt64 = 0
    private var figures: ArchiveStatus
    private var lastError: StorageError?
    private var opened: Repository?

    // MARK: Of the thread that works

    /// Where to go on in the log is known.
    private var isPlaced = false
    private var keysWritten: [UID: UInt64] = [:]
    /// When the current segment was first seen with a commit in it, by the clock that never steps.
    private var commitSeen: (segment: WALSegmentNumber, nanos: UInt64)?
    private var retryNanos: UInt64 = 0
    private static let firstRetryNanos: UInt64 = 1_000_000_000
    private static let lastRetryNanos: UInt64 = 60_000_000_000
    private static let pollNanos: UInt64 = 1_000_000_000

    /// Throws where the directory is none that may be archived to; one that cannot be reached now is tried again.
    init(
        options: ArchiveOptions, shard: UID, wal: WALWriter, environment: StorageEnvironment,
        tell: @escaping @Sendable (EngineEvent) -> Void
    ) throws(StorageError) {
        self.options = options
        self.shard = shard
        self.wal = wal
        self.environment = environment
        self.tell = tell
        figures = ArchiveStatus(directory: options.directory, state: .active)
        wake = MonitorCondition(monitor)
        rounded = MonitorCondition(monitor)
        wal.holdForArchive(from: WALSegmentNumber(0), capBytes: options.maximumPendingBytes)
        do throws(StorageError) {
            _ = try repository()
        } catch  where error.kind != .user && error.code != .corruption {
            // The thread tries again, and tells.
        }
    }

    func start() throws(StorageError) {
        thread = try WorkerThread(
            name: "falcon-archive", niceness: WorkerThread.backgroundNiceness
        ) { [self] in run() }
    }

    /// Ends the thread; what it is copying is copied to its end.
    func stop() {
        monitor.lock()
        isStopping = true
        wake.broadcast()
        rounded.broadcast()
        monitor.unlock()
        thread?.join()
        thread = nil
    }

    /// After the log was closed: archives its last segment, too, if all went well before.
    func archiveEnd() {
        guard monitor.locked({ lastError == nil }), wal.sealedEnd != nil else { return }
        do throws(StorageError) {
            // An engine may be closed before the thread has had its first look.
            if !isPlaced { try findPlace(try repository()) }
            guard let hold = wal.archiveState.hold else { return }
            for segment in wal.allSegments where segment.number >= hold { try archive(segment) }
        } catch {
            note(error)
        }
    }

    var status: ArchiveStatus {
        let state = wal.archiveState
        return monitor.locked {
            var status = figures
            status.pendingSegments = state.pending.count
            status.pendingBytes = state.pendingBytes
            if case .lost = status.state {
            } else if state.isLost {
                status.state = .lost(since: status.lastLSN, reason: capReason)
            }
            return status
        }
    }

    private var capReason: String {
        "more than \(options.maximumPendingBytes) bytes of the log waited to be archived"
    }

    /// The repository; made where there is none.
    func repository() throws(StorageError) -> Repository {
        if let opened = monitor.locked({ opened }) { return opened }
        let repository = try Repository.openOrCreate(
            options.directory, shard: shard, fileSystem)
        monitor.locked { opened = repository }
        return repository
    }

    // MARK: - For backups

    /// How far the backup is that is being made; nil: none is any more.
    func noteBackup(_ backup: BackupProgress?) { monitor.locked { figures.backup = backup } }

    /// Begins anew after a loss: from now on the log is held, and archived from its oldest segment on.
    func begin() {
        let isLost: Bool = monitor.locked {
            if case .lost = figures.state { return true }
            return false
        }
        guard isLost || wal.archiveState.isLost else { return }
        wal.holdForArchive(
            from: wal.allSegments.first?.number ?? WALSegmentNumber(0),
            capBytes: options.maximumPendingBytes)
        monitor.locked {
            figures.state = .active
            lastError = nil
        }
        tell(.archiveResumed)
    }

    /// Returns once every segment before `next` is archived; throws when that fails, or the archive is lost.
    /// - Parameter check: called every second at least; throws to wait no longer.
    func awaitArchived(
        before next: WALSegmentNumber,
        check: () throws(StorageError) -> Void = { () throws(StorageError) in }
    ) throws(StorageError) {
        monitor.lock()
        let start = rounds
        while true {
            let state = wal.archiveState
            if let hold = state.hold, hold >= next { break }
            if state.isLost || isStopping || (rounds >= start + 2 && lastError != nil) {
                let error = lastError
                let reason = isStopping ? "the engine is closed" : capReason
                monitor.unlock()
                throw error
                    ?? StorageError(
                        .io, kind: .transient, "The log is not archived.", cause: reason,
                        location: .init(path: options.directory))
            }
            isKicked = true
            wake.signal()
            _ = rounded.wait(nanos: Self.pollNanos)
            monitor.unlock()
            try check()
            monitor.lock()
        }
        monitor.unlock()
    }

    // MARK: - The thread

    private func run() {
        monitor.lock()
        while !isStopping {
            isKicked = false
            monitor.unlock()
            round()
            monitor.lock()
            rounds += 1
            rounded.broadcast()
            if isStopping || isKicked { continue }
            let pause = options.timeoutMicros.multipliedCapped(by: 250)
            let poll = pause == 0 ? Self.pollNanos : min(Self.pollNanos, max(pause, 10_000_000))
            _ = wake.wait(nanos: lastError == nil ? poll : retryNanos)
        }
        monitor.unlock()
    }

    /// One look at the log: archives what has ended.
    private func round() {
        do throws(StorageError) {
            let repository = try repository()
            if !isPlaced { try findPlace(repository) }
            var state = wal.archiveState
            while !state.isLost, let segment = state.pending.first {
                if monitor.locked({ isStopping }) { return }
                try archive(segment)
                state = wal.archiveState
            }
            if state.isLost { return lose(since: status.lastLSN, capReason) }
            try refreshKeys(repository)
            try endSegmentIfDue()
            noteSuccess()
        } catch  where error.code == .closed || error.code == .poisoned {
            // The engine ends, or its log has failed: the commits tell.
        } catch {
            if wal.archiveState.isLost { return lose(since: status.lastLSN, capReason) }
            note(error)
        }
    }

    /// Finds what of the log on disk is archived already, or that segments between the two are gone.
    private func findPlace(_ repository: Repository) throws(StorageError) {
        let archived = try repository.archivedUIDs()
        var next: WALSegmentNumber?
        var first: WALSegmentHeader?
        for segment in wal.allSegments {
            guard case .header(let header) = try WALDirectory.readHeader(segment.path, fileSystem)
            else { continue }
            if first == nil { first = header }
            if archived.contains(header.uid) { next = header.segment.successor }
        }
        isPlaced = true
        if let next {
            _ = wal.noteArchived(before: next)
        } else if let previous = first?.predecessor, !archived.isEmpty,
            !archived.contains(previous.uid)
        {
            wal.endArchiveHold(isLost: true)
            lose(
                since: previous.lastLSN,
                "segments up to \(previous.segment) were released while nobody archived them")
        }
    }

    private func archive(_ segment: WALSegmentInfo) throws(StorageError) {
        let repository = try repository()
        if segment.keyID != 0 { try writeKeys(segment, repository) }
        let writer = ArchivedSegmentWriter(
            repository: repository.names, fileSystem: fileSystem.unkeyed)
        let footer = try writer.archive(
            segment.path, vouched: try vouchedEnd(segment),
            wallMicros: environment.clock.wallMicros()
        ) { () throws(StorageError) in
            // Given up meanwhile, it may have been recycled while it was copied.
            guard let hold = wal.archiveState.hold, hold <= segment.number else {
                throw StorageError(
                    .cancelled, kind: .transient, "The archive was given up.", cause: capReason)
            }
        }
        _ = wal.noteArchived(before: segment.number.successor)
        let path = repository.names.segment(footer.branch, footer.firstLSN, footer.uid)
        let stored = (try? fileSystem.fileSize(path)) ?? 0
        monitor.locked {
            figures.archivedSegments += 1
            figures.archivedBytes &+= stored
            figures.lastLSN = max(figures.lastLSN, footer.lastLSN)
            figures.lastName = VFSPath.name(of: path)
            figures.lastMicros = footer.archivedMicros
        }
    }

    /// Where the segment ends by the header of the next; nil: it is the last.
    private func vouchedEnd(_ segment: WALSegmentInfo) throws(StorageError) -> LSN? {
        guard let next = wal.allSegments.first(where: { $0.number > segment.number }),
            case .header(let header) = try WALDirectory.readHeader(next.path, fileSystem)
        else { return nil }
        return header.predecessor?.lastLSN
    }

    /// The key registry goes along before the first segment that needs it.
    private func writeKeys(
        _ segment: WALSegmentInfo, _ repository: Repository
    ) throws(StorageError) {
        guard let ring = fileSystem.keys?.ring,
            case .header(let header) = try WALDirectory.readHeader(segment.path, fileSystem)
        else { return }
        try writeKeys(ring, header.identity.branch, repository)
    }

    private func writeKeys(
        _ ring: KeyRing, _ branch: UID, _ repository: Repository
    ) throws(StorageError) {
        let generation = ring.report.generation
        guard keysWritten[branch] != generation else { return }
        let directory = repository.names.branch(branch)
        if try !fileSystem.exists(directory) {
            try fileSystem.createDirectoryIfMissing(directory)
            try fileSystem.syncDirectory(repository.names.log)
        }
        try ring.copy(to: repository.names.keys(branch))
        keysWritten[branch] = generation
    }

    /// A registry that was changed, by a new master key too, is archived as it is now.
    private func refreshKeys(_ repository: Repository) throws(StorageError) {
        guard let ring = fileSystem.keys?.ring else { return }
        for branch in keysWritten.keys { try writeKeys(ring, branch, repository) }
    }

    /// Ends the current segment when a commit in it has waited for so long.
    private func endSegmentIfDue() throws(StorageError) {
        guard options.timeoutMicros > 0, let current = wal.allSegments.last else { return }
        guard wal.committedLSN > current.firstLSN else { return commitSeen = nil }
        let now = environment.clock.monotonicNanos()
        guard let seen = commitSeen, seen.segment == current.number else {
            return commitSeen = (current.number, now)
        }
        guard now &- seen.nanos >= options.timeoutMicros.multipliedCapped(by: 1000) else { return }
        try wal.switchSegment()
        monitor.locked { isKicked = true }
    }

    // MARK: - Telling

    private func note(_ error: StorageError) {
        retryNanos = min(max(retryNanos * 2, Self.firstRetryNanos), Self.lastRetryNanos)
        let isNew: Bool = monitor.locked {
            let isNew = lastError?.code != error.code
            lastError = error
            figures.failures += 1
            figures.state = .failing(error.description)
            return isNew
        }
        if isNew { tell(.archiveFailed(error)) }
    }

    private func noteSuccess() {
        retryNanos = 0
        let wasFailing: Bool = monitor.locked {
            defer { lastError = nil }
            guard case .failing = figures.state else { return false }
            figures.state = .active
            return true
        }
        if wasFailing { tell(.archiveResumed) }
    }

    private func lose(since lsn: LSN, _ reason: String) {
        let isNew: Bool = monitor.locked {
            if case .lost = figures.state { return false }
            figures.state = .lost(since: lsn, reason: reason)
            lastError = nil
            return true
        }
        if isNew { tell(.archiveLost(since: lsn, reason: reason)) }
    }
}
