import FalconSchema
import FalconStorage

/// Deciding prepared transactions: for sessions and for the resolver.
extension SQLDatabase {
    /// Prepared transactions at least so old, the oldest first. Thread-safe.
    public func inDoubt(olderThanMilliseconds age: Int) -> [InDoubtTransaction] {
        let now = Session.nowMicros()
        return prepared.all.compactMap { entry in
            let micros = max(0, now &- entry.header.preparedMicros)
            guard micros >= Int64(age) &* 1000 else { return nil }
            return InDoubtTransaction(
                gid: entry.header.gid, database: entry.database.name, user: entry.header.user,
                number: entry.header.number, ageSeconds: Double(micros) / 1_000_000)
        }
    }

    /// Commits or rolls back what a source has decided. Throws 42704 when somebody else has decided it
    /// meanwhile, 55000 when somebody is deciding; else the completion is called once, on any thread.
    func decideInDoubt(
        _ transaction: InDoubtTransaction, commits: Bool,
        completion: @escaping @Sendable (Result<CommitReceipt, StorageError>) -> Void
    ) throws(SQLError) {
        guard let database = databaseList.first(where: { $0.name == transaction.database }) else {
            throw SQLError(
                .invalidCatalogName, "database \"\(transaction.database)\" does not exist")
        }
        let entry = try prepared.claim(
            transaction.gid, user: options.superuser, isSuperuser: true, database: database)
        guard entry.header.number == transaction.number else {
            // The name is another transaction's by now.
            prepared.add(entry)
            throw SQLError(
                .undefinedObject,
                "prepared transaction with identifier \"\(transaction.gid)\" does not exist")
        }
        _ = try decide(entry, commits: commits, completion: completion)
    }

    /// Carries out a decision about a claimed transaction; the completion is called once, on any thread,
    /// when it is done or has failed, and the transaction then waits again.
    func decide(
        _ entry: PreparedTransaction, commits: Bool,
        completion: @escaping @Sendable (Result<CommitReceipt, StorageError>) -> Void
    ) throws(SQLError) -> CommitTicket? {
        let number = entry.header.number
        var options = CommitOptions(durability: options.durability)
        if commits {
            do throws(SQLError) {
                try noteStatus(number, in: entry.batch)
            } catch {
                prepared.add(entry)
                throw error
            }
            options.transactionID = TransactionID(number)
            options.database = entry.database.id
            options.onOrdered = { timestamp, _ in entry.effects.ordered(at: timestamp, in: self) }
        }
        return outcomes.decide(
            entry.uid, commits: commits, with: commits ? entry.batch : WriteBatch(), options
        ) { result in
            switch result {
            case .success(let receipt):
                if commits {
                    entry.committed(at: receipt.timestamp, in: self)
                } else {
                    entry.abandoned(in: self)
                }
                self.prepared.forget(entry.header.gid)
                entry.database.statistics.decided(commits: commits)
                self.noteDecision()
            case .failure: self.prepared.add(entry)
            }
            if commits { self.commitsUnderWay.end(number, result) }
            completion(result)
        }
    }
}
