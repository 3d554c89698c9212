import FalconSchema
import FalconStorage

/// How an inspection goes on.
extension RestoreRun {
    private static let untouched = "the inspection is as it was"

    /// Plans, and with `writes` replays. Nil: nothing was replayed, and the report says why where it was to be.
    func advance(
        _ advance: inout RestoreAdvance, writes: Bool, _ report: ReportWriter
    ) throws(StorageError) -> RestoreExecutor.Outcome? {
        let context = report.context
        let reading = ToolProgress("reading the log", report)
        let (source, cut) = try RestoreSource.survey(
            root: root, target: target, environment: context.environment,
            advancing: advance.inspection
        ) { lsn throws(StorageError) in
            try Self.stopIfInterrupted(context, Self.untouched)
            reading.update(lsn.rawValue, of: 0, unit: "bytes")
        }
        reading.finish()
        // A repository's log has no tables beside it.
        if advance.inspection.sourceKind == .directory { noteTables(source, report) }
        let plan: RestorePlan
        do throws(StorageError) {
            plan = try RestorePlan(advancing: advance.inspection, source, cut, target)
            try check(plan)
        } catch  where error.code.toolExit == .unreachable {
            // One that knows what to do says more than what can be reached: the line was left, or another log needed.
            if error.code == .targetUnreachable, error.hint == nil,
                let reach = reach(source, advancing: advance.inspection)
            {
                tellUnreachable(error, reach, report)
                return nil
            }
            let better = error.code == .targetUnreachable ? explain(error.message) : nil
            report.add(better ?? RepositoryText.finding(error))
            return nil
        }
        noteLog(source, report)
        show(
            plan, try contents(cut, source, report),
            keys: try plan.keyIDs(context.fileSystem), report)
        guard writes else { return nil }
        let progress = ToolProgress("advancing", report)
        let outcome = try advance.advance(
            plan, environment: context.environment, verifies: verifies
        ) { step, done, total throws(StorageError) in
            try Self.stopIfInterrupted(context, Self.untouched)
            progress.update(done, of: total, unit: step == .verify ? "rows read back" : "bytes")
        }
        progress.finish()
        return outcome
    }

    /// Nil where the log is not the inspection's: the plan's error says so, and nothing of it can be reached.
    private func reach(
        _ source: RestoreSource, advancing inspection: RestoreInspection
    ) -> (earliest: RestoreBound, latest: RestoreBound)? {
        do throws(StorageError) {
            return try RestorePlan.reach(source, advancing: inspection)
        } catch {
            return nil
        }
    }

    /// Makes a database of the inspection.
    static func promote(
        _ advance: inout RestoreAdvance, verifies: Bool, _ report: ReportWriter
    ) throws(StorageError) -> RestoreExecutor.Outcome {
        let context = report.context
        let progress = ToolProgress("promoting", report)
        let outcome = try advance.promote(environment: context.environment, verifies: verifies) {
            step, done, total throws(StorageError) in
            try Self.stopIfInterrupted(
                context, "where the promotion had begun, --promote goes on with it")
            progress.update(done, of: total, unit: step == .verify ? "rows read back" : "bytes")
        }
        progress.finish()
        return outcome
    }
}
