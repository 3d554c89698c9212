import ArgumentParser

/// `falconctl restore-point NAME`.
struct ControlRestorePoint: ControlCommand {
    static let configuration = controlConfiguration(
        "restore-point", abstract: "Name this moment in the log, and print its LSN.",
        discussion: "'pitr-restore … --to-name NAME' goes back to it. Needs a superuser.")
    static let csvColumns = ["kind", "name", "lsn"]

    @Argument(help: "The name; 63 bytes at most.")
    var name: String

    @OptionGroup var connection: ControlOptions
    @OptionGroup var output: OutputOptions

    func run(_ server: any ControlServer, _ report: ReportWriter) throws(ControlFailure) {
        let row = try server.query(
            "SELECT pg_create_restore_point($1::text) AS lsn", [name]
        ).first()
        report.record(
            [
                ("kind", .string("restore-point")), ("name", .string(name)),
                ("lsn", row.json("lsn")),
            ], text: row.shown("lsn"))
    }
}
