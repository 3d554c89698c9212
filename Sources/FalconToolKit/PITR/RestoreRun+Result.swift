import FalconStorage

/// How a result is told.
extension RestoreRun {
    static func tell(
        _ outcome: RestoreExecutor.Outcome, in directory: String, verifies: Bool,
        _ report: ReportWriter
    ) {
        report.set(
            "result",
            .object([
                ("directory", .string(directory)), ("inspection", .bool(outcome.isInspection)),
                ("branch", .text(outcome.branch)), ("parent_branch", .text(outcome.parent)),
                ("fork_lsn", .text(outcome.forkLSN)),
                ("replayed_commits", .count(outcome.commitCount)),
                ("rows", verifies ? .unsigned(outcome.rowCount) : .null),
            ]))
        if outcome.isInspection {
            report.line("to look at:    \(directory), read-only")
            report.line("branch:        \(outcome.branch), up to \(outcome.forkLSN)")
        } else {
            report.line("restored:      \(directory)")
            report.line(
                "branch:        \(outcome.branch), forked from \(outcome.parent) at "
                    + "\(outcome.forkLSN)")
        }
        if verifies { report.line("read back:     \(outcome.rowCount) keys") }
        if outcome.isInspection {
            report.line("go on:         pitr-restore advance \(directory) --to-…")
            report.line("keep it:       pitr-restore advance \(directory) --promote")
        }
    }
}
