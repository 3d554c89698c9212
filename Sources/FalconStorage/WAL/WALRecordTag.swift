/// What a record is. Values live on disk and are never reused; 0 is reserved. Bit 7 is the critical
/// bit: a reader that does not know a critical tag stops, another unknown tag is skipped.
public struct WALRecordTag: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// A reader that does not know the tag must stop.
    public var isCritical: Bool { rawValue & 0x80 != 0 }

    /// A transaction, or the last part of one: ``CommitHeader`` and operations.
    public static let commit = Self(rawValue: 0x81)
    /// A slice of a large transaction's operations, before its COMMIT.
    public static let batchPart = Self(rawValue: 0x82)
    /// Reserved for cross-shard transactions, with ``outcome``.
    public static let prepare = Self(rawValue: 0x83)
    /// How a prepared transaction ended: ``PrepareRecord``.
    public static let outcome = Self(rawValue: 0x84)
    /// Files that came in whole: ``IngestRecord``.
    public static let ingest = Self(rawValue: 0x85)
    /// A writable open began: ``IncarnationRecord``.
    public static let incarnation = Self(rawValue: 0x86)
    /// No older commit follows: ``ClosedTimestampRecord``.
    public static let closedTimestamp = Self(rawValue: 0x07)
    /// A point to begin reading at: ``CheckpointRecord``.
    public static let checkpoint = Self(rawValue: 0x08)
    /// Reserved, as no writer makes them yet, for ``RestorePointRecord``.
    public static let restorePoint = Self(rawValue: 0x09)
    /// Reserved for messages of programs to change capture.
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
    /// What the record is.
    public var tag: WALRecordTag
    /// Its first byte: the record's name.
    public var lsn: LSN
    /// One beyond the record's last byte.
    public var end: LSN
    /// Its bytes without tag and length; ``tag`` says how to decode them.
    public var body: UnsafeRawBufferPointer
}
