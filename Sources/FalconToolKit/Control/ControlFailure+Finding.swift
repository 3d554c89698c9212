extension ControlFailure {
    /// The finding that ends the command, with what to do next.
    var finding: Finding {
        switch self {
        case .refused(let refusal):
            Finding(
                .controlRefused, Self.text(refusal), advice: Self.advice(refusal))
        case .authentication(let refusal):
            Finding(.controlAuthentication, Self.text(refusal))
        case .unreachable(let text): Finding(.controlUnreachable, text)
        case .lost(let text): Finding(.controlLost, text)
        case .interrupted(let text): Finding(.controlInterrupted, text)
        }
    }

    private static func text(_ refusal: ControlRefusal) -> String {
        var text = "\(refusal.sqlState): \(refusal.message)"
        if let detail = refusal.detail { text += "\n    DETAIL:  \(detail)" }
        if let hint = refusal.hint { text += "\n    HINT:  \(hint)" }
        return text
    }

    /// What to do next, by what the server said.
    private static func advice(_ refusal: ControlRefusal) -> String {
        switch refusal.sqlState {
        case "42501": "Connect as a superuser: --username postgres."
        case "42P01" where refusal.message.contains("falcon"),
            "42883" where refusal.message.contains("falcon"),
            "3F000" where refusal.message.contains("falcon"),
            "42704" where refusal.message.contains("falcon."):
            "The server is no FalconDB, or an older one: falconctl status says which."
        case "42704": "falconctl slot list shows the slots there are."
        case "42710": "Choose another name, or drop the slot of this one first."
        case "3D000": "Name a database that is there: --dbname postgres."
        case "53300": "Try again when a connection has ended, or raise server.max_connections."
        case "53400": "Drop a slot that nobody reads, or raise replication.max_slots."
        case "55006": "Wait until its user has ended; falconctl backup --wait does."
        default:
            refusal.hint == nil ? FindingKind.controlRefused.advice : "Do as the hint says."
        }
    }
}
