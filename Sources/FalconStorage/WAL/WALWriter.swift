import Synchronization

/// Appends records to the log of one engine.
///
/// Appending copies into a buffer under the caller's mutex and never waits. A flusher thread writes
/// and syncs whatever has accumulated (natural group commit: while one sync runs, the next group
/// gathers), or a committing thread does so itself through ``writePending`` and ``syncPending``. A
/// housekeeper thread pre-writes the next segment, recycles released ones and syncs in the background.
///
/// State is guarded by `monitor`, except the part that belongs to whoever holds `ioBusy`.
final class WALWriter: @unchecked Sendable {
    let directory: String
    let identity: WALIdentity
    let options: WALOptions
    let environment: StorageEnvironment
    let callbacks: WALCallbacks
    var fileSystem: any FileSystem { environment.fileSystem }

    let monitor = Monitor()
    let flusherWake: MonitorCondition
    let housekeeperWake: MonitorCondition
    let progressMade: MonitorCondition
    /// A background sync has ended, or none comes any more.
    let backgroundSynced: MonitorCondition
    private var threads: [WorkerThread] = []

    // MARK: Guarded by the monitor

    var active: WALBuffer
    /// Somebody writes, syncs or rotates; the fields under "I/O owner" are theirs.
    var ioBusy = false
    /// The flusher sleeps; `flusherDeep` when without a timeout.
    var flusherWaiting = false
    var flusherDeep = false
    var writeRequested = LSN.zero
    var syncRequested = LSN.zero
    var group = CommitGroup()
    var failure: StorageError?
    var isStalled = false
    var isClosing = false
    var isClosed = false
    var spares: [WALSpare] = []
    var wantsSpare = false
    var spareFailure: StorageError?
    var nextSpareNumber: UInt64 = 1
    /// Live segments, oldest first; the last is the active one.
    var segments: [WALSegmentInfo] = []
    var releasedBelow = LSN.zero
    var hasReleases = false
    /// The current segment is to be ended with the next write.
    var isSwitchAsked = false
    /// Segments from this one on stay until they are archived; nil: nobody archives them.
    var archiveHold: WALSegmentNumber?
    /// Ended segments that wait to be archived may take so much.
    var archiveCapBytes = UInt64.max
    /// They took more, and were released.
    var isArchiveLost = false
    /// Records from here on stay for replication slots; nil: there are none.
    var slotHold: LSN?
    /// Ended segments that wait for slots may take so much.
    var slotCapBytes = UInt64.max
    /// They took more: what slots needed before it was given up.
    var slotFloorLSN = LSN.zero
    var backgroundSync: (file: any File, mapping: FileMapping?, end: LSN)?
    var isBackgroundSyncing = false
    /// What the last background sync that was begun, or is about to be, covers.
    var backgroundEnd = LSN.zero
    /// Somebody waits for a background sync of what is written now.
    var isSyncAsked = false
    /// The segment that was left last, while its seal and its successor's name are not yet durable: until
    /// then no sync of the successor vouches for anything.
    var leftSegment: (any File)?
    var isSettling = false
    /// The newest segment, when nobody was told of it yet.
    var untoldSegment: WALSegmentNumber?
    /// A commit waited for the log since the last spare was made: segments are worth pre-writing.
    /// A sync into written blocks changes no metadata (138 µs against 384), and a `pwrite` into cached
    /// pages is cheaper than one into fallocated space (0.6 µs against 1.1 for 200 bytes).
    var seesCommits = false

    // MARK: I/O owner

    var inFlight: WALBuffer
    var file: any File
    /// The segment's first `limit` bytes, where small writes need no system call.
    var mapping: FileMapping?
    var header: WALSegmentHeader
    /// Encrypts the segment's records; nil: they are plain.
    var cipher: FileCipher?
    var offset = UInt64(WALFormat.headerBytes)
    /// Rotation is due beyond this offset.
    var limit: UInt64
    /// The end of the last record written to the segment.
    var fileEnd: LSN
    var isSealed = false
    /// The seal is on the device, and not only written.
    var isSealSynced = false
    /// A spare was asked for since the last rotation.
    var isSpareAsked = false
    /// What the last chunk header said.
    var stampedSynced = LSN.zero
    var stampedCommitted = LSN.zero
    var reportedSynced = LSN.zero
    /// Written since the last sync, for the background sync.
    var unsyncedBytes: UInt64 = 0
    /// So far before the segment's end the next sync is asked for.
    var endSyncBytes: UInt64
    /// The engine knows of a full disk and waits to hear of its end.
    var stallReported = false

    // MARK: Anyone

    /// The flusher sleeps, or is about to, until it is woken.
    let isFlusherDeep = Atomic<Bool>(false)
    let begunSyncs = Atomic<UInt64>(0)
    private let written: Atomic<UInt64>
    private let synced: Atomic<UInt64>
    private let committed: Atomic<UInt64>

    private init(
        directory: String, identity: WALIdentity, options: WALOptions,
        environment: StorageEnvironment, callbacks: WALCallbacks, opened: WALOpenedSegment,
        segments: [WALSegmentInfo], spares: [WALSpare], nextSpareNumber: UInt64
    ) {
        self.directory = directory
        self.identity = identity
        self.options = options
        self.environment = environment
        self.callbacks = callbacks
        flusherWake = MonitorCondition(monitor)
        housekeeperWake = MonitorCondition(monitor)
        progressMade = MonitorCondition(monitor)
        backgroundSynced = MonitorCondition(monitor)
        let start = opened.header.firstLSN
        active = WALBuffer(endLSN: start, sealBytes: opened.header.sealBytes)
        inFlight = WALBuffer(endLSN: start, sealBytes: opened.header.sealBytes)
        cipher = opened.cipher
        file = opened.file
        mapping = opened.file.mapForWrites(byteCount: opened.bytes)
        header = opened.header
        limit = opened.bytes
        endSyncBytes = Self.endSyncBytes(limit: opened.bytes)
        fileEnd = start
        stampedSynced = start
        stampedCommitted = start
        reportedSynced = start
        written = Atomic(start.rawValue)
        synced = Atomic(start.rawValue)
        committed = Atomic(start.rawValue)
        self.segments = segments
        self.spares = spares
        self.nextSpareNumber = nextSpareNumber
    }

    deinit {
        active.deallocate()
        inFlight.deallocate()
    }

    /// Creates the first segment of a new incarnation after what `continuation` names, whose last
    /// segment is synced first: the new header vouches for it.
    static func open(
        directory: String, identity: WALIdentity, continuation: WALContinuation,
        options: WALOptions, environment: StorageEnvironment, callbacks: WALCallbacks
    ) throws(StorageError) -> WALWriter {
        guard options.segmentBytes >= 4 * WALFormat.headerBytes, options.chunkBytes >= 64 else {
            throw .invalidArgument("A WAL segment must have at least 16 KiB and a chunk 64 bytes.")
        }
        let fileSystem = environment.fileSystem
        if try !fileSystem.exists(directory) {
            try fileSystem.createDirectory(directory)
            try fileSystem.syncDirectory(VFSPath.parent(of: directory))
        }
        if let last = continuation.predecessor {
            let path = directory + "/" + FileNames.walSegmentName(last.segment)
            try WALDirectory.secure(path, continuation.unvouched, fileSystem)
            if let end = continuation.traceEnd {
                try WALDirectory.cutReserve(path, behind: end, fileSystem)
            }
        }
        var found = try WALDirectory.inventory(directory, fileSystem, options)
        try WALDirectory.dropPlainSpares(&found, fileSystem)
        try fileSystem.syncDirectory(directory)
        let uid = environment.random.nextUID()
        let cipher = try fileSystem.makeCipher(.log, .log, uid: uid)
        let header = WALSegmentHeader(
            identity: identity, segment: continuation.segment, uid: uid,
            firstLSN: continuation.firstLSN,
            predecessor: continuation.predecessor, envelope: cipher?.envelope,
            wallMicros: environment.clock.wallMicros(), isRecycled: false)
        let spare: WALSpare
        if let adopted = found.spares.popLast() {
            spare = adopted
        } else {
            spare = try makeFirst(found, directory, fileSystem, options)
            found.nextSpareNumber += 1
        }
        let opened = try WALDirectory.activate(
            spare, as: header, cipher, directory, fileSystem)
        try fileSystem.syncDirectory(directory)
        found.segments.append(
            WALSegmentInfo(
                number: header.segment, firstLSN: header.firstLSN, path: opened.file.path,
                bytes: opened.bytes, previousEnd: header.predecessor?.lastLSN,
                keyID: header.keyID))
        let writer = WALWriter(
            directory: directory, identity: identity, options: options, environment: environment,
            callbacks: callbacks, opened: opened, segments: found.segments, spares: found.spares,
            nextSpareNumber: found.nextSpareNumber)
        writer.threads.append(try WorkerThread(name: "wal-flusher") { writer.runFlusher() })
        do throws(StorageError) {
            writer.threads.append(
                try WorkerThread(name: "wal-keeper", niceness: WorkerThread.backgroundNiceness) {
                    writer.runHousekeeper()
                })
        } catch {
            writer.fail(error)
            try? writer.close()
            throw error
        }
        return writer
    }

    /// A new file for the first segment. Small and pre-written, as for a database that is opened to be
    /// looked at; after a life that filled segments a whole one, only reserved, so that the first
    /// writes need not wait for the next.
    private static func makeFirst(
        _ found: WALDirectory.Inventory, _ directory: String, _ fileSystem: any FileSystem,
        _ options: WALOptions
    ) throws(StorageError) -> WALSpare {
        if found.segments.contains(where: { $0.bytes >= UInt64(options.segmentBytes) }) {
            do throws(StorageError) {
                return try WALDirectory.makeSpare(
                    directory, fileSystem, number: found.nextSpareNumber,
                    bytes: options.segmentBytes, prewrites: false)
            } catch {
                guard error.code == .diskFull else { throw error }
            }
        }
        return try WALDirectory.makeSpare(
            directory, fileSystem, number: found.nextSpareNumber,
            bytes: min(options.firstSegmentBytes, options.segmentBytes), prewrites: true)
    }

    // MARK: Appending

    /// Copies a record of `head` + `body` to the buffer; callers serialise among themselves (the
    /// commit mutex). No I/O, no waiting. `flush` also asks for the durability, as
    /// ``requestWrite(upTo:)`` and ``requestSync(upTo:)`` do. Throws once the log is poisoned or
    /// closed.
    @discardableResult
    func append(
        _ tag: WALRecordTag, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer,
        flush: Durability = .buffered
    ) throws(StorageError) -> WALPosition {
        let bodyBytes = head.count + body.count
        guard bodyBytes <= WALFormat.maxRecordBodyBytes else {
            throw .invalidArgument("A log record of \(bodyBytes) bytes is too large.")
        }
        monitor.lock()
        if failure != nil || isClosing {
            monitor.unlock()
            throw unavailable()
        }
        let start = active.endLSN
        let place = active.reserve(
            WALFormat.recordHeaderBytes &+ bodyBytes, chunkBytes: options.chunkBytes)
        place.storeBytes(of: UInt32(truncatingIfNeeded: bodyBytes).littleEndian, as: UInt32.self)
        place.storeBytes(of: tag.rawValue, toByteOffset: 4, as: UInt8.self)
        let target = place + WALFormat.recordHeaderBytes
        if let source = head.baseAddress { target.copyMemory(from: source, byteCount: head.count) }
        if let source = body.baseAddress {
            (target + head.count).copyMemory(from: source, byteCount: body.count)
        }
        let end = active.endLSN
        var wakes = flusherDeep || active.used >= Self.writeThresholdBytes
        switch flush {
        case .buffered: break
        case .written:
            writeRequested = end
            seesCommits = true
            wakes = true
        case .synced:
            syncRequested = end
            seesCommits = true
            wakes = true
            group.join()
        }
        wakes = wakes && claimFlusher()
        unlockMonitor(waking: wakes)
        return WALPosition(start: start, end: end)
    }

    @discardableResult
    func append(
        _ tag: WALRecordTag, _ body: [UInt8], flush: Durability = .buffered
    ) throws(StorageError) -> WALPosition {
        var result: Result<WALPosition, StorageError>?
        body.withUnsafeBytes { bytes in
            do throws(StorageError) {
                result = .success(
                    try append(
                        tag, UnsafeRawBufferPointer(start: nil, count: 0), bytes, flush: flush))
            } catch { result = .failure(error) }
        }
        guard let result else { throw unavailable() }
        return try result.get()
    }

    /// Buffered records are written once so many bytes wait, asked for or not.
    static let writeThresholdBytes = 256 << 10

    func unavailable() -> StorageError {
        monitor.lock()
        defer { monitor.unlock() }
        if let failure {
            return StorageError(
                .poisoned, kind: .transient, "The log failed earlier and takes no more writes.",
                cause: failure.description, location: failure.location,
                hint: "Reopen the database after curing the cause.", errno: failure.errno)
        }
        return StorageError(.closed, kind: .user, "The log is closed.")
    }

    // MARK: Durability

    /// What later chunk headers say about publication. Thread-safe; only rises.
    func setCommitted(_ lsn: LSN) {
        committed.max(lsn.rawValue, ordering: .sequentiallyConsistent)
        // Nearly always the flusher is up and will see it: no lock on a commit's way.
        guard isFlusherDeep.load(ordering: .sequentiallyConsistent) else { return }
        monitor.lock()
        let wakes = flusherDeep && claimFlusher()
        unlockMonitor(waking: wakes)
    }

    /// How many syncs for commits have begun. A record appended now is covered by the next, or by one
    /// that begins at this moment.
    @inline(__always) var syncsBegun: UInt64 { begunSyncs.load(ordering: .relaxed) }
    var nextLSN: LSN { monitor.locked { active.endLSN } }
    var writtenLSN: LSN { LSN(written.load(ordering: .acquiring)) }
    var syncedLSN: LSN { LSN(synced.load(ordering: .acquiring)) }
    var committedLSN: LSN { LSN(committed.load(ordering: .sequentiallyConsistent)) }
    /// Bytes appended and not yet written: for backpressure.
    var pendingBytes: Int { monitor.locked { active.used } }
    var segmentCount: Int { monitor.locked { segments.count } }
    /// What the segments take on disk, spares not counted.
    var segmentBytes: UInt64 { monitor.locked { segments.reduce(0) { $0 &+ $1.bytes } } }
    /// Where the oldest segment still kept begins.
    var oldestLSN: LSN { monitor.locked { segments.first?.firstLSN ?? .zero } }
    var currentSegment: WALSegmentNumber {
        monitor.locked { segments.last?.number ?? WALSegmentNumber(0) }
    }

    /// Where the log ends, when it has been closed whole: every record is durable and a seal follows.
    var sealedEnd: LSN? {
        monitor.locked { isClosed && failure == nil && isSealed ? fileEnd : nil }
    }

    func raiseWritten(_ lsn: LSN) { written.max(lsn.rawValue, ordering: .acquiringAndReleasing) }
    func raiseSynced(_ lsn: LSN) { synced.max(lsn.rawValue, ordering: .acquiringAndReleasing) }

    // MARK: End

    /// Writes and syncs what is pending, seals the segment and ends the threads. Throws when the log
    /// failed before or now; the threads have ended all the same.
    func close() throws(StorageError) {
        monitor.lock()
        if isClosed {
            monitor.unlock()
            return
        }
        isClosing = true
        flusherWake.broadcast()
        housekeeperWake.broadcast()
        progressMade.broadcast()
        backgroundSynced.broadcast()
        monitor.unlock()
        for thread in threads { thread.join() }
        monitor.lock()
        threads = []
        isClosed = true
        let failed = failure
        progressMade.broadcast()
        monitor.unlock()
        if let failed { throw failed }
    }

    /// Poisons the log: the first cause is kept, everybody who waits is told.
    func fail(_ error: StorageError) {
        monitor.lock()
        let isFirst = failure == nil
        if isFirst { failure = error }
        progressMade.broadcast()
        backgroundSynced.broadcast()
        monitor.unlock()
        if isFirst { callbacks.failure(error) }
    }

    /// With the monitor held.
    func wakeFlusher() {
        flusherWaiting = false
        flusherDeep = false
        flusherWake.signal()
    }

    /// With the monitor held: true when the flusher sleeps and nobody else wakes it. The caller does, once it
    /// has released the monitor: whoever is woken may run in its place, and would leave the monitor
    /// taken until the scheduler comes back to it, which was 4 ms for a housekeeper of niceness 5.
    func claimFlusher() -> Bool {
        guard flusherWaiting, !ioBusy else { return false }
        flusherWaiting = false
        flusherDeep = false
        return true
    }

    /// Releases the monitor, and then wakes the flusher that was claimed.
    @inline(__always) func unlockMonitor(waking wakes: Bool) {
        monitor.unlock()
        if wakes { flusherWake.signal() }
    }

    /// With the monitor held, which it releases: gives up `ioBusy` and passes on what was asked meanwhile.
    func releaseIO() {
        ioBusy = false
        takeAskedSync()
        var wakes = false
        if flusherDeep || syncRequested > syncedLSN || writeRequested > writtenLSN
            || active.used >= Self.writeThresholdBytes || isClosing
        {
            wakes = claimFlusher()
        }
        unlockMonitor(waking: wakes)
        progressMade.broadcast()
    }
}

extension StorageError {
    /// A commit that did not get into the log for want of space.
    static func logDiskFull(_ path: String) -> StorageError {
        StorageError(
            .diskFull, kind: .retryable, "The disk is full: the commit was not begun.",
            location: .init(path: path), hint: "Free space and try again; no restart is needed.")
    }
}
