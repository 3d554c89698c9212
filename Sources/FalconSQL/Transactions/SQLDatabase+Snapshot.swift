import FalconSchema
import FalconStorage

/// pg_current_snapshot(): for clients that tell by transactions' numbers what they have read.
extension SQLDatabase {
    /// Which transactions a snapshot of `timestamp` shows, of those whose number a client may know. `own` is
    /// the number of whoever asks: as in PostgreSQL it is not listed, and holds the lower end.
    ///
    /// A transaction may end while this looks. So the order matters: a number from before the limit was read
    /// is with a session, then prepared, then among the commits, and is found in one of these places.
    func transactionSnapshot(at timestamp: Timestamp, for own: UInt64?) -> TransactionSnapshot? {
        let limit = engine.transactionLimit.rawValue
        var open = Set(openNumbers)
        let (unseen, unknownFrom) = commitsUnderWay.unseen(at: timestamp)
        open.formUnion(unseen)
        if let own { open.insert(own) }
        var next = max(1, min(limit, unknownFrom ?? limit))
        // Not further than the last one that has ended.
        while let last = Self.lastGiven(below: next), open.contains(last) { next = last }
        let lowest = min(next, open.min() ?? next)
        let listed = open.filter { $0 != own && $0 < next }.sorted()
        return TransactionSnapshot(lowest: max(1, lowest), next: next, underWay: listed)
    }

    /// Numbers of transactions that have not begun to commit.
    private var openNumbers: [UInt64] {
        let running = activities.compactMap { activity -> UInt64? in
            let state = activity.current
            guard state.transactionStart != nil, state.phase != .failed else { return nil }
            return activity.owner.transactionNumber.withLock { $0 }
        }
        return running + prepared.all.map(\.header.number)
    }

    private static func lastGiven(below number: UInt64) -> UInt64? {
        var last = number
        while last > 1 {
            last -= 1
            if TransactionID(last).isGiven { return last }
        }
        return nil
    }
}
