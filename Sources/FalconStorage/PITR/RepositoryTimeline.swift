/// The archived segments of a repository, put in order: each names its predecessor.
public struct RepositoryTimeline: Sendable {
    /// What lies between two archived stretches of one log and is not there.
    public struct Gap: Sendable, Hashable {
        /// Where the stretch before it ends.
        public var from: LSN
        /// Where the stretch behind it begins.
        public var to: LSN
        /// The first segment that is missing.
        public var firstSegment: WALSegmentNumber
        /// The last segment that is missing.
        public var lastSegment: WALSegmentNumber
        /// When the segment behind it was begun, in microseconds since 1970.
        public var untilMicros: UInt64
    }

    let forest: SegmentForest
    let segments: [ArchivedSegment]
    /// The newest segment.
    public let tip: ArchivedSegment?
    /// The segments that lead to the tip, oldest first, as far back as none is missing. One that is left in its midst,
    /// for a restored directory's copy of the rest, ends there.
    public let chain: [ArchivedSegment]

    /// - Parameter branch: the tip is the newest segment that leads to or belongs to this branch; nil: of all.
    public init(_ segments: [ArchivedSegment], branch: UID?) throws(StorageError) {
        let forest = SegmentForest(segments)
        self.forest = forest
        self.segments = segments
        let candidates = segments.filter { branch == nil || $0.branch == branch }
        guard branch == nil || !candidates.isEmpty else {
            throw StorageError(
                .targetUnreachable, kind: .user, "The repository has no log of that branch.",
                hint: "pitr-restore info lists the branches.")
        }
        // A restored database has a copy of its parent's branch, up to where it was forked: the longest is meant.
        let longest = candidates.map(\.lastLSN).max()
        // What the log goes on from is not the newest, whatever a clock that was set back said.
        let tip = candidates.filter {
            branch == nil ? !forest.isFollowed($0) : $0.lastLSN == longest
        }.max { Self.isOlder($0, $1) }
        self.tip = tip
        var chain: [ArchivedSegment] = []
        var seen = Set<UID>()
        var next = tip
        while let segment = next, seen.insert(segment.uid).inserted {
            chain.append(segment)
            next = forest.predecessor(of: segment)
        }
        self.chain = chain.reversed()
    }

    private static func isOlder(_ a: ArchivedSegment, _ b: ArchivedSegment) -> Bool {
        (a.wallMicros, a.footer.incarnation, a.segment.rawValue)
            < (b.wallMicros, b.footer.incarnation, b.segment.rawValue)
    }

    /// The segments from `uid` on, each the next one's named predecessor, as far as none is missing; towards the tip
    /// where there is a choice.
    func forward(from uid: UID) -> [ArchivedSegment] {
        let towardsTip = Set(chain.map(\.uid))
        var result: [ArchivedSegment] = []
        var seen = Set<UID>()
        var next = forest[uid]
        while let segment = next, seen.insert(segment.uid).inserted {
            result.append(segment)
            let following = forest.successors(of: segment.uid)
            next =
                following.first { towardsTip.contains($0.uid) }
                ?? following.max { Self.isOlder($0, $1) }
        }
        return result
    }

    /// The segments `starts` and all that follow them, on every branch.
    func futures(of starts: [UID]) -> Set<UID> {
        var result = Set<UID>()
        var open = starts
        while let uid = open.popLast() {
            guard forest[uid] != nil, result.insert(uid).inserted else { continue }
            open += forest.allSuccessors(of: uid).map(\.uid)
        }
        return result
    }

    /// Adds the segments that lead to `segment`, without itself; those behind one that is there already are, too.
    func addPast(of segment: ArchivedSegment, to past: inout Set<UID>) {
        var cut = Set<UID>()
        var next = forest.predecessor(of: segment)
        while let earlier = next {
            // What lies behind a cut is another future, and no past.
            let isNew =
                earlier.isWhole
                ? past.insert(earlier.uid).inserted : cut.insert(earlier.uid).inserted
            guard isNew else { return }
            next = forest.predecessor(of: earlier)
        }
    }

    /// The log that goes with a backup, oldest segment first: the chain from where the backup's tables end, be it in a
    /// copy of the segment that the backup names; where the chain does not hold that place, the backup's own log. A
    /// branch and an LSN name one record, wherever it is.
    public func stretch(of backup: BackupManifest) -> [ArchivedSegment] {
        let own = chain.firstIndex {
            $0.uid == backup.logSegment && ($0.isWhole || backup.startLSN <= $0.lastLSN)
        }
        let branch = forest[backup.logSegment]?.branch ?? backup.branch
        let place =
            own
            ?? chain.firstIndex {
                $0.branch == branch && $0.firstLSN <= backup.startLSN
                    && backup.startLSN <= $0.lastLSN
            }
        return place.map { Array(chain[$0...]) } ?? forward(from: backup.logSegment)
    }

    /// The gap behind the stretch that ends with `last`, on the way to the tip.
    func gap(behind last: ArchivedSegment) -> Gap? {
        guard let root = chain.first, !chain.contains(where: { $0.uid == last.uid }),
            let lastMissing = lastMissing(behind: last, before: root)
        else { return nil }
        return Gap(
            from: last.lastLSN, to: root.firstLSN, firstSegment: last.segment.successor,
            lastSegment: lastMissing, untilMicros: root.wallMicros)
    }

    private func lastMissing(
        behind last: ArchivedSegment, before root: ArchivedSegment
    ) -> WALSegmentNumber? {
        if let previous = root.footer.predecessor, previous.segment >= last.segment.successor,
            previous.lastLSN >= last.lastLSN
        {
            return previous.segment
        }
        // A restored directory's copy, which names none, or counts anew.
        guard root.branch == last.branch, root.branch != .zero, last.lastLSN < root.firstLSN else {
            return nil
        }
        return forest.lastMissing(behind: last, before: root) ?? last.segment.successor
    }

    /// All gaps before the tip's stretch, oldest first, by the stretches that lead up to it.
    public func gaps(among stretches: [[ArchivedSegment]]) -> [Gap] {
        var found = Set<Gap>()
        for stretch in stretches {
            if let last = stretch.last, let gap = gap(behind: last) { found.insert(gap) }
        }
        return found.sorted { $0.from < $1.from }
    }

    /// How far a stretch that does not lead to the tip is the tip's past, too: they share a branch, or a gap lies
    /// between them. Nil: it is another future.
    func sharedEnd(of stretch: [ArchivedSegment]) -> LSN? {
        guard let last = stretch.last else { return nil }
        if stretch.contains(where: { $0.uid == tip?.uid }) { return last.lastLSN }
        var ends: [UID: LSN] = [:]
        for segment in chain {
            ends[segment.branch] = max(ends[segment.branch] ?? .zero, segment.lastLSN)
        }
        if let tip, let shared = stretch.last(where: { ends[$0.branch] != nil }) {
            // What the tip's line wrote of its own branch beyond is a gap's business, not another future's.
            if shared.branch == tip.branch { return last.lastLSN }
            return min(last.lastLSN, ends[shared.branch] ?? .zero)
        }
        guard let root = chain.first, last.lastLSN <= root.firstLSN, gap(behind: last) != nil else {
            return nil
        }
        return last.lastLSN
    }
}
