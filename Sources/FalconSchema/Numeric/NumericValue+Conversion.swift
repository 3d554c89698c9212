import BigInt

extension NumericValue {
    /// The nearest integer (halves away from zero), or nil when NaN, infinite or beyond 64 bits.
    public var roundedInt64: Int64? {
        switch storage {
        case .small(let mantissa, 0): return mantissa
        case .small, .big:
            guard let whole = try? rounded(to: 0), case .small(let result, _) = whole.storage else {
                return nil
            }
            return result
        default: return nil
        }
    }

    /// The exact integer value, or nil when there is a fraction or it does not fit.
    public var exactInt64: Int64? {
        guard isFinite else { return nil }
        let trimmed = trimmingScale(to: 0)
        if case .small(let result, 0) = trimmed.storage { return result }
        return nil
    }

    /// The nearest Double, as PostgreSQL gets it: through the text form.
    public var doubleValue: Double {
        switch storage {
        case .nan: return .nan
        case .infinity: return .infinity
        case .negativeInfinity: return -.infinity
        case .small(let mantissa, let scale):
            // Both exact in a Double: one correctly rounded division.
            if scale <= 18, mantissa.magnitude < 1 << 53, scale <= 15 {
                return Double(mantissa) / Double(PowerOfTen.int64[Int(scale)])
            }
            return Double(description) ?? .nan
        case .big: return Double(description) ?? .nan
        }
    }

    /// float8 → numeric: 15 significant digits, as PostgreSQL.
    public init(rounding value: Double) {
        self = Self.rounded(value, significantDigits: 15)
    }
    /// float4 → numeric: 6 significant digits.
    public init(rounding value: Float) {
        self = Self.rounded(Double(value), significantDigits: 6)
    }

    /// What printf("%.*g") would print, read back.
    static func rounded(_ value: Double, significantDigits: Int) -> NumericValue {
        if value.isNaN { return .nan }
        if value.isInfinite { return value < 0 ? .negativeInfinity : .infinity }
        if value == 0 { return .zero }
        // The exact value of a double as a decimal, then rounded half to even at the digit wanted
        // (printf rounds the exact value, so a true tie is the only question).
        let (mantissa, scale) = exactDecimal(value.magnitude)
        let digits = mantissa.description.utf8.count
        var result = mantissa
        var resultScale = scale
        if digits > significantDigits {
            let drop = digits - significantDigits
            let divisor = PowerOfTen.big(drop)
            var (quotient, rest) = mantissa.quotientAndRemainder(dividingBy: divisor)
            let twice = rest * 2
            if twice > divisor || (twice == divisor && !(quotient % 2).isZero) { quotient += 1 }
            result = quotient
            resultScale -= drop
        }
        if resultScale < 0 {
            result *= PowerOfTen.big(-resultScale)
            resultScale = 0
        }
        if value < 0 { result.negate() }
        return NumericValue(mantissa: result, scale: resultScale).trimmingScale(to: 0)
    }

    private static func exactDecimal(_ value: Double) -> (BigInt, Int) {
        let exponent = Int(value.exponent) - 52
        let significand: UInt64
        let binaryExponent: Int
        if value.isNormal {
            significand = value.significandBitPattern | (1 << 52)
            binaryExponent = exponent
        } else {
            significand = value.significandBitPattern
            binaryExponent = -1074
        }
        if binaryExponent >= 0 { return (BigInt(significand) << binaryExponent, 0) }
        // x / 2^n == x * 5^n / 10^n
        return (BigInt(significand) * BigInt(5).power(-binaryExponent), -binaryExponent)
    }

    /// Applies numeric(p, s): rounds to s digits, 22003 when more than p - s remain before the point.
    public func applying(modifier: Int32) throws(SQLError) -> NumericValue {
        guard modifier >= 4 else { return self }
        let packed = modifier - 4
        let precision = Int((packed >> 16) & 0xFFFF)
        // An 11-bit signed field.
        let scale = Int(((packed & 0x7FF) ^ 1024) - 1024)
        switch storage {
        case .nan: return self
        case .infinity, .negativeInfinity:
            throw SQLError(
                .numericValueOutOfRange, "numeric field overflow",
                detail:
                    "A field with precision \(precision), scale \(scale) cannot hold an infinite value."
            )
        default: break
        }
        let result = try rounded(to: scale)
        if let exponent = result.decimalExponent, exponent >= precision - scale {
            let digits = precision - scale
            throw SQLError(
                .numericValueOutOfRange, "numeric field overflow",
                detail:
                    "A field with precision \(precision), scale \(scale) must round to an absolute value less than \(digits == 0 ? "" : "10^")\(digits == 0 ? 1 : digits)."
            )
        }
        return result
    }

    /// The modifier of numeric(p, s).
    public static func modifier(precision: Int32, scale: Int32) -> Int32 {
        ((precision << 16) | (scale & 0x7FF)) + 4
    }
}
