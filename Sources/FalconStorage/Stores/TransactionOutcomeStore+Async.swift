/// The same for callers that must not wait: the completion is called once, on any thread.
extension TransactionOutcomeStore {
    /// ``prepare(_:participants:payload:with:_:)`` without waiting. When it fails the batch is as it was.
    public func prepare(
        _ transaction: UID, participants: [UInt8], payload: [[UInt8]], with batch: WriteBatch,
        _ options: CommitOptions,
        completion: @escaping @Sendable (Result<CommitReceipt, StorageError>) -> Void
    ) -> CommitTicket? {
        committing(transaction, batch, options, completion) { id throws(StorageError) in
            try self.stage(transaction, id, participants, payload, batch)
        }
    }

    /// ``decide(_:commits:with:_:)`` without waiting. When it fails the batch is as it was; a
    /// transaction that was decided before, either way, fails with `already-exists`.
    public func decide(
        _ transaction: UID, commits: Bool, with batch: WriteBatch, _ options: CommitOptions,
        completion: @escaping @Sendable (Result<CommitReceipt, StorageError>) -> Void
    ) -> CommitTicket? {
        committing(transaction, batch, options, completion) { id throws(StorageError) in
            guard try self.stageDecision(transaction, id, commits: commits, batch) else {
                throw StorageError(
                    .alreadyExists, kind: .user,
                    "The transaction \(transaction) is decided already.")
            }
        }
    }

    private func committing(
        _ transaction: UID, _ batch: WriteBatch, _ options: CommitOptions,
        _ completion: @escaping @Sendable (Result<CommitReceipt, StorageError>) -> Void,
        stage: ([UInt8]) throws(StorageError) -> Void
    ) -> CommitTicket? {
        let claim: Claim
        do throws(StorageError) {
            claim = try Claim(transaction, batch, claims)
        } catch {
            completion(.failure(error))
            return nil
        }
        do throws(StorageError) {
            try stage(claim.id)
        } catch {
            claim.end(error)
            completion(.failure(error))
            return nil
        }
        return engine.commit(batch, options) { result in
            if case .failure(let error) = result { claim.end(error) } else { claim.end(nil) }
            completion(result)
        }
    }
}
