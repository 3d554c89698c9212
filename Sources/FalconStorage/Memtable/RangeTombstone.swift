/// Hides the entries of [lower, upper) that are older than `timestamp`.
public struct RangeTombstone: Hashable, Sendable {
    public var lower: [UInt8]
    public var upper: [UInt8]
    public var timestamp: Timestamp

    public init(lower: [UInt8], upper: [UInt8], timestamp: Timestamp) {
        self.lower = lower
        self.upper = upper
        self.timestamp = timestamp
    }

    /// Whether `key` lies in [lower, upper).
    func covers(_ key: UnsafeRawBufferPointer) -> Bool {
        lower.withUnsafeBytes { KeyOrder.compare($0, key) <= 0 }
            && upper.withUnsafeBytes { KeyOrder.compare(key, $0) < 0 }
    }
}
