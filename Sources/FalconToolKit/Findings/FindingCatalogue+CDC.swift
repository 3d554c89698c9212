import FalconStorage

extension FindingCatalogue {
    /// What cdc-tail finds.
    static let cdc: [FindingKind] = [
        .cdcPartialLog, .cdcUnknownTable, .cdcNoCatalog, .cdcTornTail, .cdcDamage,
    ]
}

extension FindingKind {
    static let cdcPartialLog = FindingKind(
        "CDC001", .info, "The log no longer reaches back to the beginning",
        explanation: "Old segments were released after their rows went into tables, and because "
            + "the retention setting allows it.",
        advice: "For a complete picture take a snapshot of the tables first, then the changes "
            + "from its LSN on.")
    static let cdcUnknownTable = FindingKind(
        "CDC002", .warning, "Rows of a table without a known descriptor",
        explanation: "Neither the kept log nor the directory's catalog describes the storage a "
            + "row belongs to: the table was dropped later, or a program wrote without a schema.",
        advice: "The key and value are shown in hex; start from an earlier LSN, if it is kept.")
    static let cdcNoCatalog = FindingKind(
        "CDC003", .warning, "The directory's catalog cannot be read",
        explanation: "The kept log begins after some tables were made, so their descriptors are "
            + "needed from the directory's own tables, and those could not be read.",
        advice: "Run sst-verify on the directory.")
    static let cdcTornTail = FindingKind(
        "CDC004", .warning, "The log ends in the middle of a write",
        explanation: "The last write was cut short by a crash. Nothing after it ever said that "
            + "those bytes were durable, so no commit that was acknowledged as synced is in them.",
        advice: "Nothing to do; the next start of the server discards them.")
    static let cdcDamage = FindingKind(
        "CDC005", .corruption, "Durable bytes of the log are damaged",
        explanation: "A later chunk, seal or segment says that these bytes were durable, and now "
            + "they do not check out. Changes behind them are not shown unless asked for, because "
            + "a consumer would not notice the hole.",
        advice: "Run wal-inspect for the extent. --past-damage shows what lies behind.")
}

extension Finding {
    /// Damage to the log, as a finding of `kind`.
    init(_ kind: FindingKind, _ damage: WALDamage) {
        self.init(
            kind, "\(damage.kind.rawValue): \(damage.reason)", file: damage.path,
            offset: damage.offset, blastRadius: "the log from \(damage.goodUntil) on")
    }
}
