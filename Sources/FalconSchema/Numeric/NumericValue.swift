import BigInt

/// An exact decimal number of SQL's NUMERIC: a mantissa and the count of digits after the point
/// (the display scale, which NUMERIC keeps: 1.0 and 1.00 print differently and compare equal),
/// or NaN or ±Infinity.
///
/// Mantissas that fit 64 bits live in the value itself; larger ones in a shared ``BigDecimal``. A
/// number always takes the smaller form that holds it.
public struct NumericValue: Sendable {
    @usableFromInline
    enum Storage: Sendable {
        case small(Int64, UInt16)
        case big(BigDecimal)
        case nan
        case infinity
        case negativeInfinity
    }
    @usableFromInline let storage: Storage

    @inlinable init(_ storage: Storage) { self.storage = storage }

    public static let zero = NumericValue(Int64(0))
    public static let one = NumericValue(Int64(1))
    public static let nan = NumericValue(.nan)
    public static let infinity = NumericValue(.infinity)
    public static let negativeInfinity = NumericValue(.negativeInfinity)

    /// Digits NUMERIC may have after the point, and before it.
    static let maxScale = 16383
    static let maxIntegerDigits = 131_072
    /// numeric(p, s): the largest p, and the bound of scales that functions choose.
    public static let maxPrecision = 1000

    @inlinable public init(_ value: Int64) { storage = .small(value, 0) }

    /// `mantissa` / 10^`scale`; `scale` in 0...16383.
    @inlinable public init(mantissa: Int64, scale: Int) {
        storage = .small(mantissa, UInt16(clamping: scale))
    }

    init(mantissa: BigInt, scale: Int) {
        if let small = Int64(exactly: mantissa) {
            storage = .small(small, UInt16(clamping: scale))
        } else {
            storage = .big(BigDecimal(mantissa: mantissa, scale: max(scale, 0)))
        }
    }

    init(wide mantissa: Int128, scale: Int) {
        if let small = Int64(exactly: mantissa) {
            storage = .small(small, UInt16(clamping: scale))
        } else {
            storage = .big(BigDecimal(mantissa: BigInt(mantissa), scale: max(scale, 0)))
        }
    }

    /// The exact integer.
    public init(wide value: Int128) { self.init(wide: value, scale: 0) }

    public var isNaN: Bool {
        if case .nan = storage { return true }
        return false
    }
    public var isInfinite: Bool {
        switch storage {
        case .infinity, .negativeInfinity: return true
        default: return false
        }
    }
    public var isFinite: Bool {
        switch storage {
        case .small, .big: return true
        default: return false
        }
    }
    public var isZero: Bool {
        if case .small(0, _) = storage { return true }
        return false
    }
    /// -1, 0 or 1; NaN counts as positive.
    public var signum: Int {
        switch storage {
        case .small(let mantissa, _): return mantissa.signum() == 0 ? 0 : (mantissa < 0 ? -1 : 1)
        case .big(let big): return big.mantissa.sign == .minus ? -1 : 1
        case .negativeInfinity: return -1
        case .nan, .infinity: return 1
        }
    }
    /// Digits after the decimal point; 0 for NaN and infinities.
    public var scale: Int {
        switch storage {
        case .small(_, let scale): return Int(scale)
        case .big(let big): return big.scale
        default: return 0
        }
    }

    /// Digits from the first to the last that the value shows, or to the point: a measure of what
    /// arithmetic with it costs.
    public var digitSpan: Int {
        switch storage {
        case .small(_, let scale): return max(19, Int(scale))
        case .big(let big): return max(big.mantissa.bitWidth * 3 / 10, big.scale)
        default: return 0
        }
    }

    /// Mantissa and scale of a finite number.
    var decimal: (mantissa: BigInt, scale: Int)? {
        switch storage {
        case .small(let mantissa, let scale): return (BigInt(mantissa), Int(scale))
        case .big(let big): return (big.mantissa, big.scale)
        default: return nil
        }
    }
}

/// A decimal beyond 64 bits of mantissa.
@usableFromInline
final class BigDecimal: Sendable {
    let mantissa: BigInt
    let scale: Int
    init(mantissa: BigInt, scale: Int) {
        self.mantissa = mantissa
        self.scale = scale
    }
}

/// Powers of ten.
enum PowerOfTen {
    static let int64: [Int64] = {
        var powers: [Int64] = [1]
        for _ in 0..<18 { powers.append((powers.last ?? 1) * 10) }
        return powers
    }()
    static let int128: [Int128] = {
        var powers: [Int128] = [1]
        for _ in 0..<38 { powers.append((powers.last ?? 1) * 10) }
        return powers
    }()
    private static let cached: [BigInt] = {
        var powers: [BigInt] = [1]
        for _ in 0..<128 { powers.append((powers.last ?? 1) * 10) }
        return powers
    }()
    static func big(_ exponent: Int) -> BigInt {
        if exponent < 0 { return 1 }
        return exponent < cached.count ? cached[exponent] : BigInt(DecimalDigits.power(exponent))
    }
}
