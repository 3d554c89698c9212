#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How often a table's filter lets a key through that is not there.
public struct FilterMeasure: Sendable, Hashable {
    /// Keys in the filter, by what it says of itself.
    public var keys: UInt64 = 0
    /// The filter's bits, by what it says of itself.
    public var bits: UInt64 = 0
    /// Absent keys that were asked for.
    public var asked: UInt64 = 0
    /// The share of them that was not denied, 0 to 1. Of several tables: each counts as much as it has keys.
    public var rate = 0.0
    /// The share that a filter of this size lets through, likewise.
    public var nominalRate = 0.0

    /// Of no filter: nothing was asked.
    public init() {}

    /// 0 without keys.
    public var bitsPerKey: Double { keys == 0 ? 0 : Double(bits) / Double(keys) }

    /// Takes in another table's measure, weighted by keys.
    public mutating func add(_ other: FilterMeasure) {
        let all = Double(keys) + Double(other.keys)
        if all > 0 {
            let (own, others) = (Double(keys) / all, Double(other.keys) / all)
            rate = rate * own + other.rate * others
            nominalRate = nominalRate * own + other.nominalRate * others
        }
        keys += other.keys
        bits += other.bits
        asked += other.asked
    }
}

extension FilterMeasure {
    /// Fewer lines than this say little: what their few keys happen to be decides.
    private static let fewestLines = 64

    /// Asks a loaded filter for keys that are not in its table.
    init(_ filter: LoadedFilter, uid: UID) {
        self.init()
        guard let shape = filter.shape else { return }
        keys = shape.keys
        bits = UInt64(shape.lines) * 512
        // A key that is not there is a hash at random. The same file is always asked the same.
        var random = SplitMix64(seed: uid.high ^ uid.low)
        asked = min(max(shape.keys, 1 << 12), 1 << 17)
        var passed = 0
        for _ in 0..<asked where filter.page(denying: random.next()) == nil { passed += 1 }
        rate = Double(passed) / Double(asked)
        nominalRate = shape.falsePositiveRate
    }

    /// Half as many again as a filter of its size, and more than chance explains.
    var isWeak: Bool {
        let excess = (rate - 1.5 * nominalRate - 0.005) * Double(asked)
        let chance = max(nominalRate * Double(asked), 1).squareRoot()
        return bits >= UInt64(Self.fewestLines) * 512 && excess > 6 * chance
    }
}

extension BloomFilter {
    /// What a filter says of itself.
    struct Shape {
        var lines: UInt32
        var probes: UInt32
        var keys: UInt64

        /// The share of absent keys that passes: keys fall on lines by chance, and each sets its bits in
        /// one line alone.
        var falsePositiveRate: Double {
            guard lines > 0 else { return 0 }
            let mean = Double(keys) / Double(lines)
            // Beyond it every bit of a line is set, and e^-mean is no number.
            guard mean < 700 else { return 1 }
            var chance = exp(-mean)
            var rate = 0.0
            var unset = 1.0
            let perKey = power(1 - 1 / 512, Int(probes))
            for keysOfLine in 1...(Int(mean) + 20 * Int(mean.squareRoot() + 1) + 20) {
                chance *= mean / Double(keysOfLine)
                unset *= perKey
                rate += chance * power(1 - unset, Int(probes))
            }
            return min(rate, 1)
        }

        private func power(_ base: Double, _ exponent: Int) -> Double {
            var result = 1.0
            for _ in 0..<exponent { result *= base }
            return result
        }
    }
}
