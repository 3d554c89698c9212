/// Copies entries from a cursor to tables, dropping what no reader can see any more.
///
/// Readers stand at the safepoint or above. Of one key, every version above the safepoint stays, and
/// the newest at or below it; a delete, or a put under a range tombstone at or below the safepoint,
/// goes too where nothing older can lie beneath. All versions of a key go to the same file.
struct VersionCollapse {
    var safepoint: Timestamp
    /// Levels that may hold older versions of a key.
    var deeper: DeeperLevels
    var hiding: RangeTombstoneFragments
    var grandparents: Grandparents?
    var targetBytes: UInt64
    /// A table of so many bytes ends at a grandparent's border.
    var borderBytes: UInt64
    /// The keys to copy.
    var range = KeyRange.all
    /// Nothing older lies beneath the output, and readers cannot tell when a version at or below the
    /// safepoint was committed: its timestamp is kept to some minutes, which costs fewer bytes.
    var coarsensTimestamps = false
    /// Polled between keys with the entries read so far; true ends the copy with `cancelled`.
    var isCancelled: (UInt64) -> Bool = { _ in false }
    /// Nil: the copy never rests.
    var rest: BackgroundRest?

    private(set) var readEntries: UInt64 = 0
    private(set) var droppedEntries: UInt64 = 0

    init(
        safepoint: Timestamp, deeper: DeeperLevels, tombstones: [RangeTombstone],
        grandparents: Grandparents?, targetBytes: UInt64
    ) {
        self.safepoint = safepoint
        self.deeper = deeper
        hiding = RangeTombstoneFragments(tombstones, at: safepoint)
        self.grandparents = grandparents
        self.targetBytes = targetBytes
        borderBytes = targetBytes / 2
    }

    mutating func copy(
        from source: InternalIterator, to output: TableOutput
    ) throws(StorageError) {
        var last = RawBuffer()
        var end = RawBuffer()
        defer {
            last.deallocate()
            end.deallocate()
        }
        let isBounded = range.upper != nil
        range.upper?.withUnsafeBytes { end.assign($0) }
        var hasLast = false
        var isShadowed = false
        let hidesAny = !hiding.isEmpty
        var nextPoll: UInt64 = 0
        try enter(source)
        while source.isValid {
            let key = source.userKey
            let timestamp = source.timestamp
            let kind = source.kind
            if !hasLast || KeyOrder.compare(key, last.bytes) != 0 {
                if isBounded, KeyOrder.compare(key, end.bytes) >= 0 { return }
                last.assign(key)
                hasLast = true
                isShadowed = false
                if output.mayLeaveScope(key) { try output.beginScope(key) }
                if output.currentBytes > 0, shouldCut(before: key, output.currentBytes) {
                    try output.cut(before: key)
                }
                if readEntries >= nextPoll {
                    nextPoll = readEntries + 4096
                    if isCancelled(readEntries) {
                        throw StorageError(.cancelled, kind: .retryable, "The job was cancelled.")
                    }
                }
            }
            readEntries &+= 1
            if readEntries & 63 == 0 { rest?.takeIfDue() }
            var keeps = !isShadowed
            if keeps, timestamp <= safepoint {
                isShadowed = true
                if kind == .delete {
                    keeps = deeper.mayContain(key)
                } else if hidesAny, hiding.covering(key) > timestamp {
                    keeps = false
                }
            }
            if keeps {
                let kept =
                    coarsensTimestamps && timestamp <= safepoint ? timestamp.coarse : timestamp
                try output.add(key: key, timestamp: kept, kind: kind, value: source.value)
            } else {
                droppedEntries &+= 1
            }
            try source.next()
        }
    }

    private func enter(_ source: InternalIterator) throws(StorageError) {
        guard let lower = range.lower else { return try source.seekToFirst() }
        var start = RawBuffer()
        defer { start.deallocate() }
        lower.withUnsafeBytes { start.assign($0) }
        try source.seek(start.bytes, .max)
    }

    private mutating func shouldCut(before key: UnsafeRawBufferPointer, _ bytes: UInt64) -> Bool {
        let crossed = grandparents?.advance(to: key) ?? 0
        if bytes >= targetBytes { return true }
        // At a grandparent's border, once the file is worth it.
        return crossed > 0 && bytes >= borderBytes
    }
}

/// The levels below a compaction's output, walked along with it: may a key have older versions there?
struct DeeperLevels {
    private let levels: [LevelFiles]
    private var positions: [Int]
    /// Older data may lie anywhere: for flushes.
    private let isUnknown: Bool

    static let unknown = DeeperLevels([], isUnknown: true)

    init(_ levels: [LevelFiles], isUnknown: Bool = false) {
        self.levels = levels.filter { $0.count > 0 }
        positions = Array(repeating: 0, count: self.levels.count)
        self.isUnknown = isUnknown
    }

    /// Keys come in rising order.
    mutating func mayContain(_ key: UnsafeRawBufferPointer) -> Bool {
        if isUnknown { return true }
        for index in levels.indices {
            let level = levels[index]
            while positions[index] < level.count,
                !level.files[positions[index]].endsAtOrAfter(key)
            {
                positions[index] += 1
            }
            if positions[index] < level.count, level.files[positions[index]].mayContain(key) {
                return true
            }
        }
        return false
    }

    /// Whether any key of the range may have older versions.
    func overlaps(_ range: KeyRange) -> Bool {
        isUnknown || levels.contains { level in level.files.contains { $0.overlaps(range) } }
    }
}

/// The borders of the level below the output's, so that a file does not overlap too many there.
struct Grandparents {
    private let level: LevelFiles
    private var position = 0

    init(_ level: LevelFiles) { self.level = level }

    /// Borders passed since the last call.
    mutating func advance(to key: UnsafeRawBufferPointer) -> Int {
        let before = position
        while position < level.count, !level.files[position].endsAtOrAfter(key) { position += 1 }
        return position - before
    }
}
