import ArgumentParser
import FalconChanges
import FalconSchema
import FalconStorage

/// `pitr-restore advance DIR --to-… [--promote]`: goes on from what `--inspect` made.
struct InspectionAdvance: ToolCommand {
    static let configuration = toolConfiguration(
        "pitr-restore advance",
        abstract: "Go on from a state that --inspect made: replay more of the log, or promote it.",
        discussion: """
            With a target, replays the source's log into DIR up to there; DIR stays read-only, and can be \
            looked at and advanced again. Backwards is not possible. With --promote, DIR becomes an ordinary \
            database that can be written, with a branch of its own, as a restore without --inspect makes it: \
            after the target, where one is given, else as it is. '--to-latest --promote' finishes the restore.

            An interrupted advance leaves DIR as it was. A promotion that was begun and did not end is gone on \
            with by --promote alone. After a kill nobody opens DIR until the same command, or another advance, \
            has run. The source is where it was when DIR was made, or what --source names; it is only read. A \
            server that shows DIR must be stopped first.
            """)

    @Argument(help: "The directory that was made with --inspect.") var directory: String
    @OptionGroup var wish: RestoreTargetOptions
    @Flag(help: "Make a database of it that can be written, on a new branch.") var promote = false
    @Option(
        help: "The data directory or backup repository that DIR is from, where that was moved.")
    var source: String?
    @Option(
        help:
            "Of a repository: follow this branch of the log (default: that of its newest segment).",
        transform: RepositoryOptions.parseBranch)
    var branch: UID?
    @Flag(help: "Print the plan and change nothing.") var dryRun = false
    @Flag(help: "Do not read every row back.") var skipVerify = false
    @OptionGroup var parallel: JobOptions
    @OptionGroup var key: KeyOptions
    @OptionGroup var run: RunOptions
    @OptionGroup var output: OutputOptions

    var runOptions: RunOptions? { run }

    func validate() throws {
        guard wish.isGiven || promote else {
            throw ValidationError("Give a target, as --to-latest, or --promote, or both.")
        }
        guard wish.isGiven || (source == nil && branch == nil) else {
            throw ValidationError("--source and --branch go with a target.")
        }
    }

    func execute(_ report: ReportWriter) throws(StorageError) {
        let context = report.context
        var root = directory
        while root.utf8.count > 1, root.hasSuffix("/") { root.removeLast() }
        var advance = try RestoreAdvance(root: root, context.fileSystem)
        defer { advance.release() }
        let place = source ?? advance.inspection.source
        try run.openReport(report, apartFrom: [root, place])
        advance.masterKey = context.masterKey(key)
        advance.catalogStorageLimit = CatalogKeys.firstUserStorage
        advance.jobs = parallel.count
        show(advance.inspection, report)
        var outcome: RestoreExecutor.Outcome?
        if wish.isGiven {
            try ToolPath.checkApart(root, from: place)
            // The same command goes on with a promotion that was killed: the target is reached then.
            if !promote { try advance.checkAdvanceable() }
            guard let restore = try prepare(advance.inspection, place, report) else { return }
            outcome = try restore.advance(&advance, writes: !dryRun, report)
            if outcome == nil { return }
        }
        if promote, !dryRun {
            let replayed = outcome?.commitCount ?? 0
            outcome = try RestoreRun.promote(&advance, verifies: !skipVerify, report)
            outcome?.commitCount = replayed
        }
        guard let outcome else { return }
        RestoreRun.tell(outcome, in: root, verifies: !skipVerify, report)
    }

    private func show(_ inspection: RestoreInspection, _ report: ReportWriter) {
        let last = inspection.last
        report.set(
            "inspection",
            .object([
                ("directory", .string(directory)), ("state", .string(inspection.state.rawValue)),
                ("source", .string(inspection.source)),
                ("source_kind", .string(inspection.sourceKind.rawValue)),
                ("branch", .text(inspection.branch)), ("end_lsn", .text(inspection.endLSN)),
                ("last_commit", RestoreRun.json(last, nil)),
            ]))
        report.line("inspection:    \(directory), \(inspection.state.rawValue)")
        report.line("from:          \(inspection.sourceKind.rawValue) \(inspection.source)")
        report.line("ends at:       LSN \(inspection.endLSN), \(RestoreRun.text(last))")
    }

    // MARK: - The source

    /// Opens the source and finds the target in it; nil: it cannot be reached, and the report says why.
    private func prepare(
        _ inspection: RestoreInspection, _ place: String, _ report: ReportWriter
    ) throws(StorageError) -> RestoreRun? {
        do throws(StorageError) {
            switch inspection.sourceKind {
            case .directory: return try prepareDirectory(place, report)
            case .repository: return try prepareRepository(inspection, place, report)
            }
        } catch  where error.code.toolExit == .unreachable {
            report.add(RepositoryText.finding(error))
            return nil
        }
    }

    private func prepareDirectory(
        _ place: String, _ report: ReportWriter
    ) throws(StorageError) -> RestoreRun {
        let context = report.context
        try DataDirectory.check(place, context.fileSystem)
        try context.openKeys(key, root: place)
        let found = try RestoreTargetSearch(wish: wish).find(in: place, context)
        return made(place, found, report)
    }

    private func prepareRepository(
        _ inspection: RestoreInspection, _ place: String, _ report: ReportWriter
    ) throws(StorageError) -> RestoreRun {
        let context = report.context
        let given = context.environment
        let masterKey = context.masterKey(key)
        let repository = try Repository.open(place, context.fileSystem)
        let inventory = try repository.inventory()
        let found = try RestoreTargetSearch(wish: wish).find(
            in: repository, inventory, path: place, branch: branch, key: masterKey, context)
        let (log, base) = try RepositorySource.following(
            inspection, repository, inventory, branch: branch)
        RepositoryText.showLine(
            try RepositoryTimeline(inventory.segments, branch: branch), isChosen: branch != nil,
            report)
        if parallel.count > 1 { try log.view.readAhead(threads: parallel.count) }
        context.use(try log.environment(given, masterKey))
        var restore = made(log.root, found, report)
        restore.check = { plan throws(StorageError) in try log.checkAdvance(plan) }
        restore.explain = { message in
            log.gap.map { Finding(.pitrGap, message + " " + RepositoryText.text($0)) }
        }
        restore.loadSchema = { schema throws(StorageError) in
            guard let base else { return }
            try schema.load(root: base.root, environment: try base.environment(given, masterKey))
        }
        return restore
    }

    private func made(
        _ root: String, _ found: RestoreTargetSearch.Place, _ report: ReportWriter
    ) -> RestoreRun {
        var restore = RestoreRun(
            root: root, target: found.target, targetText: wish.text, out: nil,
            // A promotion reads all of it back.
            verifies: !skipVerify && !promote, key: report.context.masterKey(key))
        restore.found = found.found
        return restore
    }
}
