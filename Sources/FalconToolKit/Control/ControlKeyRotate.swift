import ArgumentParser

/// `falconctl key rotate`.
struct ControlKeyRotate: ControlCommand {
    static let configuration = controlConfiguration(
        "rotate", abstract: "Replace the data keys, or with --new-… the master key.",
        discussion: """
            Data keys: new files get new ones at once, tables and blob files are encrypted anew in \
            the background. Master key: KEYS is written anew; then change the server's \
            configuration, for the next start needs the new key. Paths and commands are the \
            server's, not this machine's. Needs a superuser.
            """)
    static let csvColumns = ["kind", "rotated", "source", "encryption"]

    @Option(help: "The new master key: a file on the server's machine, as encryption_key_file.")
    var newKeyFile: String?

    @Option(help: "The new master key: a file, as encryption_passphrase_file.")
    var newPassphraseFile: String?

    @Option(help: "The new master key: a shell command, as encryption_key_command.")
    var newKeyCommand: String?

    @OptionGroup var connection: ControlOptions
    @OptionGroup var output: OutputOptions

    /// The new master key's kind and source, as the server's function takes them.
    private var master: [(kind: String, source: String)] {
        [
            ("key_file", newKeyFile), ("passphrase_file", newPassphraseFile),
            ("key_command", newKeyCommand),
        ].compactMap { kind, source in source.map { (kind, $0) } }
    }

    func validate() throws {
        if master.count > 1 {
            throw ValidationError(
                "Give one of --new-key-file, --new-passphrase-file and --new-key-command.")
        }
    }

    func run(_ server: any ControlServer, _ report: ReportWriter) throws(ControlFailure) {
        if let (kind, source) = master.first {
            _ = try server.query(
                "SELECT falcon.rotate_master_key($1::text, $2::text)", [kind, source])
        } else {
            _ = try server.query("SELECT falcon.rotate_data_keys()", [])
        }
        let status = try server.query("SHOW falcon.tde_status", []).rows.first?.first ?? nil
        let what = master.isEmpty ? "data keys" : "master key"
        let next = master.isEmpty ? "" : "; change the server's configuration before its next start"
        report.record(
            [
                ("kind", .string("key")), ("rotated", .string(master.isEmpty ? "data" : "master")),
                ("source", .text(master.first?.kind)), ("encryption", .text(status)),
            ], text: "\(what) rotated, encryption: \(status ?? "-")\(next)")
    }
}
