import BigInt
import Glibc

/// Square root, exponential, logarithms and power, correctly rounded (a few guard digits) at
/// PostgreSQL's result scales: at least 16 significant digits, never fewer than the input shows.
extension NumericValue {
    private static func clamped(_ scale: Int) -> Int { min(max(scale, 0), maxPrecision) }

    public func squareRoot() throws(SQLError) -> NumericValue {
        guard let value = decimal else {
            if isNaN || signum > 0 { return self }
            throw Self.negativeRoot
        }
        if signum < 0 { throw Self.negativeRoot }
        let weight = leadingGroup.weight
        let resultWeight = (weight >= 0 ? weight * 4 / 2 + 1 : 1 - (-(weight * 4) - 1) / 2 - 1)
        let scale = Self.clamped(max(16 - resultWeight, value.scale))
        if isZero { return NumericValue(mantissa: Int64(0), scale: scale) }
        // floor(sqrt(m * 10^(2 (scale + 1) - s))), one guard digit, then round.
        let shift = 2 * (scale + 1) - value.scale
        let radicand =
            shift >= 0
            ? Limbs.product(value.mantissa, PowerOfTen.big(shift))
            : Limbs.divide(value.mantissa, by: PowerOfTen.big(-shift)).quotient
        let root = BigInt(Limbs.squareRoot(radicand.magnitude))
        return NumericValue(
            mantissa: Self.rescale(root, from: scale + 1, to: scale), scale: scale)
    }

    private static let negativeRoot = SQLError(
        SQLState("2201F"), "cannot take square root of a negative number")

    public func exponential() throws(SQLError) -> NumericValue {
        guard isFinite else {
            return signum < 0 && !isNaN ? .zero : self
        }
        let weight = min(max(doubleValue * 0.434294481903252, -2000), 2000)
        let scale = Self.clamped(max(16 - Int(weight), self.scale))
        return try Self.exponential(self, scale: scale)
    }

    static func exponential(_ value: NumericValue, scale: Int) throws(SQLError) -> NumericValue {
        let approximate = value.doubleValue
        // PostgreSQL's bounds: three times the greatest result scale.
        if approximate >= 6000 { throw overflow }
        if approximate <= -6000 { return NumericValue(mantissa: Int64(0), scale: scale) }
        let digits = scale + max(0, Int(approximate * 0.4343) + 1) + 12
        guard let input = value.decimal else { return value }
        let fixed = rescale(input.mantissa, from: input.scale, to: digits)
        let result = FixedPoint(digits).exponential(fixed)
        return try NumericValue(
            mantissa: rescale(result, from: digits, to: scale), scale: scale
        ).checked()
    }

    /// The decimal weight of ln(self) (estimate_ln_dweight).
    private var logarithmWeight: Int {
        guard signum > 0, isFinite else { return 0 }
        let low = NumericValue(mantissa: Int64(9), scale: 1)
        let high = NumericValue(mantissa: Int64(11), scale: 1)
        if self >= low, self <= high {
            guard let difference = try? Self.subtract(self, .one), !difference.isZero else {
                return 0
            }
            let (weight, group) = difference.magnitude.leadingGroup
            return weight * 4 + Int(log10(Double(group)))
        }
        guard let exponent = decimalExponent else { return 0 }
        // ln(d.ddd × 10^e) from the first digits.
        let fraction = Double(leadingDigits(8)) / 1e7
        let logarithm = log(fraction) + Double(exponent) * 2.302585092994046
        return Int(log10(abs(logarithm)))
    }

    public func naturalLogarithm() throws(SQLError) -> NumericValue {
        try checkLogarithm()
        guard isFinite else { return self }
        let scale = Self.clamped(max(16 - logarithmWeight, self.scale))
        return try Self.naturalLogarithm(self, scale: scale)
    }

    private func checkLogarithm() throws(SQLError) {
        if isNaN { return }
        if isZero { throw SQLError(SQLState("2201E"), "cannot take logarithm of zero") }
        if signum < 0 {
            throw SQLError(SQLState("2201E"), "cannot take logarithm of a negative number")
        }
    }

    static func naturalLogarithm(
        _ value: NumericValue, scale: Int
    ) throws(SQLError) -> NumericValue {
        guard let input = value.decimal else { return value }
        let digits = scale + 12
        let result = FixedPoint(digits).logarithm(input.mantissa, scale: input.scale)
        return NumericValue(mantissa: rescale(result, from: digits, to: scale), scale: scale)
    }

    public static func logarithm(
        base: NumericValue, of value: NumericValue
    ) throws(SQLError) -> NumericValue {
        if base.isNaN || value.isNaN { return .nan }
        try base.checkLogarithm()
        try value.checkLogarithm()
        guard base.isFinite, value.isFinite else {
            if base.isInfinite { return value.isInfinite ? .nan : .zero }
            return .infinity
        }
        let scale = clamped(
            max(16 - (value.logarithmWeight - base.logarithmWeight), base.scale, value.scale))
        let digits = scale + 20
        let fixed = FixedPoint(digits)
        guard let b = base.decimal, let v = value.decimal else { return .nan }
        let divisor = fixed.logarithm(b.mantissa, scale: b.scale)
        if divisor.isZero { throw divisionByZero }
        let dividend = fixed.logarithm(v.mantissa, scale: v.scale)
        let quotient = dividend * PowerOfTen.big(digits) / divisor
        return NumericValue(mantissa: rescale(quotient, from: digits, to: scale), scale: scale)
    }

    public static func power(
        _ base: NumericValue, _ exponent: NumericValue
    ) throws(SQLError) -> NumericValue {
        guard base.isFinite, exponent.isFinite else { return try specialPower(base, exponent) }
        if base.isZero, exponent.signum < 0 {
            throw SQLError(SQLState("2201F"), "zero raised to a negative power is undefined")
        }
        let whole = exponent.exactInt64
        if base.signum < 0, whole == nil, exponent.trimmingScale().scale > 0 {
            throw SQLError(
                SQLState("2201F"),
                "a negative number raised to a non-integer power yields a complex result")
        }
        if let whole, let count = Int32(exactly: whole) {
            return try integerPower(base, Int(count))
        }
        if base.isZero { return NumericValue(mantissa: Int64(0), scale: 16) }
        guard let b = base.magnitude.decimal, let e = exponent.decimal else { return .nan }
        // exp(exponent × ln base), with digits for the integer part of the product.
        let estimate = log10Estimate(base.magnitude) * exponent.doubleValue
        // As exp(): PostgreSQL bounds the natural logarithm of the result.
        if estimate * 2.302585092994046 >= 6000 { throw overflow }
        if estimate * 2.302585092994046 <= -6000 {
            return NumericValue(mantissa: Int64(0), scale: maxPrecision)
        }
        let scale = clamped(max(16 - Int(estimate), base.scale, exponent.scale))
        let digits = scale + max(0, Int(estimate)) + 24
        let logarithm = FixedPoint(digits + 8).logarithm(b.mantissa, scale: b.scale)
        let product = rescale(
            logarithm * e.mantissa, from: digits + 8 + e.scale, to: digits)
        let result = FixedPoint(digits).exponential(product)
        return try NumericValue(
            mantissa: rescale(result, from: digits, to: scale), scale: scale
        ).checked()
    }

    private static func log10Estimate(_ value: NumericValue) -> Double {
        guard let exponent = value.decimalExponent else { return 0 }
        let digits = value.description.filter { $0.isNumber }.drop { $0 == "0" }.prefix(17)
        let leading = Double(String(digits)) ?? 1
        return log10(leading) - Double(digits.count - 1) + Double(exponent)
    }

    private static func integerPower(
        _ base: NumericValue, _ exponent: Int
    ) throws(SQLError) -> NumericValue {
        let weight = base.isZero ? 0 : log10Estimate(base.magnitude) * Double(exponent)
        if weight > Double((32767 + 1) * 4) { throw overflow }
        if weight + 1 < -Double(maxPrecision) {
            return NumericValue(mantissa: Int64(0), scale: maxPrecision)
        }
        let scale = clamped(max(16, base.scale))
        switch exponent {
        case 0: return try NumericValue.one.rounded(to: scale)
        case 1: return try base.rounded(to: scale)
        case -1: return try quotient(.one, base, scale: scale)
        default: break
        }
        if base.isZero { return NumericValue(mantissa: Int64(0), scale: scale) }
        guard let value = base.decimal else { return base }
        // Square and multiply, keeping only the digits that can matter.
        let keep = max(scale + Int(abs(weight)) + 24, 40)
        var result: (mantissa: BigInt, scale: Int) = (1, 0)
        var square = value
        var rest = exponent.magnitude
        func trimmed(_ number: (mantissa: BigInt, scale: Int)) -> (mantissa: BigInt, scale: Int) {
            let digits = number.mantissa.magnitude.bitWidth * 3 / 10
            let excess = digits - keep
            guard excess > 0 else { return number }
            return (
                rescale(number.mantissa, from: excess, to: 0), number.scale - excess
            )
        }
        while rest > 0 {
            if rest & 1 == 1 {
                result = trimmed(
                    (
                        Limbs.product(result.mantissa, square.mantissa), result.scale + square.scale
                    ))
            }
            rest >>= 1
            if rest > 0 {
                square = trimmed(
                    (Limbs.product(square.mantissa, square.mantissa), square.scale * 2))
            }
        }
        if exponent > 0 {
            return try NumericValue(
                mantissa: rescale(result.mantissa, from: result.scale, to: scale), scale: scale
            ).checked()
        }
        let shift = scale + 1 + result.scale
        let dividend = shift >= 0 ? PowerOfTen.big(shift) : BigInt(0)
        let inverse = dividend / result.mantissa
        return NumericValue(
            mantissa: rescale(inverse, from: scale + 1, to: scale), scale: scale)
    }

    private static func specialPower(
        _ base: NumericValue, _ exponent: NumericValue
    ) throws(SQLError) -> NumericValue {
        if base.isNaN { return exponent.isZero ? .one : .nan }
        if exponent.isNaN { return base == .one ? .one : .nan }
        if base == .one || exponent.isZero { return .one }
        if base.isZero {
            if exponent.signum < 0 {
                throw SQLError(SQLState("2201F"), "zero raised to a negative power is undefined")
            }
            return .zero
        }
        if exponent.isInfinite {
            let grows = base.magnitude > .one
            if base.magnitude == .one { return .one }
            return grows == (exponent.signum > 0) ? .infinity : .zero
        }
        // Infinite base, finite exponent.
        if base.signum < 0 {
            guard let whole = exponent.exactInt64 else {
                throw SQLError(
                    SQLState("2201F"),
                    "a negative number raised to a non-integer power yields a complex result")
            }
            if exponent.signum < 0 { return .zero }
            return whole % 2 == 0 ? .infinity : .negativeInfinity
        }
        return exponent.signum > 0 ? .infinity : .zero
    }
}

/// Arithmetic on integers that stand for value × 10^digits.
private struct FixedPoint {
    let digits: Int
    let one: BigInt

    init(_ digits: Int) {
        self.digits = digits
        one = PowerOfTen.big(digits)
    }

    /// ln of mantissa / 10^scale, positive.
    func logarithm(_ mantissa: BigInt, scale: Int) -> BigInt {
        let guardDigits = digits + 10
        let wide = FixedPoint(guardDigits)
        var x = NumericValue.rescale(mantissa, from: scale, to: guardDigits)
        if x.isZero {
            // Smaller than the scale shows: take the power of ten out first.
            let digitsOfMantissa = NumericValue.digitCount(mantissa.magnitude)
            let normal = logarithm(mantissa, scale: digitsOfMantissa)
            return normal + ln10 * BigInt(digitsOfMantissa - scale)
        }
        // x = y × 2^k with y in [0.7, 1.42).
        var k = x.magnitude.bitWidth - wide.one.magnitude.bitWidth
        // Shift the exact number, so that no digit is lost.
        if k > 0 {
            x >>= k
        } else if k < 0 {
            x = NumericValue.rescale(mantissa << (-k), from: scale, to: guardDigits)
        }
        while x * 10 > wide.one * 14 {
            x >>= 1
            k += 1
        }
        while x * 10 < wide.one * 7 {
            x <<= 1
            k -= 1
        }
        let z = (x - wide.one) * wide.one / (x + wide.one)
        let result = wide.atanh(z) * 2 + wide.ln2 * BigInt(k)
        return NumericValue.rescale(result, from: guardDigits, to: digits)
    }

    /// z + z³/3 + z⁵/5 …
    func atanh(_ z: BigInt) -> BigInt {
        let square = z * z / one
        var term = z
        var sum = z
        var n = 3
        while !term.isZero {
            term = term * square / one
            sum += term / BigInt(n)
            n += 2
        }
        return sum
    }

    /// 2 atanh(1/3)
    var ln2: BigInt { atanh(one / 3) * 2 }
    /// 3 ln 2 + ln(1.25)
    var ln10: BigInt { ln2 * 3 + atanh(one / 9) * 2 }

    func exponential(_ x: BigInt) -> BigInt {
        let wide = FixedPoint(digits + 20)
        let input = x * PowerOfTen.big(20)
        let ln2 = wide.ln2
        var k = Int(input / ln2)
        var rest = input - ln2 * BigInt(k)
        if rest.sign == .minus, !rest.isZero {
            rest += ln2
            k -= 1
        }
        // Taylor at rest / 256, then square eight times.
        let small = rest >> 8
        var term = wide.one
        var sum = wide.one
        var n = 1
        while !term.isZero {
            term = term * small / wide.one / BigInt(n)
            sum += term
            n += 1
        }
        for _ in 0..<8 { sum = sum * sum / wide.one }
        let shifted = k >= 0 ? sum << k : sum >> (-k)
        return NumericValue.rescale(shifted, from: digits + 20, to: digits)
    }
}
