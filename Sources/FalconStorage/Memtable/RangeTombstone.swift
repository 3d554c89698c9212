/// Hides the entries of [lower, upper) that are older than `timestamp`.
struct RangeTombstone: Hashable, Sendable {
    /// The first key that is hidden.
    var lower: [UInt8]
    /// The first key behind it that is not.
    var upper: [UInt8]
    /// Of the commit that deleted the range.
    var timestamp: Timestamp

    /// The deletion of [lower, upper) as of `timestamp`.
    init(lower: [UInt8], upper: [UInt8], timestamp: Timestamp) {
        self.lower = lower
        self.upper = upper
        self.timestamp = timestamp
    }

    /// The same with another timestamp.
    func at(_ timestamp: Timestamp) -> RangeTombstone {
        RangeTombstone(lower: lower, upper: upper, timestamp: timestamp)
    }

    /// Whether `key` lies in [lower, upper).
    func covers(_ key: UnsafeRawBufferPointer) -> Bool {
        lower.withUnsafeBytes { KeyOrder.compare($0, key) <= 0 }
            && upper.withUnsafeBytes { KeyOrder.compare(key, $0) < 0 }
    }
}

extension Array where Element == RangeTombstone {
    /// The newest tombstone over `key` that a reader at `timestamp` sees, or nil.
    func newestCovering(_ key: UnsafeRawBufferPointer, at timestamp: Timestamp) -> Timestamp? {
        var newest: Timestamp?
        for tombstone in self
        where tombstone.timestamp <= timestamp && tombstone.covers(key) {
            if newest.map({ $0 < tombstone.timestamp }) ?? true { newest = tombstone.timestamp }
        }
        return newest
    }
}
