import FalconStorage

/// How the lines of a repository's log are told apart.
extension RepositoryText {
    /// So many lines that are not followed are shown.
    private static let shownBranches = 8

    /// Which line of the log is followed, where there are others.
    /// - Parameter isChosen: `--branch` names it: who does that has seen the others.
    static func showLine(
        _ timeline: RepositoryTimeline, isChosen: Bool, _ report: ReportWriter
    ) {
        let others = timeline.otherTips
        report.set("branch", .text(timeline.tip?.branch))
        report.set("other_branches", .array(others.map(json)))
        guard let tip = timeline.tip, !others.isEmpty else { return }
        let reason = isChosen ? "as asked for" : "the newest; --branch follows another one"
        report.line("branch:        \(tip.branch), \(reason)")
        for other in others.prefix(shownBranches) {
            report.line("other branch:  \(text(other))")
        }
        let more = others.count - shownBranches
        if more > 0 { report.line("               and \(more) more: 'pitr-restore info'") }
        if !isChosen, let finding = concurrency(timeline) { report.add(finding) }
    }

    private static func text(_ tip: ArchivedSegment) -> String {
        "\(tip.branch), up to LSN \(tip.lastLSN), its last segment begun \(ToolTime.format(tip.wallMicros))"
    }

    private static func json(_ tip: ArchivedSegment) -> JSONValue {
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
