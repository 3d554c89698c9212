import ArgumentParser
import FalconStorage

/// `pitr-restore retention --repo DIR --keep-backups N --recovery-window 7d`: which old backups go, and with --apply
/// removes them.
struct RepositoryRetain: ToolCommand {
    static let configuration = toolConfiguration(
        "pitr-restore retention",
        abstract:
            "Say which backups and log segments are no longer needed; remove them with --apply.",
        discussion: """
            Say by number, by time, or both what is to be kept: what one rule keeps stays, whatever the \
            other says. The log stays from the oldest backup on that is kept.

            A recovery window keeps every backup that ended in it, and the newest one that had ended when \
            it began, so that each moment of the window can be restored. A backup whose time does not fit \
            the clock is never a reason to remove another one (PITR011).
            """)
    static let csvColumns = [
        "kind", "action", "reason", "id", "ended", "branch", "from_lsn", "to_lsn", "segments",
        "bytes",
    ]
    static let dayMicros: UInt64 = 86_400_000_000

    @OptionGroup var place: RepositoryOptions
    @Option(
        name: [.customLong("keep-backups"), .customLong("keep")],
        help: "Keep so many base backups, the newest.")
    var keepBackups: Int?
    @Option(
        help: "Keep what restores every moment of so long until now: 7d, 36h, 90min, 2w.",
        transform: ToolArgument.duration)
    var recoveryWindow: UInt64?
    @Option(help: "The same in days: --keep-days 7 is --recovery-window 7d.")
    var keepDays: Int?
    @Flag(
        help: "Only say of every backup and of the log why it would stay or go; the default.")
    var explain = false
    @Flag(help: "Remove it.") var apply = false
    @OptionGroup var output: OutputOptions

    func validate() throws {
        try place.refuseBranch()
        guard keepBackups != nil || recoveryWindow != nil || keepDays != nil else {
            throw ValidationError("Give --keep-backups, --recovery-window or --keep-days.")
        }
        guard recoveryWindow == nil || keepDays == nil else {
            throw ValidationError("Give --recovery-window or --keep-days.")
        }
        guard (keepBackups ?? 1) >= 1 else {
            throw ValidationError("--keep-backups must be 1 or more.")
        }
        guard (1...36_500).contains(keepDays ?? 1) else {
            throw ValidationError("--keep-days must be from 1 to 36500.")
        }
        guard !(explain && apply) else { throw ValidationError("Give --explain or --apply.") }
    }

    func execute(_ report: ReportWriter) throws(StorageError) {
        let (repository, inventory) = try place.open(report)
        let policy = RetentionPolicy(
            backups: keepBackups, windowMicros: windowMicros,
            nowMicros: report.context.environment.clock.wallMicros())
        let retention = try RepositoryRetention(repository, inventory, policy)
        let text = RetentionText(policy)
        text.showWindow(retention, report)
        for backup in retention.backups { text.show(backup, report) }
        for run in retention.log { text.show(run, report) }
        for notice in retention.notices { report.add(text.finding(notice)) }
        showRest(retention, report)
        // What goes may be the last base of the line that is not the newest.
        let newest = try RepositoryTimeline(inventory.segments, branch: nil)
        if let finding = RepositoryText.concurrency(newest) { report.add(finding) }
        if apply { try retention.apply(repository) }
        report.line(
            (apply ? "removed:       " : "would remove:  ") + "\(retention.removedBytes) bytes"
                + (apply ? "" : "; --apply does"))
    }

    private var windowMicros: UInt64? {
        if let keepDays { return UInt64(clamping: keepDays) &* Self.dayMicros }
        return recoveryWindow
    }

    private func showRest(_ retention: RepositoryRetention, _ report: ReportWriter) {
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
        report.set(
            "earliest", .text(retention.earliest.map { ToolTime.format($0.micros) }))
        report.set("applied", .bool(apply))
    }
}
