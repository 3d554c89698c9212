/// Range tombstones in the order of their lower bounds, found by key without looking at all of them:
/// every DROP, TRUNCATE and rewrite leaves one, and each read asks.
struct RangeTombstoneSet: Sendable {
    private(set) var list: [RangeTombstone] = []
    /// For each place the largest upper bound up to there: a search backwards ends where it is passed.
    private var reach: [[UInt8]] = []

    init() {}

    init(_ tombstones: [RangeTombstone]) {
        list = tombstones.sorted { KeyOrder.less($0.lower, $1.lower) }
        reach.reserveCapacity(list.count)
        extendReach(from: 0)
    }

    var isEmpty: Bool { list.isEmpty }

    mutating func insert(_ tombstone: RangeTombstone) {
        let place = tombstone.lower.withUnsafeBytes { countStarting(before: $0, orAt: true) }
        list.insert(tombstone, at: place)
        extendReach(from: place)
    }

    private mutating func extendReach(from place: Int) {
        reach.removeSubrange(min(place, reach.count)...)
        for index in place..<list.count {
            let upper = list[index].upper
            if let last = reach.last, !KeyOrder.less(last, upper) {
                reach.append(last)
            } else {
                reach.append(upper)
            }
        }
    }

    /// How many begin before `key` (or with it).
    private func countStarting(before key: UnsafeRawBufferPointer, orAt: Bool) -> Int {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            let order = list[middle].lower.withUnsafeBytes { KeyOrder.compare($0, key) }
            if order < 0 || (orAt && order == 0) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The newest tombstone over `key` that a reader at `timestamp` sees, or nil.
    func newestCovering(_ key: UnsafeRawBufferPointer, at timestamp: Timestamp) -> Timestamp? {
        var newest: Timestamp?
        var index = countStarting(before: key, orAt: true)
        while index > 0 {
            index -= 1
            if reach[index].withUnsafeBytes({ KeyOrder.compare($0, key) <= 0 }) { break }
            guard list[index].timestamp <= timestamp,
                list[index].upper.withUnsafeBytes({ KeyOrder.compare(key, $0) < 0 })
            else { continue }
            if newest.map({ $0 < list[index].timestamp }) ?? true {
                newest = list[index].timestamp
            }
        }
        return newest
    }

    /// Appends those that reach into `range`.
    func appendOverlapping(_ range: KeyRange, to result: inout [RangeTombstone]) {
        var index = list.count
        if let upper = range.upper {
            index = upper.withUnsafeBytes { countStarting(before: $0, orAt: false) }
        }
        while index > 0 {
            index -= 1
            if let lower = range.lower {
                if !KeyOrder.less(lower, reach[index]) { break }
                if !KeyOrder.less(lower, list[index].upper) { continue }
            }
            result.append(list[index])
        }
    }
}
