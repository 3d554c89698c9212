import Synchronization

/// Keys that somebody in this process is about to decide about: one at a time for each.
final class KeyClaims: Sendable {
    private let claimed = Mutex<Set<[UInt8]>>([])

    /// False when somebody has `key`.
    func claim(_ key: [UInt8]) -> Bool { claimed.withLock { $0.insert(key).inserted } }
    func release(_ key: [UInt8]) { claimed.withLock { _ = $0.remove(key) } }
}
