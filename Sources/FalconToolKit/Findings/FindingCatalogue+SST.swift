import FalconStorage

extension FindingCatalogue {
    /// What sst-verify finds.
    static let sst: [FindingKind] =
        TableFindingCode.allCases.map(FindingKind.table) + [
            .sstMissing, .sstOrphan, .sstOverlap, .sstManifest, .sstTornManifest, .blobMissing,
            .sstQuarantined, .sstSalvageLoss,
        ]
}

extension FindingKind {
    /// The kind of a finding about one table.
    static func table(_ code: TableFindingCode) -> FindingKind {
        let severity: Finding.Severity =
            switch code {
            case .unreadable: .io
            case .unsupportedFormat: .usage
            case .keyMissing: .keyMissing
            case .filterWeak: .warning
            default: .corruption
            }
        return FindingKind(
            code.rawValue, severity, title(code), explanation: code.explanation,
            advice: advice(code))
    }

    private static func title(_ code: TableFindingCode) -> String {
        switch code {
        case .footerDamaged: "A table's footer is damaged"
        case .headerDamaged: "A table's header is damaged"
        case .blockDamaged: "A block is damaged"
        case .keyOrder: "Keys are out of order"
        case .versionOrder: "Versions of a key are out of order"
        case .indexDisagrees: "The index leads to the wrong block"
        case .filterMissesKey: "The filter denies a key that is present"
        case .propertiesDisagree: "A recorded property is wrong"
        case .coverage: "Bytes belong to no block, or to two"
        case .manifestDisagrees: "MANIFEST and the table differ"
        case .fileHash: "The file's hash is not MANIFEST's"
        case .unreadable: "The file cannot be read"
        case .unsupportedFormat: "The table's format is newer than this tool"
        case .keyMissing: "The table is encrypted and no key is at hand"
        case .blobFrameDamaged: "A blob file's header or footer is damaged"
        case .blobRecordDamaged: "A blob record is damaged"
        case .blobCounts: "A blob file's counts are wrong"
        case .blobManifest: "MANIFEST and the blob file differ"
        case .blobHash: "The blob file's hash is not MANIFEST's"
        case .referenceMalformed: "A value reference makes no sense"
        case .referenceUnresolved: "A value reference leads nowhere"
        case .timestampsDisagree: "The index is wrong about a block's timestamps"
        case .filterWeak: "The filter lets through more than it should"
        }
    }

    private static func advice(_ code: TableFindingCode) -> String {
        switch code {
        case .filterMissesKey, .propertiesDisagree, .timestampsDisagree, .filterWeak:
            "Rows are whole; a compaction of the key range rewrites the table."
        case .unreadable: "Check the device and the kernel log, then run the tool again."
        case .unsupportedFormat: "Use the tools of the version that wrote the file, or later."
        case .keyMissing: "Give the key that the finding names."
        default:
            "Read again to rule out memory; then restore the file from a backup or replica, or the "
                + "database with pitr-restore. The rows named under 'affects' may be lost here."
        }
    }

    static let blobMissing = FindingKind(
        "BLB101", .corruption, "A blob file that MANIFEST names is missing",
        explanation:
            "The file was removed or not copied; the large values in it cannot be read, and the "
            + "server refuses to open the directory.",
        advice: "Put the file back from a backup, or restore with pitr-restore.")
    static let sstMissing = FindingKind(
        "SST101", .corruption, "A table that MANIFEST names is missing",
        explanation: "The file was removed or not copied; its rows cannot be read.",
        advice: "Put the file back from a backup, or restore with pitr-restore.")
    static let sstOrphan = FindingKind(
        "SST102", .warning, "A file that MANIFEST does not name",
        explanation: "Left by a flush or compaction that a crash cut short. Nothing reads it; its "
            + "rows are in the log or in the tables it was made from.",
        advice: "The server removes it when it opens the directory; nothing need be done.")
    static let sstOverlap = FindingKind(
        "SST103", .corruption, "Tables of a sorted level overlap",
        explanation: "Searches look into one table per level: of two that overlap, one hides the "
            + "other's rows.",
        advice: "Restore the directory; report the defect with both files.")
    static let sstManifest = FindingKind(
        "SST104", .corruption, "MANIFEST or CURRENT is damaged",
        explanation: "Which tables belong to the database cannot be told. The files under sst were "
            + "checked against themselves only.",
        advice: "Restore from a backup or replica, or with pitr-restore.")
    static let sstQuarantined = FindingKind(
        "SST106", .warning, "The server has taken a table out of service",
        explanation:
            "It met damage in the table and noted it in MANIFEST: reads of the keys that are told fail "
            + "unless a newer version answers, everything else is served. Whether the file is damaged still is "
            + "another finding; without one, it is sound again.",
        advice:
            "Put the file back from a backup; the server takes a sound one into service when it "
            + "opens the directory. Or accept the loss: docs/operations/errors.md.")
    static let sstSalvageLoss = FindingKind(
        "SST107", .corruption, "Rows could not be salvaged",
        explanation:
            "What is told of is not in the salvaged directory: neither the rows in the damaged bytes nor older "
            + "versions of them, which are not what the rows last were. Newer versions are there.",
        advice: "Take these keys from a backup, or restore the whole with pitr-restore.")
    static let sstTornManifest = FindingKind(
        "SST105", .warning, "MANIFEST ends in an unfinished edit",
        explanation: "The process died while it recorded a change of files. The change did not "
            + "happen; what it was made of is still there.",
        advice: "Nothing need be done: the next open writes a new MANIFEST.")
}
