import FalconStorage

extension FindingCatalogue {
    /// What wal-inspect finds.
    static let wal: [FindingKind] = [
        .walBadChunk, .walZeroed, .walRecycled, .walForeign, .walMissingSegment, .walBadHeader,
        .walBadRecord, .walGap, .walUnsupported, .walTornTail, .walIncomplete, .walUnknownRecord,
        .walUndecodable, .walEmpty,
    ]
}

extension FindingKind {
    private static let restoreAdvice =
        "Recovery refuses this log, unless the verdict says that the damage lies before where the "
        + "tables end. Keep the directory as it is; read the file again to rule out a transient "
        + "fault, then restore with pitr-restore to the last good LSN, or from a replica or backup."

    static let walBadChunk = FindingKind(
        "WAL001", .corruption, "A chunk that was durable fails its checksum",
        explanation: "The bytes changed after they were written, and a later chunk, the seal or "
            + "the next segment vouches that they were once on the device.",
        advice: restoreAdvice)
    static let walZeroed = FindingKind(
        "WAL002", .corruption, "Zeros where durable log must be",
        explanation: "A part of the segment reads as zeros although something later vouches for "
            + "it: a lost write, a hole, a truncated and extended file.",
        advice: restoreAdvice)
    static let walRecycled = FindingKind(
        "WAL003", .corruption, "An older life of the file shows through",
        explanation: "Where durable log must be, the chunk of an earlier use of this recycled "
            + "file is found: the device lost an acknowledged write.",
        advice: restoreAdvice)
    static let walForeign = FindingKind(
        "WAL004", .corruption, "Bytes of another log",
        explanation: "A segment or chunk belongs to another database or to another branch of "
            + "this one: files were mixed up.",
        advice: "Find out where the file comes from; put the right one back.")
    static let walMissingSegment = FindingKind(
        "WAL005", .corruption, "A segment is missing",
        explanation: "The segments' numbers have a hole: a file was removed or not copied.",
        advice: "Put the missing file back; without it the log behind the hole is of no use.")
    static let walBadHeader = FindingKind(
        "WAL006", .corruption, "A segment's header is damaged",
        explanation: "A header is durable before the segment gets its name, so a bad one is "
            + "damage even in an empty segment.",
        advice: restoreAdvice)
    static let walBadRecord = FindingKind(
        "WAL007", .corruption, "A chunk's records do not fit it",
        explanation: "The checksum is right and the content makes no sense: a fault of the "
            + "program or of memory, not of the disk.",
        advice: "Report it, with the file; restore to the last good LSN.")
    static let walGap = FindingKind(
        "WAL008", .corruption, "LSNs do not follow on one another",
        explanation: "A chunk or segment begins at another LSN than the one before it ended at.",
        advice: restoreAdvice)
    static let walUnsupported = FindingKind(
        "WAL009", .usage, "The log needs a newer program",
        explanation: "A header or chunk names a format version, feature or codec that this "
            + "program does not know. Nothing is wrong with the file.",
        advice: "Use the tools of the version that wrote it, or later.")
    static let walTornTail = FindingKind(
        "WAL010", .warning, "The last write was cut short",
        explanation: "The log ends in the middle of a write that nothing vouches for: the "
            + "process or machine stopped before it was acknowledged as synced.",
        advice: "Nothing to do: recovery drops these bytes.")
    static let walIncomplete = FindingKind(
        "WAL011", .info, "A large transaction never committed",
        explanation: "BATCH_PARTs without their COMMIT: the transaction was being written when "
            + "the log ended. Recovery drops it.",
        advice: "Nothing to do.")
    static let walUnknownRecord = FindingKind(
        "WAL012", .info, "A record of an unknown, non-critical kind",
        explanation: "A newer program wrote it; this one may skip it.",
        advice: "Use newer tools to see it.")
    static let walUndecodable = FindingKind(
        "WAL013", .corruption, "A record cannot be decoded",
        explanation: "Its chunk is whole and the record's own fields make no sense, or parts of "
            + "its transaction are lost.",
        advice: "Report it, with the file, unless it follows other damage.")
    static let walEmpty = FindingKind(
        "WAL014", .usage, "There is no log here",
        explanation: "The directory has no WAL segments.",
        advice: "Give a data directory, or its wal directory.")

    static func wal(_ damage: WALDamage.Kind) -> FindingKind {
        switch damage {
        case .badChunk: .walBadChunk
        case .zeroed: .walZeroed
        case .recycled: .walRecycled
        case .foreign: .walForeign
        case .missingSegment: .walMissingSegment
        case .badHeader: .walBadHeader
        case .badRecord: .walBadRecord
        case .gap: .walGap
        case .unsupported: .walUnsupported
        }
    }
}

extension Finding {
    /// Damage as a finding, with the LSNs it costs and the proof.
    init(_ damage: WALDamage, _ fileSystem: any FileSystem) throws(StorageError) {
        let evidence = try WALEvidence(damage, fileSystem)
        self.init(
            .wal(damage.kind),
            damage.reason.prefix(1).uppercased() + damage.reason.dropFirst() + ".",
            file: damage.path, offset: damage.offset, expected: evidence?.expected,
            actual: evidence?.actual,
            blastRadius: damage.resumesAt.map { "LSN \(damage.goodUntil) to \($0)" }
                ?? "LSN \(damage.goodUntil) and everything after it")
    }

    /// The unfinished write that ends the log of `reader`; nil when there is none.
    init?(tornTailOf reader: WALReader, _ fileSystem: any FileSystem) throws(StorageError) {
        guard case .tornTail(let end, _, let offset, let discarded) = reader.verdict,
            let path = reader.summaries.last?.path
        else { return nil }
        let evidence = try WALEvidence(tailOf: path, at: offset, from: end, fileSystem)
        self.init(
            .walTornTail,
            "Recovery discards \(discarded) bytes of an unfinished write: nothing behind them "
                + "states that more than \(reader.syncedLSN) was on the device.",
            file: path, offset: offset, length: discarded, expected: evidence?.expected,
            actual: evidence?.actual,
            blastRadius: "nothing that was acknowledged as synced")
    }
}
