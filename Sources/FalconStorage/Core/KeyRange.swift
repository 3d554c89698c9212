/// A half-open range of user keys; a nil bound is open.
public struct KeyRange: Hashable, Sendable {
    /// First key inside, or nil for the beginning of the keyspace.
    public var lower: [UInt8]?
    /// First key beyond, or nil for the end of the keyspace.
    public var upper: [UInt8]?

    /// The keys at or after `lower` and before `upper`; none when `upper` is not behind `lower`.
    public init(lower: [UInt8]? = nil, upper: [UInt8]? = nil) {
        self.lower = lower
        self.upper = upper
    }
    /// The whole keyspace.
    public static let all = KeyRange()

    /// All keys that begin with `prefix`.
    public init(prefix: [UInt8]) {
        self.init(lower: prefix, upper: KeyOrder.prefixSuccessor(prefix))
    }
}

/// The order of user keys: unsigned bytes, shorter first on a tie.
public enum KeyOrder {
    /// Negative, zero or positive as `a` sorts before, with or after `b`.
    @inlinable @inline(__always)
    public static func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
        let common = min(a.count, b.count)
        if common > 0, let pa = a.baseAddress, let pb = b.baseAddress {
            let order = memoryCompare(pa, pb, common)
            if order != 0 { return order }
        }
        return a.count - b.count
    }

    /// The least key greater than every key with this prefix; nil when there is none (all 0xFF).
    public static func prefixSuccessor(_ prefix: [UInt8]) -> [UInt8]? {
        var key = prefix
        while let last = key.last {
            if last < 0xFF {
                key[key.count - 1] = last + 1
                return key
            }
            key.removeLast()
        }
        return nil
    }
}
