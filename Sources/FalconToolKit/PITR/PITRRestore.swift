import ArgumentParser
import FalconChanges
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

            From a backup repository: 'pitr-restore plan --repo DIR --to-…' says how a target is \
            reached, 'pitr-restore apply --repo DIR --to-… --out NEWDIR' restores it; 'info', 'verify' \
            and 'retention' look after the repository. Each has its own --help.

            To look before deciding: with --inspect the result can only be read, by falcondb too. \
            'pitr-restore advance NEWDIR --to-…' replays more of the log into it, 'pitr-restore advance \
            NEWDIR --promote' makes an ordinary database of it, with a branch of its own.
            """)
    public static let subcommands: [(String, any ToolCommand.Type)] = [
        ("plan", RepositoryPlan.self), ("apply", RepositoryApply.self),
        ("advance", InspectionAdvance.self),
        ("info", RepositoryInfo.self), ("verify", RepositoryVerify.self),
        ("retention", RepositoryRetain.self),
    ]

    /// What `--base` takes.
    enum BaseChoice: String, CaseIterable, ExpressibleByArgument {
        case auto, log, tables
    }

    @Argument(help: "The data directory to restore from.")
    var directory: String

    @OptionGroup var wish: RestoreTargetOptions

    @Option(help: "The new directory; it must not exist, or be empty.")
    var out: String?

    @Flag(help: "Print the plan and write nothing.")
    var dryRun = false

    @Option(help: "Begin with the source's tables, or replay the log from its beginning.")
    var base = BaseChoice.auto

    @Flag(help: "Do not read every restored row back.")
    var skipVerify = false

    @Flag(
        help:
            "Make a state to look at: it can only be read, and 'pitr-restore advance' goes on from it."
    )
    var inspect = false

    @OptionGroup var parallel: JobOptions

    @OptionGroup public var key: KeyOptions
    @OptionGroup public var run: RunOptions
    @OptionGroup public var output: OutputOptions

    public init() {}

    public func validate() throws {
        try wish.requireTarget()
        guard out != nil || dryRun else {
            throw ValidationError("Give --out NEWDIR, or --dry-run.")
        }
    }

    public var runOptions: RunOptions? { run }

    public func execute(_ report: ReportWriter) throws(StorageError) {
        try DataDirectory.check(directory, report.context.fileSystem)
        try run.openReport(report, apartFrom: [directory] + (out.map { [$0] } ?? []))
        if let out { try ToolPath.checkApart(out, from: directory) }
        try report.context.openKeys(key, root: directory)
        var restore = RestoreRun(
            root: directory, target: wish.target, targetText: wish.text,
            out: dryRun ? nil : out, verifies: !skipVerify,
            key: report.context.masterKey(key))
        restore.jobs = parallel.count
        if inspect {
            restore.inspection = try RestoreInspection(
                of: .directory, at: ToolPath.absolute(directory))
        }
        let place = try RestoreTargetSearch(wish: wish).find(in: directory, report.context)
        restore.target = place.target
        restore.found = place.found
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
                try restore.perform(report, wanted, because: reason)
                if let reason {
                    report.add(
                        Finding(
                            .pitrTableDamaged, reason.message, file: reason.location?.path,
                            offset: reason.location?.offset))
                }
                return
            } catch  where error.code == .notFound && !dryRun && isSource(error) {
                // A live server compacted a table or released log between the plan and its copy.
                guard attempt < Self.tries else { throw changing(error) }
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

    private static let tries = 4

    private func changing(_ error: StorageError) -> StorageError {
        StorageError(
            .inUse, kind: .transient,
            "The directory changed in each of \(Self.tries) tries: a server that runs there removed files before they were "
                + "copied.", cause: error.description, location: error.location,
            hint:
                "Restore from its archive (apply --repo) or from a backup, try again when it writes less, or stop it."
        )
    }

    /// The error is of the source's own files.
    private func isSource(_ error: StorageError) -> Bool {
        error.location?.path.hasPrefix(FileNames(root: directory).root + "/") ?? false
    }

    private func isTable(_ error: StorageError) -> Bool {
        error.location.map { $0.path.hasSuffix(".sst") || $0.path.hasSuffix(".blob") } ?? false
    }
}
