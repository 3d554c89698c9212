#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Numbers below a count, small ones the more likely, by Gray et al. ("Quickly generating
/// billion-record synthetic databases", SIGMOD 1994), as YCSB draws them.
struct ZipfianGenerator {
    static let theta = 0.99
    private static let alpha = 1 / (1 - theta)
    private static let zetaOfTwo = 1 + pow(0.5, theta)

    private var count: UInt64
    private var zeta: Double
    private var eta: Double

    init(count: UInt64) { self.init(count: count, zeta: Self.zeta(from: 0, to: count, 0)) }

    /// With a zeta that is known already.
    init(count: UInt64, zeta: Double) {
        self.count = max(count, 1)
        self.zeta = zeta
        eta = Self.eta(self.count, zeta)
    }

    /// The sum of `1 / i^theta` from `from + 1` on to `to`, added to `sum`.
    private static func zeta(from: UInt64, to: UInt64, _ sum: Double) -> Double {
        var sum = sum
        var i = from
        while i < max(to, 1) {
            i += 1
            sum += 1 / pow(Double(i), theta)
        }
        return sum
    }

    private static func eta(_ count: UInt64, _ zeta: Double) -> Double {
        (1 - pow(2 / Double(count), 1 - theta)) / (1 - zetaOfTwo / zeta)
    }

    /// More numbers are there to draw from.
    mutating func grow(to count: UInt64) {
        guard count > self.count else { return }
        zeta = Self.zeta(from: self.count, to: count, zeta)
        self.count = count
        eta = Self.eta(count, zeta)
    }

    /// The number that `uniform` (0 to 1) stands for.
    func number(_ uniform: Double) -> UInt64 {
        let scaled = uniform * zeta
        if scaled < 1 || count == 1 { return 0 }
        if scaled < Self.zetaOfTwo || count == 2 { return 1 }
        let drawn = Double(count) * pow(eta * uniform - eta + 1, Self.alpha)
        return min(UInt64(max(drawn, 0)), count - 1)
    }
}

/// Zipfian popularity, with the popular numbers scattered over all: YCSB's "scrambled zipfian".
struct ScrambledZipfian {
    // YCSB draws from ten thousand million and folds, so that popularity stays when records are added.
    private static let items: UInt64 = 10_000_000_000
    private static let zetaOfItems = 26.46902820178302
    private let zipfian = ZipfianGenerator(count: items, zeta: zetaOfItems)

    func number(_ uniform: Double, below count: UInt64) -> UInt64 {
        YCSBKey.hash(zipfian.number(uniform)) % max(count, 1)
    }
}
