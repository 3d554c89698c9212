/// Durations in nanoseconds, counted in buckets no wider than 1/32 of what they hold.
///
/// Below 64 ns a bucket is one nanosecond; above, each power of two has 32. One thread at a time.
final class LatencyHistogram: @unchecked Sendable {
    private static let fine = 64
    private static let bucketCount = fine + 58 * 32
    private let buckets: UnsafeMutablePointer<UInt64>
    @exclusivity(unchecked) private(set) var count: UInt64 = 0
    @exclusivity(unchecked) private var sum = 0.0
    @exclusivity(unchecked) private var squares = 0.0
    @exclusivity(unchecked) private var least = UInt64.max
    @exclusivity(unchecked) private(set) var maximum: UInt64 = 0

    init() {
        buckets = .allocate(capacity: Self.bucketCount)
        buckets.initialize(repeating: 0, count: Self.bucketCount)
    }
    deinit { buckets.deallocate() }

    var minimum: UInt64 { count == 0 ? 0 : least }
    var mean: Double { count == 0 ? 0 : sum / Double(count) }
    var standardDeviation: Double {
        guard count > 0 else { return 0 }
        return max(squares / Double(count) - mean * mean, 0).squareRoot()
    }

    @inline(__always)
    func record(_ nanos: UInt64) {
        buckets[Self.index(nanos)] &+= 1
        count &+= 1
        let value = Double(nanos)
        sum += value
        squares += value * value
        if nanos < least { least = nanos }
        if nanos > maximum { maximum = nanos }
    }

    func merge(_ other: LatencyHistogram) {
        for i in 0..<Self.bucketCount { buckets[i] &+= other.buckets[i] }
        count &+= other.count
        sum += other.sum
        squares += other.squares
        least = min(least, other.least)
        maximum = max(maximum, other.maximum)
    }

    /// The value below which `percent` of all lie, interpolated within its bucket.
    func percentile(_ percent: Double) -> Double {
        guard count > 0 else { return 0 }
        let threshold = Double(count) * percent / 100
        var passed = 0.0
        for i in 0..<Self.bucketCount where buckets[i] > 0 {
            let inside = Double(buckets[i])
            if passed + inside >= threshold {
                let (lower, width) = Self.bounds(i)
                let value = lower + width * max(threshold - passed, 0) / inside
                return min(max(value, Double(minimum)), Double(maximum))
            }
            passed += inside
        }
        return Double(maximum)
    }

    @inline(__always)
    private static func index(_ nanos: UInt64) -> Int {
        if nanos < UInt64(fine) { return Int(truncatingIfNeeded: nanos) }
        let exponent = 63 &- nanos.leadingZeroBitCount
        let part = Int(truncatingIfNeeded: nanos &>> UInt64(exponent &- 5)) & 31
        return fine &+ (exponent &- 6) &* 32 &+ part
    }

    private static func bounds(_ index: Int) -> (lower: Double, width: Double) {
        if index < fine { return (Double(index), 1) }
        let exponent = (index - fine) / 32 + 6
        let part = UInt64((index - fine) % 32)
        let width = UInt64(1) << UInt64(exponent - 5)
        return (Double((32 + part) * width), Double(width))
    }
}

extension LatencyHistogram {
    static let percentiles: [(String, Double)] = [
        ("p50", 50), ("p75", 75), ("p95", 95), ("p99", 99), ("p99_9", 99.9), ("p99_99", 99.99),
    ]

    /// Microseconds, as every export has them.
    var json: JSONValue {
        var fields: [(String, JSONValue)] = [
            ("count", .unsigned(count)), ("mean_micros", .double(mean / 1000)),
            ("stddev_micros", .double(standardDeviation / 1000)),
            ("min_micros", .double(Double(minimum) / 1000)),
        ]
        for (name, percent) in Self.percentiles {
            fields.append(("\(name)_micros", .double(percentile(percent) / 1000)))
        }
        fields.append(("max_micros", .double(Double(maximum) / 1000)))
        return .object(fields)
    }

    /// `db_bench`'s lines of a histogram, with P95 added to its percentiles.
    func text(of kind: String) -> String {
        func micros(_ nanos: Double, _ decimals: Int) -> String {
            BenchText.number(nanos / 1000, width: 0, decimals: decimals)
        }
        var text = "Microseconds per \(kind):\n"
        text += "Count: \(count) Average: \(micros(mean, 4))"
        text += "  StdDev: \(micros(standardDeviation, 2))\n"
        text += "Min: \(micros(Double(minimum), 0))  Median: \(micros(percentile(50), 4))"
        text += "  Max: \(micros(Double(maximum), 0))\nPercentiles:"
        for (name, percent) in Self.percentiles {
            let label = name.uppercased().split(separator: "_").joined(separator: ".")
            text += " \(label): \(micros(percentile(percent), 2))"
        }
        return text + "\n------------------------------------------------------\n"
    }
}
