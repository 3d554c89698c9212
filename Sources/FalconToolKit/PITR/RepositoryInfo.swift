import ArgumentParser
import FalconStorage

/// `pitr-restore info --repo DIR`: what a repository holds.
struct RepositoryInfo: ToolCommand {
    static let configuration = toolConfiguration(
        "pitr-restore info", abstract: "List the base backups and the archived log of a repository."
    )

    @OptionGroup var place: RepositoryOptions
    @OptionGroup var output: OutputOptions

    func execute(_ report: ReportWriter) throws(StorageError) {
        let (repository, inventory) = try place.open(report)
        let timeline = try RepositoryTimeline(inventory.segments, branch: place.branch)
        report.set("repository", .string(place.repo))
        report.set("database", .text(repository.shard))
        report.line("repository:    \(place.repo), of database \(repository.shard)")
        for backup in inventory.backups {
            report.record(
                [("kind", .string("backup")), ("backup", RepositoryText.json(backup))],
                text:
                    "base backup:   \(RepositoryText.text(backup)), \(backup.newBytes) of them new")
        }
        for (branch, segments) in branches(inventory) {
            let stored = segments.reduce(0) { $0 &+ $1.storedBytes }
            let raw = segments.reduce(0) { $0 &+ $1.rawBytes }
            guard let first = segments.first, let last = segments.last else { continue }
            report.record(
                [
                    ("kind", .string("branch")), ("branch", .text(branch)),
                    ("segments", .count(segments.count)), ("from_lsn", .text(first.firstLSN)),
                    ("to_lsn", .text(last.lastLSN)), ("stored_bytes", .unsigned(stored)),
                    ("bytes", .unsigned(raw)),
                    ("begun", .string(ToolTime.format(first.wallMicros))),
                    ("archived", .string(ToolTime.format(last.archivedMicros))),
                ],
                text: "branch:        \(branch), LSN \(first.firstLSN) to \(last.lastLSN), "
                    + "\(segments.count) segments, \(stored) bytes (\(raw) unpacked), archived "
                    + ToolTime.format(last.archivedMicros))
        }
        let stretches = inventory.backups.map { timeline.stretch(of: $0) }
        let gaps = timeline.gaps(among: stretches)
        report.set("gaps", .array(gaps.map(RepositoryText.json)))
        for gap in gaps { report.line("gap:           \(RepositoryText.text(gap))") }
        if let tip = timeline.tip {
            report.set("latest_lsn", .text(tip.lastLSN))
            report.line("latest:        LSN \(tip.lastLSN), branch \(tip.branch)")
        }
        let newest =
            place.branch == nil
            ? timeline : try RepositoryTimeline(inventory.segments, branch: nil)
        if let finding = RepositoryText.concurrency(newest) { report.add(finding) }
        for path in inventory.leftovers {
            report.add(try RepositoryText.leftover(path, report.context.fileSystem))
        }
        for error in inventory.problems { report.add(RepositoryVerify.finding(error, backups: [])) }
    }

    private func branches(_ inventory: Repository.Inventory) -> [(UID, [ArchivedSegment])] {
        let groups = Dictionary(grouping: inventory.segments, by: \.branch)
        return groups.map { ($0.key, $0.value.sorted { $0.firstLSN < $1.firstLSN }) }.sorted {
            ($0.1.first?.wallMicros ?? 0, $0.0.description)
                < ($1.1.first?.wallMicros ?? 0, $1.0.description)
        }
    }
}
