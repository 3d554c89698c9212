/// What commits and flushes ask of the log: to be written, or synced.
extension WALWriter {
    /// Asks the flusher to bring everything up to `lsn` to the operating system; returns at once,
    /// `progress` tells. Thread-safe.
    func requestWrite(upTo lsn: LSN) {
        var wakes = false
        monitor.lock()
        if lsn > writeRequested {
            writeRequested = lsn
            seesCommits = true
            wakes = claimFlusher()
        }
        unlockMonitor(waking: wakes)
    }

    /// Like ``requestWrite(upTo:)``, to the device.
    func requestSync(upTo lsn: LSN) {
        var wakes = false
        monitor.lock()
        if lsn > syncRequested {
            syncRequested = lsn
            seesCommits = true
            wakes = claimFlusher()
        }
        unlockMonitor(waking: wakes)
    }

    /// Writes what is pending on the calling thread, unless another is at it: then it leaves a
    /// request and returns false. `written` durability without two thread switches.
    @discardableResult func writePending() -> Bool { performPending(sync: false, isCommit: true) }

    /// Like ``writePending``, and syncs.
    @discardableResult func syncPending() -> Bool {
        performPending(sync: true, isCommit: true)
    }

    private func performPending(sync: Bool, isCommit: Bool = false) -> Bool {
        monitor.lock()
        // Asked for in any case: when the disk is full now, the flusher has to see to it later.
        let end = active.endLSN
        writeRequested = max(writeRequested, end)
        if isCommit { seesCommits = true }
        if sync {
            syncRequested = max(syncRequested, end)
            if isCommit { group.join() }
        }
        guard !ioBusy, failure == nil, !isStalled, !isClosing else {
            let wakes = claimFlusher()
            unlockMonitor(waking: wakes)
            return false
        }
        ioBusy = true
        monitor.unlock()
        performIO(sync: sync)
        monitor.lock()
        releaseIO()
        return true
    }

    /// Poisons the log when it waits for room: who waits for it learns so.
    func failIfStalled() {
        monitor.lock()
        // A retry under way shows how it stands.
        while ioBusy, failure == nil { progressMade.wait() }
        let isStalled = isStalled
        monitor.unlock()
        if isStalled { fail(Self.fullOnClose) }
    }

    static let fullOnClose = StorageError(
        .diskFull, kind: .transient,
        "The disk is full and the log could not be written out on close.")

    /// Blocks until all records appended so far are synced. On a full disk it waits for room, or tries
    /// once and throws `disk-full` where nobody may come to make any.
    func sync(waitsForRoom: Bool = true) throws(StorageError) {
        let target = nextLSN
        monitor.lock()
        // The last try is up to one pause old.
        if !waitsForRoom, !ioBusy { isStalled = false }
        monitor.unlock()
        if performPending(sync: true), syncedLSN >= target { return }
        monitor.lock()
        syncRequested = max(syncRequested, target)
        if flusherWaiting, !ioBusy { wakeFlusher() }
        while failure == nil, !isClosed, syncedLSN < target, waitsForRoom || !isStalled {
            progressMade.wait()
        }
        let isFull = isStalled && failure == nil
        monitor.unlock()
        guard syncedLSN < target else { return }
        if isFull, !waitsForRoom {
            throw StorageError(
                .diskFull, kind: .transient, "The disk is full: the log could not be written out.",
                location: .init(path: directory), hint: "Free space and try again.")
        }
        throw unavailable()
    }

    /// Like ``sync(waitsForRoom:)`` for what is written up to `lsn`, by a background sync: commits go on
    /// meanwhile, where a sync of this thread would hold up their writes.
    func syncBehind(_ lsn: LSN) throws(StorageError) {
        monitor.lock()
        while failure == nil, !isClosing, syncedLSN < lsn, writtenLSN >= lsn {
            if backgroundEnd < lsn {
                isSyncAsked = true
                if !ioBusy { takeAskedSync() }
            }
            backgroundSynced.wait()
        }
        monitor.unlock()
        if syncedLSN < lsn { try sync(waitsForRoom: false) }
    }

    /// Returns once at most `limit` bytes wait to be written; writes them on this thread when nobody
    /// else does. Throws when the log is poisoned or closed, or when the disk is full.
    func boundPending(_ limit: Int) throws(StorageError) {
        monitor.lock()
        while active.used > limit, failure == nil, !isClosing, !isStalled {
            if ioBusy {
                progressMade.wait()
                continue
            }
            ioBusy = true
            monitor.unlock()
            performIO(sync: false)
            monitor.lock()
            releaseIO()
            monitor.lock()
        }
        let (isFull, isUsable) = (isStalled, failure == nil && !isClosing)
        monitor.unlock()
        guard isUsable else { throw unavailable() }
        if isFull { throw .logDiskFull(directory) }
    }
}
