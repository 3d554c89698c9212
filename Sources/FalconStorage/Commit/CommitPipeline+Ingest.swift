import CFalconPlatform

/// Files that come in from outside take their place among the commits.
extension CommitPipeline {
    /// Orders and logs `files`, which are on the device, and waits for their publication: like a batch
    /// that is committed `synced`. Throws `commit-outcome-unknown` when the log may hold the record; any
    /// other error means that nothing of it is anywhere.
    func ingestAndWait(_ files: [IngestRecord.File]) throws(StorageError) -> CommitReceipt {
        var result: Result<CommitReceipt, StorageError> = .failure(refusal())
        withUnsafeTemporaryAllocation(of: CommitWaiter.self, capacity: 1) { buffer in
            guard let waiter = buffer.baseAddress else { return }
            waiter.initialize(to: CommitWaiter())
            defer { waiter.deinitialize(count: 1) }
            do throws(StorageError) {
                let receipt = try orderIngest(files, waiter)
                wal?.syncPending()
                if !CommitWaiter.isDone(waiter) {
                    wal?.requestSync(upTo: receipt.lsn)
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

    private func orderIngest(
        _ files: [IngestRecord.File], _ waiter: UnsafeMutablePointer<CommitWaiter>
    ) throws(StorageError) -> CommitReceipt {
        section.lock()
        defer { section.unlock() }
        guard !isRefusing, let wal, let target else { throw refusal() }
        let place = try target.preparePlace()
        let (timestamp, wall) = clock.next()
        let record = IngestRecord(timestamp: timestamp, wallMicros: wall, files: files)
        let position = try wal.append(.ingest, record.encoded())
        target.install(record, end: position.end, in: place)
        if awaitsFirstCommit {
            awaitsFirstCommit = false
            closer?.noteCommit()
        }
        try enqueue(
            PendingCommit(
                end: position.end, timestamp: timestamp, durability: .synced, waiter: waiter,
                completion: nil), bytes: record.byteCount)
        return CommitReceipt(timestamp: timestamp, lsn: position.end)
    }
}
