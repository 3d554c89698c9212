import ArgumentParser
import FalconStorage

/// `pitr-restore retention --repo DIR --keep N`: which old backups go, and with --apply removes them.
struct RepositoryRetain: ToolCommand {
    static let configuration = toolConfiguration(
        "pitr-restore retention",
        abstract:
            "Say which backups and log segments are no longer needed; remove them with --apply.")

    @OptionGroup var place: RepositoryOptions
    @Option(help: "Keep so many base backups, the newest, and the log from the oldest of them on.")
    var keep: Int
    @Flag(help: "Only say what would go, and why; the default.") var explain = false
    @Flag(help: "Remove it.") var apply = false
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard keep >= 1 else { throw ValidationError("--keep must be 1 or more.") }
        guard !(explain && apply) else { throw ValidationError("Give --explain or --apply.") }
    }

    func execute(_ report: ReportWriter) throws(StorageError) {
        let (repository, inventory) = try place.open(report)
        let retention = try RepositoryRetention(repository, inventory, keeping: keep)
        for backup in retention.keptBackups {
            show(backup, "keep", "one of the \(keep) newest", report)
        }
        for backup in retention.removedBackups {
            show(backup, "remove", "older than the \(keep) newest", report)
        }
        if let first = retention.removedSegments.first, let last = retention.removedSegments.last {
            report.line(
                "remove         \(retention.removedSegments.count) log segments, LSN "
                    + "\(first.firstLSN) to \(last.lastLSN): no kept backup needs them")
        }
        if !retention.removedFiles.isEmpty {
            report.line(
                "remove         \(retention.removedFiles.count) tables and blob files: no kept backup has them"
            )
        }
        if let earliest = retention.earliest {
            report.line(
                "earliest then: LSN \(earliest.lsn) (\(ToolTime.format(earliest.micros)))")
        }
        report.set("removed_segments", .count(retention.removedSegments.count))
        report.set("removed_files", .count(retention.removedFiles.count))
        report.set("removed_bytes", .unsigned(retention.removedBytes))
        report.set("earliest_lsn", .text(retention.earliest?.lsn))
        report.set("applied", .bool(apply))
        if apply { try retention.apply(repository) }
        report.line(
            (apply ? "removed:       " : "would remove:  ") + "\(retention.removedBytes) bytes"
                + (apply ? "" : "; --apply does"))
    }

    private func show(
        _ backup: BackupManifest, _ action: String, _ reason: String, _ report: ReportWriter
    ) {
        report.record(
            [
                ("action", .string(action)), ("reason", .string(reason)),
                ("backup", RepositoryText.json(backup)),
            ],
            text: action + String(repeating: " ", count: 15 - action.count)
                + "\(RepositoryText.text(backup)): \(reason)")
    }
}
