extension StorageEngine {
    /// Commits `batch`; `completion` is called once, after publication in commit order, without
    /// locks held, on a thread of the engine or of another committer (on the caller's when the commit
    /// is refused or published at once). It must be short. The batch belongs to the engine until then.
    public func commit(
        _ batch: WriteBatch, _ options: CommitOptions,
        completion: @escaping @Sendable (Result<CommitReceipt, StorageError>) -> Void
    ) {
        guard let writeSide else {
            return completion(
                .failure(
                    StorageError(.readOnly, kind: .user, "The engine was opened read-only.")))
        }
        if writeSide.controller.needsPacing {
            writeSide.pacer.submit(batch, options, completion: completion)
        } else {
            writeSide.pipeline.commit(batch, options, completion: completion)
        }
    }

    /// Commits `batch` and waits for its publication.
    @discardableResult
    public func commitAndWait(
        _ batch: WriteBatch, _ options: CommitOptions = .init()
    ) throws(StorageError) -> CommitReceipt {
        let side = try writable()
        if side.controller.needsPacing { try side.controller.pace(bytes: batch.byteCount) }
        return try side.pipeline.commitAndWait(batch, options)
    }

    /// A transaction number never given before, in this or an earlier life of the directory. Zero
    /// when the engine is read-only.
    public func allocateTransactionID() -> TransactionID {
        writeSide?.pipeline.allocateTransactionID() ?? TransactionID(0)
    }
}
