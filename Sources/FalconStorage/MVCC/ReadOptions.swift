/// How a read or a scan goes about it.
public struct ReadOptions: Sendable {
    /// False: answered from memory, the block cache and what the operating system has cached; where the
    /// device would have to be waited for, the read throws `would-block` and has changed nothing. For
    /// event loops, which then repeat it where waiting is allowed. A table that nobody has read since
    /// the engine was opened counts as not cached.
    public var mayWait = true

    /// Scans: only rows whose visible version was committed after this moment; nil: all rows. Tables and
    /// blocks that are older are not read.
    ///
    /// A scan throws `snapshot-too-old` when versions after this moment may be gone: hold a snapshot, or
    /// whatever else keeps ``StorageEngine/safepointReport()`` from passing it.
    public var newerThan: Timestamp?

    /// Scans with ``newerThan``: keys deleted after it show too, see ``RangeIterator/isDeletion``, and
    /// ``RangeIterator/deletedRanges`` says which ranges were: what is needed to bring a copy as of that
    /// moment up to date.
    public var includesDeletions = false

    /// Scans: a value that lies in a blob file is read by ``RangeIterator/readValue()`` alone: for those that
    /// want the keys, or only of some rows the values.
    public var defersLargeValues = false

    /// Scans: what is read of tables goes to the block cache. Not for one that reads everything once.
    var fillsCache = true

    /// May wait; all rows, no deletions, values read at once.
    public init() {}
}
