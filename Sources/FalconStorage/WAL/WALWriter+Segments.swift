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
        backgroundSync = (file, fileEnd)
        backgroundEnd = fileEnd
        unsyncedBytes = 0
        housekeeperWake.signal()
    }

    /// Moves on to a new segment. The old one is fully synced, and sealed, before the new header is
    /// written: that header vouches for it.
    ///
    /// - Parameter endedBytes: the file's size where it is not what was set aside for the segment.
    func rotate(endedBytes: UInt64? = nil) throws(StorageError) {
        try seal()
        let spare: WALSpare
        monitor.lock()
        if let ready = spares.popLast() {
            monitor.unlock()
            spare = ready
        } else {
            let number = nextSpareNumber
            nextSpareNumber += 1
            monitor.unlock()
            spare = try WALDirectory.makeSpare(
                directory, fileSystem, number: number, bytes: options.segmentBytes,
                prewrites: false)
        }
        let uid = environment.random.nextUID()
        let nextCipher = cipher == nil ? nil : try fileSystem.makeCipher(.log, .log, uid: uid)
        let next = WALSegmentHeader(
            identity: identity, segment: header.segment.successor, uid: uid, firstLSN: fileEnd,
            predecessor: .init(segment: header.segment, uid: header.uid, lastLSN: fileEnd),
            envelope: nextCipher?.envelope, wallMicros: environment.clock.wallMicros(),
            isRecycled: false)
        let opened = try WALDirectory.activate(spare, as: next, nextCipher, directory, fileSystem)
        try unsealChunks()
        monitor.lock()
        if let last = segments.indices.last {
            segments[last].bytes = endedBytes ?? max(limit, offset)
        }
        segments.append(
            WALSegmentInfo(
                number: next.segment, firstLSN: next.firstLSN, path: opened.file.path,
                bytes: opened.bytes, previousEnd: next.predecessor?.lastLSN,
                keyID: next.keyID))
        untoldSegment = next.segment
        housekeeperWake.signal()
        monitor.unlock()
        file = opened.file
        mapping = opened.file.mapForWrites(byteCount: opened.bytes)
        header = opened.header
        cipher = opened.cipher
        limit = opened.bytes
        offset = UInt64(WALFormat.headerBytes)
        isSealed = false
        isSpareAsked = false
        unsyncedBytes = 0
        endSyncBytes = Self.endSyncBytes(limit: limit)
        inFlight.sealed = inFlight.position
    }

    // MARK: Housekeeper

    func runHousekeeper() {
        monitor.lock()
        while !isClosing {
            if backgroundSync != nil {
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
        guard let request = backgroundSync else { return }
        backgroundSync = nil
        isBackgroundSyncing = true
        monitor.unlock()
        syncInBackground(request.file, request.end)
        monitor.lock()
        isBackgroundSyncing = false
        if !ioBusy { takeAskedSync() }
        progressMade.broadcast()
        backgroundSynced.broadcast()
    }

    private func syncInBackground(_ file: any File, _ end: LSN) {
        do throws(StorageError) {
            try file.syncData()
            // Segments before this one were synced when they were left.
            raiseSynced(end)
            monitor.lock()
            if flusherWaiting, !ioBusy { wakeFlusher() }
            progressMade.broadcast()
            monitor.unlock()
        } catch {
            fail(error)
        }
    }

    private func makeSpareInBackground(number: UInt64, prewrites: Bool) {
        do throws(StorageError) {
            let spare = try WALDirectory.makeSpare(
                directory, fileSystem, number: number, bytes: options.segmentBytes,
                prewrites: prewrites
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
