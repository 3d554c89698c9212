/// What a finished table is, for MANIFEST.
public struct TableSummary: Hashable, Sendable {
    /// The table's identity, stated in its header and footer.
    public var uid: UID
    /// Bytes of the file.
    public var fileBytes: UInt64
    /// XXH3-64 of the whole file.
    public var fileHash: UInt64
    /// Least and greatest user key; a range tombstone's bounds count (its upper bound as inclusive).
    public var smallestKey: [UInt8]
    /// The greatest; see ``largestIsExclusive``.
    public var largestKey: [UInt8]
    /// A range tombstone's upper bound ends the table: no entry is at `largestKey`.
    public var largestIsExclusive: Bool
    /// The oldest commit in it; entries and range tombstones count.
    public var minTimestamp: Timestamp
    /// The newest.
    public var maxTimestamp: Timestamp
    /// Versions, point tombstones counted, range tombstones not.
    public var entryCount: UInt64
    /// Point tombstones among the entries.
    public var tombstoneCount: UInt64
    /// Range tombstones.
    public var rangeTombstoneCount: UInt64
    /// The wrapping key over the table's data key; 0: the table is plain.
    var keyID: UInt64 = 0
    /// What the safepoint will make garbage.
    var garbage = VersionGarbage()
}
