/// What a finished table is, for MANIFEST.
struct TableSummary: Hashable, Sendable {
    /// The table's identity, stated in its header and footer.
    var uid: UID
    /// Bytes of the file.
    var fileBytes: UInt64
    /// XXH3-64 of the whole file.
    var fileHash: UInt64
    /// The least user key; range tombstones' bounds count.
    var smallestKey: [UInt8]
    /// The greatest, or a range tombstone's upper bound; see ``largestIsExclusive``.
    var largestKey: [UInt8]
    /// A range tombstone's upper bound ends the table: no entry is at `largestKey`.
    var largestIsExclusive: Bool
    /// The oldest commit in it; entries and range tombstones count.
    var minTimestamp: Timestamp
    /// The newest.
    var maxTimestamp: Timestamp
    /// Versions, point tombstones counted, range tombstones not.
    var entryCount: UInt64
    /// Point tombstones among the entries.
    var tombstoneCount: UInt64
    /// Range tombstones.
    var rangeTombstoneCount: UInt64
    /// The wrapping key over the table's data key; 0: the table is plain.
    var keyID: UInt64 = 0
    /// What the safepoint will make garbage.
    var garbage = VersionGarbage()
}
