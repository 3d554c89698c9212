import FalconSchema
import FalconStorage

extension Transaction {
    /// The snapshot of a serializable transaction's first statement. READ ONLY DEFERRABLE waits here
    /// until it has one that cannot see an anomaly: then nothing of it need be tracked.
    func serializableSnapshot() throws(SQLError) -> Snapshot {
        let take = { [engine, snapshotOwner] in engine.makeSnapshot(owner: snapshotOwner) }
        guard isReadOnly, isDeferrable else {
            let begun = serializables.begin(isReadOnly: isReadOnly, take)
            serializable = begun.node
            return begun.snapshot
        }
        while true {
            try interrupt.check()
            let candidate = safeSnapshotCandidate ?? serializables.beginCandidate(take)
            safeSnapshotCandidate = candidate
            let wait = LockWait(for: .safeSnapshot, of: owner)
            guard serializables.isSettled(candidate, wait) else {
                pendingWait = wait
                throw .lockWait
            }
            safeSnapshotCandidate = nil
            if !candidate.isUnsafe { return candidate.snapshot }
        }
    }

    /// Before a commit: fails when no serial order would explain it. The node to tell of the commit's
    /// end, if there is one.
    func checkSerializable() throws(SQLError) -> SerializableNode? {
        guard let node = serializable else { return nil }
        let mayCommit = try storage { () throws(StorageError) in
            try serializables.mayCommit(
                node, batch, publishedTimestamp: engine.publishedTimestamp)
        }
        guard mayCommit else {
            throw Self.serializationFailure(
                "Reason code: Canceled on identification as a pivot, during commit attempt.")
        }
        serializable = nil
        return batch.isEmpty ? nil : node
    }

    func abandonSerializable() {
        if let node = serializable {
            serializables.abandon(node)
            serializable = nil
        }
        if let candidate = safeSnapshotCandidate {
            serializables.abandon(candidate)
            safeSnapshotCandidate = nil
        }
    }

    static func serializationFailure(_ detail: String) -> SQLError {
        SQLError(
            .serializationFailure,
            "could not serialize access due to read/write dependencies among transactions",
            detail: detail, hint: "The transaction might succeed if retried.")
    }

    /// A key that stands in an insert's way. When no serial order would explain the insert besides, that
    /// is the reason to give: 40001, and another attempt finds the key taken; not 23505.
    func checkConflictingKey(_ key: UnsafeRawBufferPointer) throws(SQLError) {
        guard let node = serializable, node.reads.contains(key) else { return }
        let wouldFail = try storage { () throws(StorageError) in
            try serializables.wouldFail(node, batch, and: key)
        }
        if wouldFail {
            throw Self.serializationFailure(
                "Reason code: Canceled on identification as a pivot, during write.")
        }
    }
}
