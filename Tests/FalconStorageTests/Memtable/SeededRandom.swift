/// SplitMix64: tests replay from the seed they print.
struct SeededRandom: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64
    init(seed: UInt64) {
        self.seed = seed
        state = seed
    }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

    /// A key of one of several shapes: shared prefixes, counters, short, empty, all kinds of length.
    mutating func key(space: Int) -> [UInt8] {
        let number = below(space)
        switch number % 5 {
        case 0:
            return Array("table/orders/row/\(number / 5)".utf8)
        case 1:
            return (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
        case 2:
            return Array(repeating: 0, count: number / 5 % 12)
        case 3:
            return Array(repeating: 0x61, count: 40)
                + Array(String(number / 5, radix: 3).utf8)
        default:
            return [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number / 256)]
        }
    }
}
