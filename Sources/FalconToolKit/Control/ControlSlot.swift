import ArgumentParser

/// `falconctl slot`: replication slots.
struct ControlSlot: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slot",
        abstract: "List, create, drop, advance and peek into replication slots.",
        version: FalconCtl.versionText,
        subcommands: [
            ControlSlotList.self, ControlSlotCreate.self, ControlSlotDrop.self,
            ControlSlotAdvance.self, ControlSlotPeek.self,
        ], helpNames: .long)

    static let listing = "SELECT * FROM falcon.cdc_slots ORDER BY name"
}

/// `falconctl slot list`.
struct ControlSlotList: ControlCommand {
    static let configuration = controlConfiguration(
        "list", abstract: "List the slots of all databases: where they are and what they hold.")
    static let csvColumns = [
        "kind", "name", "plugin", "database", "state", "detail", "confirmed_lsn", "restart_lsn",
        "behind_bytes", "held_bytes", "max_held_bytes", "created", "confirmed",
    ]

    @OptionGroup var connection: ControlOptions
    @OptionGroup var output: OutputOptions

    func run(_ server: any ControlServer, _ report: ReportWriter) throws(ControlFailure) {
        for row in try server.query(ControlSlot.listing, []).records {
            let detail = row["detail"].map { " (\($0))" } ?? ""
            report.record(
                [
                    ("kind", .string("slot")), ("name", row.json("name")),
                    ("plugin", row.json("plugin")), ("database", row.json("database")),
                    ("state", row.json("state")), ("detail", row.json("detail")),
                    ("confirmed_lsn", row.json("confirmed_lsn")),
                    ("restart_lsn", row.json("restart_lsn")),
                    ("behind_bytes", row.number("behind_bytes")),
                    ("held_bytes", row.number("held_bytes")),
                    ("max_held_bytes", row.number("max_held_bytes")),
                    ("created", row.time("created")), ("confirmed", row.time("confirmed")),
                ],
                text: "\(row.shown("name")): \(row.shown("plugin")) of \(row.shown("database")), "
                    + "\(row.shown("state"))\(detail), confirmed \(row.shown("confirmed_lsn")), "
                    + "\(row.shown("behind_bytes")) bytes behind, holds "
                    + "\(row.shown("held_bytes")) of \(row.shown("max_held_bytes")) bytes")
        }
    }
}
