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

    func perform(_ report: ReportWriter) throws(StorageError) {
        let context = report.context
        if let out { try ToolPath.checkApart(out, from: place.repo) }
        let (repository, inventory) = try place.open(report)
        let given = context.environment
        let target: RestoreTarget
        let source: RepositorySource
        var found: RestoreTargetOptions.TableTarget?
        do throws(StorageError) {
            try RepositorySource.checkBackups(repository, inventory)
            found = try findTable(repository, inventory, context)
            if let found {
                target = found.target
            } else {
                target = try findTarget(repository, inventory, context)
            }
            source = try RepositorySource.choose(
                repository, inventory, target, branch: place.branch)
        } catch  where error.code.toolExit == .unreachable {
            return report.add(RepositoryText.finding(error))
        }
        context.use(try source.environment(context.environment, key))
        show(source, report)
        if let out { try showRoom(out, report) }
        var run = RestoreRun(
            root: source.root, target: target, targetText: wish.text, out: writes ? out : nil,
            verifies: verifies, key: key)
        run.check = { plan throws(StorageError) in try source.check(plan) }
        run.explain = { message in
            source.gap.map { Finding(.pitrGap, message + " " + RepositoryText.text($0)) }
        }
        run.found = found.map { ($0.line, $0.json) }
        run.loadSchema = { schema throws(StorageError) in
            guard let base = try source.opening() else { return }
            try schema.load(root: base.root, environment: try base.environment(given, key))
        }
        try run.perform(report, nil, because: nil)
    }

    private func findTarget(
        _ repository: Repository, _ inventory: Repository.Inventory, _ context: ToolContext
    ) throws(StorageError) -> RestoreTarget {
        guard let mark = wish.mark else { return wish.target }
        let places = try RestoreMarkPlace.find(
            mark, repository, inventory, branch: place.branch, environment: context.environment,
            key: key
        ) { _ throws(StorageError) in try RestoreRun.stopIfInterrupted(context) }
        return wish.target(at: try wish.single(places, in: place.repo))
    }

    private func findTable(
        _ repository: Repository, _ inventory: Repository.Inventory, _ context: ToolContext
    ) throws(StorageError) -> RestoreTargetOptions.TableTarget? {
        guard let search = wish.tableSearch(context) else { return nil }
        let given = context.environment
        var first = TableOperationSearch.Outcome()
        for log in try RepositoryLog.all(repository, inventory, branch: place.branch) {
            let source = log.source
            let keyed = try source.environment(given, key)
            let found = try search.first(
                root: source.root, fileSystem: keyed.fileSystem, isLive: false, until: log.endLSN
            ) { schema throws(StorageError) in
                guard let base = log.base else { return }
                try schema.load(root: base.root, environment: try base.environment(given, key))
            }
            first.problem = found.problem ?? first.problem
            if let place = found.place, place.lsn < first.place?.lsn ?? LSN(.max) {
                first.place = place
            }
        }
        return try wish.tableTarget(first, in: place.repo)
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
