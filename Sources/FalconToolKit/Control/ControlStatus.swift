import ArgumentParser

/// `falconctl status`: how the server is.
struct ControlStatus: ControlCommand {
    static let configuration = controlConfiguration(
        "status", abstract: "Show version, log, archive, encryption and slots of the server.",
        discussion: """
            Exit code 3 says that the archive of the log fails or is lost (CTL005), or that a slot \
            is lost (CTL006).
            """)
    static let csvColumns = [
        "kind", "version", "database", "user", "started", "uptime_seconds", "wal_lsn",
        "encryption", "state", "detail", "directory", "last_lsn", "last_archived",
        "pending_segments", "pending_bytes", "failures", "backup", "backup_copied_bytes",
        "backup_total_bytes", "backup_max_rate", "slots", "lost_slots", "held_bytes",
    ]

    @OptionGroup var connection: ControlOptions
    @OptionGroup var output: OutputOptions

    func run(_ server: any ControlServer, _ report: ReportWriter) throws(ControlFailure) {
        let head = try server.query(
            """
            SELECT version() AS version, current_database() AS database, current_user AS user,
                pg_postmaster_start_time() AS started,
                extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::int8 AS uptime,
                CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                    ELSE pg_current_wal_lsn() END AS lsn
            """, []
        ).first()
        let encryption = try server.query("SHOW falcon.tde_status", []).rows.first?.first ?? nil
        let archive = try server.query("SELECT * FROM falcon.pitr_status", []).first()
        let slots = try server.query(ControlSlot.listing, []).records
        show(head, encryption, report)
        show(archive, report)
        show(slots, report)
    }

    private func show(_ head: ControlRecord, _ encryption: String?, _ report: ReportWriter) {
        let uptime = head.integer("uptime").map { ControlText.duration($0) } ?? "-"
        report.record(
            [
                ("kind", .string("server")), ("version", head.json("version")),
                ("database", head.json("database")), ("user", head.json("user")),
                ("started", head.time("started")), ("uptime_seconds", head.number("uptime")),
                ("wal_lsn", head.json("lsn")), ("encryption", .text(encryption)),
            ],
            text: """
                server:        \(head.shown("version"))
                connected to:  \(head.shown("database")) as \(head.shown("user"))
                up:            \(uptime), since \(head.moment("started") ?? "-")
                log:           \(head.shown("lsn"))
                encryption:    \(encryption ?? "-")
                """)
    }

    private func show(_ archive: ControlRecord, _ report: ReportWriter) {
        let state = archive.shown("state")
        var text = "archive:       \(state)"
        if let directory = archive["directory"] {
            text += " to \(directory), up to \(archive.shown("last_lsn"))"
            if let moment = archive.moment("last_archived") { text += " (\(moment))" }
            text += ", \(archive.shown("pending_bytes")) bytes wait"
        }
        if let backup = archive["backup"] {
            text +=
                "\nbackup:        \(backup), \(archive.shown("backup_copied_bytes")) of "
                + "\(archive.shown("backup_total_bytes")) bytes copied"
            if let rate = archive["backup_max_rate"] { text += ", at most \(rate) a second" }
        }
        report.record(
            [
                ("kind", .string("archive")), ("state", .string(state)),
                ("detail", archive.json("detail")), ("directory", archive.json("directory")),
                ("last_lsn", archive.json("last_lsn")),
                ("last_archived", archive.time("last_archived")),
                ("pending_segments", archive.number("pending_segments")),
                ("pending_bytes", archive.number("pending_bytes")),
                ("failures", archive.number("failures")), ("backup", archive.json("backup")),
                ("backup_copied_bytes", archive.number("backup_copied_bytes")),
                ("backup_total_bytes", archive.number("backup_total_bytes")),
                ("backup_max_rate", archive.number("backup_max_rate")),
            ], text: text)
        if state == "failing" || state == "lost" {
            report.add(
                Finding(.controlArchive, "The archive is \(state): \(archive.shown("detail"))"))
        }
    }

    private func show(_ slots: [ControlRecord], _ report: ReportWriter) {
        let lost = slots.filter { $0["state"] == "lost" }
        let held = slots.compactMap { $0.integer("held_bytes") }.max() ?? 0
        report.record(
            [
                ("kind", .string("slots")), ("slots", .count(slots.count)),
                ("lost_slots", .count(lost.count)), ("held_bytes", .int(held)),
            ],
            text: slots.isEmpty
                ? "slots:         none"
                : "slots:         \(slots.count), \(lost.count) lost, at most \(held) bytes of log held"
        )
        for slot in lost {
            report.add(
                Finding(
                    .controlSlotLost,
                    "The slot \(slot.shown("name")) is lost: \(slot.shown("detail"))"))
        }
    }
}
