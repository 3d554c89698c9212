/// What an archive of ended segments asks of the log.
extension WALWriter {
    /// How the log and its archive stand.
    struct ArchiveState: Sendable {
        /// The oldest segment that has not been archived; nil: none is held.
        var hold: WALSegmentNumber?
        /// Ended segments from there on.
        var pending: [WALSegmentInfo] = []
        var isLost = false
        var pendingBytes: UInt64 { pending.reduce(0) { $0 &+ $1.bytes } }
    }

    var archiveState: ArchiveState {
        monitor.locked {
            ArchiveState(hold: archiveHold, pending: pendingForArchive, isLost: isArchiveLost)
        }
    }

    /// Oldest first; the last is the one that is written to.
    var allSegments: [WALSegmentInfo] { monitor.locked { segments } }

    /// From now on segments from `hold` on stay until a later call, or until those that have ended take more than
    /// `capBytes`: then none is held any more, and the archive is lost.
    func holdForArchive(from hold: WALSegmentNumber, capBytes: UInt64) {
        monitor.lock()
        archiveHold = hold
        archiveCapBytes = capBytes
        isArchiveLost = false
        askForReleases()
        monitor.unlock()
    }

    /// Segments before `next` are archived. False: the archive is lost, and they may have been recycled before.
    func noteArchived(before next: WALSegmentNumber) -> Bool {
        monitor.lock()
        defer { monitor.unlock() }
        guard let hold = archiveHold else { return false }
        if next > hold {
            archiveHold = next
            askForReleases()
        }
        return true
    }

    /// Nothing is held any more.
    func endArchiveHold(isLost: Bool) {
        monitor.lock()
        archiveHold = nil
        isArchiveLost = isLost
        askForReleases()
        monitor.unlock()
    }

    /// With the monitor held.
    private var pendingForArchive: [WALSegmentInfo] {
        guard let hold = archiveHold else { return [] }
        return segments.dropLast().filter { $0.number >= hold }
    }

    /// With the monitor held: an archive that falls behind too far must not fill the disk.
    func boundArchive() {
        guard archiveHold != nil else { return }
        let bytes = pendingForArchive.reduce(0) { $0 &+ $1.bytes }
        guard bytes > archiveCapBytes else { return }
        archiveHold = nil
        isArchiveLost = true
        hasReleases = true
    }

    /// Ends the current segment if there is a record in it, and goes on in a new one. Returns where the ended one
    /// ends; all up to there is durable.
    @discardableResult
    func switchSegment() throws(StorageError) -> LSN {
        monitor.lock()
        guard let current = segments.last, active.endLSN > current.firstLSN else {
            let end = active.endLSN
            let isUsable = failure == nil && !isClosing
            monitor.unlock()
            guard isUsable else { throw unavailable() }
            return end
        }
        isSwitchAsked = true
        monitor.unlock()
        try sync()
        monitor.lock()
        while segments.last?.number == current.number, failure == nil, !isClosing, !isStalled {
            isSwitchAsked = true
            if flusherWaiting, !ioBusy { wakeFlusher() }
            progressMade.wait()
        }
        let (isUsable, isFull) = (failure == nil && !isClosing, isStalled)
        let end = segments.last?.firstLSN ?? .zero
        let isDone = segments.last?.number != current.number
        isSwitchAsked = false
        monitor.unlock()
        if isDone { return end }
        guard isUsable else { throw unavailable() }
        throw isFull ? .logDiskFull(directory) : unavailable()
    }

    /// As the I/O owner, with nothing in flight: what a switch leaves of a segment is given back.
    func switchIfAsked() throws(StorageError) {
        monitor.lock()
        let isAsked = isSwitchAsked
        isSwitchAsked = false
        monitor.unlock()
        guard isAsked, fileEnd > header.firstLSN, inFlight.remaining == 0 else { return }
        try seal()
        mapping = nil
        let isCut = (try? file.truncate(to: offset)) != nil
        try rotate(endedBytes: isCut ? offset : nil)
    }
}
