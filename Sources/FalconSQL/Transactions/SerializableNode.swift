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
    let point: CommitPoint
    /// Of a summary the first of its commits, where `point` is the last.
    let firstPoint: CommitPoint
    let isSummary: Bool
    /// Everybody who begins now sees it. Guarded by the tracker.
    @exclusivity(unchecked) var isPublished = false
    @exclusivity(unchecked) var reads = SerializableReads()
    /// Nil until the commit; empty when it wrote nothing.
    @exclusivity(unchecked) private(set) var writes: SerializableWrites?
    /// Commits that this one read around: they wrote what it had read an older version of.
    @exclusivity(unchecked) private(set) var outs: [CommitPoint] = []

    /// What it takes in memory since its commit, about.
    @exclusivity(unchecked) private(set) var byteCount = 0

    init(snapshotTimestamp: Timestamp) {
        self.snapshotTimestamp = snapshotTimestamp
        point = CommitPoint()
        firstPoint = point
        isSummary = false
    }

    /// One node in the place of many, all published, where those take too much room. It stands for a
    /// transaction that read and wrote what any of them did, committed as early as the first and as late
    /// as the last: it can cost a retry that they would not have, and hides no conflict.
    /// - Parameter maxKeys: a storage read or written in more places counts as whole.
    init(summaryOf nodes: [SerializableNode], maxKeys: Int) {
        snapshotTimestamp = nodes.map(\.snapshotTimestamp).max() ?? .zero
        point = CommitPoint()
        firstPoint = CommitPoint()
        isSummary = true
        isPublished = true
        point.timestamp = nodes.compactMap(\.point.timestamp).max()
        firstPoint.timestamp = nodes.compactMap(\.firstPoint.timestamp).min()
        for node in nodes { reads.formUnion(node.reads, maxPlaces: maxKeys) }
        writes = SerializableWrites(of: nodes.compactMap(\.writes), maxKeys: maxKeys)
        outs = Self.merged(nodes.flatMap(\.outs))
        measure()
    }

    /// Each once; of those that have their place the first counts.
    private static func merged(_ outs: [CommitPoint]) -> [CommitPoint] {
        var known: Set<ObjectIdentifier> = []
        var merged: [CommitPoint] = []
        var first: CommitPoint?
        for out in outs where known.insert(ObjectIdentifier(out)).inserted {
            if out.timestamp == nil {
                merged.append(out)
            } else if first.map({ out.isBefore($0) }) ?? true {
                first = out
            }
        }
        if let first { merged.append(first) }
        return merged
    }

    private func measure() {
        byteCount = 512 + reads.byteCount + (writes?.byteCount ?? 0) + 64 * outs.count
    }

    /// It cannot be smaller.
    var hasWholeStoragesOnly: Bool {
        reads.storages.values.allSatisfy(\.isWhole)
            && writes?.storages.values.allSatisfy(\.isWhole) ?? true
    }

    var wroteNothing: Bool { writes?.isEmpty ?? true }

    /// Whether this transaction, committed, ran beside one that reads at `snapshot`.
    func isConcurrent(with snapshot: Timestamp) -> Bool {
        guard let timestamp = point.timestamp else { return true }
        return wroteNothing || isSummary ? timestamp >= snapshot : timestamp > snapshot
    }

    func committed(_ writes: SerializableWrites, outs: [CommitPoint]) {
        self.writes = writes
        self.outs = outs
        measure()
    }

    /// Something that this one read was written by a commit that comes before its own after all. Of
    /// several the first counts.
    func readAround(_ point: CommitPoint) {
        if !outs.contains(where: { $0.timestamp != nil }) { outs.append(point) }
    }
}
