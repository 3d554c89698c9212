import FalconSchema
import FalconStorage

/// What /health answers.
struct HealthReport: Sendable {
    enum Status: String, Sendable {
        /// Reads and writes are served.
        case ok
        /// Reads are served; writes are delayed or refused, and `reason` says why.
        case degraded
        /// The server is shutting down.
        case draining
    }

    var status: Status
    var reason: String?
    var uptimeSeconds: Double
    var version: String
    var dataDirectory: String
    var connections: Int

    var httpStatusIsOK: Bool { status == .ok }

    func json() -> String {
        var text = "{\"status\":\"\(status.rawValue)\""
        if let reason { text += ",\"reason\":\(JSONText.quoted(reason))" }
        let millis = Int(uptimeSeconds * 1000)
        text += ",\"uptime_seconds\":\(millis / 1000).\(Self.padded(millis % 1000))"
        text += ",\"version\":\(JSONText.quoted(version))"
        text += ",\"data_directory\":{\"path\":\(JSONText.quoted(dataDirectory))"
        text += ",\"state\":\"\(status == .degraded ? "degraded" : "open")\"}"
        text += ",\"connections\":\(connections)}\n"
        return text
    }

    private static func padded(_ value: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }
}
