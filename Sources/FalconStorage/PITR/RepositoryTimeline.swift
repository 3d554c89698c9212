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

    private let byUID: [UID: ArchivedSegment]
    private let successors: [UID: [ArchivedSegment]]
    /// The newest segment.
    public let tip: ArchivedSegment?
    /// The segments that lead to the tip, oldest first, as far back as none is missing.
    public let chain: [ArchivedSegment]

    /// - Parameter branch: the tip is the newest segment that leads to or belongs to this branch; nil: of all.
    public init(_ segments: [ArchivedSegment], branch: UID?) throws(StorageError) {
        var byUID: [UID: ArchivedSegment] = [:]
        var successors: [UID: [ArchivedSegment]] = [:]
        for segment in segments { byUID[segment.uid] = segment }
        for segment in segments {
            if let previous = segment.footer.predecessor?.uid {
                successors[previous, default: []].append(segment)
            }
        }
        self.byUID = byUID
        self.successors = successors
        let candidates = segments.filter { branch == nil || $0.branch == branch }
        guard branch == nil || !candidates.isEmpty else {
            throw StorageError(
                .targetUnreachable, kind: .user, "The repository has no log of that branch.",
                hint: "pitr-restore info lists the branches.")
        }
        // A restored database has a copy of its parent's branch, up to where it was forked: the longest is meant.
        let longest = candidates.map(\.lastLSN).max()
        // What another segment follows is not the newest, whatever a clock that was set back said.
        let tip = candidates.filter {
            branch == nil ? successors[$0.uid] == nil : $0.lastLSN == longest
        }.max { Self.isOlder($0, $1) }
        self.tip = tip
        var chain: [ArchivedSegment] = []
        var seen = Set<UID>()
        var next = tip
        while let segment = next, seen.insert(segment.uid).inserted {
            chain.append(segment)
            next = segment.footer.predecessor.flatMap { byUID[$0.uid] }
        }
        self.chain = chain.reversed()
    }

    private static func isOlder(_ a: ArchivedSegment, _ b: ArchivedSegment) -> Bool {
        (a.wallMicros, a.footer.incarnation, a.segment.rawValue)
            < (b.wallMicros, b.footer.incarnation, b.segment.rawValue)
    }

    /// The segments from `uid` on as far as none is missing; towards the tip where there is a choice.
    func forward(from uid: UID) -> [ArchivedSegment] {
        let towardsTip = Set(chain.map(\.uid))
        var result: [ArchivedSegment] = []
        var seen = Set<UID>()
        var next = byUID[uid]
        while let segment = next, seen.insert(segment.uid).inserted {
            result.append(segment)
            let following = successors[segment.uid] ?? []
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
            guard byUID[uid] != nil, result.insert(uid).inserted else { continue }
            open += (successors[uid] ?? []).map(\.uid)
        }
        return result
    }

    /// Adds the segments that lead to `segment`, without itself; those behind one that is there already are, too.
    func addPast(of segment: ArchivedSegment, to past: inout Set<UID>) {
        var next = segment.footer.predecessor.flatMap { byUID[$0.uid] }
        while let earlier = next, past.insert(earlier.uid).inserted {
            next = earlier.footer.predecessor.flatMap { byUID[$0.uid] }
        }
    }

    /// The log that goes with a backup, oldest segment first. A restored database has a copy of its parent's log up
    /// to where it was forked: where the backup's own segments do not lead to the tip, and that copy does, it is the
    /// copy. A branch and an LSN name one record, wherever it is.
    public func stretch(of backup: BackupManifest) -> [ArchivedSegment] {
        let own = forward(from: backup.logSegment)
        if let last = own.last, last.uid == tip?.uid { return own }
        let branch = own.first?.branch ?? backup.branch
        let copy = chain.firstIndex {
            $0.branch == branch && $0.firstLSN <= backup.startLSN && backup.startLSN <= $0.lastLSN
        }
        return copy.map { Array(chain[$0...]) } ?? own
    }

    /// The gap behind the stretch that ends with `last`, on the way to the tip.
    func gap(behind last: ArchivedSegment) -> Gap? {
        guard let root = chain.first, let previous = root.footer.predecessor,
            !chain.contains(where: { $0.uid == last.uid }),
            previous.segment >= last.segment.successor,
            previous.lastLSN >= last.lastLSN
        else { return nil }
        return Gap(
            from: last.lastLSN, to: root.firstLSN, firstSegment: last.segment.successor,
            lastSegment: previous.segment, untilMicros: root.wallMicros)
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
