import FalconChanges
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
    /// Brings the schema of a log that does not hold it; nil: that of the directory itself.
    var loadSchema: ((SchemaHistory) throws(StorageError) -> Void)?
    /// What the target was found by, where it was looked for; a line of the plan, and its form in JSON.
    var found: (line: String, json: JSONValue)?
    /// What is done side by side.
    var jobs = 1
    /// The result is to be looked at, and is one of these; nil: it is a database.
    var inspection: RestoreInspection?

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
            tellUnreachable(error, try RestorePlan.reach(source), report)
            return
        }
        try check(plan)
        noteTables(source, report)
        noteLog(source, report)
        show(
            plan, try contents(cut, source, report),
            keys: try plan.keyIDs(context.fileSystem), report)
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
        executor.jobs = jobs
        executor.inspection = inspection
        let outcome = try executor.run(verifies: verifies)
        progress.finish()
        Self.tell(outcome, in: out, verifies: verifies, report)
    }

    /// Says what can be reached instead.
    func tellUnreachable(
        _ error: StorageError, _ reach: (earliest: RestoreBound, latest: RestoreBound),
        _ report: ReportWriter
    ) {
        let (earliest, latest) = reach
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
    }

    static func stopIfInterrupted(
        _ context: ToolContext, _ outcome: String = "no output directory was made"
    ) throws(StorageError) {
        if context.isInterrupted {
            throw StorageError(.cancelled, kind: .retryable, "Interrupted; \(outcome).")
        }
    }

    /// What the commits on both sides of the target changed, as far as it can be read.
    func contents(
        _ cut: RestoreCut, _ source: RestoreSource, _ report: ReportWriter
    ) throws(StorageError) -> [LSN: CommitContents] {
        let context = report.context
        let root = root
        let environment = context.environment
        let given = loadSchema
        let reader = RestorePointReader(
            root: root, isLive: source.isLive, fileSystem: context.fileSystem,
            loadSchema: { schema throws(StorageError) in
                if let given { return try given(schema) }
                try schema.load(root: root, environment: environment)
            },
            progress: { () throws(StorageError) in try Self.stopIfInterrupted(context) })
        do throws(StorageError) {
            return try reader.contents(of: cut, reachesBeginning: source.reachesBeginning)
        } catch  where error.code != .cancelled {
            // Neither a log that is released meanwhile nor damage behind the target is the plan's affair.
            report.line("What the next commits changed cannot be read: \(error.message)")
            return [:]
        }
    }

    // MARK: What is said

    func noteTables(_ source: RestoreSource, _ report: ReportWriter) {
        if let problem = source.tablesProblem {
            report.add(
                Finding(
                    .pitrNoManifest, problem.message, file: problem.location?.path,
                    offset: problem.location?.offset))
        }
    }

    func noteLog(_ source: RestoreSource, _ report: ReportWriter) {
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

    static func json(_ point: RestorePoint?, _ contents: CommitContents?) -> JSONValue {
        guard let point else { return .null }
        return .object([
            ("lsn", .text(point.lsn)), ("end_lsn", .text(point.endLSN)),
            ("time", .string(ToolTime.format(point.micros))),
            ("commit_ts", .string(String(point.timestamp.rawValue))),
            ("txid", .unsigned(point.transaction.rawValue)),
            ("operations", .unsigned(UInt64(point.operationCount))),
            ("contents", contents?.json ?? .null),
        ])
    }
}
