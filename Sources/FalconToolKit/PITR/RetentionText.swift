import FalconStorage

/// How `pitr-restore retention` says what stays and goes, and why.
struct RetentionText {
    let policy: RetentionPolicy

    init(_ policy: RetentionPolicy) { self.policy = policy }

    /// `7d`, `36h`: in the largest unit that leaves nothing over.
    static func duration(_ micros: UInt64) -> String {
        let units: [(UInt64, String)] = [
            (86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"),
        ]
        for (unit, name) in units where micros >= unit && micros % unit == 0 {
            return "\(micros / unit)\(name)"
        }
        return "\(micros)us"
    }

    private var windowName: String {
        policy.windowMicros.map { "recovery window of \(Self.duration($0))" } ?? "recovery window"
    }

    // MARK: - The window

    func showWindow(_ retention: RepositoryRetention, _ report: ReportWriter) {
        report.set("keep_backups", policy.backups.map { JSONValue.count($0) } ?? .null)
        report.set(
            "window_seconds",
            policy.windowMicros.map { JSONValue.unsigned($0 / 1_000_000) } ?? .null)
        report.set("window_start", .text(policy.windowStartMicros.map { ToolTime.format($0) }))
        report.set("window_covered", retention.coversWindow.map { JSONValue.bool($0) } ?? .null)
        guard let micros = policy.windowMicros, let start = policy.windowStartMicros else { return }
        var line =
            "window:        \(Self.duration(micros)), \(ToolTime.format(start)) to "
            + ToolTime.format(policy.nowMicros)
        if retention.coversWindow == false {
            line += "; not every moment of it can be restored"
            if let earliest = retention.earliest, earliest.micros > start {
                line += ", none before \(ToolTime.format(earliest.micros))"
            }
        }
        report.line(line)
    }

    // MARK: - Backups

    func show(_ decision: BackupRetention, _ report: ReportWriter) {
        let backup = decision.backup
        let reason = decision.reasons.map(text).joined(separator: "; ")
        let action = decision.isKept ? "keep" : "remove"
        report.record(
            [
                ("kind", .string("backup")), ("action", .string(action)),
                ("reason", .string(reason)), ("id", .string(backup.id)),
                ("ended", .string(ToolTime.format(backup.endedMicros))),
                ("branch", .text(backup.branch)), ("from_lsn", .text(backup.startLSN)),
                ("to_lsn", .text(backup.endLSN)), ("bytes", .unsigned(backup.byteCount)),
                ("backup", RepositoryText.json(backup)),
            ],
            text: padded(action) + "\(RepositoryText.text(backup)): \(reason)")
    }

    private func text(_ reason: BackupRetention.Reason) -> String {
        switch reason {
        case .amongNewest(let count): "one of the \(count) newest"
        case .insideWindow: "inside the \(windowName)"
        case .ageUnknown: "the clocks do not tell whether it is inside the \(windowName)"
        case .reachesIntoWindow(branch: nil):
            "the newest from which the \(windowName) can be restored from its first moment on"
        case .reachesIntoWindow(branch: let branch?):
            "the newest from which branch \(branch) can be restored in the \(windowName)"
        case .nearestToWindow:
            "the newest before the \(windowName), though its log does not lead through all of it"
        case .leadsToNewest: "no newer one leads to the log's newest moment"
        case .leadsToBranch(let branch): "no newer one leads to the end of branch \(branch)"
        case .behindNewest(let count): "older than the \(count) newest"
        case .beforeWindow(let base): "the \(windowName) is restored from \(base) on"
        }
    }

    // MARK: - Log

    func show(_ run: LogRetention, _ report: ReportWriter) {
        guard let first = run.segments.first, let last = run.segments.last else { return }
        let bytes = run.segments.reduce(UInt64(0)) { $0 &+ $1.storedBytes }
        let reason = text(run.reason)
        let action = run.isKept ? "keep" : "remove"
        report.record(
            [
                ("kind", .string("log")), ("action", .string(action)), ("reason", .string(reason)),
                ("branch", .text(first.branch)), ("from_lsn", .text(first.firstLSN)),
                ("to_lsn", .text(last.lastLSN)), ("segments", .count(run.segments.count)),
                ("bytes", .unsigned(bytes)),
            ],
            text: padded(action) + "\(run.segments.count) log segments of branch \(first.branch), "
                + "LSN \(first.firstLSN) to \(last.lastLSN), \(bytes) bytes: \(reason)")
    }

    private func text(_ reason: LogRetention.Reason) -> String {
        switch reason {
        case .replayed(let id): "restores from \(id) replay them"
        case .notOlder:
            "no restore from a kept backup replays them, but they are not older than its log"
        case .ageUnknown:
            "no restore from a kept backup replays them, but the clocks do not tell how old they are"
        case .withoutBackups: "there is no base backup yet"
        case .older: "no kept backup needs them"
        }
    }

    private func padded(_ action: String) -> String {
        action + String(repeating: " ", count: 15 - action.count)
    }

    // MARK: - Clocks

    func finding(_ notice: RetentionClockNotice) -> Finding {
        let now = ToolTime.format(policy.nowMicros)
        let message =
            switch notice {
            case .backupFromFuture(let id, let ended):
                "Backup \(id) ended in the future, at \(ToolTime.format(ended)); it is now \(now). It "
                    + "stays until a newer one is old enough for the window to begin with."
            case .clockWentBack(let id, let ended, let earlier, let earlierEnded):
                "Backup \(id) ended at \(ToolTime.format(ended)), before \(earlier), which the log shows to "
                    + "be older, at \(ToolTime.format(earlierEnded)): the server's clock was set back. It "
                    + "stays until a newer one is old enough for the window to begin with."
            case .logFromFuture(let archived):
                "The newest log was archived in the future, at \(ToolTime.format(archived)); it is now "
                    + "\(now) by this machine's clock. The window ends at that clock's time and keeps more."
            }
        return Finding(.pitrClock, message)
    }
}
