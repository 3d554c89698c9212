/// What can be wrong with a table or a blob file. Raw values are stable: tools print them.
public enum TableFindingCode: String, Sendable, CaseIterable {
    /// The footer, which leads to everything, fails its check.
    case footerDamaged = "SST001"
    /// The header fails its check, or is another table's.
    case headerDamaged = "SST002"
    /// A block fails its checksum or cannot be decoded.
    case blockDamaged = "SST003"
    /// Keys do not ascend.
    case keyOrder = "SST004"
    /// Versions of a key are not newest first.
    case versionOrder = "SST005"
    /// The index leads to another block than the keys do.
    case indexDisagrees = "SST006"
    /// The filter denies a key that is there.
    case filterMissesKey = "SST007"
    /// The properties differ from what was counted.
    case propertiesDisagree = "SST008"
    /// Bytes belong to no block, or to two.
    case coverage = "SST009"
    /// MANIFEST and the table differ about what the table is.
    case manifestDisagrees = "SST010"
    /// The file's hash is not MANIFEST's.
    case fileHash = "SST011"
    /// The system could not read the file.
    case unreadable = "SST012"
    /// The file is of a newer format.
    case unsupportedFormat = "SST013"
    /// The file is encrypted, and its key is not at hand.
    case keyMissing = "SST014"
    /// A blob file's header or footer fails its check.
    case blobFrameDamaged = "BLB001"
    /// A blob record fails its check or cannot be decoded.
    case blobRecordDamaged = "BLB002"
    /// A blob file's footer differs from what was counted.
    case blobCounts = "BLB003"
    /// MANIFEST and the blob file differ about what the file is.
    case blobManifest = "BLB004"
    /// The blob file's hash is not MANIFEST's.
    case blobHash = "BLB005"
    /// A table's reference to a blob file cannot be decoded.
    case referenceMalformed = "BLB006"
    /// A table's reference leads to no sound value of its key.
    case referenceUnresolved = "BLB007"
    /// The index states other bounds of timestamps than its blocks have.
    case timestampsDisagree = "SST015"
    /// The filter lets far more keys through than one of its size should.
    case filterWeak = "SST016"

    /// What it means and what to do, in a sentence or two.
    public var explanation: String {
        switch self {
        case .footerDamaged:
            "The last 128 bytes, which say where everything is, fail their check: nothing of the"
                + " file can be found. Restore the file from a backup, or restore to a point in time."
        case .headerDamaged:
            "The first 64 bytes fail their check or name another table. The rest can still be read;"
                + " restore the file soon."
        case .blockDamaged:
            "A block's checksum or structure is wrong: its bytes changed after they were written."
                + " Read it again to rule out memory; else restore the file. The key range tells"
                + " which rows are lost."
        case .keyOrder:
            "Keys are not ascending: searches may miss rows. The writer had a defect or memory was"
                + " corrupted before the checksum was made."
        case .versionOrder:
            "Versions of one key are not newest first: reads may see an old version."
        case .indexDisagrees:
            "The index leads to the wrong block for some keys: searches may miss them. Rewriting the"
                + " table by compaction repairs it."
        case .filterMissesKey:
            "The Bloom filter denies a key that is present: point reads miss it, scans find it."
                + " Rewriting the table by compaction repairs it."
        case .propertiesDisagree:
            "A recorded property differs from what the entries say. Statistics or pruning by"
                + " timestamp may be wrong; rewriting the table repairs it."
        case .coverage:
            "Bytes of the file belong to no block, or blocks overlap."
        case .manifestDisagrees:
            "MANIFEST and the table differ about identity, size, bounds or counts: the file was"
                + " swapped or truncated, or MANIFEST is from another time."
        case .fileHash:
            "The whole file's hash differs from MANIFEST's. If no block finding stands beside it,"
                + " bytes outside the blocks changed."
        case .unreadable:
            "The operating system failed to read the file. Check the device."
        case .unsupportedFormat:
            "The file is of a newer format. Use a newer FalconDB."
        case .keyMissing:
            "The file is encrypted and no key is at hand."
        case .blobFrameDamaged:
            "The first or the last 64 bytes of a blob file fail their check: the server refuses to read"
                + " the file. Its records may be whole; restore it from a backup."
        case .blobRecordDamaged:
            "A record's checksum or structure is wrong: the large value in it is lost here. If a table"
                + " still refers to it, a BLB007 finding names the key; else it was garbage."
        case .blobCounts:
            "The footer counts other records, key bytes or value bytes than there are: records were"
                + " added or taken away after the file was finished."
        case .blobManifest:
            "MANIFEST and the blob file differ about identity, size or counts: the file was swapped or"
                + " truncated, or MANIFEST is from another time."
        case .blobHash:
            "The whole file's hash differs from MANIFEST's: bytes changed after they were written."
        case .referenceMalformed:
            "A table's entry says that its value lies in a blob file, and what should say where makes"
                + " no sense. The writer had a defect or memory was corrupted."
        case .referenceUnresolved:
            "A table refers to a value that is not where it should be: the blob file is missing, damaged"
                + " or another. Reading the key fails; restore the blob file from a backup."
        case .timestampsDisagree:
            "The index says that a block's entries are older or newer than they are: a scan of what is"
                + " new since a time may miss rows, other reads find them. Rewriting the table by"
                + " compaction repairs it."
        case .filterWeak:
            "The Bloom filter lets far more absent keys through than one of its size should. Answers are"
                + " right; reads of keys that are not there look into the table in vain."
        }
    }
}

/// One thing wrong with a table or a blob file.
public struct TableFinding: Sendable, Hashable {
    /// What is wrong, in kind.
    public var code: TableFindingCode
    /// Where in the file; nil: nowhere in particular.
    public var offset: UInt64?
    /// How many bytes are concerned; nil: unknown.
    public var length: UInt64?
    /// What is wrong here: a sentence.
    public var message: String
    /// What should be there, where it can be said.
    public var expected: String?
    /// What is there instead, where it can be said.
    public var actual: String?
    /// Blast radius: the first user key that may be affected; nil: open.
    public var lowerKey: [UInt8]?
    /// The last key that may be affected, itself included; nil: open.
    public var upperKey: [UInt8]?

    /// A finding; what is left out is nil.
    public init(
        _ code: TableFindingCode, _ message: String, offset: UInt64? = nil, length: UInt64? = nil,
        expected: String? = nil, actual: String? = nil, lowerKey: [UInt8]? = nil,
        upperKey: [UInt8]? = nil
    ) {
        self.code = code
        self.message = message
        self.offset = offset
        self.length = length
        self.expected = expected
        self.actual = actual
        self.lowerKey = lowerKey
        self.upperKey = upperKey
    }
}

/// What MANIFEST says of a table.
public struct TableExpectations: Sendable, Hashable {
    /// Its identity.
    public var uid: UID?
    /// Bytes of the file.
    public var fileBytes: UInt64?
    /// XXH3-64 of the whole file.
    public var fileHash: UInt64?
    /// The least user key, range tombstones' bounds included.
    public var smallestKey: [UInt8]?
    /// The greatest user key, or a range tombstone's upper bound.
    public var largestKey: [UInt8]?
    /// The oldest commit in it, as the file records it.
    public var minTimestamp: Timestamp?
    /// The newest.
    public var maxTimestamp: Timestamp?
    /// Versions, point tombstones counted, range tombstones not.
    public var entryCount: UInt64?
    /// Point tombstones.
    public var tombstoneCount: UInt64?
    /// Range tombstones.
    public var rangeTombstoneCount: UInt64?
    /// Of an ingested file: the timestamp of all of its entries.
    public var ingestTimestamp: Timestamp?
    /// What it refers to in blob files.
    var blobUses: [BlobUse]?
    /// Nothing is expected: the table is checked against itself alone.
    public init() {}
}

/// The outcome of checking one table.
public struct TableVerification: Sendable {
    /// What is wrong, in the order it was found; empty: nothing was found.
    public var findings: [TableFinding] = []
    /// Findings beyond the limit, not kept.
    public var suppressedFindings = 0
    /// As the file records them; nil when they cannot be read.
    public var properties: TableProperties?
    /// As the file's footer has it; nil when that cannot be read.
    public var uid: UID?
    /// Bytes of the file.
    public var fileBytes: UInt64 = 0
    /// Blocks that were read and checked.
    public var checkedBlocks: UInt64 = 0
    /// Entries that were read and checked, range tombstones not counted.
    public var checkedEntries: UInt64 = 0
    /// Without its key only structure and checksums were checked.
    public var isEncrypted = false
    /// The check was ended before it was through.
    public var isPartial = false
    /// When they were wanted, and the entries could be read.
    public var histograms: TableHistograms?
    /// Nothing is wrong.
    public var isClean: Bool { findings.isEmpty }
}
