import ArgumentParser
import FalconStorage

/// `pitr-restore verify --repo DIR`: reads every byte of a repository.
struct RepositoryVerify: ToolCommand {
    static let configuration = toolConfiguration(
        "pitr-restore verify",
        abstract:
            "Read a repository whole and compare every byte with what was written; no key is needed."
    )

    @OptionGroup var place: RepositoryOptions
    @OptionGroup var run: RunOptions
    @OptionGroup var output: OutputOptions

    var runOptions: RunOptions? { run }

    func validate() throws { try place.refuseBranch() }

    func execute(_ report: ReportWriter) throws(StorageError) {
        try run.openReport(report, apartFrom: [place.repo])
        let (repository, inventory) = try place.open(report)
        let progress = ToolProgress("verifying", report)
        var verification = RepositoryVerification(repository, inventory)
        let total = verification.byteCount
        let context = report.context
        try verification.run { done throws(StorageError) in
            try RestoreRun.stopIfInterrupted(context)
            progress.update(done, of: total, unit: "bytes")
        }
        progress.finish()
        for problem in verification.problems {
            report.add(Self.finding(problem.error, backups: problem.backups))
        }
        for gap in verification.gaps { report.add(Finding(.pitrGap, RepositoryText.text(gap))) }
        for path in inventory.leftovers {
            report.add(try RepositoryText.leftover(path, context.fileSystem))
        }
        report.set("backups", .count(inventory.backups.count))
        report.set("segments", .count(verification.checkedSegments))
        report.set("files", .count(verification.checkedFiles))
        report.set("bytes", .unsigned(verification.checkedBytes))
        report.line(
            "\(inventory.backups.count) base backups with \(verification.checkedFiles) files and "
                + "\(verification.checkedSegments) log segments: \(verification.checkedBytes) bytes, "
                + (verification.problems.isEmpty
                    ? "all as written" : "\(verification.problems.count) problems"))
    }

    static func finding(_ error: StorageError, backups: [String]) -> Finding {
        // What a later version wrote is not damaged.
        if error.code == .unsupportedFormat { return Finding(error) }
        let path = error.location?.path ?? ""
        let isLogKeys =
            VFSPath.name(of: path) == "KEYS"
            && VFSPath.name(of: VFSPath.parent(of: VFSPath.parent(of: path))) == "log"
        return Finding(
            path.hasSuffix(".seg") || isLogKeys ? .pitrSegmentDamaged : .pitrBackupDamaged,
            error.message + (error.cause.map { " (\($0))" } ?? ""), file: error.location?.path,
            offset: error.location?.offset,
            blastRadius: backups.isEmpty ? nil : "backups " + backups.joined(separator: ", "))
    }
}
