import ArgumentParser
import FalconSchema
import FalconStorage

/// Restores a data directory as of an LSN or a time into a new directory.
public struct PITRRestore: ToolCommand {
    public static let configuration = toolConfiguration(
        "pitr-restore", abstract: "Restore a data directory as of an LSN or a time.",
        discussion: """
            Builds NEWDIR.partial beside the output, reads it back and renames it: an interrupted \
            restore leaves no NEWDIR. 'falcondb --data-dir NEWDIR' opens it as a new branch of the \
            source.
            """)

    /// What `--base` takes.
    enum BaseChoice: String, CaseIterable, ExpressibleByArgument {
        case auto, log, tables
    }

    @Argument(help: "The data directory to restore from.")
    var directory: String

    @Option(
        help: "Every commit that ends at or before this LSN.", transform: ToolArgument.lsn)
    var toLsn: LSN?

    @Option(
        help: "Every commit up to this moment: ISO 8601, UTC unless it names a zone.",
        transform: ToolArgument.time)
    var toTime: UInt64?

    @Flag(help: "Everything that a restart of the source would keep.")
    var toLatest = false

    @Option(help: "The new directory; it must not exist, or be empty.")
    var out: String?

    @Flag(help: "Print the plan and write nothing.")
    var dryRun = false

    @Option(help: "Begin with the source's tables, or replay the log from its beginning.")
    var base = BaseChoice.auto

    @Flag(help: "Do not read every restored row back.")
    var skipVerify = false

    @OptionGroup public var key: KeyOptions
    @OptionGroup public var output: OutputOptions

    public init() {}

    public func validate() throws {
        let targets = [toLsn != nil, toTime != nil, toLatest].filter { $0 }.count
        guard targets == 1 else {
            throw ValidationError("Give one of --to-lsn, --to-time and --to-latest.")
        }
        guard out != nil || dryRun else {
            throw ValidationError("Give --out NEWDIR, or --dry-run.")
        }
    }

    var target: RestoreTarget {
        if let toLsn { return .lsn(toLsn) }
        if let toTime { return .time(toTime) }
        return .latest
    }

    public func execute(_ report: ReportWriter) throws(StorageError) {
        try DataDirectory.check(directory, report.context.fileSystem)
        if let out { try ToolPath.checkApart(out, from: directory) }
        try report.context.openKeys(key, root: directory)
        var wanted: RestorePlan.Base? =
            switch base {
            case .auto: nil
            case .log: .log
            case .tables: .tables
            }
        var attempt = 1
        var reason: StorageError?
        while true {
            do throws(StorageError) {
                try restore(report, wanted, because: reason)
                if let reason {
                    report.add(
                        Finding(
                            .pitrTableDamaged, reason.message, file: reason.location?.path,
                            offset: reason.location?.offset))
                }
                return
            } catch  where error.code == .notFound && attempt < 4 && !dryRun && isSource(error) {
                // A live server compacted a table or released log between the plan and its copy.
                attempt += 1
                if !report.isQuiet {
                    report.context.diagnose("The directory changed meanwhile; starting over.")
                }
            } catch  where error.code == .corruption && wanted == nil && isTable(error) {
                // The log may do: the plan knows.
                wanted = .log
                reason = error
            }
        }
    }

    /// The error is of the source's own files.
    private func isSource(_ error: StorageError) -> Bool {
        error.location?.path.hasPrefix(FileNames(root: directory).root + "/") ?? false
    }

    private func isTable(_ error: StorageError) -> Bool {
        error.location.map { $0.path.hasSuffix(".sst") || $0.path.hasSuffix(".blob") } ?? false
    }

    private func restore(
        _ report: ReportWriter, _ wanted: RestorePlan.Base?, because reason: StorageError?
    ) throws(StorageError) {
        let context = report.context
        let reading = ToolProgress("reading the log", report)
        let (source, cut) = try RestoreSource.survey(
            root: directory, target: target, environment: context.environment
        ) { lsn throws(StorageError) in
            try Self.stopIfInterrupted(context)
            reading.update(lsn.rawValue, of: 0, unit: "bytes")
        }
        reading.end()
        let plan: RestorePlan
        do throws(StorageError) {
            plan = try RestorePlan(source, cut, target, base: wanted)
        } catch  where error.code == .targetUnreachable {
            if let reason { throw reason }
            let (earliest, latest) = try RestorePlan.reach(source)
            report.set("earliest", Self.json(earliest))
            report.set("latest", Self.json(latest))
            report.add(
                Finding(
                    .pitrUnreachable,
                    "\(describe(target)) cannot be reached: the earliest point is "
                        + "\(Self.text(earliest)), the latest \(Self.text(latest))."
                        + (error.cause.map { " " + $0 } ?? ""),
                    file: directory, expected: "\(Self.text(earliest)) to \(Self.text(latest))",
                    actual: describe(target)))
            return
        }
        note(source, plan, report)
        show(plan, report)
        guard !dryRun, let out else { return }

        let progress = ToolProgress("restoring", report)
        var executor = RestoreExecutor(
            plan, out: out, environment: context.environment
        ) { step, done, total throws(StorageError) in
            try Self.stopIfInterrupted(context)
            progress.update(done, of: total, unit: step == .verify ? "rows read back" : "bytes")
        }
        executor.catalogStorageLimit = CatalogKeys.firstUserStorage
        executor.masterKey = key.source
        let outcome = try executor.run(verifies: !skipVerify)
        progress.end()
        report.set(
            "result",
            .object([
                ("directory", .string(out)), ("branch", .text(outcome.branch)),
                ("parent_branch", .text(outcome.parent)), ("fork_lsn", .text(outcome.forkLSN)),
                ("replayed_commits", .count(outcome.commitCount)),
                ("rows", skipVerify ? .null : .unsigned(outcome.rowCount)),
            ]))
        report.line("restored:      \(out)")
        report.line(
            "branch:        \(outcome.branch), forked from \(outcome.parent) at "
                + "\(outcome.forkLSN)")
        if !skipVerify { report.line("read back:     \(outcome.rowCount) keys") }
    }

    private static func stopIfInterrupted(_ context: ToolContext) throws(StorageError) {
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
                    file: FileNames(root: directory).walSegment(segment), offset: offset,
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
                ("target", .string(describe(target))), ("base", .string(plan.base.rawValue)),
                ("source_is_live", .bool(source.isLive)),
                ("tables", .count(plan.base == .log ? 0 : source.tableCount)),
                ("replay_from_lsn", .text(plan.startLSN)), ("replay_to_lsn", .text(plan.endLSN)),
                ("replay_commits", .count(plan.commitCount)),
                ("last_commit", Self.json(plan.last)), ("next_commit", Self.json(plan.next)),
                ("earliest", Self.json(plan.earliest)), ("latest", Self.json(plan.latest)),
                ("bytes", .unsigned(plan.byteCount)),
            ]))
        report.line("target:        \(describe(target))")
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

    private func describe(_ target: RestoreTarget) -> String {
        switch target {
        case .lsn(let lsn): "LSN \(lsn)"
        case .time(let micros): ToolTime.format(micros)
        case .latest: "latest"
        }
    }

    private static func text(_ bound: RestoreBound) -> String {
        "LSN \(bound.lsn)" + (bound.micros.map { " (\(ToolTime.format($0)))" } ?? "")
    }

    private static func text(_ point: RestorePoint?) -> String {
        guard let point else { return "none" }
        return "transaction \(point.transaction.rawValue) at \(point.lsn), ends \(point.endLSN), "
            + "\(ToolTime.format(point.micros)), \(point.operationCount) operation(s)"
    }

    private static func json(_ bound: RestoreBound) -> JSONValue {
        .object([
            ("lsn", .text(bound.lsn)), ("time", .text(bound.micros.map(ToolTime.format))),
        ])
    }

    private static func json(_ point: RestorePoint?) -> JSONValue {
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
