import FalconSchema
import Glibc

/// float4 and float8: arithmetic that raises overflow and underflow as PostgreSQL does, and the
/// mathematical functions.
extension FunctionLibrary {
    static let floatOverflow = SQLError(.numericValueOutOfRange, "value out of range: overflow")
    static let floatUnderflow = SQLError(.numericValueOutOfRange, "value out of range: underflow")
    static let inputOutOfRange = SQLError(.numericValueOutOfRange, "input is out of range")

    /// Rounds to float4 when asked; an infinity that no operand was is an overflow.
    @inline(__always)
    private static func checked(
        _ value: Double, isSingle: Bool, inputsFinite: Bool, zeroIsFine: Bool = true
    ) throws(SQLError) -> Datum {
        let result = isSingle ? Double(Float(value)) : value
        if result.isInfinite, inputsFinite { throw floatOverflow }
        if result == 0, !zeroIsFine { throw floatUnderflow }
        return .float(result)
    }

    mutating func addFloats() {
        for (name, isSingle) in [
            ("float8", false), ("float4", true), ("float48", false), ("float84", false),
        ] {
            binary(name + "pl") { (a, b, _) throws(SQLError) in
                try Self.checked(
                    a.float + b.float, isSingle: isSingle,
                    inputsFinite: a.float.isFinite && b.float.isFinite)
            }
            binary(name + "mi") { (a, b, _) throws(SQLError) in
                try Self.checked(
                    a.float - b.float, isSingle: isSingle,
                    inputsFinite: a.float.isFinite && b.float.isFinite)
            }
            binary(name + "mul") { (a, b, _) throws(SQLError) in
                try Self.checked(
                    a.float * b.float, isSingle: isSingle,
                    inputsFinite: a.float.isFinite && b.float.isFinite,
                    zeroIsFine: a.float == 0 || b.float == 0)
            }
            binary(name + "div") { (a, b, _) throws(SQLError) in
                if b.float == 0, !a.float.isNaN { throw Self.divisionByZero }
                return try Self.checked(
                    a.float / b.float, isSingle: isSingle, inputsFinite: a.float.isFinite,
                    zeroIsFine: a.float == 0 || b.float.isInfinite)
            }
        }
        unary("float4um", "float8um") { (a, _) throws(SQLError) in .float(-a.float) }
        unary("float4up", "float8up") { (a, _) throws(SQLError) in a }
        unary("float4abs", "float8abs") { (a, _) throws(SQLError) in .float(a.float.magnitude) }
        unary("ftod") { (a, _) throws(SQLError) in a }
        unary("dtof") { (a, _) throws(SQLError) in
            try Self.checked(
                a.float, isSingle: true, inputsFinite: a.float.isFinite, zeroIsFine: a.float == 0)
        }
        unary("i2tod", "i4tod", "i8tod") { (a, _) throws(SQLError) in .float(Double(a.int)) }
        unary("i2tof", "i4tof", "i8tof") { (a, _) throws(SQLError) in
            .float(Double(Float(a.int)))
        }
        unary("numeric_float8") { (a, _) throws(SQLError) in
            let value = a.numeric.doubleValue
            if value.isInfinite, a.numeric.isFinite {
                throw SQLError(
                    .numericValueOutOfRange,
                    "\"\(a.numeric)\" is out of range for type double precision")
            }
            return .float(value)
        }
        unary("numeric_float4") { (a, _) throws(SQLError) in
            let value = Float(a.numeric.description) ?? Float(a.numeric.doubleValue)
            if value.isInfinite, a.numeric.isFinite {
                throw SQLError(
                    .numericValueOutOfRange, "\"\(a.numeric)\" is out of range for type real")
            }
            return .float(Double(a.numeric.isNaN ? Float.nan : value))
        }
        unary("float8_numeric") { (a, _) throws(SQLError) in
            .numeric(NumericValue(rounding: a.float))
        }
        unary("float4_numeric") { (a, _) throws(SQLError) in
            .numeric(NumericValue(rounding: Float(a.float)))
        }
        unary("dround") { (a, _) throws(SQLError) in .float(a.float.rounded(.toNearestOrEven)) }
        unary("dtrunc") { (a, _) throws(SQLError) in .float(a.float.rounded(.towardZero)) }
        unary("dceil") { (a, _) throws(SQLError) in .float(a.float.rounded(.up)) }
        unary("dfloor") { (a, _) throws(SQLError) in .float(a.float.rounded(.down)) }
        unary("dsign") { (a, _) throws(SQLError) in
            .float(a.float > 0 ? 1 : (a.float < 0 ? -1 : 0))
        }
        addFloatMath()
    }

    private mutating func math(
        _ name: String, overflowFrom: Bool = false, _ code: @escaping @Sendable (Double) -> Double
    ) {
        unary(name) { (a, _) throws(SQLError) in
            let result = code(a.float)
            if result.isInfinite, a.float.isFinite { throw Self.floatOverflow }
            return .float(result)
        }
    }

    private mutating func logarithm(_ name: String, _ code: @escaping @Sendable (Double) -> Double)
    {
        unary(name) { (a, _) throws(SQLError) in
            try Self.checkLogarithm(a.float == 0, a.float < 0)
            return .float(code(a.float))
        }
    }

    private mutating func periodic(_ name: String, _ code: @escaping @Sendable (Double) -> Double) {
        unary(name) { (a, _) throws(SQLError) in
            if a.float.isInfinite { throw Self.inputOutOfRange }
            return .float(code(a.float))
        }
    }

    private mutating func bounded(_ name: String, _ code: @escaping @Sendable (Double) -> Double) {
        unary(name) { (a, _) throws(SQLError) in
            if a.float < -1 || a.float > 1 { throw Self.inputOutOfRange }
            return .float(code(a.float))
        }
    }

    private mutating func addFloatMath() {
        unary("dsqrt") { (a, _) throws(SQLError) in
            if a.float < 0 {
                throw SQLError(
                    SQLState("2201F"), "cannot take square root of a negative number")
            }
            return .float(a.float.squareRoot())
        }
        math("dcbrt") { cbrt($0) }
        unary("dexp") { (a, _) throws(SQLError) in
            let result = exp(a.float)
            if result.isInfinite, a.float.isFinite { throw Self.floatOverflow }
            if result == 0, a.float.isFinite { throw Self.floatUnderflow }
            return .float(result)
        }
        logarithm("dlog1") { log($0) }
        logarithm("dlog10") { log10($0) }
        binary("dpow") { (a, b, _) throws(SQLError) in .float(try Self.power(a.float, b.float)) }
        periodic("dsin") { sin($0) }
        periodic("dcos") { cos($0) }
        periodic("dtan") { tan($0) }
        periodic("dcot") { 1 / tan($0) }
        bounded("dasin") { asin($0) }
        bounded("dacos") { acos($0) }
        bounded("dasind") { Self.degrees(asin($0)) }
        bounded("dacosd") { Self.degrees(acos($0)) }
        bounded("datanh") { atanh($0) }
        math("datan") { atan($0) }
        math("datand") { Self.degrees(atan($0)) }
        binary("datan2") { (a, b, _) throws(SQLError) in .float(atan2(a.float, b.float)) }
        binary("datan2d") { (a, b, _) throws(SQLError) in
            .float(Self.degrees(atan2(a.float, b.float)))
        }
        math("dsind") { Self.sinDegrees($0) }
        math("dcosd") { Self.sinDegrees($0 + 90) }
        math("dtand") { Self.tanDegrees($0) }
        math("dcotd") { 1 / Self.tanDegrees($0) }
        math("dsinh") { sinh($0) }
        math("dcosh") { cosh($0) }
        math("dtanh") { tanh($0) }
        math("dasinh") { asinh($0) }
        unary("dacosh") { (a, _) throws(SQLError) in
            if a.float < 1 { throw Self.inputOutOfRange }
            return .float(acosh(a.float))
        }
        math("degrees") { Self.degrees($0) }
        math("radians") { $0 * (Double.pi / 180) }
        nullary("dpi") { _ throws(SQLError) in .float(Double.pi) }
        nullary("drandom") { _ throws(SQLError) in .float(Double.random(in: 0..<1)) }
        unary("setseed") { (_, _) throws(SQLError) in .text("") }
        many("width_bucket_float8") { (a, _) throws(SQLError) in
            let (value, low, high) = (a[0].float, a[1].float, a[2].float)
            let count = a[3].int
            if count <= 0 {
                throw SQLError(SQLState("2201G"), "count must be greater than zero")
            }
            if low == high {
                throw SQLError(SQLState("2201G"), "lower bound cannot equal upper bound")
            }
            let position = low < high ? (value - low) / (high - low) : (low - value) / (low - high)
            if position < 0 { return .int(0) }
            if position >= 1 { return .int(count + 1) }
            return .int(Int64(position * Double(count)) + 1)
        }
    }

    private static func degrees(_ radians: Double) -> Double { radians / (Double.pi / 180) }

    /// Exact at multiples of 30 degrees.
    private static func sinDegrees(_ degrees: Double) -> Double {
        if !degrees.isFinite { return .nan }
        let reduced = degrees.truncatingRemainder(dividingBy: 360)
        let angle = reduced < 0 ? reduced + 360 : reduced
        switch angle {
        case 0, 180: return 0
        case 30, 150: return 0.5
        case 90: return 1
        case 210, 330: return -0.5
        case 270: return -1
        default: return sin(angle * (Double.pi / 180))
        }
    }

    /// Exact at odd multiples of 45 degrees too.
    private static func tanDegrees(_ degrees: Double) -> Double {
        let reduced = degrees.truncatingRemainder(dividingBy: 180)
        switch reduced < 0 ? reduced + 180 : reduced {
        case 45: return 1
        case 135: return -1
        default: return sinDegrees(degrees) / sinDegrees(degrees + 90)
        }
    }

    static func checkLogarithm(_ isZero: Bool, _ isNegative: Bool) throws(SQLError) {
        if isZero {
            throw SQLError(SQLState("2201E"), "cannot take logarithm of zero")
        }
        if isNegative {
            throw SQLError(SQLState("2201E"), "cannot take logarithm of a negative number")
        }
    }

    static func power(_ base: Double, _ exponent: Double) throws(SQLError) -> Double {
        if base.isNaN { return exponent == 0 ? 1 : .nan }
        if exponent.isNaN { return base == 1 ? 1 : .nan }
        if base == 0, exponent < 0 {
            throw SQLError(
                SQLState("2201F"), "zero raised to a negative power is undefined")
        }
        if base < 0, exponent.isFinite, exponent.rounded(.down) != exponent {
            throw SQLError(
                SQLState("2201F"),
                "a negative number raised to a non-integer power yields a complex result")
        }
        let result = pow(base, exponent)
        if base.isFinite, exponent.isFinite {
            if result.isInfinite { throw floatOverflow }
            if result == 0, base != 0 { throw floatUnderflow }
        }
        return result
    }
}
