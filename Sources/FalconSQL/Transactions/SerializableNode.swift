import FalconStorage
import Synchronization

/// When a commit became visible; nil until it has.
final class CommitPoint: Sendable {
    private let value = Mutex<Timestamp?>(nil)
    var timestamp: Timestamp? {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }

    /// True when it is certain that this commit came before `other`.
    func isBefore(_ other: CommitPoint) -> Bool {
        // Commits become visible in their order: what is not yet visible comes after what is.
        guard let mine = timestamp else { return false }
        guard let theirs = other.timestamp else { return true }
        return mine < theirs
    }
}

/// A serializable transaction as the tracker knows it.
///
/// The session that runs it adds to `reads`; from its commit on nothing changes but the commit's point.
final class SerializableNode: @unchecked Sendable {
    let snapshotTimestamp: Timestamp
    let point = CommitPoint()
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

    /// Something that this one read was written by a commit that comes before its own after all.
    func readAround(_ point: CommitPoint) { outs.append(point) }
}
