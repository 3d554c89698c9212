/// Two branches of one repository that were written at the same time: two servers archive to it, as where a restored
/// database was started beside its source.
public struct ConcurrentBranches: Sendable, Hashable {
    /// The one that was begun first.
    public var first: UID
    /// The other one.
    public var second: UID
    /// When the second was begun, in microseconds since 1970.
    public var sinceMicros: UInt64
    /// The newest moment at which both are known to have been written, in microseconds since 1970.
    public var untilMicros: UInt64
}

/// Finds ``ConcurrentBranches``. Each start of a server begins a branch, so one directory writes one at a time.
struct ConcurrentBranchSearch {
    /// One branch as its own directory wrote it, and not as copies have it.
    private struct Life {
        var first: ArchivedSegment
        var last: ArchivedSegment
    }

    /// Clocks of two machines may differ by so much without a word.
    private static let tolerance = BackupOrder.toleranceMicros

    private let forest: SegmentForest

    /// By when they were found last, oldest first.
    private(set) var found: [ConcurrentBranches] = []

    init(_ segments: [ArchivedSegment], _ forest: SegmentForest) {
        self.forest = forest
        let lives = lives(segments)
        for (index, life) in lives.enumerated() {
            for later in lives[(index + 1)...] {
                let since = later.first.wallMicros
                // Begins of segments alone count: one may be archived long after it was written.
                if since.addingCapped(Self.tolerance) >= life.last.wallMicros { break }
                let until = min(life.last.wallMicros, later.last.wallMicros)
                guard since.addingCapped(Self.tolerance) < until, !isSame(life, later) else {
                    continue
                }
                found.append(
                    ConcurrentBranches(
                        first: life.first.branch, second: later.first.branch, sinceMicros: since,
                        untilMicros: until))
            }
        }
        found.sort { $0.untilMicros < $1.untilMicros }
    }

    /// By when they were begun.
    private func lives(_ segments: [ArchivedSegment]) -> [Life] {
        var oldest: [UID: ArchivedSegment] = [:]
        for segment in segments where segment.branch != .zero {
            let previous = segment.footer.predecessor.flatMap { forest[$0.uid] }
            if previous?.branch == segment.branch { continue }
            // A copy is made later than what it is one of.
            if let known = oldest[segment.branch], known.wallMicros <= segment.wallMicros {
                continue
            }
            oldest[segment.branch] = segment
        }
        return oldest.values.map { Life(first: $0, last: last(from: $0)) }.sorted {
            ($0.first.wallMicros, $0.first.branch.description)
                < ($1.first.wallMicros, $1.first.branch.description)
        }
    }

    private func last(from first: ArchivedSegment) -> ArchivedSegment {
        var last = first
        var seen: Set<UID> = [first.uid]
        while let next = forest.successors(of: last.uid).first(where: {
            $0.branch == first.branch
        }), seen.insert(next.uid).inserted {
            last = next
        }
        return last
    }

    /// The later one goes on where the earlier ended: one directory, whose clock was set back.
    private func isSame(_ earlier: Life, _ later: Life) -> Bool {
        Self.leads(earlier.last, to: later.first, forest)
            || Self.leads(later.last, to: earlier.first, forest)
    }

    private static func leads(
        _ end: ArchivedSegment, to segment: ArchivedSegment, _ forest: SegmentForest
    ) -> Bool {
        var seen = Set<UID>()
        var next: ArchivedSegment? = segment
        while let current = next, seen.insert(current.uid).inserted {
            if current.uid == end.uid { return true }
            if current.firstLSN < end.firstLSN { return false }
            next = current.footer.predecessor.flatMap { forest[$0.uid] }
        }
        return false
    }
}

extension RepositoryTimeline {
    /// Branches that were written at the same time as others, whatever was chosen; by the end of that, oldest first.
    public var concurrentBranches: [ConcurrentBranches] {
        ConcurrentBranchSearch(segments, forest).found
    }

    /// The ends of the lines of the log that do not lead to ``tip``, the newest first. What lies before a gap on the
    /// way to the tip is none.
    public var otherTips: [ArchivedSegment] {
        let onTip = Set(chain.map(\.uid))
        var ends: [UID: LSN] = [:]
        for segment in chain {
            ends[segment.branch] = max(ends[segment.branch] ?? .zero, segment.lastLSN)
        }
        return segments.filter {
            !onTip.contains($0.uid) && !forest.isFollowed($0)
                && $0.lastLSN > ends[$0.branch] ?? .zero && gap(behind: $0) == nil
        }.sorted {
            ($0.wallMicros, $0.lastLSN, $0.branch.description)
                > ($1.wallMicros, $1.lastLSN, $1.branch.description)
        }
    }
}
