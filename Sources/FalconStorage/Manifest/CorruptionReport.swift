/// The tables that are out of service, with the ranges of keys that cannot be read meanwhile.
///
/// Out of service means: no compaction takes the table, MANIFEST remembers it, and it is told of. Its sound
/// blocks are read on, each proven when it is read: lost are the keys of damaged blocks, or all of them where
/// the table cannot be opened.
///
/// A get, or a scan, of a key in such a range throws `corruption` unless a newer layer (a memtable, a newer
/// table) answers it: what lies beneath is older, and never shown as if it were the newest. All other ranges
/// are served, and writes are taken everywhere.
///
/// The ways out: put the file back as it was and call ``StorageEngine/recheckQuarantined()`` or reopen, or
/// accept the loss with ``StorageEngine/dropQuarantined(_:)``.
public struct CorruptionReport: Sendable, Hashable {
    /// Who met the damage first.
    public enum Finder: String, Sendable, Hashable, CaseIterable {
        /// An open, a read or a compaction; `check` is reserved; `unknown`: what a later version wrote.
        case open, read, compaction, check, unknown
        var rawByte: UInt8 {
            switch self {
            case .unknown: 0
            case .open: 1
            case .read: 2
            case .compaction: 3
            case .check: 4
            }
        }
        /// What a later version may have written is `unknown`.
        init(rawByte: UInt8) { self = Self.allCases.first { $0.rawByte == rawByte } ?? .unknown }
    }

    /// One table out of service.
    public struct Entry: Sendable, Hashable {
        /// Names the table to ``StorageEngine/dropQuarantined(_:)``.
        public var file: FileNumber
        /// Where the file is, or should be.
        public var path: String
        /// The table's level.
        public var level: Int
        /// Bytes of the file by what MANIFEST says.
        public var bytes: UInt64
        /// The table's first key.
        public var smallest: [UInt8]
        /// The table's last key, or when ``largestIsExclusive`` what it ends before.
        public var largest: [UInt8]
        /// ``largest`` is the upper bound of a range delete and not in the table.
        public var largestIsExclusive: Bool
        /// What MANIFEST says was in it.
        public var entryCount: UInt64
        /// Nothing of it can be read.
        public var isWhole: Bool
        /// What cannot: damaged blocks, or the whole file as one.
        public var losses: [TableLoss]
        /// Byte offset of the damage; nil when the whole file is missing or cut.
        public var offset: UInt64?
        /// What is wrong: a sentence, with what was expected and what is there.
        public var reason: String
        /// Who met it first.
        public var foundBy: Finder
        /// Microseconds since 1970 by the wall clock.
        public var foundWallMicros: UInt64

        /// The table's keys, as ``KeyRange``: one byte string more where the last key itself is included.
        public var range: KeyRange {
            KeyRange(lower: smallest, upper: largestIsExclusive ? largest : largest + [0])
        }
    }
    /// By level, then by key.
    public var entries: [Entry] = []
    /// Blob files in which damage was found, by number. They stay in service.
    public var blobFiles: [BlobFile] = []

    /// Nothing is damaged.
    public init() {}
    /// Nothing is out of service, and no blob file is damaged.
    public var isEmpty: Bool { entries.isEmpty && blobFiles.isEmpty }
}

extension CorruptionReport.Entry {
    init(_ file: TableFile, _ record: QuarantineRecord, level: Int, names: FileNames) {
        self.file = file.number
        path = names.table(file.number)
        self.level = level
        bytes = file.metadata.byteCount
        smallest = file.metadata.smallest
        largest = file.metadata.largest
        largestIsExclusive = file.metadata.largestIsExclusive
        entryCount = file.metadata.entryCount
        isWhole = record.isWhole
        losses = record.losses
        offset = record.offset
        reason = record.reason
        foundBy = record.finder
        foundWallMicros = record.foundWallMicros
        if isWhole { losses = [TableLoss(offset: 0, byteCount: bytes, keys: range)] }
    }
}
