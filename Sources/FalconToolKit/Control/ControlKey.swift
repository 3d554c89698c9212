import ArgumentParser

/// `falconctl key`: encryption keys.
struct ControlKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Show encryption at rest, or rotate its keys.",
        version: FalconCtl.versionText,
        subcommands: [ControlKeyStatus.self, ControlKeyRotate.self], helpNames: .long)
}

/// `falconctl key status`.
struct ControlKeyStatus: ControlCommand {
    static let configuration = controlConfiguration(
        "status", abstract: "Show whether the data directory is encrypted, and what still waits.")
    static let csvColumns = ["kind", "encryption"]

    @OptionGroup var connection: ControlOptions
    @OptionGroup var output: OutputOptions

    func run(_ server: any ControlServer, _ report: ReportWriter) throws(ControlFailure) {
        let status = try server.query("SHOW falcon.tde_status", []).rows.first?.first ?? nil
        report.record(
            [("kind", .string("key")), ("encryption", .text(status))], text: status ?? "-")
    }
}
