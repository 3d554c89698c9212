import BigInt

extension NumericValue: Equatable, Hashable, Comparable {
    /// Negative, zero or positive. NaN equals NaN and is greater than everything else.
    public static func compare(_ a: NumericValue, _ b: NumericValue) -> Int {
        if case .small(let x, let xs) = a.storage, case .small(let y, let ys) = b.storage {
            if xs == ys { return x < y ? -1 : (x > y ? 1 : 0) }
            let difference = Int(xs) - Int(ys)
            if abs(difference) <= 18 {
                let wideX = difference < 0 ? Int128(x) * PowerOfTen.int128[-difference] : Int128(x)
                let wideY = difference > 0 ? Int128(y) * PowerOfTen.int128[difference] : Int128(y)
                return wideX < wideY ? -1 : (wideX > wideY ? 1 : 0)
            }
        }
        let rankA = a.rank
        let rankB = b.rank
        if rankA != rankB { return rankA < rankB ? -1 : 1 }
        guard let x = a.decimal, let y = b.decimal else { return 0 }
        let signA = a.signum
        let signB = b.signum
        if signA != signB { return signA < signB ? -1 : 1 }
        if x.scale == y.scale {
            return x.mantissa < y.mantissa ? -1 : (x.mantissa > y.mantissa ? 1 : 0)
        }
        if let first = a.decimalExponent, let second = b.decimalExponent, first != second {
            return (first < second) == (signA > 0) ? -1 : 1
        }
        let scale = max(x.scale, y.scale)
        let wideX = rescale(x.mantissa, from: x.scale, to: scale)
        let wideY = rescale(y.mantissa, from: y.scale, to: scale)
        return wideX < wideY ? -1 : (wideX > wideY ? 1 : 0)
    }

    private var rank: Int {
        switch storage {
        case .negativeInfinity: return -1
        case .small, .big: return 0
        case .infinity: return 1
        case .nan: return 2
        }
    }

    /// By value: 1.0 == 1.00.
    public static func == (a: NumericValue, b: NumericValue) -> Bool { compare(a, b) == 0 }
    public static func < (a: NumericValue, b: NumericValue) -> Bool { compare(a, b) < 0 }

    public func hash(into hasher: inout Hasher) {
        switch storage {
        case .nan: hasher.combine(-1)
        case .infinity: hasher.combine(-2)
        case .negativeInfinity: hasher.combine(-3)
        case .small(var mantissa, var scale):
            while scale > 0, mantissa % 10 == 0 {
                mantissa /= 10
                scale -= 1
                if mantissa == 0 { scale = 0 }
            }
            hasher.combine(mantissa)
            hasher.combine(Int(scale))
        case .big(let big):
            let trimmed = NumericValue(mantissa: big.mantissa, scale: big.scale).trimmingScale(
                to: 0)
            if case .big(let rest) = trimmed.storage {
                hasher.combine(rest.mantissa)
                hasher.combine(rest.scale)
            } else {
                trimmed.hash(into: &hasher)
            }
        }
    }

    /// The same value with trailing zeros after the point removed, down to `minimum` digits.
    public func trimmingScale(to minimum: Int = 0) -> NumericValue {
        switch storage {
        case .small(var mantissa, var scale):
            if mantissa == 0 {
                return NumericValue(mantissa: Int64(0), scale: min(Int(scale), minimum))
            }
            while Int(scale) > minimum, mantissa % 10 == 0 {
                mantissa /= 10
                scale -= 1
            }
            return NumericValue(mantissa: mantissa, scale: Int(scale))
        case .big(let big):
            var mantissa = big.mantissa
            var scale = big.scale
            // Every decimal zero at the end is a binary one, too. The largest powers first.
            var most = min(scale - minimum, mantissa.magnitude.trailingZeroBitCount)
            var step = most > 0 ? 1 << (Int.bitWidth - 1 - most.leadingZeroBitCount) : 0
            while step > 0 {
                if step <= most {
                    let (quotient, remainder) = Limbs.divide(
                        mantissa, by: PowerOfTen.big(step))
                    if remainder.isZero {
                        mantissa = quotient
                        scale -= step
                        most -= step
                    }
                }
                step /= 2
            }
            return NumericValue(mantissa: mantissa, scale: scale)
        default:
            return self
        }
    }
}
