/// What a pick depends on beside the version and the options.
struct PickContext {
    /// Readers stand here or above.
    var safepoint = Timestamp.zero
    /// Range tombstones at or below the safepoint, by the table that holds them.
    var tombstones: [FileNumber: [RangeTombstone]] = [:]
    /// The compactions under way.
    var running: [Compaction] = []
    /// Keys of files that may stay as they are, 0: plain ones may; nil: all may.
    var freshKeys: Set<UInt64>?
}
