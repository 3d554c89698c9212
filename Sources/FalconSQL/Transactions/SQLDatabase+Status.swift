import FalconSchema
import FalconStorage

/// What became of a transaction, for a client that lost the answer to its commit.
extension SQLDatabase {
    enum TransactionStatus: Sendable, Equatable {
        case committed, aborted, inProgress
        /// So old that it is not known any more; the largest number that may be.
        case forgotten(upTo: UInt64)
    }

    /// How long committed numbers are kept, and how many.
    private static let statusMicros: UInt64 = 7 * 86_400_000_000
    private static let statusRows = 1_000_000

    /// Throws 22023 for a number that no client has been given.
    func status(ofTransaction number: UInt64) throws(SQLError) -> TransactionStatus {
        let id = TransactionID(number)
        guard number != 0, id.isGiven, id < engine.transactionLimit else {
            throw SQLError(
                .invalidParameterValue,
                id < engine.transactionLimit
                    ? "transaction number \(number) was never given to a client"
                    : "transaction ID \(number) is in the future",
                hint: "Numbers come from pg_current_xact_id() within the transaction.")
        }
        // It may commit between the two looks: the second sees that.
        if try knownStatus(id) == .committed { return .committed }
        if isUnderWay(number) { return .inProgress }
        return try knownStatus(id) ?? .aborted
    }

    private func knownStatus(_ id: TransactionID) throws(SQLError) -> TransactionStatus? {
        let statuses = statuses
        switch try storage({ () throws(StorageError) in try statuses.status(of: id) }) {
        case .committed: return .committed
        case .forgotten(let limit): return .forgotten(upTo: limit.rawValue)
        case .absent: return nil
        }
    }

    private func isUnderWay(_ number: UInt64) -> Bool {
        if commitsUnderWay.contains(number) { return true }
        if prepared.all.contains(where: { $0.header.number == number }) { return true }
        return activities.contains { activity in
            let state = activity.current
            return state.transactionStart != nil && state.phase != .failed
                && activity.owner.transactionNumber.withLock { $0 == number }
        }
    }

    /// Makes the commit of a transaction whose number a client may know tell so. It is under way from now
    /// on, until ``CommitsUnderWay/end(_:_:)``.
    func noteStatus(_ number: UInt64, in batch: WriteBatch) throws(SQLError) {
        let statuses = statuses
        try storage { () throws(StorageError) in
            try statuses.note(TransactionID(number), in: batch)
        }
        commitsUnderWay.begin(number)
        forgetStatuses()
    }

    /// Forgets old numbers with the first commit that notes one, then now and then: processes that never
    /// live for long keep no more either.
    private func forgetStatuses() {
        let count = statusCount.wrappingAdd(1, ordering: .relaxed).newValue
        guard count % 10_000 == 1 else { return }
        _ = housekeeping.schedule(afterMilliseconds: 0) { [weak self] in self?.collectStatuses() }
    }

    private func collectStatuses() {
        do throws(StorageError) {
            try statuses.collect(olderThanMicros: Self.statusMicros, keeping: Self.statusRows)
        } catch { options.whenFailing?(SQLError(storage: error)) }
    }
}

extension SQLDatabase.TransactionStatus {
    /// As falcon.txn_status() says it.
    var text: String {
        switch self {
        case .committed: "committed"
        case .aborted: "aborted"
        case .inProgress: "in progress"
        case .forgotten(let limit): "unknown: up to \(limit) is not kept any more"
        }
    }
}
