import FalconSchema
import FalconStorage
import Synchronization

/// What a restart finds of prepared transactions, and what is shown of them.
extension SQLDatabase {
    /// Outcomes of decided ones are kept for a day.
    private static let outcomeMicros: UInt64 = 86_400_000_000

    /// How many transactions wait for COMMIT or ROLLBACK PREPARED, and the age of the oldest.
    /// Thread-safe.
    public var preparedTransactions: (count: Int, oldestSeconds: Double) {
        let all = prepared.all
        guard let first = all.first else { return (0, 0) }
        let age = Session.nowMicros() &- first.header.preparedMicros
        return (all.count, Double(max(0, age)) / 1_000_000)
    }

    /// Brings the prepared transactions of earlier processes back, locks included, before anybody can
    /// have a session.
    func restorePrepared() throws(SQLError) {
        // Old outcomes are no reason to stay closed: on a full disk they stay.
        do throws(SQLError) {
            if !isReadOnly { try collectOutcomes(limit: 10_000) }
        } catch { options.whenFailing?(error) }
        let found = try storage { () throws(StorageError) in try outcomes.prepared() }
        for (uid, outcome) in found
        where PreparedTransactionHeader.isMarked(outcome.participants) {
            prepared.add(try restored(uid, outcome))
        }
    }

    private func restored(
        _ uid: UID, _ outcome: TransactionOutcome
    ) throws(SQLError) -> PreparedTransaction {
        guard let header = PreparedTransactionHeader(decoding: outcome.participants),
            let database = databaseList.first(where: { $0.id == header.database })
        else {
            throw SQLError(
                .dataCorrupted, "the record of a prepared transaction is damaged",
                detail: "transaction \(uid)",
                hint: "Restore the database from a backup; the record is in the system keyspace.")
        }
        let bytes = try storage { () throws(StorageError) in try outcomes.payload(of: uid) }
        let payload = try PreparedTransactionPayload(decoding: bytes)
        let owner = LockOwner(processID: 0)
        owner.detach()
        owner.transactionNumber.withLock { $0 = header.number }
        locks.register(owner)
        guard locks.restore(payload.locks, owner) else {
            throw SQLError(
                .outOfMemory,
                "cannot lock again what prepared transaction \"\(header.gid)\" had locked",
                hint: "The lock table may have been larger when it was prepared.")
        }
        database.noteRowIDs(in: payload.batch)
        var node: SerializableNode?
        if header.isSerializable {
            node = try storage { () throws(StorageError) in
                try serializables.restore(payload.batch)
            }
        }
        return PreparedTransaction(
            uid: uid, header: header, database: database, owner: owner, batch: payload.batch,
            changes: try CatalogStore.changes(in: payload.batch, of: database.id),
            moves: payload.moves,
            node: node,
            budget: engine.options.memoryBudget)
    }

    /// Forgets old outcomes now and then, so that they do not add up.
    func noteDecision() {
        let count = prepared.decisionCount.wrappingAdd(1, ordering: .relaxed).newValue
        guard count % 1000 == 0 else { return }
        _ = housekeeping.schedule(afterMilliseconds: 0) { [weak self] in
            do throws(SQLError) {
                try self?.collectOutcomes(limit: 2000)
            } catch { self?.options.whenFailing?(error) }
        }
    }

    private func collectOutcomes(limit: Int) throws(SQLError) {
        _ = try storage { () throws(StorageError) in
            try outcomes.collect(olderThanMicros: Self.outcomeMicros, limit: limit)
        }
    }
}
