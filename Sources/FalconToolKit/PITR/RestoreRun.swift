import FalconSchema
import FalconStorage

/// One restore from what looks like a data directory, a repository's view included: survey, plan, and what is said
/// of both; then the restore itself where there is an output.
struct RestoreRun {
    var root: String
    var target: RestoreTarget
    /// The target as it was asked for.
    var targetText: String
    /// Nil: nothing is written.
    var out: String?
    var verifies: Bool
    var key: MasterKeySource?
    /// Looks at the plan before anything is said or done.
    var check: (RestorePlan) throws(StorageError) -> Void = { _ throws(StorageError) in }
    /// Says why a target cannot be reached, better than the plan can; nil: it says enough.
    var explain: (String) -> Finding? = { _ in nil }

    func perform(
        _ report: ReportWriter, _ wanted: RestorePlan.Base?, because reason: StorageError?
    ) throws(StorageError) {
        let context = report.context
        let reading = ToolProgress("reading the log", report)
        let (source, cut) = try RestoreSource.survey(
            root: root, target: target, environment: context.environment
        ) { lsn throws(StorageError) in
            try Self.stopIfInterrupted(context)
            reading.update(lsn.rawValue, of: 0, unit: "bytes")
        }
        reading.finish()
        let plan: RestorePlan
        do throws(StorageError) {
            plan = try RestorePlan(source, cut, target, base: wanted)
        } catch  where error.code == .targetUnreachable {
            if let reason { throw reason }
            let (earliest, latest) = try RestorePlan.reach(source)
            report.set("earliest", Self.json(earliest))
            report.set("latest", Self.json(latest))
            let message =
                "\(targetText) cannot be reached: the earliest point is "
                + "\(Self.text(earliest)), the latest \(Self.text(latest))."
                + (error.cause.map { " " + $0 } ?? "")
            report.add(
                explain(message)
                    ?? Finding(
                        .pitrUnreachable, message, file: root,
                        expected: "\(Self.text(earliest)) to \(Self.text(latest))",
                        actual: targetText))
            return
        }
        try check(plan)
        note(source, plan, report)
        show(plan, report)
        guard let out else { return }

        let progress = ToolProgress("restoring", report)
        var executor = RestoreExecutor(
            plan, out: out, environment: context.environment
        ) { step, done, total throws(StorageError) in
            try Self.stopIfInterrupted(context)
            progress.update(done, of: total, unit: step == .verify ? "rows read back" : "bytes")
        }
        executor.catalogStorageLimit = CatalogKeys.firstUserStorage
        executor.masterKey = key
        let outcome = try executor.run(verifies: verifies)
        progress.finish()
        report.set(
            "result",
            .object([
                ("directory", .string(out)), ("branch", .text(outcome.branch)),
                ("parent_branch", .text(outcome.parent)), ("fork_lsn", .text(outcome.forkLSN)),
                ("replayed_commits", .count(outcome.commitCount)),
                ("rows", verifies ? .unsigned(outcome.rowCount) : .null),
            ]))
        report.line("restored:      \(out)")
        report.line(
            "branch:        \(outcome.branch), forked from \(outcome.parent) at "
                + "\(outcome.forkLSN)")
        if verifies { report.line("read back:     \(outcome.rowCount) keys") }
    }

    static func stopIfInterrupted(_ context: ToolContext) throws(StorageError) {
        if context.isInterrupted {
            throw StorageError(
                .cancelled, kind: .retryable, "Interrupted; no output directory was made.")
        }
    }

    // MARK: What is said

    private func note(_ source: RestoreSource, _ plan: RestorePlan, _ report: ReportWriter) {
        if let problem = source.tablesProblem {
            report.add(
                Finding(
                    .pitrNoManifest, problem.message, file: problem.location?.path,
                    offset: problem.location?.offset))
        }
        switch source.verdict {
        case .clean: break
        case .tornTail(_, let segment, let offset, let discarded):
            report.add(
                Finding(
                    .pitrTornTail, "The log ends with \(discarded) bytes of an unfinished write.",
                    file: FileNames(root: root).walSegment(segment), offset: offset,
                    blastRadius: "nothing that was acknowledged as durable"))
        case .corruption(let damage):
            report.add(Finding(.pitrDamageBehind, damage))
        }
    }

    private func show(_ plan: RestorePlan, _ report: ReportWriter) {
        let source = plan.source
        report.set(
            "plan",
            .object([
                ("target", .string(targetText)), ("base", .string(plan.base.rawValue)),
                ("source_is_live", .bool(source.isLive)),
                ("tables", .count(plan.base == .log ? 0 : source.tableCount)),
                ("replay_from_lsn", .text(plan.startLSN)), ("replay_to_lsn", .text(plan.endLSN)),
                ("replay_commits", .count(plan.commitCount)),
                ("last_commit", Self.json(plan.last)), ("next_commit", Self.json(plan.next)),
                ("earliest", Self.json(plan.earliest)), ("latest", Self.json(plan.latest)),
                ("bytes", .unsigned(plan.byteCount)),
            ]))
        report.line("target:        \(targetText)")
        report.line(
            "reachable:     \(Self.text(plan.earliest)) to \(Self.text(plan.latest))")
        switch plan.base {
        case .log: report.line("base:          none, the log reaches back to the beginning")
        case .tables:
            report.line("base:          \(source.tableCount) tables, up to \(plan.startLSN)")
        case .filteredTables:
            report.line(
                "base:          \(source.tableCount) tables, versions up to the target only")
        case .salvagedTables:
            report.line("base:          what is sound of \(source.tableCount) tables")
        }
        report.line(
            "replay:        \(plan.commitCount) commits, \(plan.startLSN) to \(plan.endLSN)")
        report.line("last commit:   \(Self.text(plan.last))")
        report.line("first left out: \(Self.text(plan.next))")
    }

    static func text(_ bound: RestoreBound) -> String {
        "LSN \(bound.lsn)" + (bound.micros.map { " (\(ToolTime.format($0)))" } ?? "")
    }

    static func text(_ point: RestorePoint?) -> String {
        guard let point else { return "none" }
        return "transaction \(point.transaction.rawValue) at \(point.lsn), ends \(point.endLSN), "
            + "\(ToolTime.format(point.micros)), \(point.operationCount) operation(s)"
    }

    static func json(_ bound: RestoreBound) -> JSONValue {
        .object([
            ("lsn", .text(bound.lsn)), ("time", .text(bound.micros.map(ToolTime.format))),
        ])
    }

    static func json(_ point: RestorePoint?) -> JSONValue {
        guard let point else { return .null }
        return .object([
            ("lsn", .text(point.lsn)), ("end_lsn", .text(point.endLSN)),
            ("time", .string(ToolTime.format(point.micros))),
            ("commit_ts", .string(String(point.timestamp.rawValue))),
            ("txid", .unsigned(point.transaction.rawValue)),
            ("operations", .unsigned(UInt64(point.operationCount))),
        ])
    }
}
