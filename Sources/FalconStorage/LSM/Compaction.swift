/// One decided compaction: which tables of a level go, with which of the next, to where.
struct Compaction {
    enum Reason: String {
        case level0Files = "level0-files"
        case levelSize = "level-size"
        case manual
        /// Level 0 merges in itself while a quarantined table bars the way down.
        case besideQuarantine = "beside-quarantine"
        /// Live values leave blob files that hold much garbage.
        case blobGarbage = "blob-garbage"
    }
    var reason: Reason
    var version: Version
    var inputLevel: Int
    var outputLevel: Int
    /// Newest first when from level 0, else by key.
    var inputs: [TableFile]
    /// Overlapping tables of the output level, by key.
    var overlapped: [TableFile]

    var allInputs: [TableFile] { inputs + overlapped }
    var inputEntries: UInt64 { allInputs.reduce(0) { $0 + $1.metadata.entryCount } }
    var inputBytes: UInt64 { allInputs.reduce(0) { $0 + $1.metadata.byteCount } }

    /// The tables only change level: no table overlaps another and nothing is overlapped below.
    var isTrivialMove: Bool {
        guard overlapped.isEmpty, reason != .manual, reason != .blobGarbage,
            inputLevel != outputLevel
        else { return false }
        let sorted = inputs.sorted { KeyOrder.less($0.metadata.smallest, $1.metadata.smallest) }
        return zip(sorted, sorted.dropFirst()).allSatisfy {
            $0.metadata.isBefore($1.metadata.smallest)
        }
    }

    func mark(_ isBusy: Bool) { for file in allInputs { file.isBeingCompacted = isBusy } }

    /// The keys that `files` cover together.
    static func span(_ files: [TableFile]) -> (lower: [UInt8], upper: [UInt8], exclusive: Bool)? {
        guard let first = files.first else { return nil }
        var lower = first.metadata.smallest
        var upper = first.metadata.largest
        var exclusive = first.metadata.largestIsExclusive
        for file in files.dropFirst() {
            if KeyOrder.less(file.metadata.smallest, lower) { lower = file.metadata.smallest }
            let order = KeyOrder.compare(upper, file.metadata.largest)
            if order < 0 {
                upper = file.metadata.largest
                exclusive = file.metadata.largestIsExclusive
            } else if order == 0 {
                exclusive = exclusive && file.metadata.largestIsExclusive
            }
        }
        return (lower, upper, exclusive)
    }
}
