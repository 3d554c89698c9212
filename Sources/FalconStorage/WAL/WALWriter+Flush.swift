import CFalconPlatform
import Glibc

extension WALWriter {
    /// The flusher thread.
    func runFlusher() {
        monitor.lock()
        while true {
            if failure != nil {
                if isClosing { break }
                sleepFlusher(nanos: nil)
                continue
            }
            if ioBusy {
                sleepFlusher(nanos: nil)
                continue
            }
            if isStalled, !isClosing {
                // The disk is full: try again now and then.
                isStalled = !sleepTimedOut(nanos: 50_000_000) && isStalled
                if isStalled { continue }
            }
            let needsSync = syncRequested > syncedLSN
            let pending = !active.isEmpty || inFlight.remaining > 0
            if needsSync || writeRequested > writtenLSN || active.used >= Self.writeThresholdBytes
                || isSwitchAsked || (isClosing && (pending || syncedLSN < active.endLSN))
            {
                ownIO { performIO(sync: needsSync || isClosing) }
                if isClosing, isStalled {
                    fail(Self.fullOnClose, holdingMonitor: true)
                }
                continue
            }
            if syncedLSN > reportedSynced {
                // A background sync got there first.
                ownIO { report() }
                continue
            }
            if isClosing { break }
            let isUnstamped = stampedSynced < syncedLSN || stampedCommitted < publishable
            guard pending || isUnstamped else {
                // Announced before the last look, so that `setCommitted` sees one or is seen.
                isFlusherDeep.store(true, ordering: .sequentiallyConsistent)
                if stampedCommitted >= publishable { sleepFlusher(nanos: nil) }
                isFlusherDeep.store(false, ordering: .relaxed)
                continue
            }
            let seen = fileEnd
            if sleepTimedOut(nanos: options.idleWatermarkNanos), !ioBusy, failure == nil, !isClosing
            {
                let hasRecords = !active.isEmpty || inFlight.remaining > 0
                // Not idle when another thread wrote meanwhile: its next chunk carries the marks.
                if !hasRecords, fileEnd != seen { continue }
                ownIO { hasRecords ? performIO(sync: false) : performWatermark() }
            }
        }
        let failed = failure != nil
        ioBusy = true
        monitor.unlock()
        if !failed { performSeal(truncates: true) }
        monitor.lock()
        releaseIO()
    }

    /// What a chunk header may call committed: never beyond what is in the file.
    private var publishable: LSN { min(committedLSN, fileEnd) }

    private func fail(_ error: StorageError, holdingMonitor: Bool) {
        monitor.unlock()
        fail(error)
        monitor.lock()
    }

    /// With the monitor held: runs `body` without it, as the I/O owner.
    private func ownIO(_ body: () -> Void) {
        ioBusy = true
        monitor.unlock()
        body()
        monitor.lock()
        ioBusy = false
        takeAskedSync()
        progressMade.broadcast()
    }

    private func sleepFlusher(nanos: UInt64?) { _ = sleepTimedOut(nanos: nanos) }

    /// With the monitor held: true when nobody woke the flusher in time.
    private func sleepTimedOut(nanos: UInt64?) -> Bool {
        flusherWaiting = true
        flusherDeep = nanos == nil
        defer {
            flusherWaiting = false
            flusherDeep = false
        }
        guard let nanos else {
            flusherWake.wait()
            return false
        }
        return !flusherWake.wait(nanos: nanos)
    }

    // MARK: As the I/O owner, without the monitor

    /// Writes everything pending, and syncs it when asked. Failures poison or stall.
    func performIO(sync: Bool) {
        do throws(StorageError) {
            if inFlight.remaining == 0 {
                monitor.lock()
                if sync { gatherGroup() }
                active.closeChunk()
                let end = active.endLSN
                swap(&active, &inFlight)
                active.reset(endLSN: end)
                monitor.unlock()
            }
            try writeInFlight(syncsNext: sync)
            try switchIfAsked()
        } catch {
            if error.code == .diskFull { stall(error) } else { fail(error) }
            return
        }
        resumeIfStalled()
        raiseWritten(fileEnd)
        if sync, syncedLSN < fileEnd {
            report()
            guard syncFile() else { return }
        } else if unsyncedBytes >= options.backgroundSyncBytes {
            requestBackgroundSync()
        } else if endSyncBytes > 0, offset &+ endSyncBytes &+ endRoomBytes > limit {
            syncBeforeTheEnd()
        }
        report()
    }

    /// Up to so many bytes are copied into the mapping; beyond, a system call costs less than the faults.
    private static let mappedWriteBytes = 16 << 10

    /// With the monitor held, as the I/O owner: lets others who are about to commit share the sync.
    private func gatherGroup() {
        let patience = isClosing ? 0 : group.patienceNanos()
        if patience > 0 {
            let before = group.waiting
            let deadline = falcon_monotonic_nanos() &+ patience
            while !group.isComplete, !isClosing, failure == nil {
                if falcon_monotonic_nanos() >= deadline { break }
                // Not a sleep: to be woken takes longer than what is waited for.
                monitor.unlock()
                sched_yield()
                monitor.lock()
            }
            group.endGathering(before: before)
        }
        group.beginSync()
        begunSyncs.wrappingAdd(1, ordering: .relaxed)
    }

    private func report() {
        reportedSynced = syncedLSN
        callbacks.progress(fileEnd, reportedSynced)
    }

    /// Waits for the sync that the housekeeper runs on the same file: the kernel reports a failed
    /// write-back to one of two concurrent syncs only. False when the log is poisoned.
    func awaitBackgroundSync() -> Bool {
        monitor.lock()
        settleRotation()
        while failure == nil, isBackgroundSyncing || backgroundSync != nil {
            progressMade.wait()
        }
        let good = failure == nil
        monitor.unlock()
        return good
    }

    /// Forces the current segment to the device; false poisoned the log.
    private func syncFile() -> Bool {
        guard awaitBackgroundSync() else { return false }
        let began = falcon_monotonic_nanos()
        do throws(StorageError) {
            try file.syncData()
        } catch {
            fail(error)
            return false
        }
        let took = falcon_monotonic_nanos() &- began
        monitor.locked { group.endSync(nanos: took) }
        unsyncedBytes = 0
        raiseSynced(fileEnd)
        return true
    }

    private func stall(_ error: StorageError) {
        monitor.lock()
        isStalled = true
        progressMade.broadcast()
        monitor.unlock()
        if !stallReported { callbacks.stall(error) }
        stallReported = true
    }

    private func resumeIfStalled() {
        guard stallReported else { return }
        stallReported = false
        monitor.lock()
        isStalled = false
        monitor.unlock()
        callbacks.stall(nil)
    }

    /// Writes the in-flight chunks, each run of chunks that fits the segment with one call.
    private func writeInFlight(syncsNext: Bool) throws(StorageError) {
        while inFlight.remaining > 0 {
            let first = inFlight.chunk(at: inFlight.position)
            let reach = offset + UInt64(first.totalBytes)
            if isSealed
                || (reach > limit - endRoomBytes && offset > UInt64(WALFormat.headerBytes)
                    && isRotationDue(reach: reach))
            {
                try rotate()
                continue
            }
            var end = inFlight.position + first.totalBytes
            var lastLSN = first.firstLSN.advanced(by: UInt64(first.length))
            while end < inFlight.used {
                let next = inFlight.chunk(at: end)
                let runBytes = UInt64(end + next.totalBytes - inFlight.position)
                if offset + runBytes > limit { break }
                end += next.totalBytes
                lastLSN = next.firstLSN.advanced(by: UInt64(next.length))
            }
            if inFlight.sealed < end { try sealChunks(upTo: end) }
            let bytes = UnsafeRawBufferPointer(
                start: inFlight.base + inFlight.position, count: end - inFlight.position)
            // Before a sync the mapping saves nothing: the sync write-protects the page again.
            if syncsNext || bytes.count > Self.mappedWriteBytes
                || mapping?.write(bytes, at: offset) != true
            {
                try file.write(bytes, at: offset)
            }
            offset += UInt64(bytes.count)
            unsyncedBytes += UInt64(bytes.count)
            inFlight.position = end
            fileEnd = lastLSN
            if offset > limit / 8, !isSpareAsked {
                isSpareAsked = true
                requestSpare()
            }
        }
    }

    /// The segment is full. Rotation waits for a spare, and for a background sync to take most of
    /// what a rotation must sync while commits wait; the segment grows meanwhile, within bounds.
    private func isRotationDue(reach: UInt64) -> Bool {
        monitor.lock()
        let hasSpare = !spares.isEmpty
        let isSyncing = isBackgroundSyncing || backgroundSync != nil
        monitor.unlock()
        guard hasSpare else {
            // Asked for again: the last try may have met a full disk.
            requestSpare()
            return reach > 2 * UInt64(options.segmentBytes)
        }
        if reach > limit + limit / 2 { return true }
        if isSyncing { return false }
        // In the room before the end commits lose nothing by a further sync.
        let bound = reach > limit ? Self.rotationSyncBytes : Self.leastEndSyncBytes
        guard unsyncedBytes > bound else { return true }
        requestBackgroundSync()
        return false
    }

    /// The part at a segment's end that is written only while a sync keeps rotation waiting: growing a full
    /// segment costs a commit three times as much. None in a small segment.
    private var endRoomBytes: UInt64 {
        limit >= 4 * Self.rotationSyncBytes ? limit / 32 : 0
    }

    /// What a rotation may have to sync itself: about ten milliseconds' worth.
    static let rotationSyncBytes: UInt64 = 4 << 20

    /// Where the first sync before the end of a segment of `limit` bytes is asked for; 0: none, a small
    /// segment's rotation has little to sync.
    static func endSyncBytes(limit: UInt64) -> UInt64 {
        limit >= 4 * rotationSyncBytes ? rotationSyncBytes : 0
    }

    /// So near the end syncs are no longer asked for: what is left takes the rotation a millisecond.
    private static let leastEndSyncBytes: UInt64 = 128 << 10

    /// The end of the segment comes near: what a rotation must sync while commits wait is taken in the
    /// background, in ever smaller parts.
    private func syncBeforeTheEnd() {
        endSyncBytes = endSyncBytes > Self.leastEndSyncBytes ? endSyncBytes / 4 : 0
        if unsyncedBytes > endSyncBytes { requestBackgroundSync() }
    }

    /// Fills the headers of the in-flight chunks for their places in the current segment. Once done
    /// the bytes do not change: a retry writes the same.
    private func sealChunks(upTo end: Int) throws(StorageError) {
        var position = inFlight.position
        let syncedNow = min(syncedLSN, fileEnd)
        let committedNow = publishable
        while position < end {
            let chunk = inFlight.chunk(at: position)
            if position >= inFlight.sealed {
                let start = inFlight.base + position
                let stored = UnsafeRawBufferPointer(
                    start: start + WALFormat.chunkHeaderBytes,
                    count: chunk.totalBytes - WALFormat.chunkHeaderBytes)
                var head = WALChunkHeader(
                    kind: .records, storedBytes: chunk.length + inFlight.sealBytes,
                    recordBytes: chunk.length, segment: header.segment, firstLSN: chunk.firstLSN,
                    syncedLSN: syncedNow, committedLSN: committedNow, tag: header.chunkTag,
                    payloadCRC: 0, offset: offset + UInt64(position - inFlight.position))
                if let cipher {
                    try cipher.seal(
                        start + WALFormat.chunkHeaderBytes, count: chunk.length,
                        at: head.place(header.uid))
                }
                head.payloadCRC = Checksum.crc32c(stored)
                head.encode(to: start)
            }
            position += chunk.totalBytes
        }
        inFlight.sealed = end
        stampedSynced = syncedNow
        stampedCommitted = committedNow
    }

    /// What was encrypted for the segment that is left, and not written to it whole, becomes plain again: it goes
    /// into the next under that one's key.
    func unsealChunks() throws(StorageError) {
        guard let cipher else { return }
        var position = inFlight.position
        while position < inFlight.sealed {
            let start = inFlight.base + position
            let body = start + WALFormat.chunkHeaderBytes
            let chunk = inFlight.chunk(at: position)
            let sealed = UnsafeRawBufferPointer(
                start: body, count: chunk.length + FileCipher.tagBytes)
            guard let head = WALChunkHeader.decode(start),
                cipher.open(sealed, into: body, at: head.place(header.uid))
            else {
                throw StorageError(
                    .internalError, kind: .bug, "The log's own buffer could not be decrypted.")
            }
            position += chunk.totalBytes
        }
        inFlight.sealed = inFlight.position
    }

    /// Appends a chunk without records that carries the watermarks.
    func writeMark(_ kind: WALChunkKind) throws(StorageError) {
        let syncedNow = min(syncedLSN, fileEnd)
        let committedNow = publishable
        var bytes = [UInt8](repeating: 0, count: WALFormat.chunkHeaderBytes)
        let mark = WALChunkHeader(
            kind: kind, storedBytes: 0, recordBytes: 0, segment: header.segment,
            firstLSN: fileEnd, syncedLSN: syncedNow, committedLSN: committedNow,
            tag: header.chunkTag, payloadCRC: 0, offset: offset)
        bytes.withUnsafeMutableBytes { buffer in
            if let base = buffer.baseAddress { mark.encode(to: base) }
        }
        try file.write(bytes, at: offset)
        offset += UInt64(bytes.count)
        stampedSynced = syncedNow
        stampedCommitted = committedNow
    }

    /// The log is idle: lets it vouch for what it acknowledged.
    func performWatermark() {
        guard !isSealed, inFlight.remaining == 0 else { return }
        let vouchesForMore = stampedSynced < syncedLSN
        do throws(StorageError) {
            try writeMark(.watermark)
            if vouchesForMore { try syncForMark() }
        } catch {
            // Nothing was promised on it: a full disk may leave it out.
            if error.code != .diskFull { fail(error) }
        }
    }

    /// A full disk while syncing is a failed sync and poisons: the kernel may have dropped pages. One
    /// that refuses the mark's bytes is waited out like any other write's.
    func syncForMark() throws(StorageError) {
        try Self.withoutRoom { () throws(StorageError) in try file.syncData() }
    }

    static func withoutRoom(_ sync: () throws(StorageError) -> Void) throws(StorageError) {
        do throws(StorageError) {
            try sync()
        } catch  where error.code == .diskFull {
            throw StorageError(
                .io, kind: .transient, "The log could not be synced for a mark.",
                cause: error.description, location: error.location, errno: error.errno)
        }
    }
}
