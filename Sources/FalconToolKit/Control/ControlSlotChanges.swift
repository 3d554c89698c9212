import ArgumentParser
import FalconStorage

/// `falconctl slot create NAME [--plugin P]`.
struct ControlSlotCreate: ControlCommand {
    static let configuration = controlConfiguration(
        "create", abstract: "Create a slot in the database connected to, and print its LSN.",
        discussion: "The slot gives what commits after that LSN.")
    static let csvColumns = ["kind", "name", "plugin", "lsn"]

    @Argument(help: "The slot's name.")
    var name: String

    @Option(help: "The form of its changes: falcon, debezium, wal2json, wal2json-v2, cloudevents.")
    var plugin = "falcon"

    @OptionGroup var connection: ControlOptions
    @OptionGroup var output: OutputOptions

    func run(_ server: any ControlServer, _ report: ReportWriter) throws(ControlFailure) {
        let row = try server.query(
            "SELECT lsn FROM pg_create_logical_replication_slot($1::name, $2::name)",
            [name, plugin]
        ).first()
        report.record(
            [
                ("kind", .string("slot")), ("name", .string(name)), ("plugin", .string(plugin)),
                ("lsn", row.json("lsn")),
            ], text: row.shown("lsn"))
    }
}

/// `falconctl slot drop NAME`.
struct ControlSlotDrop: ControlCommand {
    static let configuration = controlConfiguration(
        "drop", abstract: "Drop a slot; the log that it alone needed goes.")
    static let csvColumns = ["kind", "name"]

    @Argument(help: "The slot's name.")
    var name: String

    @OptionGroup var connection: ControlOptions
    @OptionGroup var output: OutputOptions

    func run(_ server: any ControlServer, _ report: ReportWriter) throws(ControlFailure) {
        _ = try server.query("SELECT pg_drop_replication_slot($1::name)", [name])
        report.record(
            [("kind", .string("slot-dropped")), ("name", .string(name))], text: "\(name) dropped")
    }
}

/// `falconctl slot advance NAME LSN`.
struct ControlSlotAdvance: ControlCommand {
    static let configuration = controlConfiguration(
        "advance", abstract: "Move a slot behind an LSN, and print where it then is.",
        discussion: """
            The slot is then behind the last transaction that ends at or before LSN: what comes \
            before is never given again.
            """)
    static let csvColumns = ["kind", "name", "lsn"]

    @Argument(help: "The slot's name.")
    var name: String

    @Argument(
        help: "The lsn of a commit's line of 'slot peek', or another LSN.",
        transform: ToolArgument.lsn)
    var lsn: LSN

    @OptionGroup var connection: ControlOptions
    @OptionGroup var output: OutputOptions

    func run(_ server: any ControlServer, _ report: ReportWriter) throws(ControlFailure) {
        let row = try server.query(
            "SELECT end_lsn FROM pg_replication_slot_advance($1::name, $2::pg_lsn)",
            [name, lsn.description]
        ).first()
        report.record(
            [
                ("kind", .string("slot")), ("name", .string(name)), ("lsn", row.json("end_lsn")),
            ], text: row.shown("end_lsn"))
    }
}

/// `falconctl slot peek NAME [--limit N]`.
struct ControlSlotPeek: ControlCommand {
    static let configuration = controlConfiguration(
        "peek", abstract: "Show the changes a slot would give next, and leave it where it is.",
        discussion: """
            Whole transactions are shown: the answer ends behind the one that reaches the limit. In \
            text a line is LSN, transaction number and change, with tabs between.
            """)
    static let csvColumns = ["kind", "lsn", "xid", "data"]

    @Argument(help: "The slot's name.")
    var name: String

    @Option(help: "End behind the transaction that reaches so many changes.")
    var limit: Int32 = 100

    @OptionGroup var connection: ControlOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit begins at 1.") }
    }

    func run(_ server: any ControlServer, _ report: ReportWriter) throws(ControlFailure) {
        let rows = try server.query(
            "SELECT lsn, xid, data FROM pg_logical_slot_peek_changes($1::name, NULL, $2::int4)",
            [name, String(limit)])
        for row in rows.records {
            if report.context.shouldStop { return }
            report.record(
                [
                    ("kind", .string("change")), ("lsn", row.json("lsn")),
                    ("xid", row.number("xid")), ("data", row.json("data")),
                ], text: "\(row.shown("lsn"))\t\(row.shown("xid"))\t\(row.shown("data"))")
        }
    }
}
