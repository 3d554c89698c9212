extension FindingCatalogue {
    /// What pitr-restore finds.
    static let pitr: [FindingKind] = [
        .pitrUnreachable, .pitrTornTail, .pitrDamageBehind, .pitrNoManifest, .pitrTableDamaged,
        .pitrGap, .pitrNoBase, .pitrSegmentDamaged, .pitrBackupDamaged, .pitrLeftover,
        .pitrClock, .pitrPassed, .pitrConcurrent,
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
    static let pitrGap = FindingKind(
        "PITR006", .unreachable, "The archived log has a gap",
        explanation:
            "Segments of the log are not in the repository, and the base backups before them cannot be "
            + "carried on past them. The server released them before they were archived (its log says so, and "
            + "SHOW falcon.pitr_status), or somebody removed them. Nothing was written.",
        advice:
            "Put the segments back, choose a target before the gap, or one after a base backup behind it."
    )
    static let pitrNoBase = FindingKind(
        "PITR007", .unreachable, "There is no base backup to begin with",
        explanation:
            "A restore begins with a base backup at or before the target. Nothing was written.",
        advice: "Make one while the server runs: SELECT falcon.backup('label').")
    static let pitrSegmentDamaged = FindingKind(
        "PITR008", .corruption, "An archived log segment is damaged",
        explanation:
            "Its bytes are not those that were archived and read back; or the KEYS beside the segments of an "
            + "encrypted branch is damaged or missing.",
        advice:
            "Restore the file from a copy of the repository. Otherwise make a base backup now: targets behind "
            + "the segment need one that is newer.")
    static let pitrBackupDamaged = FindingKind(
        "PITR009", .corruption, "A file of a base backup is damaged or missing",
        explanation: "Its bytes are not those that were written, or it is not there.",
        advice:
            "Restore the file from a copy of the repository. Otherwise remove what is damaged and make a base "
            + "backup now; older backups that do not share the file still serve.")
    static let pitrLeftover = FindingKind(
        "PITR010", .info, "Something unfinished lies in the repository",
        explanation:
            "A backup or an archived segment is being made, or was when its maker was killed.",
        advice:
            "Nothing to do: the next base backup, or 'retention --apply', removes what is left of backups, and the "
            + "next try replaces a segment."
    )
    static let pitrClock = FindingKind(
        "PITR011", .warning, "A time in the repository does not fit the clock",
        explanation:
            "A backup or the log is dated in the future, or a backup is dated before one that the log shows to be "
            + "older: the clock of the server, or that of this machine, was wrong or was set back. The log says "
            + "in which order backups were made; where only a clock could tell the age of something, it is kept.",
        advice:
            "Look at both machines' clocks. Once they are right, later backups are; what is kept too long on "
            + "account of this goes as they grow old, or with '--keep-backups N' alone."
    )
    static let pitrPassed = FindingKind(
        "PITR012", .unreachable, "The target lies before the inspected state",
        explanation:
            "An inspection goes forward only: what was replayed into it is not taken back. It is as it was.",
        advice: "Restore the earlier target into another directory, with --inspect.")
    static let pitrConcurrent = FindingKind(
        "PITR013", .warning, "Two servers archive to one repository",
        explanation:
            "Each start of a server begins a branch of the log, and one directory writes one branch at a time. Two were "
            + "written at the same time: a copy of the database, most likely a restored one, runs beside it and "
            + "archives to the same repository. Neither harms the other, but 'the newest' may be either.",
        advice:
            "Say with --branch which one is meant ('info' lists them). Stop the server that should not be there, or "
            + "give it a repository of its own (archive.directory); this is told until retention has removed what it "
            + "wrote.")
}
