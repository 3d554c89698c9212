import CFalconPlatform
import Synchronization

/// Orders commits, logs them, applies them to the memtable and publishes them.
///
/// One mutex section gives a batch its place in the log, its timestamp and its memtable entries;
/// nothing in it waits for a device. The log's flusher makes what has accumulated durable, and
/// publication follows in commit order: readers see a commit, and its client is told, once it and
/// every commit before it are as durable as they asked.
///
/// The memtable has one writer at a time, so a batch is applied inside the section (0.1-0.5 µs per
/// row); a large one becomes a layer of its own, without a look at its rows. An entry above the
/// published timestamp is invisible to readers.
final class CommitPipeline: @unchecked Sendable {
    let section = Monitor()
    private let queueLock = Monitor()
    @exclusivity(unchecked) private var queue = CommitQueue()
    private let encoders = EncoderPool()
    let rooms = SyncRooms()
    let clock: HybridClock
    private let tracker: SnapshotTracker
    /// Gives the memtable. Strong, as everything here: a weak reference would make every retain of
    /// these objects slow; ``abandon()`` breaks the cycles.
    @exclusivity(unchecked) var target: CommitTarget?
    private let epoch: UInt64
    /// A batch with more bytes of operations goes into the log in parts of about this size.
    let partBytes: Int
    private let nextTransaction: Atomic<UInt64>

    /// The newest commit that changed the catalog, or anything before this life. Guarded by the section.
    @exclusivity(unchecked) private(set) var newestCatalogCommit: Timestamp
    /// The next commit wakes ``closer``. Guarded by the section.
    @exclusivity(unchecked) var awaitsFirstCommit = false
    @exclusivity(unchecked) var closer: ClosedTimestampWriter?

    @exclusivity(unchecked) private(set) var wal: WALWriter?
    /// Set once; guarded by the queue's lock, read through ``poison``.
    @exclusivity(unchecked) private var poisonCause: StorageError?
    private let isStopped = Atomic<Bool>(false)
    @exclusivity(unchecked) private var isClosed = false

    /// What the log has written and synced, and what has been published.
    private let written = Atomic<UInt64>(0)
    private let synced = Atomic<UInt64>(0)
    private let publishedLSN = Atomic<UInt64>(0)

    @exclusivity(unchecked) private var commits: UInt64 = 0
    @exclusivity(unchecked) private var committedBytes: UInt64 = 0
    /// Called without locks after the published LSN rose. Guarded by the queue's lock: the log may fail
    /// while the engine is still being put together.
    @exclusivity(unchecked) private var onPublished: (@Sendable () -> Void)?
    private let hasPublishListener = Atomic<Bool>(false)

    init(
        clock: HybridClock, tracker: SnapshotTracker, epoch: UInt64,
        firstTransaction: TransactionID, partBytes: Int
    ) {
        self.clock = clock
        self.tracker = tracker
        self.epoch = epoch
        self.partBytes = partBytes
        nextTransaction = Atomic(firstTransaction.rawValue)
        newestCatalogCommit = tracker.publishedTimestamp
    }

    /// Before the first commit: everything up to `end` is durable and published.
    func begin(_ wal: WALWriter, end: LSN) {
        self.wal = wal
        raise(written, to: end.rawValue)
        raise(synced, to: end.rawValue)
        raise(publishedLSN, to: end.rawValue)
        wal.setCommitted(end)
    }

    /// After the log has ended: lets it go.
    func abandon() {
        section.lock()
        wal = nil
        target = nil
        closer = nil
        section.unlock()
        setPublishListener(nil)
    }

    func setPublishListener(_ listener: (@Sendable () -> Void)?) {
        queueLock.lock()
        onPublished = listener
        queueLock.unlock()
    }

    func confirmClockJump() {
        section.lock()
        clock.confirmJump()
        section.unlock()
    }

    /// See ``HybridClock/trustedWallMicros()``.
    func trustedWallMicros() -> UInt64 {
        section.lock()
        defer { section.unlock() }
        return clock.trustedWallMicros()
    }

    var publishedEnd: LSN { LSN(publishedLSN.load(ordering: .acquiring)) }
    var syncedEnd: LSN { LSN(synced.load(ordering: .acquiring)) }

    /// A number for a program: see ``TransactionID/isGiven``.
    func allocateTransactionID() -> TransactionID {
        let spacing = TransactionID.spacing
        let first = nextTransaction.wrappingAdd(spacing, ordering: .relaxed).oldValue
        return TransactionID((first &+ spacing &- 1) / spacing &* spacing)
    }

    /// A number for a commit that brings none.
    private func numberCommit() -> TransactionID {
        while true {
            let number = TransactionID(nextTransaction.wrappingAdd(1, ordering: .relaxed).oldValue)
            if !number.isGiven { return number }
        }
    }
    var transactionLimit: TransactionID {
        TransactionID(nextTransaction.load(ordering: .relaxed))
    }

    /// Runs `body` under the commit lock: no commit is ordered meanwhile.
    func withSection<R>(_ body: () throws(StorageError) -> R) throws(StorageError) -> R {
        section.lock()
        defer { section.unlock() }
        return try body()
    }

    // MARK: - Ordering

    /// Orders, logs and applies `batch` and queues its publication. Throws when it has not been
    /// ordered: nothing of it is anywhere then. Once it is ordered, `batch` may be empty.
    @inline(__always)
    private func order(
        _ batch: WriteBatch, _ options: CommitOptions,
        waiter: UnsafeMutablePointer<CommitWaiter>?,
        completion: (@Sendable (Result<CommitReceipt, StorageError>) -> Void)?
    ) throws(StorageError) -> CommitReceipt {
        let transaction = options.transactionID ?? numberCommit()
        let encoder = encoders.take()
        defer { encoders.give(back: encoder) }
        let spill = batch.hasSpilled ? try spilledTables(of: batch) : nil
        let hasParts = batch.byteCount > partBytes || spill != nil
        var parts: (count: UInt32, changesCatalog: Bool) = (0, false)
        if !hasParts { parts.changesCatalog = Self.encode(batch, to: encoder) }
        section.lock()
        defer { section.unlock() }
        guard !isStopped.load(ordering: .relaxed), let wal, let target else {
            throw refusal()
        }
        let bytes = batch.byteCount
        let isLayer = spill != nil || target.adoption.adopts(batch)
        let place = try isLayer ? target.preparePlace() : nil
        let layer = try isLayer ? nil : target.layer(for: batch)
        // What the log holds must go in: all that can fail comes before it.
        if batch.rangeDeleteCount > 0, spill == nil {
            try (place?.placeholder ?? layer?.table)?.reserveRangeTombstones(of: batch)
        }
        if hasParts { parts = try logParts(batch, transaction, encoder, wal) }
        let (timestamp, wall) = clock.next()
        let position = try wal.appendCommit(
            CommitHeader(
                transaction: transaction, timestamp: timestamp, wallMicros: wall,
                database: options.database, epoch: epoch, partCount: parts.count),
            encoder, flush: waiter == nil ? options.durability : .buffered)
        let isApplied: Bool
        if let place, let spill {
            let files = spill.takeTables().map(IngestRecord.File.init)
            let tables = IngestRecord(timestamp: timestamp, wallMicros: wall, files: files)
            target.install(tables, end: position.end, in: place)
            isApplied = true
        } else if let place {
            isApplied = target.adopt(batch, at: timestamp, end: position.end, in: place)
        } else {
            isApplied = layer?.table.apply(batch, at: timestamp) ?? false
        }
        guard isApplied else {
            // The log holds it and the memtable does not: only a reopen can bring them together.
            let cause = StorageError(
                .internalError, kind: .bug, "A memtable refused a batch it had room for.")
            poison(cause)
            throw outcomeUnknown(cause)
        }
        layer?.lastLSN = position.end
        layer?.lastTimestamp = timestamp
        if parts.changesCatalog { newestCatalogCommit = timestamp }
        if awaitsFirstCommit {
            awaitsFirstCommit = false
            closer?.noteCommit()
        }
        commits &+= 1
        committedBytes &+= UInt64(truncatingIfNeeded: bytes)
        if let waiter, options.durability == .synced {
            waiter.pointee.room = SyncRooms.room(wal.syncsBegun)
        }
        // Before the queue has it: once there it may become visible.
        options.onOrdered?(timestamp, position.end)
        queueLock.lock()
        if let poisonCause {
            queueLock.unlock()
            throw outcomeUnknown(poisonCause)
        }
        queue.append(
            PendingCommit(
                end: position.end, timestamp: timestamp, durability: options.durability,
                waiter: waiter, completion: completion))
        queueLock.unlock()
        return CommitReceipt(timestamp: timestamp, lsn: position.end)
    }

    /// Commits `batch`; `completion` is called once, without locks held.
    func commit(
        _ batch: WriteBatch, _ options: CommitOptions,
        completion: @escaping @Sendable (Result<CommitReceipt, StorageError>) -> Void
    ) {
        let receipt: CommitReceipt
        do throws(StorageError) {
            receipt = try order(batch, options, waiter: nil, completion: completion)
        } catch {
            return completion(.failure(error))
        }
        // The log was asked when the record went in: it may have been done before the commit was in
        // the queue.
        let isReady =
            switch options.durability {
            case .buffered: true
            case .written: written.load(ordering: .acquiring) >= receipt.lsn.rawValue
            case .synced: synced.load(ordering: .acquiring) >= receipt.lsn.rawValue
            }
        if isReady { publish() }
    }

    /// Commits `batch` and waits for its publication. A `written` commit writes the log on this
    /// thread when the flusher is idle: no thread switch.
    func commitAndWait(
        _ batch: WriteBatch, _ options: CommitOptions
    ) throws(StorageError) -> CommitReceipt {
        var result: Result<CommitReceipt, StorageError> = .failure(refusal())
        withUnsafeTemporaryAllocation(of: CommitWaiter.self, capacity: 1) { buffer in
            guard let waiter = buffer.baseAddress else { return }
            waiter.initialize(to: CommitWaiter())
            defer { waiter.deinitialize(count: 1) }
            do throws(StorageError) {
                let receipt = try order(batch, options, waiter: waiter, completion: nil)
                switch options.durability {
                case .buffered: break
                case .written: wal?.writePending()
                case .synced: wal?.syncPending()
                }
                if !CommitWaiter.isDone(waiter) {
                    // Another thread is at the log, or this one met a full disk: leave the request.
                    switch options.durability {
                    case .buffered: break
                    case .written: wal?.requestWrite(upTo: receipt.lsn)
                    case .synced: wal?.requestSync(upTo: receipt.lsn)
                    }
                    publish()
                    CommitWaiter.wait(waiter, spins: 100, rooms)
                }
                if let error = waiter.pointee.error { throw error }
                result = .success(receipt)
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }

    // MARK: - Publication

    /// The log's progress; called on its flusher's thread or inside `writePending`.
    func progress(written newWritten: LSN, synced newSynced: LSN) {
        raise(written, to: newWritten.rawValue)
        raise(synced, to: newSynced.rawValue)
        publish()
    }

    private func raise(_ mark: borrowing Atomic<UInt64>, to value: UInt64) {
        if mark.load(ordering: .relaxed) < value {
            mark.max(value, ordering: .releasing)
        }
    }

    /// Queues the publication of what the section has just ordered beside the batches, as a commit.
    func enqueue(_ commit: PendingCommit, bytes: UInt64) throws(StorageError) {
        commits &+= 1
        committedBytes &+= bytes
        queueLock.lock()
        defer { queueLock.unlock() }
        if let poisonCause { throw outcomeUnknown(poisonCause) }
        queue.append(commit)
    }

    /// Publishes every commit at the head of the queue that is durable enough, then tells them.
    func publish() {
        withUnsafeTemporaryAllocation(of: PendingCommit.self, capacity: 64) { ready in
            guard let slots = ready.baseAddress else { return }
            while true {
                var count = 0
                queueLock.lock()
                let writtenEnd = written.load(ordering: .acquiring)
                let syncedEnd = synced.load(ordering: .acquiring)
                while count < ready.count, queue.count > 0, poisonCause == nil {
                    let first = queue.first
                    let needed: UInt64 =
                        switch first.durability {
                        case .buffered: UInt64.max
                        case .written: writtenEnd
                        case .synced: syncedEnd
                        }
                    guard first.end.rawValue <= needed else { break }
                    (slots + count).initialize(to: queue.removeFirst())
                    count += 1
                }
                if count > 0 {
                    tracker.publish(ready[count - 1].timestamp)
                    let end = ready[count - 1].end
                    publishedLSN.store(end.rawValue, ordering: .releasing)
                    wal?.setCommitted(end)
                }
                let listener =
                    hasPublishListener.load(ordering: .relaxed) ? onPublished : nil
                queueLock.unlock()
                guard count > 0 else { return }
                var woken: UInt8 = 0
                for index in 0..<count {
                    woken |= ready[index].finish()
                    (slots + index).deinitialize(count: 1)
                }
                if woken != 0 { rooms.wake(woken) }
                listener?()
                if count < ready.count { return }
            }
        }
    }

    /// While somebody waits for publication, the listener is called after each.
    func setListening(_ listens: Bool) { hasPublishListener.store(listens, ordering: .relaxed) }

    // MARK: - Failure

    /// No further commits: those waiting learn that their outcome is unknown.
    func poison(_ cause: StorageError) {
        queueLock.lock()
        if poisonCause == nil { poisonCause = cause }
        isStopped.store(true, ordering: .releasing)
        var caught: [PendingCommit] = []
        while queue.count > 0 { caught.append(queue.removeFirst()) }
        let listener = onPublished
        queueLock.unlock()
        var woken: UInt8 = 0
        for commit in caught { woken |= commit.fail(outcomeUnknown(cause)) }
        rooms.wake(woken)
        listener?()
    }

    var poisoned: StorageError? {
        queueLock.lock()
        defer { queueLock.unlock() }
        return poisonCause
    }

    /// No further commits are ordered; returns once none is being ordered.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        section.lock()
        isClosed = true
        section.unlock()
    }

    /// Commits are refused: closed or poisoned.
    var isRefusing: Bool { isStopped.load(ordering: .relaxed) }

    func refusal() -> StorageError {
        if let cause = poisoned { return Self.poisonedError(cause) }
        return StorageError(.closed, kind: .user, "The engine is closed.")
    }

    static func poisonedError(_ cause: StorageError) -> StorageError {
        StorageError(
            .poisoned, kind: .transient,
            "The engine takes no more writes since a write to its log failed.",
            cause: cause.description, location: cause.location,
            hint: "Reads of what was known to be good go on; reopen the engine.",
            errno: cause.errno)
    }

    private func outcomeUnknown(_ cause: StorageError) -> StorageError {
        StorageError(
            .commitOutcomeUnknown, kind: .transient,
            "The log failed while the commit was waiting for it: whether it survived is only known "
                + "after a reopen.", cause: cause.description, location: cause.location,
            hint: "Reopen the engine and look.", errno: cause.errno)
    }

    func addStatistics(to statistics: inout EngineStatistics) {
        section.lock()
        statistics.commits = commits
        statistics.committedBytes = committedBytes
        statistics.clockJumpPending = clock.isJumpPending
        section.unlock()
        statistics.poisonCause = poisoned
        statistics.publishedTimestamp = tracker.publishedTimestamp
        statistics.syncedLSN = syncedEnd
        statistics.nextLSN = wal?.nextLSN ?? publishedEnd
    }
}
