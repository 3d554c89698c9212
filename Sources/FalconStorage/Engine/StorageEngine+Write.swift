extension StorageEngine {
    /// Commits `batch`; `completion` is called once, after publication in commit order, without
    /// locks held, on a thread of the engine or of another committer (on the caller's when the commit
    /// is refused or published at once). It must be short. The batch belongs to the engine until then, and
    /// is to be emptied before it is used again: a large one, of more than a quarter of
    /// ``EngineOptions/memtableBytes`` (or of a sixteenth of the memory budget, if that is less) and more than 16
    /// operations or 32 KiB, with at most 64 range deletes, is empty by then: its memory becomes a memtable's.
    /// The commit of one that has spilled reads and writes all of it on the caller's thread.
    /// A batch that has spilled belongs to the engine it spilled to, which alone can commit it: see
    /// ``spill(_:)``.
    ///
    /// Fails with `read-only`, `closed` or `poisoned` when no more is taken; `disk-full` or `io` when a
    /// full disk, or flushes that fail, held it for too long; `cancelled` by the ticket; `out-of-memory`;
    /// what reading a batch that has spilled fails with; `commit-outcome-unknown` when the log failed while
    /// it waited. After that, and after `poisoned`, only a reopen tells whether it survived; after all
    /// others nothing of it was committed.
    /// - Returns: what takes the commit back while backpressure or a full disk holds it; nil when it
    ///   was not held.
    @discardableResult
    public func commit(
        _ batch: WriteBatch, _ options: CommitOptions,
        completion: @escaping @Sendable (Result<CommitReceipt, StorageError>) -> Void
    ) -> CommitTicket? {
        guard let writeSide else {
            completion(.failure(openedReadOnly))
            return nil
        }
        if batch.hasSpilled {
            do throws(StorageError) { try writeSide.prepareTables(of: batch) } catch {
                completion(.failure(error))
                return nil
            }
        }
        if writeSide.controller.needsPacing {
            return writeSide.pacer.submit(batch, options, completion: completion)
        }
        writeSide.pipeline.commit(batch, options, completion: completion)
        return nil
    }

    /// Before a close that must not wait: when the log has no room, the commits that have their place
    /// in it and wait to be durable fail with `commit-outcome-unknown`, and no more are taken. Does
    /// nothing when the log can be written.
    public func abandonStalledCommits() { writeSide?.wal.failIfStalled() }

    /// Commits `batch` and waits for its publication. Empty the batch before it is used again; a large one
    /// may be empty already, and one that has spilled goes to the engine it spilled to (see
    /// ``commit(_:_:completion:)``). Throws what that fails with, but `cancelled`.
    @discardableResult
    public func commitAndWait(
        _ batch: WriteBatch, _ options: CommitOptions = .init()
    ) throws(StorageError) -> CommitReceipt {
        let side = try writable()
        if batch.hasSpilled { try side.prepareTables(of: batch) }
        if side.controller.needsPacing { try side.controller.pace(bytes: batch.byteCount) }
        return try side.pipeline.commitAndWait(batch, options)
    }

    /// A transaction number never given before, in this or an earlier life of the directory. Zero
    /// when the engine is read-only.
    public func allocateTransactionID() -> TransactionID {
        writeSide?.pipeline.allocateTransactionID() ?? TransactionID(0)
    }

    /// All numbers given so far are below it. Zero when the engine is read-only.
    public var transactionLimit: TransactionID {
        writeSide?.pipeline.transactionLimit ?? TransactionID(0)
    }
}
