/// How the log moves from a segment to the next, and how one ends.
extension WALWriter {
    // MARK: As the I/O owner

    /// Moves on to a new segment. The old one's records are durable before the new header is written: that
    /// header vouches for them. Commits wait meanwhile, so that what may come later does: the seal and
    /// the new name are settled in the background, before a sync vouches for a record behind them.
    ///
    /// - Parameter endedBytes: the file's size where it is not what was set aside for the segment.
    func rotate(endedBytes: UInt64? = nil) throws(StorageError) {
        try writeSeal()
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
        leftSegment = file
        housekeeperWake.signal()
        monitor.unlock()
        file = opened.file
        mapping = opened.file.mapForWrites(byteCount: opened.bytes)
        header = opened.header
        cipher = opened.cipher
        limit = opened.bytes
        offset = UInt64(WALFormat.headerBytes)
        isSealed = false
        isSealSynced = false
        isSpareAsked = false
        unsyncedBytes = 0
        endSyncBytes = Self.endSyncBytes(limit: limit)
        inFlight.sealed = inFlight.position
    }

    /// Ends the segment for good: sync, seal, sync. On close the unused tail is given back.
    func performSeal(truncates: Bool) {
        do throws(StorageError) {
            try seal()
            if truncates, try file.size() > offset {
                try file.truncate(to: offset)
                try file.syncData()
            }
        } catch {
            if error.code != .diskFull { fail(error) }
        }
    }

    /// Writes the seal and makes it durable.
    func seal() throws(StorageError) {
        try writeSeal()
        guard !isSealSynced else { return }
        try syncForMark()
        isSealSynced = true
    }

    /// A seal is written after all before it is durable; itself it need not be: the successor's header
    /// vouches for the segment as well.
    private func writeSeal() throws(StorageError) {
        monitor.lock()
        settleRotation()
        let isUsable = failure == nil
        monitor.unlock()
        guard isUsable else { throw unavailable() }
        guard !isSealed else { return }
        if syncedLSN < fileEnd || unsyncedBytes > 0 {
            guard awaitBackgroundSync() else { throw unavailable() }
            try syncForMark()
            unsyncedBytes = 0
            raiseSynced(fileEnd)
        }
        try writeMark(.seal)
        isSealed = true
    }

    // MARK: Anyone

    /// With the monitor held; releases it during I/O. Makes the seal of the segment that was left and its
    /// successor's name durable, or waits for who is at it. A failure poisons the log.
    func settleRotation() {
        while failure == nil {
            if isSettling {
                progressMade.wait()
                continue
            }
            guard let left = leftSegment else { return }
            leftSegment = nil
            isSettling = true
            monitor.unlock()
            do throws(StorageError) {
                try Self.withoutRoom { () throws(StorageError) in try left.syncData() }
                try Self.withoutRoom { () throws(StorageError) in
                    try fileSystem.syncDirectory(directory)
                }
            } catch {
                fail(error)
            }
            monitor.lock()
            isSettling = false
            monitor.unlock()
            progressMade.broadcast()
            monitor.lock()
        }
    }
}
