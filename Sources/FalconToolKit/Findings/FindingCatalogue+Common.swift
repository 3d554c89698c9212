import FalconStorage

extension FindingCatalogue {
    /// What may end any tool.
    static let common: [FindingKind] = [
        .usage, .damaged, .unreadable, .inUse, .keyMissing, .unreachable, .interrupted,
        .unsupportedFormat, .directoryFile, .logMissing, .manifestHidden, .logForeign,
    ]
}

extension FindingKind {
    static let usage = FindingKind(
        "GEN001", .usage, "The request cannot be carried out as given",
        explanation: "An argument names something that cannot be: an output directory that is not "
            + "empty, a path that is no data directory.",
        advice: "Change the arguments.")
    static let damaged = FindingKind(
        "GEN002", .corruption, "Damaged bytes ended the work",
        explanation: "Bytes that were written and checksummed no longer check out, in a place "
            + "without which the tool cannot go on.",
        advice: "Keep the directory as it is; run sst-verify and wal-inspect for the whole "
            + "picture, then restore from a backup or with pitr-restore.")
    static let unreadable = FindingKind(
        "GEN004", .io, "The operating system refused a read or write",
        explanation: "A file could not be opened, read or written: missing, no permission, a "
            + "device error. It says nothing about the bytes.",
        advice: "Check the path, permissions and the kernel log for device errors; then run "
            + "the tool again.")
    static let inUse = FindingKind(
        "GEN005", .inUse, "The directory is in use",
        explanation: "A running process holds the directory, and the request needs it idle.",
        advice: "Stop the server, or run the tool on a copy.")
    static let keyMissing = FindingKind(
        "GEN006", .keyMissing, "An encryption key is missing or wrong",
        explanation: "Encrypted bytes cannot be read with the keys given.",
        advice: "Give the key that the finding names.")
    static let unreachable = FindingKind(
        "GEN007", .unreachable, "The target cannot be reached",
        explanation: "What was asked for lies outside what the directory still holds.",
        advice: "Choose a target inside the range that the message names.")
    static let interrupted = FindingKind(
        "GEN008", .interrupted, "Interrupted",
        explanation: "A signal ended the tool early; what it wrote is right but not complete.",
        advice: "Run it again.")
    static let unsupportedFormat = FindingKind(
        "GEN009", .usage, "The format is newer than this tool",
        explanation: "A file was written by a newer FalconDB, in a format or with a feature this "
            + "program does not know. Nothing is wrong with the file.",
        advice: "Use the tools of the version that wrote the directory, or later.")

    static let directoryFile = FindingKind(
        "GEN010", .corruption, "FORMAT, KEYS, CURRENT or MANIFEST is missing or damaged",
        explanation: "These files say what the directory is, under which keys it is encrypted and "
            + "which tables belong to it. The server refuses a directory without them, whatever "
            + "state tables and log are in.",
        advice: "Restore the file from a backup of the same directory, or the directory with "
            + "pitr-restore.")
    static let logMissing = FindingKind(
        "GEN011", .corruption, "A part of the log is missing",
        explanation: "MANIFEST says that the log reached further than it does, or began earlier: "
            + "segments were removed or not copied. The commits in them are lost here, and the "
            + "server refuses the directory: going on would give their LSNs out again.",
        advice: "Put the missing segments back; otherwise restore from a backup or replica, or "
            + "with pitr-restore to the last good LSN.")

    static let manifestHidden = FindingKind(
        "GEN012", .warning, "What MANIFEST says is not known",
        explanation: "MANIFEST is encrypted and no key was given. The files that are there were "
            + "checked against themselves; whether any are missing, or belong elsewhere, cannot be "
            + "told.",
        advice: "Run the tool again with the key.")
    static let logForeign = FindingKind(
        "GEN013", .corruption, "A segment of the log is another database's",
        explanation: "Its header names another shard than FORMAT does; the finding is of the first "
            + "such segment and counts the others. The server refuses the directory when recovery "
            + "reads one, for its commits would be taken for this database's; one that lies before "
            + "the end of the tables it does not read, but restores and change capture do.",
        advice: "Put back the segments that belong there; otherwise restore from a backup or "
            + "replica, or with pitr-restore.")

    /// The kind for an error that ended a tool.
    static func ending(_ code: StorageErrorCode) -> FindingKind {
        switch code {
        case .unsupportedFormat: .unsupportedFormat
        default:
            switch code.toolExit {
            case .corruption: .damaged
            case .usage: .usage
            case .inUse: .inUse
            case .keyMissing: .keyMissing
            case .unreachable: .unreachable
            case .interrupted: .interrupted
            case .clean, .benign, .io: .unreadable
            }
        }
    }
}
