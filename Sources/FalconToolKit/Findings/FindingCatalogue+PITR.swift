extension FindingCatalogue {
    /// What pitr-restore finds.
    static let pitr: [FindingKind] = [
        .pitrUnreachable, .pitrTornTail, .pitrDamageBehind, .pitrNoManifest, .pitrTableDamaged,
    ]
}

extension FindingKind {
    static let pitrUnreachable = FindingKind(
        "PITR001", .unreachable, "The target is outside what can be restored",
        explanation: "A target before the earliest point needs log segments that were released, or "
            + "row versions that compaction dropped; one behind the latest point lies in the "
            + "future of this directory. Nothing was written.",
        advice: "Choose a target inside the range, use an older backup, or --to-latest.")
    static let pitrTornTail = FindingKind(
        "PITR002", .warning, "The log ends in the middle of a write",
        explanation: "The last write was cut short by a crash. Nothing after it ever said that "
            + "those bytes were durable.",
        advice: "Nothing to do: they are left out, as a restart of the server would.")
    static let pitrDamageBehind = FindingKind(
        "PITR003", .warning, "The log is damaged behind the target",
        explanation: "Durable bytes of the log no longer check out. The target lies before them, "
            + "so the restore does not need them.",
        advice: "Run wal-inspect on the source for the extent of the damage.")
    static let pitrNoManifest = FindingKind(
        "PITR004", .warning, "The source's manifest cannot be used",
        explanation: "MANIFEST, CURRENT or FORMAT is missing or damaged, so the tables cannot be "
            + "used; the log alone is replayed, from its beginning.",
        advice: "Run sst-verify on the source.")
    static let pitrTableDamaged = FindingKind(
        "PITR005", .warning, "A table of the source is damaged or missing",
        explanation:
            "A table is not there, or its bytes are not those that were written. The log still reaches back "
            + "to the beginning, so the restore replays it instead of copying tables.",
        advice: "Run sst-verify on the source; replace it by what was restored.")
}
