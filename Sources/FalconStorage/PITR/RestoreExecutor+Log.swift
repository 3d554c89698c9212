extension RestoreExecutor {
    /// The log as it was copied.
    struct CopiedLog {
        /// Where the copy begins: the first record's LSN, or where it would be.
        var firstLSN: LSN
        var commitCount = 0
    }

    /// Appends the source's records from ``RestorePlan/startLSN`` to ``RestorePlan/endLSN`` to a new
    /// log, at the same LSNs and under the same branches: a new segment wherever the source began a
    /// new incarnation.
    func copyLog() throws(StorageError) -> CopiedLog {
        if plan.base == .salvagedTables, plan.endLSN == plan.startLSN {
            // Whatever there is of a log belongs before the tables' end, or cannot be read.
            try begin(at: plan.startLSN, nil, isFirst: true).close()
            return CopiedLog(firstLSN: plan.startLSN)
        }
        let names = FileNames(root: plan.source.root)
        let isContinued = sourceFileSystem != nil
        let reader = try WALReader(
            directory: names.walDirectory, fileSystem: sourceFileSystem ?? fileSystem,
            from: plan.startLSN,
            mode: plan.source.isLive ? .follow : .strict)
        let total = plan.endLSN.rawValue &- plan.startLSN.rawValue
        var copied = CopiedLog(firstLSN: plan.startLSN)
        var writer: WALWriter?
        var identity: WALIdentity?
        var end = LSN.zero
        var sinceProgress = 0
        do throws(StorageError) {
            while let record = try reader.next() {
                // Records behind the target were read, and belong to another future.
                if record.end > plan.endLSN { break }
                let now = reader.segmentHeader?.identity
                if writer == nil || now != identity || record.lsn != end {
                    try writer?.close()
                    if writer == nil { copied.firstLSN = record.lsn }
                    identity = now
                    writer = try begin(
                        at: record.lsn, identity, isFirst: writer == nil && !isContinued)
                }
                guard let writer else { continue }
                let position = try writer.append(
                    record.tag, record.body, UnsafeRawBufferPointer(start: nil, count: 0))
                guard position.start == record.lsn, position.end == record.end else {
                    throw StorageError(
                        .internalError, kind: .bug,
                        "The record at \(record.lsn) was copied to \(position.start).")
                }
                end = record.end
                writer.setCommitted(end)
                if record.tag == .commit { copied.commitCount += 1 }
                if record.tag == .ingest {
                    try copyIngested(record)
                    copied.commitCount += 1
                }
                sinceProgress += record.body.count
                if sinceProgress > 4 << 20 {
                    sinceProgress = 0
                    if writer.pendingBytes > 16 << 20 { try writer.sync() }
                    try progress(.copyLog, end.rawValue &- plan.startLSN.rawValue, total)
                }
            }
            if writer == nil, !isContinued {
                // Nothing to replay; recovery still wants a log that begins where the tables end.
                writer = try begin(at: plan.startLSN, nil, isFirst: true)
            }
            try writer?.close()
        } catch {
            try? writer?.close()
            throw error
        }
        guard copied.commitCount == plan.commitCount else {
            throw StorageError(
                plan.source.isLive ? .targetUnreachable : .corruption, kind: .user,
                "\(copied.commitCount) of \(plan.commitCount) commits were found again in the log.",
                location: .init(path: names.walDirectory),
                hint: plan.source.isLive ? "The server released log meanwhile; try again." : nil)
        }
        return copied
    }

    private func begin(
        at lsn: LSN, _ identity: WALIdentity?, isFirst: Bool
    ) throws(StorageError) -> WALWriter {
        var continuation = WALContinuation.beginning
        if !isFirst {
            let reader = try WALReader(
                directory: partial.walDirectory, fileSystem: fileSystem, mode: .strict)
            while try reader.next() != nil {}
            if case .corruption(let damage) = reader.verdict { throw damage.error }
            continuation = reader.continuation
        }
        continuation = WALContinuation(
            segment: continuation.segment, firstLSN: lsn, predecessor: continuation.predecessor)
        return try WALWriter.open(
            directory: partial.walDirectory, identity: self.identity(identity),
            continuation: continuation, options: EngineOptions().walOptions,
            environment: environment, callbacks: WALCallbacks())
    }

    /// That of the source's records; nil: there are none.
    private func identity(_ copied: WALIdentity?) -> WALIdentity {
        let shard = plan.source.shard
        var identity =
            copied
            ?? WALIdentity(
                cluster: shard, shard: shard, branch: plan.branch?.branch ?? .zero,
                incarnation: plan.branch?.number ?? 0)
        guard plan.isDetached else { return identity }
        // A repository must not go on to it from the source's log: what that leads to is not what is here.
        identity.branch = .zero
        if copied == nil { identity.incarnation = plan.source.highestIncarnation }
        return identity
    }
}
