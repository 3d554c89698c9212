import FalconChanges
import FalconStorage

/// A restore from a backup repository: the target is found, a base chosen, and both shown as a data directory to the
/// restore that knows nothing of repositories.
struct RepositoryRestore {
    let wish: RestoreTargetOptions
    let place: RepositoryOptions
    let out: String?
    let writes: Bool
    let verifies: Bool
    let key: MasterKeySource?
    /// The result is to be looked at.
    var inspects = false
    var jobs = 1

    func perform(_ report: ReportWriter) throws(StorageError) {
        let context = report.context
        if let out { try ToolPath.checkApart(out, from: place.repo) }
        let (repository, inventory) = try place.open(report)
        let given = context.environment
        let found: RestoreTargetSearch.Place
        let source: RepositorySource
        let timeline: RepositoryTimeline
        do throws(StorageError) {
            try RepositorySource.checkBackups(repository, inventory)
            found = try RestoreTargetSearch(wish: wish).find(
                in: repository, inventory, path: place.repo, branch: place.branch, key: key,
                context)
            source = try RepositorySource.choose(
                repository, inventory, found.target, branch: place.branch)
            timeline = try RepositoryTimeline(inventory.segments, branch: place.branch)
        } catch  where error.code.toolExit == .unreachable {
            return report.add(RepositoryText.finding(error))
        }
        if jobs > 1 { try source.view.readAhead(threads: jobs) }
        context.use(try source.environment(context.environment, key))
        show(source, report)
        RepositoryText.showLine(timeline, isChosen: place.branch != nil, report)
        if let out { try showRoom(out, report) }
        var run = RestoreRun(
            root: source.root, target: found.target, targetText: wish.text, out: writes ? out : nil,
            verifies: verifies, key: key)
        run.check = { plan throws(StorageError) in try source.check(plan) }
        run.explain = { message in
            source.gap.map { Finding(.pitrGap, message + " " + RepositoryText.text($0)) }
        }
        run.found = found.found
        run.jobs = jobs
        if inspects {
            run.inspection = try RestoreInspection(
                of: .repository, at: ToolPath.absolute(place.repo))
        }
        run.loadSchema = { schema throws(StorageError) in
            guard let base = try source.opening() else { return }
            try schema.load(root: base.root, environment: try base.environment(given, key))
        }
        try run.perform(report, nil, because: nil)
    }

    private func show(_ source: RepositorySource, _ report: ReportWriter) {
        let stored = source.segments.reduce(0) { $0 &+ $1.storedBytes }
        let raw = source.segments.reduce(0) { $0 &+ $1.rawBytes }
        report.set("repository", .string(place.repo))
        report.line("repository:    \(place.repo)")
        if let backup = source.backup {
            report.set("backup", RepositoryText.json(backup))
            report.line("base backup:   \(RepositoryText.text(backup))")
        }
        report.set(
            "log_segments",
            .object([
                ("count", .count(source.segments.count)),
                ("from_lsn", .text(source.segments.first?.firstLSN)),
                ("to_lsn", .text(source.segments.last?.lastLSN)),
                ("stored_bytes", .unsigned(stored)), ("bytes", .unsigned(raw)),
            ]))
        if let first = source.segments.first, let last = source.segments.last {
            report.line(
                "log segments:  \(source.segments.count), \(first.firstLSN) to \(last.lastLSN), "
                    + "\(stored) bytes (\(raw) unpacked)")
        }
        report.set("gap", source.gap.map(RepositoryText.json) ?? .null)
        if let gap = source.gap { report.line("gap behind:    \(RepositoryText.text(gap))") }
    }

    private func showRoom(_ out: String, _ report: ReportWriter) throws(StorageError) {
        let parent = VFSPath.parent(of: out)
        let fileSystem = report.context.fileSystem
        guard try fileSystem.exists(parent) else { return }
        let free = try fileSystem.freeSpace(parent)
        report.set("free_bytes", .unsigned(free))
        report.line("free space:    \(free) bytes")
    }
}
