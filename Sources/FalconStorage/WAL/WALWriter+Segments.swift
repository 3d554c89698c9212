import Glibc

extension WALWriter {
    // MARK: As the I/O owner

    func requestSpare() {
        monitor.lock()
        if spares.isEmpty, !wantsSpare {
            wantsSpare = true
            housekeeperWake.signal()
        }
        monitor.unlock()
    }

    func requestBackgroundSync() {
        monitor.lock()
        isSyncAsked = true
        takeAskedSync()
        monitor.unlock()
    }

    /// With the monitor held, as the I/O owner or while there is none: passes on to the housekeeper what
    /// was asked for, once it has ended what it is at.
    func takeAskedSync() {
        guard isSyncAsked, !isBackgroundSyncing, backgroundSync == nil, !isClosing else { return }
        isSyncAsked = false
        backgroundSync = (file, mapping, fileEnd)
        backgroundEnd = fileEnd
        unsyncedBytes = 0
        housekeeperWake.signal()
    }

    // MARK: Housekeeper

    func runHousekeeper() {
        monitor.lock()
        while !isClosing {
            if leftSegment != nil, failure == nil {
                settleRotation()
            } else if backgroundSync != nil {
                serveBackgroundSync()
            } else if let segment = untoldSegment {
                untoldSegment = nil
                monitor.unlock()
                callbacks.rotation(segment)
                monitor.lock()
                boundArchive()
                boundSlots()
            } else if wantsSpare, spares.isEmpty, failure == nil {
                let number = nextSpareNumber
                nextSpareNumber += 1
                let prewrites = seesCommits
                seesCommits = false
                monitor.unlock()
                makeSpareInBackground(number: number, prewrites: prewrites)
                monitor.lock()
            } else if hasReleases {
                hasReleases = false
                dropReleasedSegments()
            } else {
                housekeeperWake.wait()
            }
        }
        // What was released on the way to the end is not left to the next open.
        if hasReleases, failure == nil {
            hasReleases = false
            dropReleasedSegments()
        }
        backgroundSync = nil
        progressMade.broadcast()
        backgroundSynced.broadcast()
        monitor.unlock()
    }

    /// With the monitor held; releases it during I/O.
    private func serveBackgroundSync() {
        settleRotation()
        guard let request = backgroundSync else { return }
        backgroundSync = nil
        // What could not be settled must not be vouched for by a sync of what lies behind it.
        if failure != nil { return }
        isBackgroundSyncing = true
        monitor.unlock()
        request.mapping?.letGo()
        syncInBackground(request.file, request.end)
        monitor.lock()
        isBackgroundSyncing = false
        if !ioBusy { takeAskedSync() }
        monitor.unlock()
        // Whoever is woken does not find the monitor taken by a thread that it displaces.
        progressMade.broadcast()
        backgroundSynced.broadcast()
        monitor.lock()
    }

    private func syncInBackground(_ file: any File, _ end: LSN) {
        do throws(StorageError) {
            try file.syncData()
            // Segments before this one were synced when they were left.
            raiseSynced(end)
            monitor.lock()
            let wakes = claimFlusher()
            unlockMonitor(waking: wakes)
            progressMade.broadcast()
        } catch {
            fail(error)
        }
    }

    private func makeSpareInBackground(number: UInt64, prewrites: Bool) {
        let begin = monitor.locked { segments.last?.firstLSN ?? .zero }
        do throws(StorageError) {
            let spare = try WALDirectory.makeSpare(
                directory, fileSystem, number: number, bytes: options.segmentBytes,
                prewrites: prewrites,
                offer: {
                    // A committing thread goes first while there is time enough.
                    let taken = writtenLSN.rawValue &- begin.rawValue
                    if taken < UInt64(options.segmentBytes) / 2 { sched_yield() }
                }
            ) {
                // A live segment's sync does not wait for the whole spare.
                monitor.lock()
                if !isClosing { serveBackgroundSync() }
                monitor.unlock()
            }
            monitor.lock()
            spares.append(spare)
            wantsSpare = false
            spareFailure = nil
            monitor.unlock()
        } catch {
            // The current segment grows meanwhile; rotation reports what is still wrong then.
            monitor.lock()
            wantsSpare = false
            spareFailure = error
            monitor.unlock()
        }
    }

    /// With the monitor held: segments may have become free to go.
    func askForReleases() {
        hasReleases = true
        housekeeperWake.signal()
    }

    /// Segments wholly below `lsn` are no longer needed by recovery; those beyond `retainBytes` are
    /// recycled or removed, in the background.
    func releaseSegments(below lsn: LSN) {
        monitor.lock()
        if lsn > releasedBelow {
            releasedBelow = lsn
            askForReleases()
        }
        monitor.unlock()
    }

    /// With the monitor held; releases it during I/O.
    private func dropReleasedSegments() {
        var released = 0
        boundArchive()
        boundSlots()
        while released + 1 < segments.count, segments[released + 1].firstLSN <= releasedBelow {
            if let hold = archiveHold, segments[released].number >= hold { break }
            if isHeldBySlots(before: segments[released + 1]) { break }
            released += 1
        }
        var kept: UInt64 = 0
        var drop = released
        while drop > 0, kept < options.retainBytes {
            drop -= 1
            kept += segments[drop].bytes
        }
        guard drop > 0 else { return }
        let victims = Array(segments[0..<drop])
        segments.removeFirst(drop)
        for victim in victims {
            let keeps =
                options.recycles && spares.count < 2 && victim.bytes >= UInt64(options.segmentBytes)
                // An encrypted segment must hold nothing of an older, plain life.
                && (victim.keyID != 0 || active.sealBytes == 0)
            let number = nextSpareNumber
            nextSpareNumber += 1
            monitor.unlock()
            let spare = WALDirectory.retire(
                victim, recycles: keeps, number: number, directory, fileSystem)
            monitor.lock()
            if let spare {
                spares.append(spare)
                wantsSpare = false
            }
        }
    }
}
