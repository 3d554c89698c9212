/// How often durations were seen, in buckets no wider than an eighth of what they hold; microseconds.
struct DurationCounts: Sendable {
    /// One each below 8, then 8 for each power of two.
    private var counts = [UInt64](repeating: 0, count: 8 + 8 * 40)
    private(set) var total: UInt64 = 0
    private(set) var longest: Int64 = 0

    mutating func add(_ micros: Int64) {
        let value = UInt64(max(0, micros))
        counts[Self.bucket(value, of: counts.count)] += 1
        total += 1
        longest = max(longest, micros)
    }

    /// The upper bound of the bucket below which `percent` of all lie; 0 without any.
    func percentile(_ percent: Double) -> Int64 {
        let wanted = Double(total) * percent / 100
        var passed = 0.0
        for (index, count) in counts.enumerated() where count > 0 {
            passed += Double(count)
            if passed >= wanted { return min(Self.upperBound(index), longest) }
        }
        return 0
    }

    private static func bucket(_ value: UInt64, of count: Int) -> Int {
        if value < 8 { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        let fraction = Int(value >> UInt64(exponent - 3)) & 7
        return min(8 + (exponent - 3) * 8 + fraction, count - 1)
    }

    private static func upperBound(_ bucket: Int) -> Int64 {
        if bucket < 8 { return Int64(bucket) }
        let exponent = (bucket - 8) / 8
        let fraction = (bucket - 8) % 8
        return Int64((9 + fraction) << exponent) - 1
    }
}
