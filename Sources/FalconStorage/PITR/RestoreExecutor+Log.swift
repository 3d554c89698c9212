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
            // Chunk by chunk: record by record the writer's lock would be taken for each. Records behind the target
            // belong to another future.
            while let run = try reader.nextRun(upTo: plan.endLSN) {
                let now = reader.segmentHeader?.identity
                if writer == nil || now != identity || run.lsn != end {
                    try writer?.close()
                    if writer == nil { copied.firstLSN = run.lsn }
                    identity = now
                    writer = try begin(
                        at: run.lsn, identity, isFirst: writer == nil && !isContinued)
                }
                guard let writer else { continue }
                let position = try writer.append(copied: run.bytes)
                guard position.start == run.lsn, position.end == run.end else {
                    throw StorageError(
                        .internalError, kind: .bug,
                        "The records at \(run.lsn) were copied to \(position.start).")
                }
                end = run.end
                writer.setCommitted(end)
                copied.commitCount += run.commitCount
                for record in run.ingests { try copyIngested(record) }
                sinceProgress += run.bytes.count
                if sinceProgress > 1 << 20 {
                    sinceProgress = 0
                    try bound(writer)
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

    /// Lets the writer catch up before its buffer is one that it does not keep. It syncs in the background: waiting for
    /// that here would hold up the reading.
    private func bound(_ writer: WALWriter) throws(StorageError) {
        do throws(StorageError) {
            try writer.boundPending(4 << 20)
        } catch  where error.code == .diskFull {
            throw StorageError(
                .diskFull, kind: .transient, "The disk is full: the log could not be copied.",
                location: .init(path: partial.walDirectory),
                hint: "Free space, or name another place for the output, and try again.")
        }
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
