import FalconStorage
import Synchronization

/// Serializable snapshot isolation: finds the commits that no serial order explains.
///
/// Under snapshot isolation every such history has a transaction *pivot* with a reader *in* that did
/// not see what pivot wrote, and a writer *out* whose writes pivot did not see, *out* the first of
/// the three to commit (Cahill, Röhm, Fekete 2008; Ports, Grittner 2012). Each transaction is held
/// against those that committed beside it when it commits itself: of three the last to commit sees
/// the whole structure, and fails with 40001. A reader that writes nothing is in danger only if
/// *out* had committed before its snapshot.
///
/// Only serializable transactions are tracked, and a committed one only as long as some transaction
/// that ran beside it is still open. What those take is charged to the memory budget, and limited: the
/// older of them are then known only together. Thread-safe; nothing here waits.
final class SerializableTracker: Sendable {
    /// A READ ONLY DEFERRABLE transaction's snapshot that may turn out to be unsafe.
    final class Candidate: @unchecked Sendable {
        let snapshot: Snapshot
        /// Whose end decides whether the snapshot is safe or, when it is known to be not, when another
        /// one may be.
        fileprivate var beside: Set<ObjectIdentifier>
        fileprivate(set) var isUnsafe = false
        fileprivate var wait: LockWait?

        fileprivate init(_ snapshot: Snapshot, beside: Set<ObjectIdentifier>) {
            self.snapshot = snapshot
            self.beside = beside
        }
    }

    private struct State {
        var active: [ObjectIdentifier: SerializableNode] = [:]
        var committed: [SerializableNode] = []
        /// What `committed` takes, and is charged.
        var committedBytes = 0
        var candidates: [Candidate] = []
    }
    private let state = Mutex(State())
    private let budget: MemoryBudget?
    /// Beyond so many bytes or transactions the older half of the committed ones becomes one, of those
    /// that everybody sees.
    private let committedLimit: (bytes: Int, count: Int)

    init(_ budget: MemoryBudget?, committedLimit: (bytes: Int, count: Int)) {
        self.budget = budget
        self.committedLimit = committedLimit
    }

    deinit { budget?.charge(.transactions, -state.withLock { $0.committedBytes }) }

    // MARK: Beginning

    /// Takes the snapshot and begins tracking; no node when nothing can go wrong, because the
    /// transaction only reads and no writer runs beside it.
    func begin(
        isReadOnly: Bool, _ makeSnapshot: () -> Snapshot
    ) -> (snapshot: Snapshot, node: SerializableNode?) {
        state.withLock { state in
            let snapshot = makeSnapshot()
            if isReadOnly, state.active.isEmpty, state.committed.isEmpty { return (snapshot, nil) }
            let node = SerializableNode(snapshotTimestamp: snapshot.timestamp)
            state.active[ObjectIdentifier(node)] = node
            return (snapshot, node)
        }
    }

    /// A snapshot for READ ONLY DEFERRABLE, and the transactions it must see the end of.
    func beginCandidate(_ makeSnapshot: () -> Snapshot) -> Candidate {
        state.withLock { state in
            let snapshot = makeSnapshot()
            var beside = Set(state.active.keys)
            let committed = state.committed.filter { $0.isConcurrent(with: snapshot.timestamp) }
            let unpublished = committed.filter { !$0.isPublished }
            beside.formUnion(unpublished.map { ObjectIdentifier($0) })
            let candidate = Candidate(snapshot, beside: beside)
            if committed.contains(where: { Self.endangers($0, snapshot.timestamp) }) {
                // Those that are visible by now endanger no later snapshot.
                candidate.isUnsafe = true
                candidate.beside = Set(
                    unpublished.filter { Self.endangers($0, snapshot.timestamp) }
                        .map { ObjectIdentifier($0) })
            }
            if !candidate.beside.isEmpty { state.candidates.append(candidate) }
            return candidate
        }
    }

    /// True when the candidate's fate is known; else `wait` is resolved once it is.
    func isSettled(_ candidate: Candidate, _ wait: LockWait) -> Bool {
        state.withLock { _ in
            if candidate.beside.isEmpty { return true }
            candidate.wait = wait
            return false
        }
    }

    func abandon(_ candidate: Candidate) {
        state.withLock { state in state.candidates.removeAll { $0 === candidate } }
    }

    /// A committed writer that read around a commit which `snapshot` sees.
    private static func endangers(_ node: SerializableNode, _ snapshot: Timestamp) -> Bool {
        !node.wroteNothing
            && node.outs.contains { $0.timestamp.map { $0 <= snapshot } ?? false }
    }

    // MARK: Ending

    /// Decides whether `node` may commit what is in `batch`. If so it counts as committed, and
    /// ``published(_:at:)`` or ``abandon(_:)`` must follow; a commit without writes needs neither.
    func mayCommit(
        _ node: SerializableNode, _ batch: WriteBatch, publishedTimestamp: Timestamp
    ) throws(StorageError) -> Bool {
        let writes = try SerializableWrites(batch)
        var callbacks: [@Sendable () -> Void] = []
        let isAllowed = state.withLock { state in
            let beside = state.committed.filter { $0.isConcurrent(with: node.snapshotTimestamp) }
            let outs = beside.filter { $0.writes?.meet(node.reads) ?? false }
            if Self.isDangerous(node, writes, beside, outs) { return false }
            // What is prepared, or on its way, can still get its place after this commit: then this
            // one is its *out*, and there must be no *in* whose place may come later too.
            let overtaken = beside.filter {
                $0.point.timestamp == nil && writes.meet($0.reads)
            }
            for pivot in overtaken {
                let isBetween = state.committed.contains { reader in
                    reader !== pivot && reader.point.timestamp == nil
                        && pivot.writes?.meet(reader.reads) ?? false
                }
                if isBetween { return false }
            }
            for pivot in overtaken { pivot.readAround(node.point) }
            node.committed(writes, outs: outs.map(\.firstPoint))
            state.active[ObjectIdentifier(node)] = nil
            state.committed.append(node)
            if writes.isEmpty {
                node.point.timestamp = publishedTimestamp
                node.isPublished = true
                Self.settleCandidates(&state, node, didCommit: true, &callbacks)
                prune(&state)
            }
            return true
        }
        for callback in callbacks { callback() }
        return isAllowed
    }

    /// Whether `node` could not commit what is in `batch` and `key` besides.
    func wouldFail(
        _ node: SerializableNode, _ batch: WriteBatch, and key: UnsafeRawBufferPointer
    ) throws(StorageError) -> Bool {
        let writes = try SerializableWrites(batch, and: key)
        return state.withLock { state in
            let beside = state.committed.filter { $0.isConcurrent(with: node.snapshotTimestamp) }
            let outs = beside.filter { $0.writes?.meet(node.reads) ?? false }
            return Self.isDangerous(node, writes, beside, outs)
        }
    }

    /// A prepared transaction of an earlier process, of which only the writes are known: it counts as
    /// one that has read everything, and around a commit that everybody sees.
    func restore(_ batch: WriteBatch) throws(StorageError) -> SerializableNode {
        let node = SerializableNode(snapshotTimestamp: .zero)
        node.reads.noteEverything()
        let earlier = CommitPoint()
        earlier.timestamp = .zero
        node.committed(try SerializableWrites(batch), outs: [earlier])
        state.withLock { $0.committed.append(node) }
        return node
    }

    /// The commit is visible from `timestamp` on.
    func published(_ node: SerializableNode, at timestamp: Timestamp) {
        var callbacks: [@Sendable () -> Void] = []
        state.withLock { state in
            node.point.timestamp = timestamp
            node.isPublished = true
            Self.settleCandidates(&state, node, didCommit: true, &callbacks)
            prune(&state)
        }
        for callback in callbacks { callback() }
    }

    /// The transaction was rolled back, or its commit failed.
    func abandon(_ node: SerializableNode) {
        var callbacks: [@Sendable () -> Void] = []
        state.withLock { state in
            state.active[ObjectIdentifier(node)] = nil
            state.committed.removeAll { $0 === node }
            Self.settleCandidates(&state, node, didCommit: false, &callbacks)
            prune(&state)
        }
        for callback in callbacks { callback() }
    }

    /// What the committed ones take, and is charged to the memory budget.
    var committedBytes: Int { state.withLock { $0.committedBytes } }

    /// How many transactions are tracked: open ones, and committed ones that some of those ran beside.
    var counts: (active: Int, committed: Int) {
        state.withLock { ($0.active.count, $0.committed.count) }
    }

    // MARK: The dangerous structure

    /// - Parameter beside: those that committed beside `node`; `outs`: those it read around.
    private static func isDangerous(
        _ node: SerializableNode, _ writes: SerializableWrites, _ beside: [SerializableNode],
        _ outs: [SerializableNode]
    ) -> Bool {
        isUnsafeReader(node, writesNothing: writes.isEmpty, outs)
            || isPivot(outs, ins: beside.filter { writes.meet($0.reads) })
    }

    /// `node` as *in*: a pivot among those it read around has an *out* of its own.
    private static func isUnsafeReader(
        _ node: SerializableNode, writesNothing: Bool, _ outs: [SerializableNode]
    ) -> Bool {
        outs.contains { pivot in
            writesNothing ? endangers(pivot, node.snapshotTimestamp) : !pivot.outs.isEmpty
        }
    }

    /// The committing transaction as pivot, between `ins` and `outs`.
    private static func isPivot(_ outs: [SerializableNode], ins: [SerializableNode]) -> Bool {
        ins.contains { reader in
            outs.contains { out in
                if reader === out { return true }
                if reader.wroteNothing {
                    return out.firstPoint.timestamp.map { $0 <= reader.snapshotTimestamp } ?? false
                }
                return !reader.point.isBefore(out.firstPoint)
            }
        }
    }

    private static func settleCandidates(
        _ state: inout State, _ node: SerializableNode, didCommit: Bool,
        _ callbacks: inout [@Sendable () -> Void]
    ) {
        state.candidates.removeAll { candidate in
            guard candidate.beside.remove(ObjectIdentifier(node)) != nil else { return false }
            if didCommit, !candidate.isUnsafe, endangers(node, candidate.snapshot.timestamp) {
                // It is visible now: another snapshot may be tried at once.
                candidate.isUnsafe = true
                candidate.beside = []
            }
            guard candidate.beside.isEmpty else { return false }
            if let callback = candidate.wait?.resolve(.granted) { callbacks.append(callback) }
            return true
        }
    }

    /// Forgets the committed ones that no open transaction ran beside, and charges the others.
    private func prune(_ state: inout State) {
        if state.committed.isEmpty, state.committedBytes == 0 { return }
        let oldest = state.active.values.lazy.map(\.snapshotTimestamp).min()
        state.committed.removeAll { node in
            node.isPublished && !(oldest.map { node.isConcurrent(with: $0) } ?? false)
        }
        var bytes = state.committed.reduce(0) { $0 + $1.byteCount }
        while bytes > committedLimit.bytes || state.committed.count > committedLimit.count,
            Self.summarise(&state.committed, isTooLarge: bytes > committedLimit.bytes)
        {
            bytes = state.committed.reduce(0) { $0 + $1.byteCount }
        }
        budget?.charge(.transactions, bytes - state.committedBytes)
        state.committedBytes = bytes
    }

    /// Of a summary's storages: more keys are not worth what they take.
    private static let summaryKeys = 1024

    /// Puts one node in the place of the older half of what everybody sees, or of the only one: at last
    /// a summary that knows whole storages. False: nothing is left to be had.
    private static func summarise(
        _ committed: inout [SerializableNode], isTooLarge: Bool
    ) -> Bool {
        let published = committed.filter(\.isPublished)
        let older = Array(published.prefix(max(2, published.count / 2)))
        guard let first = older.first else { return false }
        if older.count == 1, !isTooLarge || first.hasWholeStoragesOnly { return false }
        let isLast = older.count == 1 && first.isSummary
        let members = Set(older.map { ObjectIdentifier($0) })
        committed.removeAll { members.contains(ObjectIdentifier($0)) }
        committed.insert(
            SerializableNode(summaryOf: older, maxKeys: isLast ? 0 : summaryKeys), at: 0)
        return true
    }
}
