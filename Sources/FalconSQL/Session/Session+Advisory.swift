import FalconSchema

extension Session {
    /// What the current statement has done to the session's advisory locks. A statement that had to
    /// wait runs again from its start; what it did then must not be done twice.
    struct AdvisoryLog {
        enum Action: Equatable { case lock, tryLock, tryInTransaction, unlock, unlockAll }
        private struct Call {
            var action: Action
            var key: AdvisoryKey
            var mode: LockMode
            var result: Bool
        }
        private var calls: [Call] = []
        /// How many of them this run of the statement has come to again.
        private var place = 0

        var isEmpty: Bool { calls.isEmpty }

        /// The statement runs again.
        mutating func rewind() { place = 0 }

        /// What the same call answered in an earlier run, once for each time it was made.
        mutating func recall(_ action: Action, _ key: AdvisoryKey, _ mode: LockMode) -> Bool? {
            let found = calls[place...].firstIndex {
                $0.action == action && $0.key == key && $0.mode == mode
            }
            guard let found else { return nil }
            calls.swapAt(place, found)
            defer { place += 1 }
            return calls[place].result
        }

        mutating func note(
            _ action: Action, _ key: AdvisoryKey, _ mode: LockMode, _ result: Bool
        ) {
            calls.append(Call(action: action, key: key, mode: mode, result: result))
            calls.swapAt(place, calls.count - 1)
            place += 1
        }
    }

    /// A session's advisory lock: kept until it is given back as often as it was taken. Throws to wait.
    func lockAdvisory(
        _ key: AdvisoryKey, _ mode: LockMode, mayWait: Bool
    ) throws(SQLError) -> Bool {
        let action: AdvisoryLog.Action = mayWait ? .lock : .tryLock
        if let result = advisoryLog.recall(action, key, mode) { return result }
        let result = database.locks.acquireAdvisory(
            key, mode, advisoryOwner, isCounted: true, mayWait: mayWait)
        // One that is waited for is there when the statement runs again.
        if case .waiting = result { advisoryLog.note(action, key, mode, true) }
        let isHeld = try had(result)
        advisoryLog.note(action, key, mode, isHeld)
        return isHeld
    }

    /// A transaction's advisory lock: it ends with it.
    func lockAdvisoryInTransaction(
        _ key: AdvisoryKey, _ mode: LockMode, mayWait: Bool
    ) throws(SQLError) -> Bool {
        if !mayWait, let result = advisoryLog.recall(.tryInTransaction, key, mode) {
            return result
        }
        let isHeld = try had(
            database.locks.acquireAdvisory(
                key, mode, owner, isCounted: false, mayWait: mayWait))
        if !mayWait { advisoryLog.note(.tryInTransaction, key, mode, isHeld) }
        return isHeld
    }

    private func had(_ result: LockResult) throws(SQLError) -> Bool {
        switch result {
        case .granted: return true
        case .unavailable: return false
        case .waiting(let wait):
            transaction.pendingWait = wait
            throw .lockWait
        case .exhausted: throw SQLError(.outOfMemory, "out of shared memory")
        }
    }

    /// False, and a warning, when the session does not hold the lock so.
    func unlockAdvisory(_ key: AdvisoryKey, _ mode: LockMode) -> Bool {
        if let result = advisoryLog.recall(.unlock, key, mode) { return result }
        let wasHeld = database.locks.releaseAdvisory(key, mode, advisoryOwner)
        if !wasHeld {
            functionNotices.append(
                SQLError(
                    .warning, "you don't own a lock of type \(mode.name)", severity: .warning))
        }
        advisoryLog.note(.unlock, key, mode, wasHeld)
        return wasHeld
    }

    func unlockAllAdvisory() {
        let none = AdvisoryKey(database: 0, 0)
        if advisoryLog.recall(.unlockAll, none, .exclusive) != nil { return }
        database.locks.releaseAll(advisoryOwner)
        advisoryLog.note(.unlockAll, none, .exclusive, true)
    }

    /// Sends what functions have to say of the rows that follow.
    func sendFunctionNotices(_ sink: any ResultSink) {
        for notice in functionNotices { send(notice, sink) }
        functionNotices.removeAll()
    }
}
