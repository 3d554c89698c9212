/// What a record is. Values live on disk and are never reused; 0 is reserved. Bit 7 is the critical
/// bit: a reader that does not know a critical tag stops, another unknown tag is skipped.
public struct WALRecordTag: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    public var isCritical: Bool { rawValue & 0x80 != 0 }

    public static let commit = Self(rawValue: 0x81)
    /// A slice of a large transaction's operations, before its COMMIT.
    public static let batchPart = Self(rawValue: 0x82)
    /// Reserved for cross-shard transactions, with ``outcome``.
    public static let prepare = Self(rawValue: 0x83)
    public static let outcome = Self(rawValue: 0x84)
    public static let ingest = Self(rawValue: 0x85)
    public static let incarnation = Self(rawValue: 0x86)
    public static let closedTimestamp = Self(rawValue: 0x07)
    public static let checkpoint = Self(rawValue: 0x08)
    public static let restorePoint = Self(rawValue: 0x09)
    public static let logicalMessage = Self(rawValue: 0x0A)

    public var description: String {
        switch self {
        case .commit: "COMMIT"
        case .batchPart: "BATCH_PART"
        case .prepare: "PREPARE"
        case .outcome: "OUTCOME"
        case .ingest: "INGEST"
        case .incarnation: "INCARNATION"
        case .closedTimestamp: "CLOSED_TIMESTAMP"
        case .checkpoint: "CHECKPOINT"
        case .restorePoint: "RESTORE_POINT"
        case .logicalMessage: "LOGICAL_MESSAGE"
        default: "UNKNOWN(\(rawValue))"
        }
    }
}

/// One record as the reader hands it out, borrowed until the reader moves.
public struct WALRecord {
    public var tag: WALRecordTag
    public var lsn: LSN
    /// One beyond the record's last byte.
    public var end: LSN
    public var body: UnsafeRawBufferPointer
}
