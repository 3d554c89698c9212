/// A file that a ``SortedFileWriter`` has finished, ready for ``StorageEngine/ingest(_:_:)``.
public struct SortedFile: Sendable, Hashable {
    /// Where it was written.
    public var path: String
    /// Identifies the file's content, wherever it is moved.
    public var uid: UID
    /// Bytes of the file.
    public var byteCount: UInt64
    /// Puts and deletes.
    public var entryCount: UInt64
    /// Deletes among the entries.
    public var tombstoneCount: UInt64
    /// Range deletes; not among ``entryCount``.
    public var rangeTombstoneCount: UInt64
    /// The first key that the file speaks of, range deletes included.
    public var smallestKey: [UInt8]
    /// The last key, or the upper bound of a range delete: see ``largestIsExclusive``.
    public var largestKey: [UInt8]
    /// A range delete's upper bound ends the file: `largestKey` is not in it.
    public var largestIsExclusive: Bool
    /// XXH3-64 of the whole file.
    public var hash: UInt64
}
