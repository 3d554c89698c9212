import FalconSchema
import FalconStorage

/// One run of sst-verify --salvage.
struct SSTSalvageRun {
    private let options: SSTVerify
    private let report: ReportWriter

    init(_ options: SSTVerify, _ report: ReportWriter) {
        self.options = options
        self.report = report
    }

    func save(_ directory: String, to out: String) throws(StorageError) {
        let context = report.context
        try DataDirectory.check(directory, context.fileSystem)
        try ToolPath.checkApart(out, from: directory)
        try context.openKeys(options.key, root: directory)
        let reading = ToolProgress("reading the log", report)
        let (source, cut) = try RestoreSource.survey(
            root: directory, target: .latest, environment: context.environment
        ) { lsn throws(StorageError) in
            try stopIfInterrupted()
            reading.update(lsn.rawValue, of: 0, unit: "bytes")
        }
        reading.finish()
        guard !source.isLive else {
            throw StorageError(
                .invalidArgument, kind: .user, "A server has the directory open.",
                location: .init(path: directory),
                hint: "Stop it first: its files change while they are copied.")
        }
        let plan = try RestorePlan(salvaging: source, cut)
        tellOfLog(source, plan)
        let progress = ToolProgress("salvaging", report)
        var executor = RestoreExecutor(
            plan, out: out, environment: context.environment
        ) { step, done, total throws(StorageError) in
            try stopIfInterrupted()
            progress.update(done, of: total, unit: step == .verify ? "rows read back" : "bytes")
        }
        executor.catalogStorageLimit = CatalogKeys.firstUserStorage
        executor.masterKey = context.masterKey(options.key)
        let outcome = try executor.run()
        progress.finish()
        tell(outcome, plan, out)
    }

    private func stopIfInterrupted() throws(StorageError) {
        if report.context.isInterrupted {
            throw StorageError(
                .cancelled, kind: .retryable, "Interrupted; no output directory was made.")
        }
    }

    /// What of the log behind the tables is not brought along.
    private func tellOfLog(_ source: RestoreSource, _ plan: RestorePlan) {
        if case .corruption(let damage) = source.verdict {
            report.add(
                Finding(
                    .sstSalvageLoss,
                    "The log is damaged: commits behind it are there only as far as tables hold them.",
                    file: damage.path, offset: damage.offset, actual: damage.reason,
                    blastRadius: "commits from LSN \(plan.endLSN) on"))
        }
        if let first = source.firstLSN, first > plan.startLSN, !source.reachesBeginning,
            plan.commitCount == 0
        {
            report.add(
                Finding(
                    .sstSalvageLoss, "The log begins behind the end of the tables.",
                    expected: "\(plan.startLSN)", actual: "\(first)",
                    blastRadius: "commits from LSN \(plan.startLSN) on"))
        }
    }

    private func tell(
        _ outcome: RestoreExecutor.Outcome, _ plan: RestorePlan, _ out: String
    ) {
        for loss in outcome.losses {
            report.add(
                Finding(
                    .sstSalvageLoss, loss.reason, file: loss.path, offset: loss.offset,
                    length: loss.byteCount,
                    actual: loss.rowCount.map { "\($0) row(s)" },
                    blastRadius: options.keys.range(loss.keys.lower, loss.keys.upper)))
        }
        report.set(
            "salvage",
            .object([
                ("directory", .string(out)), ("rows", .unsigned(outcome.rowCount)),
                ("losses", .count(outcome.losses.count)),
                ("replayed_commits", .count(outcome.commitCount)),
                ("log_end_lsn", .text(plan.endLSN)), ("branch", .text(outcome.branch)),
            ]))
        report.line(
            "salvaged: \(out), \(outcome.rowCount) keys, \(outcome.commitCount) commits of the log "
                + "up to \(plan.endLSN)")
        report.line(
            outcome.losses.isEmpty
                ? "nothing is lost" : "\(outcome.losses.count) range(s) of keys are lost")
    }
}
