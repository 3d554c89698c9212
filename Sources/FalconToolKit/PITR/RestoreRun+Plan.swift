import FalconStorage

/// How a plan is told.
extension RestoreRun {
    func show(
        _ plan: RestorePlan, _ contents: [LSN: CommitContents], keys: [UInt64],
        _ report: ReportWriter
    ) {
        setPlan(plan, contents, keys, report)
        report.line("target:        \(targetText)")
        if let found { report.line("found:         \(found.line)") }
        report.line(
            "reachable:     \(Self.text(plan.earliest)) to \(Self.text(plan.latest))")
        report.line("base:          " + baseText(plan))
        report.line(
            "replay:        \(plan.commitCount) commits, \(plan.startLSN) to \(plan.endLSN)")
        report.line("last commit:   \(Self.text(plan.last))")
        showTables(plan.last, contents, report)
        report.line("first left out: \(Self.text(plan.next))")
        showTables(plan.next, contents, report)
        if !keys.isEmpty {
            report.line("keys needed:   " + keys.map(String.init).joined(separator: ", "))
        }
        report.line("to write:      about \(plan.byteCount) bytes")
        report.line("duration:      " + RestoreEstimate(plan).text)
    }

    private func setPlan(
        _ plan: RestorePlan, _ contents: [LSN: CommitContents], _ keys: [UInt64],
        _ report: ReportWriter
    ) {
        let source = plan.source
        report.set(
            "plan",
            .object([
                ("target", .string(targetText)), ("found", found?.json ?? .null),
                ("base", .string(plan.base.rawValue)),
                ("source_is_live", .bool(source.isLive)),
                ("tables", .count(plan.copiesTables ? source.tableCount : 0)),
                ("replay_from_lsn", .text(plan.startLSN)), ("replay_to_lsn", .text(plan.endLSN)),
                ("replay_commits", .count(plan.commitCount)),
                ("last_commit", Self.json(plan.last, plan.last.flatMap { contents[$0.lsn] })),
                ("next_commit", Self.json(plan.next, plan.next.flatMap { contents[$0.lsn] })),
                ("earliest", Self.json(plan.earliest)), ("latest", Self.json(plan.latest)),
                ("key_ids", .array(keys.map { .unsigned($0) })),
                ("bytes", .unsigned(plan.byteCount)),
                ("estimated_duration", RestoreEstimate(plan).json),
            ]))
    }

    private func baseText(_ plan: RestorePlan) -> String {
        let count = plan.source.tableCount
        return switch plan.base {
        case .log: "none, the log reaches back to the beginning"
        case .tables: "\(count) tables, up to \(plan.startLSN)"
        case .filteredTables: "\(count) tables, versions up to the target only"
        case .salvagedTables: "what is sound of \(count) tables"
        case .inspection: "the inspected state, up to \(plan.startLSN)"
        }
    }

    private func showTables(
        _ point: RestorePoint?, _ contents: [LSN: CommitContents], _ report: ReportWriter
    ) {
        guard let point, let found = contents[point.lsn] else { return }
        for line in found.lines { report.line("    " + line) }
    }
}
