import FalconStorage

extension AdminSource {
    /// How far the log is archived.
    func appendArchive(_ status: ArchiveStatus, _ out: inout MetricsText) {
        let state =
            switch status.state {
            case .active: "active"
            case .failing: "failing"
            case .lost: "lost"
            }
        out.gauge(
            "falcon_archive_state", "1 for the state the archive of the log is in.", label: "state",
            ["active", "failing", "lost"].map { ($0, $0 == state ? 1 : 0) })
        out.gauge(
            "falcon_archive_pending_bytes", "Ended log files that wait to be archived.",
            Double(status.pendingBytes))
        out.gauge(
            "falcon_archive_pending_segments", "Their number.", Double(status.pendingSegments))
        out.counter(
            "falcon_archive_segments_total", "Log files archived.", status.archivedSegments)
        out.counter(
            "falcon_archive_bytes_total", "Bytes that they take in the repository.",
            status.archivedBytes)
        out.counter("falcon_archive_failures_total", "Tries that failed.", status.failures)
        out.gauge(
            "falcon_archive_last_lsn", "All of the log up to here is archived.",
            Double(status.lastLSN.rawValue))
        out.gauge(
            "falcon_archive_last_seconds",
            "When the newest log file was archived, in seconds since 1970.",
            Double(status.lastMicros) / 1e6)
        out.gauge(
            "falcon_backup_copied_bytes",
            "Copied of the base backup that is being made; 0 without one.",
            Double(status.backup?.copiedBytes ?? 0))
        out.gauge(
            "falcon_backup_total_bytes", "Of all its files; 0 without one.",
            Double(status.backup?.totalBytes ?? 0))
    }
}
