/// A call of the file system that lasts longer than it should.
public struct StalledOperation: Sendable, Hashable {
    /// What is waited for: `read`, `write`, `sync`, `truncate`, `allocate` or `syncDirectory`.
    public var operation: String
    /// The file, or the directory, that is waited for.
    public var path: String
    /// So far, or in all when it is over.
    public var micros: UInt64
}
