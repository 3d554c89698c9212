import FalconSchema

/// Integer arithmetic, its overflows 22003 in the result's width.
extension FunctionLibrary {
    /// The result's width and its 22003.
    private enum Width: Sendable {
        case int2, int4, int8
        func checked(_ value: Int64) throws(SQLError) -> Datum {
            switch self {
            case .int2:
                if Int16(exactly: value) == nil { throw outOfRange }
            case .int4:
                if Int32(exactly: value) == nil { throw outOfRange }
            case .int8: break
            }
            return .int(value)
        }
        var outOfRange: SQLError {
            switch self {
            case .int2: SQLError(.numericValueOutOfRange, "smallint out of range")
            case .int4: SQLError(.numericValueOutOfRange, "integer out of range")
            case .int8: SQLError(.numericValueOutOfRange, "bigint out of range")
            }
        }
        var minimum: Int64 {
            switch self {
            case .int2: Int64(Int16.min)
            case .int4: Int64(Int32.min)
            case .int8: .min
            }
        }
    }

    static let divisionByZero = SQLError(.divisionByZero, "division by zero")

    mutating func addIntegers() {
        let families: [(String, Width)] = [
            ("int2", .int2), ("int4", .int4), ("int8", .int8), ("int24", .int4), ("int42", .int4),
            ("int28", .int8), ("int82", .int8), ("int48", .int8), ("int84", .int8),
        ]
        for (name, width) in families {
            binary(name + "pl") { (a, b, _) throws(SQLError) in
                let (value, overflow) = a.int.addingReportingOverflow(b.int)
                if overflow { throw width.outOfRange }
                return try width.checked(value)
            }
            binary(name + "mi") { (a, b, _) throws(SQLError) in
                let (value, overflow) = a.int.subtractingReportingOverflow(b.int)
                if overflow { throw width.outOfRange }
                return try width.checked(value)
            }
            binary(name + "mul") { (a, b, _) throws(SQLError) in
                let (value, overflow) = a.int.multipliedReportingOverflow(by: b.int)
                if overflow { throw width.outOfRange }
                return try width.checked(value)
            }
            binary(name + "div") { (a, b, _) throws(SQLError) in
                if b.int == 0 { throw Self.divisionByZero }
                let (value, overflow) = a.int.dividedReportingOverflow(by: b.int)
                if overflow { throw width.outOfRange }
                return try width.checked(value)
            }
        }
        for (name, width) in families[..<3] {
            binary(name + "mod") { (a, b, _) throws(SQLError) in
                if b.int == 0 { throw Self.divisionByZero }
                return b.int == -1 ? .int(0) : .int(a.int % b.int)
            }
            unary(name + "um") { (a, _) throws(SQLError) in
                if a.int == width.minimum { throw width.outOfRange }
                return .int(-a.int)
            }
            unary(name + "up") { (a, _) throws(SQLError) in a }
            unary(name + "abs") { (a, _) throws(SQLError) in
                if a.int == width.minimum { throw width.outOfRange }
                return .int(abs(a.int))
            }
            binary(name + "and") { (a, b, _) throws(SQLError) in .int(a.int & b.int) }
            binary(name + "or") { (a, b, _) throws(SQLError) in .int(a.int | b.int) }
            binary(name + "xor") { (a, b, _) throws(SQLError) in .int(a.int ^ b.int) }
            unary(name + "not") { (a, _) throws(SQLError) in .int(~a.int) }
            binary(name + "larger") { (a, b, _) throws(SQLError) in .int(max(a.int, b.int)) }
            binary(name + "smaller") { (a, b, _) throws(SQLError) in .int(min(a.int, b.int)) }
        }
        // Shifts count modulo the width, as C does on this platform.
        binary("int2shl") { (a, b, _) throws(SQLError) in
            .int(
                Int64(
                    Int16(
                        truncatingIfNeeded: Int32(truncatingIfNeeded: a.int)
                            &<< Int32(truncatingIfNeeded: b.int))))
        }
        binary("int2shr") { (a, b, _) throws(SQLError) in
            .int(Int64(Int32(truncatingIfNeeded: a.int) &>> Int32(truncatingIfNeeded: b.int)))
        }
        binary("int4shl") { (a, b, _) throws(SQLError) in
            .int(Int64(Int32(truncatingIfNeeded: a.int) &<< Int32(truncatingIfNeeded: b.int)))
        }
        binary("int4shr") { (a, b, _) throws(SQLError) in
            .int(Int64(Int32(truncatingIfNeeded: a.int) &>> Int32(truncatingIfNeeded: b.int)))
        }
        binary("int8shl") { (a, b, _) throws(SQLError) in .int(a.int &<< b.int) }
        binary("int8shr") { (a, b, _) throws(SQLError) in .int(a.int &>> b.int) }

        for (suffix, width) in [("4", Width.int4), ("8", Width.int8)] {
            binary("int\(suffix)gcd") { (a, b, _) throws(SQLError) in
                let value = Self.gcd(a.int.magnitude, b.int.magnitude)
                guard let exact = Int64(exactly: value) else { throw width.outOfRange }
                return try width.checked(exact)
            }
            binary("int\(suffix)lcm") { (a, b, _) throws(SQLError) in
                if a.int == 0 || b.int == 0 { return .int(0) }
                let divisor = Self.gcd(a.int.magnitude, b.int.magnitude)
                let (value, overflow) = (a.int.magnitude / divisor).multipliedReportingOverflow(
                    by: b.int.magnitude)
                guard !overflow, let exact = Int64(exactly: value) else { throw width.outOfRange }
                return try width.checked(exact)
            }
        }
        addIntegerCasts()
    }

    private static func gcd(_ a: UInt64, _ b: UInt64) -> UInt64 {
        var (x, y) = (a, b)
        while y != 0 { (x, y) = (y, x % y) }
        return x
    }

    private mutating func addIntegerCasts() {
        unary("i2toi4", "int48", "int28", "oidtoi8", "chartoi4wide") { (a, _) throws(SQLError) in a
        }
        unary("i4toi2", "int82") { (a, _) throws(SQLError) in try Width.int2.checked(a.int) }
        unary("int84") { (a, _) throws(SQLError) in try Width.int4.checked(a.int) }
        unary("i8tooid") { (a, _) throws(SQLError) in
            if UInt32(exactly: a.int) == nil {
                throw SQLError(.numericValueOutOfRange, "OID out of range")
            }
            return a
        }
        unary("int4_bool") { (a, _) throws(SQLError) in .bool(a.int != 0) }
        unary("booltext") { (a, _) throws(SQLError) in .text(a.bool ? "true" : "false") }
        unary("bool_int4") { (a, _) throws(SQLError) in .int(a.bool ? 1 : 0) }
        unary("chartoi4") { (a, _) throws(SQLError) in
            .int(Int64(Int8(truncatingIfNeeded: a.int)))
        }
        unary("i4tochar") { (a, _) throws(SQLError) in
            if Int8(exactly: a.int) == nil {
                throw SQLError(.numericValueOutOfRange, "\"char\" out of range")
            }
            return .int(Int64(UInt8(truncatingIfNeeded: a.int)))
        }
        for (names, width) in [
            (["dtoi2", "ftoi2"], Width.int2), (["dtoi4", "ftoi4"], .int4),
            (["dtoi8", "ftoi8"], .int8),
        ] {
            for name in names {
                unary(name) { (a, _) throws(SQLError) in
                    let rounded = a.float.rounded(.toNearestOrEven)
                    guard let exact = Int64(exactly: rounded) else { throw width.outOfRange }
                    return try width.checked(exact)
                }
            }
        }
        for (name, width) in [
            ("numeric_int2", Width.int2), ("numeric_int4", .int4), ("numeric_int8", .int8),
        ] {
            let typeName =
                name == "numeric_int2"
                ? "smallint" : (name == "numeric_int4" ? "integer" : "bigint")
            unary(name) { (a, _) throws(SQLError) in
                let value = a.numeric
                if value.isNaN {
                    throw SQLError(.featureNotSupported, "cannot convert NaN to \(typeName)")
                }
                if value.isInfinite {
                    throw SQLError(.featureNotSupported, "cannot convert infinity to \(typeName)")
                }
                guard let exact = value.roundedInt64 else { throw width.outOfRange }
                return try width.checked(exact)
            }
        }
        unary("int2_numeric", "int4_numeric", "int8_numeric") { (a, _) throws(SQLError) in
            .numeric(NumericValue(a.int))
        }
        unary("to_hex32") { (a, _) throws(SQLError) in
            .text(String(UInt32(truncatingIfNeeded: a.int), radix: 16))
        }
        unary("to_hex64") { (a, _) throws(SQLError) in
            .text(String(UInt64(bitPattern: a.int), radix: 16))
        }
    }
}
