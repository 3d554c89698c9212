import FalconChanges
import FalconStorage

/// Finds where a target is, in the log of what is restored.
struct RestoreTargetSearch {
    /// A target, and what is said of how it was found: a line of the plan, and its form in JSON.
    struct Place {
        var target: RestoreTarget
        var found: (line: String, json: JSONValue)?
    }

    let wish: RestoreTargetOptions

    func find(
        in directory: String, _ context: ToolContext
    ) throws(StorageError) -> Place {
        if let search = wish.tableSearch(context) {
            let names = FileNames(root: directory)
            let outcome = try search.first(
                root: names.root, fileSystem: context.fileSystem,
                isLive: context.fileSystem.isLocked(names.lock), until: nil
            ) { schema throws(StorageError) in
                try schema.load(root: names.root, environment: context.environment)
            }
            return place(try wish.tableTarget(outcome, in: directory))
        }
        guard let mark = wish.mark else { return Place(target: wish.target) }
        let places = try RestoreMarkPlace.find(
            mark, root: directory, environment: context.environment)
        return Place(target: wish.target(at: try wish.single(places, in: directory)))
    }

    /// - Parameter path: what the repository is called.
    func find(
        in repository: Repository, _ inventory: Repository.Inventory, path: String, branch: UID?,
        key: MasterKeySource?, _ context: ToolContext
    ) throws(StorageError) -> Place {
        if let search = wish.tableSearch(context) {
            let outcome = try first(search, repository, inventory, branch, key, context)
            return place(try wish.tableTarget(outcome, in: path))
        }
        guard let mark = wish.mark else { return Place(target: wish.target) }
        let places = try RestoreMarkPlace.find(
            mark, repository, inventory, branch: branch, environment: context.environment,
            key: key
        ) { _ throws(StorageError) in try RestoreRun.stopIfInterrupted(context) }
        return Place(target: wish.target(at: try wish.single(places, in: path)))
    }

    private func first(
        _ search: TableOperationSearch, _ repository: Repository,
        _ inventory: Repository.Inventory, _ branch: UID?, _ key: MasterKeySource?,
        _ context: ToolContext
    ) throws(StorageError) -> TableOperationSearch.Outcome {
        let given = context.environment
        var first = TableOperationSearch.Outcome()
        for log in try RepositoryLog.all(repository, inventory, branch: branch) {
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
        return first
    }

    private func place(_ found: RestoreTargetOptions.TableTarget) -> Place {
        Place(target: found.target, found: (found.line, found.json))
    }
}
