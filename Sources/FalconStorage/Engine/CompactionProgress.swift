/// How far a manual compaction is.
public struct CompactionProgress: Sendable {
    /// Bytes of tables merged so far.
    public var doneBytes: UInt64
    /// Those, and the ones still to be merged as the levels are now: data that sinks several levels
    /// counts once for each as it comes up.
    public var totalBytes: UInt64
}
