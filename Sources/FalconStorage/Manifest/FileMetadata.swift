/// What a data file holds. Values live in MANIFEST; 0 is reserved.
enum DataFileKind: UInt8, Sendable {
    case rowTable = 1
    case blob = 2
    case columnSegment = 3
    case deletionVector = 4
}

/// What MANIFEST knows of one data file. Of a blob file only number, uid, size, records (as entries)
/// and hash say something.
struct FileMetadata: Hashable, Sendable {
    var kind = DataFileKind.rowTable
    var number: FileNumber
    /// In the file too: binds its checksums, whatever number it goes by.
    var uid: UID
    var byteCount: UInt64
    /// Orders level 0: a higher epoch is newer.
    var flushEpoch: UInt64
    /// First user key covered, by an entry or a range tombstone.
    var smallest: [UInt8]
    /// Last user key covered; the first beyond when `largestIsExclusive`.
    var largest: [UInt8]
    /// True when a range tombstone's upper bound ends the file.
    var largestIsExclusive = false
    var minTimestamp: Timestamp
    var maxTimestamp: Timestamp
    var entryCount: UInt64
    var tombstoneCount: UInt64
    var rangeTombstoneCount: UInt64
    /// XXH3-64 of the whole file, or 0 when it was not computed.
    var contentHash: UInt64 = 0
    /// The commit timestamp of every entry of an ingested file.
    var ingestTimestamp: Timestamp?
    /// The wrapping key over the file's data key; 0: the file is plain.
    var keyID: UInt64 = 0
    /// What a table refers to, by blob file.
    var blobUses: [BlobUse] = []
    /// What of a table the safepoint will make garbage.
    var garbage = VersionGarbage()

    /// True when some key of `lower...upper` may be in the file.
    func overlaps(lower: [UInt8], upper: [UInt8], upperIsExclusive: Bool) -> Bool {
        !isBefore(lower) && !isAfter(upper, exclusive: upperIsExclusive)
    }

    /// True when the file ends before `key`.
    func isBefore(_ key: [UInt8]) -> Bool {
        let order = KeyOrder.compare(largest, key)
        return order < 0 || (order == 0 && largestIsExclusive)
    }

    /// True when the file begins after a range that ends at `key`.
    func isAfter(_ key: [UInt8], exclusive: Bool) -> Bool {
        let order = KeyOrder.compare(smallest, key)
        return order > 0 || (order == 0 && exclusive)
    }
}

extension FileMetadata {
    /// What MANIFEST says of a blob file.
    init(blob: BlobSummary) {
        self.init(
            kind: .blob, number: blob.number, uid: blob.uid, byteCount: blob.fileBytes,
            flushEpoch: 0, smallest: [], largest: [], minTimestamp: .zero, maxTimestamp: .zero,
            entryCount: blob.recordCount, tombstoneCount: 0, rangeTombstoneCount: 0,
            contentHash: blob.fileHash, keyID: blob.keyID)
    }
}

extension FileNames {
    /// The path of a data file of `kind` that MANIFEST lists.
    func dataFile(_ kind: DataFileKind, _ number: FileNumber) -> String {
        kind == .blob ? blob(number) : table(number)
    }
}

extension KeyOrder {
    static func compare(_ a: [UInt8], _ b: [UInt8]) -> Int {
        a.withUnsafeBytes { pa in b.withUnsafeBytes { pb in compare(pa, pb) } }
    }
    static func less(_ a: [UInt8], _ b: [UInt8]) -> Bool { compare(a, b) < 0 }
}
