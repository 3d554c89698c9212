import ArgumentParser
import FalconStorage

/// What every command on a backup repository takes; put it into a command as `@OptionGroup var place`.
struct RepositoryOptions: ParsableArguments {
    @Option(help: "The backup repository: the server's archive.directory.")
    var repo: String

    @Option(
        help: "Follow this branch of the log (default: that of the newest archived segment).",
        transform: RepositoryOptions.parseBranch)
    var branch: UID?

    init() {}

    @Sendable static func parseBranch(_ text: String) throws -> UID {
        guard let uid = UID(text: text) else {
            throw ValidationError("'\(text)' is not a branch; 'pitr-restore info' lists them.")
        }
        return uid
    }

    /// For the validation of a command that looks at all branches.
    func refuseBranch() throws {
        guard branch == nil else {
            throw ValidationError("--branch goes with info, plan, apply and advance.")
        }
    }

    func open(
        _ report: ReportWriter
    ) throws(StorageError) -> (Repository, Repository.Inventory) {
        let repository = try Repository.open(repo, report.context.fileSystem)
        return (repository, try repository.inventory())
    }
}
