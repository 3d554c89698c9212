import BigInt
import Glibc

/// Arithmetic with PostgreSQL's result scales: the larger scale for + and -, the sum for *, at least
/// 16 significant digits for /.
extension NumericValue {
    static let overflow = SQLError(.numericValueOutOfRange, "value overflows numeric format")
    static let divisionByZero = SQLError(.divisionByZero, "division by zero")

    public static func add(_ a: NumericValue, _ b: NumericValue) throws(SQLError) -> NumericValue {
        if case .small(let x, let xs) = a.storage, case .small(let y, let ys) = b.storage {
            if xs == ys {
                let (sum, overflow) = x.addingReportingOverflow(y)
                return overflow
                    ? NumericValue(wide: Int128(x) + Int128(y), scale: Int(xs))
                    : NumericValue(.small(sum, xs))
            }
            let difference = Int(xs) - Int(ys)
            if abs(difference) <= 18 {
                let wideX = difference < 0 ? Int128(x) * PowerOfTen.int128[-difference] : Int128(x)
                let wideY = difference > 0 ? Int128(y) * PowerOfTen.int128[difference] : Int128(y)
                return NumericValue(wide: wideX + wideY, scale: Int(max(xs, ys)))
            }
        }
        guard let x = a.decimal, let y = b.decimal else {
            if a.isNaN || b.isNaN { return .nan }
            if a.isInfinite, b.isInfinite { return a.signum == b.signum ? a : .nan }
            return a.isInfinite ? a : b
        }
        let scale = max(x.scale, y.scale)
        let sum =
            rescale(x.mantissa, from: x.scale, to: scale)
            + rescale(y.mantissa, from: y.scale, to: scale)
        return try NumericValue(mantissa: sum, scale: scale).checked()
    }

    public static func subtract(
        _ a: NumericValue, _ b: NumericValue
    ) throws(SQLError) -> NumericValue {
        try add(a, b.negated)
    }

    public static func multiply(
        _ a: NumericValue, _ b: NumericValue
    ) throws(SQLError) -> NumericValue {
        if case .small(let x, let xs) = a.storage, case .small(let y, let ys) = b.storage {
            let scale = Int(xs) + Int(ys)
            if scale <= maxScale {
                let (product, overflow) = x.multipliedReportingOverflow(by: y)
                return overflow
                    ? NumericValue(wide: Int128(x) * Int128(y), scale: scale)
                    : NumericValue(mantissa: product, scale: scale)
            }
        }
        guard let x = a.decimal, let y = b.decimal else {
            if a.isNaN || b.isNaN || a.isZero || b.isZero { return .nan }
            return a.signum == b.signum ? .infinity : .negativeInfinity
        }
        // Its first digit lies at least where the sum of theirs does.
        if x.mantissa.bitWidth + y.mantissa.bitWidth > maxIntegerDigits * 33 / 10,
            let first = a.decimalExponent, let second = b.decimalExponent,
            first + second >= maxIntegerDigits
        {
            throw overflow
        }
        let product = Limbs.product(x.mantissa, y.mantissa)
        let scale = x.scale + y.scale
        if scale > maxScale {
            return try NumericValue(
                mantissa: rescale(product, from: scale, to: maxScale), scale: maxScale
            ).checked()
        }
        return try NumericValue(mantissa: product, scale: scale).checked()
    }

    public static func divide(
        _ a: NumericValue, _ b: NumericValue
    ) throws(SQLError) -> NumericValue {
        guard a.isFinite, b.isFinite else {
            if a.isNaN || b.isNaN { return .nan }
            if a.isInfinite {
                if b.isInfinite { return .nan }
                if b.isZero { throw divisionByZero }
                return a.signum == b.signum ? .infinity : .negativeInfinity
            }
            return .zero
        }
        if b.isZero { throw divisionByZero }
        return try quotient(a, b, scale: divisionScale(a, b))
    }

    /// a / b of finite numbers, rounded half away from zero at `scale` digits.
    static func quotient(
        _ a: NumericValue, _ b: NumericValue, scale: Int, truncating: Bool = false
    ) throws(SQLError) -> NumericValue {
        if case .small(let x, let xs) = a.storage, case .small(let y, let ys) = b.storage {
            let shift = scale - Int(xs) + Int(ys)
            if shift >= 0, shift <= 38 {
                let (wide, overflow) = Int128(x).multipliedReportingOverflow(
                    by: PowerOfTen.int128[shift])
                if !overflow {
                    let divisor = Int128(y)
                    var result = wide / divisor
                    let rest = wide - result * divisor
                    if !truncating, rest != 0, rest.magnitude * 2 >= divisor.magnitude {
                        result += (x < 0) == (y < 0) ? 1 : -1
                    }
                    return NumericValue(wide: result, scale: scale)
                }
            }
        }
        guard let x = a.decimal, let y = b.decimal, !y.mantissa.isZero else { throw divisionByZero }
        let shift = scale - x.scale + y.scale
        var dividend = x.mantissa
        var divisor = y.mantissa
        if shift >= 0 {
            dividend = Limbs.product(dividend, PowerOfTen.big(shift))
        } else {
            divisor = Limbs.product(divisor, PowerOfTen.big(-shift))
        }
        var (result, rest) = Limbs.divide(dividend, by: divisor)
        if !truncating, !rest.isZero, rest.magnitude * 2 >= divisor.magnitude {
            result += (dividend.sign == divisor.sign) ? 1 : -1
        }
        return try NumericValue(mantissa: result, scale: scale).checked()
    }

    /// PostgreSQL's select_div_scale: 16 significant digits, and no fewer than either operand shows.
    static func divisionScale(_ a: NumericValue, _ b: NumericValue) -> Int {
        let (weightA, firstA) = a.leadingGroup
        let (weightB, firstB) = b.leadingGroup
        var weight = weightA - weightB
        if firstA <= firstB { weight -= 1 }
        return min(max(16 - weight * 4, a.scale, b.scale, 0), maxPrecision)
    }

    /// The base-10000 weight of the first nonzero group of four digits, and that group.
    var leadingGroup: (weight: Int, group: Int) {
        guard let exponent = decimalExponent else { return (0, 0) }
        let weight = exponent >= 0 ? exponent / 4 : -((3 - exponent) / 4)
        let groupDigits = exponent - weight * 4 + 1
        return (weight, leadingDigits(groupDigits))
    }

    /// floor(log10(|self|)) of a finite nonzero number.
    var decimalExponent: Int? {
        switch storage {
        case .small(0, _): return nil
        case .small(let mantissa, let scale):
            return Self.digitCount(mantissa.magnitude) - 1 - Int(scale)
        case .big(let big):
            return Self.digitCount(big.mantissa.magnitude) - 1 - big.scale
        default: return nil
        }
    }

    static func digitCount(_ value: UInt64) -> Int {
        var count = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return count
    }

    static func digitCount(_ value: BigUInt) -> Int {
        if value.isZero { return 1 }
        // The logarithm from the first 53 bits: exact unless the number is close to a power of ten.
        let excess = max(0, value.bitWidth - 64)
        let top = Double(UInt64(truncatingIfNeeded: value >> excess))
        let logarithm = log10(top) + Double(excess) * 0.301_029_995_663_981_2
        let nearest = logarithm.rounded()
        if abs(logarithm - nearest) > 1e-8 { return Int(logarithm) + 1 }
        let estimate = Int(nearest) - 1
        return value >= PowerOfTen.big(estimate + 1).magnitude
            ? estimate + 2 : (value >= PowerOfTen.big(estimate).magnitude ? estimate + 1 : estimate)
    }

    /// The first `count` decimal digits as a number (zero-padded on the right).
    func leadingDigits(_ count: Int) -> Int {
        let digits: String.UTF8View
        switch storage {
        case .small(let mantissa, _): digits = String(mantissa.magnitude).utf8
        case .big(let big):
            let total = Self.digitCount(big.mantissa.magnitude)
            let kept = Limbs.divide(
                big.mantissa.magnitude, by: PowerOfTen.big(max(0, total - 8)).magnitude
            ).quotient
            digits = kept.description.utf8
        default: return 0
        }
        var result = 0
        var taken = 0
        for digit in digits {
            if taken == count { break }
            result = result * 10 + Int(digit) - 48
            taken += 1
        }
        while taken < count {
            result *= 10
            taken += 1
        }
        return result
    }

    /// `mantissa` at another scale, rounded half away from zero (or truncated).
    static func rescale(
        _ mantissa: BigInt, from: Int, to: Int, truncating: Bool = false
    ) -> BigInt {
        if to >= from { return Limbs.product(mantissa, PowerOfTen.big(to - from)) }
        let divisor = PowerOfTen.big(from - to)
        var (result, rest) = Limbs.divide(mantissa, by: divisor)
        if !truncating, rest.magnitude * 2 >= divisor.magnitude {
            result += mantissa.sign == .minus ? -1 : 1
        }
        return result
    }

    /// Throws when there are more digits before the point than NUMERIC holds.
    func checked() throws(SQLError) -> NumericValue {
        guard case .big(let big) = storage else { return self }
        if big.scale > Self.maxScale { throw Self.overflow }
        // More than 3.3 bits a digit: a cheap test that only very large numbers fail.
        if big.mantissa.bitWidth > Self.maxIntegerDigits * 33 / 10,
            let exponent = decimalExponent, exponent >= Self.maxIntegerDigits
        {
            throw Self.overflow
        }
        return self
    }

    public var negated: NumericValue {
        switch storage {
        case .small(let mantissa, let scale):
            if mantissa == .min {
                return NumericValue(wide: -Int128(mantissa), scale: Int(scale))
            }
            return NumericValue(.small(-mantissa, scale))
        case .big(let big): return NumericValue(mantissa: -big.mantissa, scale: big.scale)
        case .infinity: return .negativeInfinity
        case .negativeInfinity: return .infinity
        case .nan: return .nan
        }
    }

    public var magnitude: NumericValue { signum < 0 ? negated : self }

    /// a - b * trunc(a / b); the sign is a's.
    public static func remainder(
        _ a: NumericValue, _ b: NumericValue
    ) throws(SQLError) -> NumericValue {
        if case .small(let x, let xs) = a.storage, case .small(let y, let ys) = b.storage, y != 0 {
            if xs == ys { return NumericValue(.small(y == -1 ? 0 : x % y, xs)) }
            let difference = Int(xs) - Int(ys)
            if abs(difference) <= 18 {
                let wideX = difference < 0 ? Int128(x) * PowerOfTen.int128[-difference] : Int128(x)
                let wideY = difference > 0 ? Int128(y) * PowerOfTen.int128[difference] : Int128(y)
                return NumericValue(wide: wideX % wideY, scale: Int(max(xs, ys)))
            }
        }
        guard let x = a.decimal, let y = b.decimal else {
            if a.isNaN || b.isNaN { return .nan }
            if a.isInfinite {
                if b.isZero { throw divisionByZero }
                return .nan
            }
            return a
        }
        if y.mantissa.isZero { throw divisionByZero }
        let scale = max(x.scale, y.scale)
        let wideX = rescale(x.mantissa, from: x.scale, to: scale)
        let wideY = rescale(y.mantissa, from: y.scale, to: scale)
        return NumericValue(mantissa: Limbs.divide(wideX, by: wideY).remainder, scale: scale)
    }

    /// div(a, b): the quotient truncated to an integer.
    public static func integerQuotient(
        _ a: NumericValue, _ b: NumericValue
    ) throws(SQLError) -> NumericValue {
        guard a.isFinite, b.isFinite else { return try divide(a, b) }
        if b.isZero { throw divisionByZero }
        return try quotient(a, b, scale: 0, truncating: true)
    }

    /// Rounded (half away from zero) or truncated at `digits` after the point; negative `digits`
    /// reach before it. The result shows max(digits, 0) digits.
    public func rounded(to digits: Int, truncating: Bool = false) throws(SQLError) -> NumericValue {
        let digits = min(max(digits, -Self.maxIntegerDigits), Self.maxScale)
        switch storage {
        case .small(let mantissa, let scale):
            let scale = Int(scale)
            if digits == scale { return self }
            if digits > scale, digits - scale <= 18 {
                return NumericValue(
                    wide: Int128(mantissa) * PowerOfTen.int128[digits - scale], scale: digits)
            }
            if digits < scale {
                let drop = scale - digits
                var result: Int64 = 0
                if drop <= 18 {
                    let divisor = PowerOfTen.int64[drop]
                    result = mantissa / divisor
                    let rest = mantissa % divisor
                    if !truncating, rest.magnitude * 2 >= divisor.magnitude {
                        result += mantissa < 0 ? -1 : 1
                    }
                } else if drop == 19, !truncating, mantissa.magnitude >= 5_000_000_000_000_000_000 {
                    result = mantissa < 0 ? -1 : 1
                }
                if digits >= 0 { return NumericValue(mantissa: result, scale: digits) }
                return try NumericValue(
                    mantissa: BigInt(result) * PowerOfTen.big(-digits), scale: 0
                ).checked()
            }
        case .big: break
        default: return self
        }
        guard let value = decimal else { return self }
        let rescaled = Self.rescale(
            value.mantissa, from: value.scale, to: digits, truncating: truncating)
        if digits >= 0 { return try NumericValue(mantissa: rescaled, scale: digits).checked() }
        return try NumericValue(mantissa: rescaled * PowerOfTen.big(-digits), scale: 0).checked()
    }

    public func floor() throws(SQLError) -> NumericValue {
        guard isFinite else { return self }
        let whole = try rounded(to: 0, truncating: true)
        return signum < 0 && Self.compare(whole, self) != 0
            ? try Self.subtract(whole, .one) : whole
    }

    public func ceiling() throws(SQLError) -> NumericValue {
        guard isFinite else { return self }
        let whole = try rounded(to: 0, truncating: true)
        return signum > 0 && Self.compare(whole, self) != 0 ? try Self.add(whole, .one) : whole
    }
}
