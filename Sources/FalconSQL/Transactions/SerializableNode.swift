import FalconStorage
import Synchronization

/// A commit's place among all commits; nil until it has one, which is before anybody can see it.
final class CommitPoint: Sendable {
    private let value = Mutex<Timestamp?>(nil)
    var timestamp: Timestamp? {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }

    /// True when it is certain that this commit came before `other`.
    func isBefore(_ other: CommitPoint) -> Bool {
        // Places are given in their order: what has none yet comes after what has.
        guard let mine = timestamp else { return false }
        guard let theirs = other.timestamp else { return true }
        return mine < theirs
    }
}

/// A serializable transaction as the tracker knows it.
///
/// The session that runs it adds to `reads`; from its commit on the tracker alone changes it.
final class SerializableNode: @unchecked Sendable {
    let snapshotTimestamp: Timestamp
    let point = CommitPoint()
    /// Everybody who begins now sees it. Guarded by the tracker.
    @exclusivity(unchecked) var isPublished = false
    @exclusivity(unchecked) var reads = SerializableReads()
    /// Nil until the commit; empty when it wrote nothing.
    @exclusivity(unchecked) private(set) var writes: SerializableWrites?
    /// Commits that this one read around: they wrote what it had read an older version of.
    @exclusivity(unchecked) private(set) var outs: [CommitPoint] = []

    init(snapshotTimestamp: Timestamp) { self.snapshotTimestamp = snapshotTimestamp }

    var wroteNothing: Bool { writes?.isEmpty ?? true }

    /// Whether this transaction, committed, ran beside one that reads at `snapshot`.
    func isConcurrent(with snapshot: Timestamp) -> Bool {
        guard let timestamp = point.timestamp else { return true }
        return wroteNothing ? timestamp >= snapshot : timestamp > snapshot
    }

    func committed(_ writes: SerializableWrites, outs: [CommitPoint]) {
        self.writes = writes
        self.outs = outs
    }

    /// Something that this one read was written by a commit that comes before its own after all. Of
    /// several the first counts.
    func readAround(_ point: CommitPoint) {
        if !outs.contains(where: { $0.timestamp != nil }) { outs.append(point) }
    }
}
