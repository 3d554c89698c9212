import ArgumentParser
import FalconStorage

/// `falconctl backup list`.
struct ControlBackupList: ControlCommand {
    static let configuration = controlConfiguration(
        "list", abstract: "List the base backups in the server's repository.")
    static let csvColumns = [
        "kind", "id", "label", "start_lsn", "end_lsn", "began", "ended", "newest_commit", "files",
        "bytes", "new_bytes", "encrypted",
    ]

    @OptionGroup var connection: ControlOptions
    @OptionGroup var output: OutputOptions

    func run(_ server: any ControlServer, _ report: ReportWriter) throws(ControlFailure) {
        for row in try server.query("SELECT * FROM falcon.pitr_backups ORDER BY began, id", [])
            .records
        {
            let name = BackupManifest.shown(row["label"] ?? "")
            let label = name.isEmpty ? "" : " '\(name)'"
            report.record(
                [
                    ("kind", .string("backup")), ("id", row.json("id")),
                    ("label", row.json("label")), ("start_lsn", row.json("start_lsn")),
                    ("end_lsn", row.json("end_lsn")), ("began", row.time("began")),
                    ("ended", row.time("ended")), ("newest_commit", row.time("newest_commit")),
                    ("files", row.number("files")), ("bytes", row.number("bytes")),
                    ("new_bytes", row.number("new_bytes")), ("encrypted", row.flag("encrypted")),
                ],
                text: "\(row.shown("id"))\(label), LSN \(row.shown("start_lsn")), "
                    + "\(row.moment("ended") ?? "-"), \(row.shown("files")) files, "
                    + "\(row.shown("bytes")) bytes, \(row.shown("new_bytes")) of them new")
        }
    }
}
