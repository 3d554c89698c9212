import ArgumentParser

/// Where the server is and who asks: psql's options. What is not given comes from PGHOST, PGPORT, PGUSER,
/// PGDATABASE, PGPASSWORD, PGSSLMODE…, ~/.pgpass and service files, by libpq itself.
struct ControlOptions: ParsableArguments {
    @Option(
        name: [.customShort("h"), .long],
        help: "The server's host, or the folder of its socket. Default: PGHOST.")
    var host: String?

    @Option(name: .shortAndLong, help: "The server's port. Default: PGPORT.")
    var port: UInt16?

    @Option(
        name: [.customShort("U"), .long], help: "The user to connect as. Default: PGUSER.")
    var username: String?

    @Option(
        name: [.short, .long],
        help: "The database, or a connection string (key=value… or postgresql://…).")
    var dbname: String?

    @Option(
        help: "Seconds for connecting; 0 has no limit. Default: PGCONNECT_TIMEOUT, or none.")
    var connectTimeout: UInt32?

    /// libpq's keywords and values. A connection string comes first: the options after it win.
    var settings: [(String, String)] {
        var settings: [(String, String)] = []
        if let dbname { settings.append(("dbname", dbname)) }
        if let host { settings.append(("host", host)) }
        if let port { settings.append(("port", String(port))) }
        if let username { settings.append(("user", username)) }
        if let connectTimeout { settings.append(("connect_timeout", String(connectTimeout))) }
        return settings + [("fallback_application_name", "falconctl"), ("client_encoding", "UTF8")]
    }
}
