/// A log segment of a repository.
public struct ArchivedSegment: Sendable, Hashable {
    let footer: ArchivedSegmentFooter
    public let path: String
    /// What it takes in the repository.
    public let storedBytes: UInt64

    public var uid: UID { footer.uid }
    public var branch: UID { footer.branch }
    public var segment: WALSegmentNumber { footer.segment }
    public var firstLSN: LSN { footer.firstLSN }
    public var lastLSN: LSN { footer.lastLSN }
    public var rawBytes: UInt64 { footer.rawBytes }
    public var isEncrypted: Bool { footer.keyID != 0 }
    /// When the segment was begun, and when it was archived, in microseconds since 1970.
    public var wallMicros: UInt64 { footer.wallMicros }
    public var archivedMicros: UInt64 { footer.archivedMicros }
}
