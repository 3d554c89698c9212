/// What a cursor over tables does beside walking.
struct TableScan {
    /// False for compaction: blocks read are not kept.
    var fillCache = true
    var mayWait = true
    /// Blocks of which no entry is in it may be passed over.
    var window: TimestampBounds?
    /// Counts what is.
    var counters: ScanCounters?
    /// What the caller looks at: a damaged block with none of it is not in the way.
    var range = KeyRange.all
}
