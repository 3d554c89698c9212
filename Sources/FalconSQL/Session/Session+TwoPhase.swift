import FalconSchema
import FalconStorage

/// PREPARE TRANSACTION, COMMIT PREPARED and ROLLBACK PREPARED.
extension Session {
    /// The statement stands in a message with others, which are one transaction.
    private var isAmongOthers: Bool {
        if case .simple(let simple) = work { return simple.statements.count > 1 }
        return false
    }

    func runPrepare(_ gid: String, _ sink: any ResultSink) -> StatementStep {
        if block == .failed { return .done(tag: "ROLLBACK", then: .rollback(chain: false)) }
        if block == .implicit {
            tell(
                SQLError(
                    .noActiveSQLTransaction, "there is no transaction in progress",
                    severity: .warning), sink)
            guard isAmongOthers else { return .done(tag: "ROLLBACK") }
        }
        return .done(tag: "PREPARE TRANSACTION", then: .prepare(gid))
    }

    func runDecision(_ gid: String, commits: Bool) throws(SQLError) -> StatementStep {
        let what = commits ? "COMMIT PREPARED" : "ROLLBACK PREPARED"
        if block == .inBlock || isAmongOthers || transaction.batch.operationCount > 0 {
            throw SQLError(
                .activeSQLTransaction, "\(what) cannot run inside a transaction block")
        }
        return .done(tag: what, then: .decide(gid, commits: commits))
    }

    /// Hands the transaction over to the registry once its record is durable. Whatever keeps that from
    /// happening rolls it back. Nil: done already.
    func prepareTransaction(_ gid: String) throws(SQLError) -> SessionProgress? {
        // After the wait for these, if there is one, the cursors are still to be seen.
        if let blocked = try finishDeferredChecks(.prepare(gid)) { return blocked }
        let holdsCursor = portals.values.contains { $0.isHold && !$0.isKept }
        dropAllPortals()
        let node: SerializableNode?
        do throws(SQLError) {
            if holdsCursor {
                throw SQLError(
                    .featureNotSupported,
                    "cannot PREPARE a transaction that has created a cursor WITH HOLD")
            }
            try checkPreparable()
            try database.prepared.reserve(gid)
            do throws(SQLError) {
                node = try transaction.checkSerializable()
            } catch {
                database.prepared.forget(gid)
                throw error
            }
        } catch {
            rollback(after: error)
            throw error
        }
        let header = PreparedTransactionHeader(
            gid: gid, user: settings.user, number: database.locks.transactionNumber(of: owner),
            database: state.id, preparedMicros: Self.nowMicros(), isSerializable: node != nil)
        noteTransaction(.prepared)
        let detached = transaction.detach()
        let entry = PreparedTransaction(
            uid: UID(high: .random(in: 0...UInt64.max), low: header.number), header: header,
            database: state, owner: replaceOwner(), batch: detached.batch,
            changes: detached.changes, moves: detached.moves, node: node,
            budget: database.engine.options.memoryBudget)
        let payload = PreparedTransactionPayload(
            locks: entry.owner.kept, moves: entry.moves, batch: entry.batch)
        let wait = CommitWait()
        let cluster = database
        let options = CommitOptions(durability: cluster.options.durability)
        let ticket = cluster.outcomes.prepare(
            entry.uid, participants: header.encoded(), payload: payload.encoded(),
            with: WriteBatch(), options
        ) { result in
            switch result {
            case .success: cluster.prepared.add(entry)
            case .failure:
                entry.abandoned(in: cluster)
                cluster.prepared.forget(gid)
                entry.database.statistics.decided(commits: false)
            }
            wait.complete(result)
        }
        return try follow(wait, ticket)
    }

    /// Commits or rolls back what was prepared as `gid`. Nil: done already.
    func decidePrepared(_ gid: String, commits: Bool) throws(SQLError) -> SessionProgress? {
        // The statement's own transaction holds nothing that the decision needs.
        stopTransactionTimer()
        transaction.end()
        let entry = try database.prepared.claim(
            gid, user: settings.user, isSuperuser: database.isSuperuser(settings.user),
            database: state)
        let wait = CommitWait()
        let ticket = try database.decide(entry, commits: commits) { wait.complete($0) }
        return try follow(wait, ticket)
    }

    private func checkPreparable() throws(SQLError) {
        if transaction.batch.hasSpilled {
            throw SQLError(
                .programLimitExceeded,
                "cannot PREPARE a transaction whose writes do not fit into memory",
                detail:
                    "It has written \(transaction.batch.byteCount) bytes; a transaction's writes go "
                    + "to files beyond \(database.engine.options.transactionSpillBytes) bytes, and what "
                    + "is prepared stays in memory until it is decided.",
                hint: "Split the work over several transactions, raise memory_budget, or end this "
                    + "transaction with COMMIT.")
        }
        // Made before BEGIN in the same message.
        if !transaction.databaseChanges.isEmpty {
            throw SQLError(
                .featureNotSupported, "cannot PREPARE a transaction that has changed roles")
        }
        let keys = Set(owner.kept.map(\.key))
        if usesTemporary, transaction.touches(schema: temporarySchema, locks: keys) {
            throw SQLError(
                .featureNotSupported,
                "cannot PREPARE a transaction that has operated on temporary objects")
        }
        if !transaction.exports.isEmpty {
            throw SQLError(
                .featureNotSupported, "cannot PREPARE a transaction that has exported snapshots")
        }
        if !transaction.notifications.isEmpty {
            throw SQLError(
                .featureNotSupported,
                "cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY")
        }
        if advisoryOwner.held.contains(where: { keys.contains($0.key) }) {
            throw SQLError(
                .featureNotSupported,
                "cannot PREPARE while holding both session-level and transaction-level locks on "
                    + "the same object")
        }
    }

    /// Gives the session a new holder of locks and returns the one whose locks stay.
    private func replaceOwner() -> LockOwner {
        let kept = owner
        owner = LockOwner(besides: kept)
        kept.detach()
        database.locks.register(owner)
        transaction.owner = owner
        activity.replaceOwner(owner)
        return kept
    }
}
