import FalconStorage

/// How the lines of a repository's log are told apart.
extension RepositoryText {
    /// So many lines that were not followed are shown.
    static let shownBranches = 8

    /// The end of a line that was not followed.
    static func text(_ tip: ArchivedSegment) -> String {
        "\(tip.branch), up to LSN \(tip.lastLSN), its last segment begun \(ToolTime.format(tip.wallMicros))"
    }

    static func json(_ tip: ArchivedSegment) -> JSONValue {
        .object([
            ("branch", .text(tip.branch)), ("to_lsn", .text(tip.lastLSN)),
            ("begun", .string(ToolTime.format(tip.wallMicros))),
            ("archived", .string(ToolTime.format(tip.archivedMicros))),
        ])
    }

    /// Says that two servers write to the repository; nil: none do.
    static func concurrency(_ timeline: RepositoryTimeline) -> Finding? {
        let found = timeline.concurrentBranches
        guard let newest = found.last, let tip = timeline.tip else { return nil }
        let others = found.count == 1 ? "" : " So were \(found.count - 1) earlier pairs."
        return Finding(
            .pitrConcurrent,
            "Branches \(newest.first) and \(newest.second) were written at the same time, from "
                + "\(ToolTime.format(newest.sinceMicros)) to \(ToolTime.format(newest.untilMicros)) at "
                + "least: two servers archive to this repository.\(others) The newest segment, which is "
                + "followed where --branch names no branch, is of \(tip.branch).")
    }
}
