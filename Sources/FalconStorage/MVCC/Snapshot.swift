/// A moment that readers can return to: versions visible at ``timestamp`` stay until ``release()``.
public final class Snapshot: @unchecked Sendable {
    /// Reads at the snapshot see what was committed at or before it.
    public let timestamp: Timestamp
    /// Who holds it, for ``StorageEngine/safepointReport()``; empty when nobody said.
    public let owner: String

    private let tracker: SnapshotTracker
    // The tracker's list; guarded by its lock.
    var older: Unmanaged<Snapshot>?
    var newer: Unmanaged<Snapshot>?
    var isHeld = true

    init(timestamp: Timestamp, owner: String, tracker: SnapshotTracker) {
        self.timestamp = timestamp
        self.owner = owner
        self.tracker = tracker
    }

    deinit { tracker.release(self) }

    /// Lets the versions go; idempotent, also done on deinit.
    public func release() { tracker.release(self) }
}
