import ArgumentParser
import FalconStorage

/// `pitr-restore plan --repo DIR --to-…`: how a target is reached, and whether it is. Writes nothing.
struct RepositoryPlan: ToolCommand {
    static let configuration = toolConfiguration(
        "pitr-restore plan",
        abstract: "Show how a target is restored from a backup repository, and write nothing.")

    @OptionGroup var wish: RestoreTargetOptions
    @OptionGroup var place: RepositoryOptions
    @Option(help: "The new directory that is meant: says whether there is room for it.")
    var out: String?
    @OptionGroup var key: KeyOptions
    @OptionGroup var output: OutputOptions

    func validate() throws { try wish.requireTarget() }

    func execute(_ report: ReportWriter) throws(StorageError) {
        try RepositoryRestore(
            wish: wish, place: place, out: out, writes: false, verifies: false,
            key: report.context.masterKey(key)
        ).perform(report)
    }
}

/// `pitr-restore apply --repo DIR --to-… --out NEWDIR`
struct RepositoryApply: ToolCommand {
    static let configuration = toolConfiguration(
        "pitr-restore apply",
        abstract: "Restore from a backup repository into a new data directory.",
        discussion: """
            Builds NEWDIR.partial beside the output, reads it back and renames it: an interrupted \
            restore leaves no NEWDIR. With --inspect the result can only be read, by falcondb too: \
            'pitr-restore advance NEWDIR --to-…' replays more of the log into it, 'pitr-restore advance \
            NEWDIR --promote' makes an ordinary database of it.
            """)

    @OptionGroup var wish: RestoreTargetOptions
    @OptionGroup var place: RepositoryOptions
    @Option(help: "The new directory; it must not exist, or be empty.") var out: String
    @Flag(help: "Do not read every restored row back.") var skipVerify = false
    @Flag(
        help:
            "Make a state to look at: it can only be read, and 'pitr-restore advance' goes on from it."
    )
    var inspect = false
    @OptionGroup var parallel: JobOptions
    @OptionGroup var key: KeyOptions
    @OptionGroup var run: RunOptions
    @OptionGroup var output: OutputOptions

    var runOptions: RunOptions? { run }

    func validate() throws { try wish.requireTarget() }

    func execute(_ report: ReportWriter) throws(StorageError) {
        try run.openReport(report, apartFrom: [place.repo, out])
        var restore = RepositoryRestore(
            wish: wish, place: place, out: out, writes: true, verifies: !skipVerify,
            key: report.context.masterKey(key))
        restore.inspects = inspect
        restore.jobs = parallel.count
        try restore.perform(report)
    }
}
