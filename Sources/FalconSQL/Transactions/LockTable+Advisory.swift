/// Advisory locks. A session's count how often they were taken, a transaction's do not.
extension LockTable {
    /// Asks for an advisory lock. With `isCounted` it must be given back as often as it was taken.
    func acquireAdvisory(
        _ advisory: AdvisoryKey, _ mode: LockMode, _ owner: LockOwner, isCounted: Bool,
        mayWait: Bool
    ) -> LockResult {
        let key = advisory.lockKey
        let result = acquire(
            key, mode, owner, mayWait: mayWait, subject: .advisory(advisory),
            coveredBy: isCounted ? 0 : mode.bit)
        if case .granted = result { owner.note(advisory, key) }
        return result
    }

    /// Gives one acquisition back; false when `owner` does not hold the lock in this mode.
    func releaseAdvisory(
        _ advisory: AdvisoryKey, _ mode: LockMode, _ owner: LockOwner
    ) -> Bool {
        let key = advisory.lockKey
        guard releaseHeld(owner, key, mode) else { return false }
        if !owner.held.contains(where: { $0.key == key }) { owner.forgetAdvisory(key) }
        return true
    }
}
