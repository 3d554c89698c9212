/// A log segment of a repository.
public struct ArchivedSegment: Sendable, Hashable {
    let footer: ArchivedSegmentFooter
    /// Of its file in the repository.
    public let path: String
    /// What it takes in the repository.
    public let storedBytes: UInt64
    /// In a line of the log that leaves it there: a copy of its records from there on comes next.
    var cutLSN: LSN?

    /// Names it: its successor's header and a backup's ``BackupManifest/logSegment`` refer to it.
    public var uid: UID { footer.uid }
    /// The branch whose log it is part of.
    public var branch: UID { footer.branch }
    /// Its number in the log.
    public var segment: WALSegmentNumber { footer.segment }
    /// Where its first record begins.
    public var firstLSN: LSN { footer.firstLSN }
    /// One beyond its last record; where a line of the log leaves it before, there.
    public var lastLSN: LSN { cutLSN ?? footer.lastLSN }
    /// Nothing of it lies beyond ``lastLSN``.
    var isWhole: Bool { lastLSN == footer.lastLSN }
    /// Its bytes as the log had them, before compression.
    public var rawBytes: UInt64 { footer.rawBytes }
    /// Its records are sealed: reading them takes the master key.
    public var isEncrypted: Bool { footer.keyID != 0 }
    /// When it was begun, in microseconds since 1970.
    public var wallMicros: UInt64 { footer.wallMicros }
    /// When it was archived, in microseconds since 1970.
    public var archivedMicros: UInt64 { footer.archivedMicros }
}
