extension FindingCatalogue {
    /// What falconctl finds.
    static let control: [FindingKind] = [
        .controlRefused, .controlAuthentication, .controlUnreachable, .controlLost,
        .controlArchive, .controlSlotLost, .controlInterrupted,
    ]
}

extension FindingKind {
    static let controlRefused = FindingKind(
        "CTL001", .refused, "The server refused",
        explanation: "The server answered with an error; the finding has its SQLSTATE, message, "
            + "DETAIL and HINT. The statement changed nothing.",
        advice:
            "Look the SQLSTATE up in PostgreSQL's list of error codes; the server's log may say more."
    )
    static let controlAuthentication = FindingKind(
        "CTL002", .authentication, "The server does not admit this user",
        explanation: "The user, the password or the way of authentication was not accepted, or a "
            + "password was asked for and none was given. falconctl never asks for one.",
        advice: "Check --username; give the password in ~/.pgpass (mode 600) or PGPASSWORD.")
    static let controlUnreachable = FindingKind(
        "CTL003", .io, "The server cannot be reached",
        explanation: "No connection was made: nobody listens there, the name is not known, TLS "
            + "failed, it took longer than --connect-timeout, or the server starts or stops.",
        advice: "Check --host and --port (PGHOST, PGPORT), and that the server runs.")
    static let controlLost = FindingKind(
        "CTL004", .io, "The connection was lost while a statement ran",
        explanation: "The server ended, or the network failed. Whether the statement was carried "
            + "out is not known.",
        advice: "When the server answers again, look whether it was: falconctl backup list, slot "
            + "list, key status.")
    static let controlArchive = FindingKind(
        "CTL005", .warning, "The archive of the log fails, or is lost",
        explanation:
            "Failing: the archiver tries again and the log is kept meanwhile. Lost: log was "
            + "released before it was archived, and no moment behind that can be restored until the "
            + "next base backup.",
        advice: "Failing: make room in the repository, or make it reachable. Lost: do that, then "
            + "falconctl backup.")
    static let controlSlotLost = FindingKind(
        "CTL006", .warning, "A replication slot is lost",
        explanation: "It needed more log than replication.max_slot_bytes, or was left alone for "
            + "longer than max_slot_age: the log is gone, and its consumer has a gap.",
        advice:
            "falconctl slot drop, then slot create, and start its consumer over from the tables.")
    static let controlInterrupted = FindingKind(
        "CTL007", .interrupted, "Interrupted",
        explanation: "A signal ended the command; the running statement was cancelled, unless the "
            + "finding says otherwise.",
        advice: "Run it again.")
}
