/// The archived segments of a repository, and how they hang together.
///
/// A segment names its predecessor. A restored directory's log begins with a copy of its source's, from where the
/// tables end that were restored: mostly in the midst of a segment of the source's, and it names none. A branch and an
/// LSN name one record, wherever it is: the copy goes on from what holds the record before its first.
struct SegmentForest: Sendable {
    private let byUID: [UID: ArchivedSegment]
    private let byBranch: [UID: [ArchivedSegment]]
    private let byStart: [LSN: [ArchivedSegment]]
    /// By the predecessor that they name.
    private let named: [UID: [ArchivedSegment]]
    /// Those that name none that is there, by what they go on from all the same.
    private var joined: [UID: [ArchivedSegment]] = [:]

    init(_ segments: [ArchivedSegment]) {
        var byUID: [UID: ArchivedSegment] = [:]
        for segment in segments { byUID[segment.uid] = segment }
        self.byUID = byUID
        byBranch = Dictionary(grouping: segments, by: \.branch)
        byStart = Dictionary(grouping: segments, by: \.firstLSN)
        named = Dictionary(
            grouping: segments.filter { $0.footer.predecessor != nil },
            by: { $0.footer.predecessor?.uid ?? .zero })
        for segment in segments where namedPredecessor(of: segment) == nil {
            if let previous = joint(before: segment) {
                joined[previous.uid, default: []].append(segment)
            }
        }
    }

    subscript(uid: UID) -> ArchivedSegment? { byUID[uid] }

    /// Those that name the segment as their predecessor.
    func successors(of uid: UID) -> [ArchivedSegment] { named[uid] ?? [] }

    /// Those, and copies that go on from its midst or its end.
    func allSuccessors(of uid: UID) -> [ArchivedSegment] {
        successors(of: uid) + (joined[uid] ?? [])
    }

    /// What holds the records before `segment`, up to where that begins; nil: the log begins there, or it is not in
    /// the repository.
    func predecessor(of segment: ArchivedSegment) -> ArchivedSegment? {
        namedPredecessor(of: segment) ?? joint(before: segment)
    }

    private func namedPredecessor(of segment: ArchivedSegment) -> ArchivedSegment? {
        segment.footer.predecessor.flatMap { byUID[$0.uid] }
    }

    private func joint(before segment: ArchivedSegment) -> ArchivedSegment? {
        let start = segment.firstLSN
        let others = siblings(of: segment).filter {
            $0.firstLSN <= start && start <= $0.footer.lastLSN
        }
        // The one that reaches back furthest.
        let first = others.min {
            ($0.firstLSN, $0.uid.high, $0.uid.low) < ($1.firstLSN, $1.uid.high, $1.uid.low)
        }
        if var first, first.firstLSN < start {
            first.cutLSN = start
            return first
        }
        for twin in others + beginnings(beside: segment) {
            guard let claim = twin.footer.predecessor, var previous = byUID[claim.uid],
                claim.lastLSN <= previous.footer.lastLSN
            else { continue }
            previous.cutLSN = claim.lastLSN
            return previous
        }
        return nil
    }

    /// Segments that begin where `segment` does and go on from its branch. Behind a kill the next life's LSNs begin far
    /// behind the last record, and what is restored to the kill's state from that life's tables begins there, too.
    private func beginnings(beside segment: ArchivedSegment) -> [ArchivedSegment] {
        guard segment.branch != .zero else { return [] }
        return (byStart[segment.firstLSN] ?? []).filter {
            $0.uid != segment.uid && namedPredecessor(of: $0)?.branch == segment.branch
        }
    }

    /// The other segments of its branch. What was restored to no state that the log led to has no branch.
    private func siblings(of segment: ArchivedSegment) -> [ArchivedSegment] {
        guard segment.branch != .zero else { return [] }
        return (byBranch[segment.branch] ?? []).filter { $0.uid != segment.uid }
    }

    /// The log goes on behind its end: in a successor, or in a copy that reaches further.
    func isFollowed(_ segment: ArchivedSegment) -> Bool {
        if !successors(of: segment.uid).isEmpty { return true }
        let end = segment.footer.lastLSN
        return siblings(of: segment).contains {
            guard $0.firstLSN <= end else { return false }
            return $0.footer.lastLSN > end
                || ($0.footer.lastLSN == end && !successors(of: $0.uid).isEmpty)
        }
    }

    /// The number that the last of the segments had which are missing before `root`, as far as one that is there behind
    /// `last` tells; nil: none does.
    func lastMissing(
        behind last: ArchivedSegment, before root: ArchivedSegment
    ) -> WALSegmentNumber? {
        (byBranch[root.branch] ?? []).compactMap { segment in
            guard segment.firstLSN > last.lastLSN, namedPredecessor(of: segment) == nil,
                let previous = segment.footer.predecessor?.segment, previous > last.segment
            else { return nil }
            return previous
        }.min()
    }
}
