import ArgumentParser
import FalconStorage

/// `falconctl backup`: base backups.
struct ControlBackup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Make a base backup, or list those there are.",
        discussion: """
            'falconctl backup' is 'falconctl backup create': it takes --label, --max-rate and --wait.
            """,
        version: FalconCtl.versionText,
        subcommands: [ControlBackupCreate.self, ControlBackupList.self],
        defaultSubcommand: ControlBackupCreate.self, helpNames: .long)
}

/// `falconctl backup [--label L] [--max-rate R] [--wait]`.
struct ControlBackupCreate: ControlCommand {
    static let configuration = controlConfiguration(
        "create",
        abstract: "Make a base backup in the server's repository, while everything goes on.",
        discussion: """
            Ends when the backup is whole and the log it needs is archived, and prints the backup's \
            id. Needs a superuser and [archive] directory in the server's configuration.
            """)
    static let csvColumns = ["kind", "id", "label"]

    @Option(help: "A word or two on what it is for; 256 bytes at most, without control characters.")
    var label = ""

    @Option(
        help: """
            Copy so much a second at most: kilobytes, or with k or M, from 32k to 1024M; 0: as fast as it \
            can. Without it the server's archive.backup_max_rate counts.
            """)
    var maxRate: String?

    @Flag(help: "While another backup is made, wait for its end and then begin.")
    var wait = false

    @OptionGroup var connection: ControlOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        do throws(StorageError) {
            try BackupManifest.checkLabel(label)
            if let maxRate { _ = try BackupRate.parse(maxRate) }
        } catch {
            throw ValidationError(error.message)
        }
    }

    func run(_ server: any ControlServer, _ report: ReportWriter) throws(ControlFailure) {
        let id = try make(server, report)
        report.record(
            [("kind", .string("backup")), ("id", .string(id)), ("label", .string(label))],
            text: id)
    }

    private func ask(_ server: any ControlServer) throws(ControlFailure) -> ControlRows {
        guard let maxRate else {
            return try server.query("SELECT falcon.backup($1::text) AS id", [label])
        }
        return try server.query(
            "SELECT falcon.backup($1::text, $2::text) AS id", [label, maxRate])
    }

    private func make(
        _ server: any ControlServer, _ report: ReportWriter
    ) throws(ControlFailure) -> String {
        var hasSaid = false
        while true {
            do throws(ControlFailure) {
                return try ask(server).first().shown("id")
            } catch {
                guard wait, case .refused(let refusal) = error, refusal.sqlState == "55006" else {
                    throw error
                }
            }
            if !hasSaid, !report.isQuiet {
                report.context.diagnose("Another backup is being made; waiting for its end.")
            }
            hasSaid = true
            if report.context.isInterrupted {
                throw .interrupted("Interrupted while another backup was made; none was begun.")
            }
            report.context.pause(milliseconds: 500)
        }
    }
}
