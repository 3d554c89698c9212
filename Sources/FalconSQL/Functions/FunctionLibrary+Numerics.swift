import FalconSchema

extension FunctionLibrary {
    mutating func addNumerics() {
        binary("numeric_add") { (a, b, _) throws(SQLError) in
            .numeric(try NumericValue.add(a.numeric, b.numeric))
        }
        binary("numeric_sub") { (a, b, _) throws(SQLError) in
            .numeric(try NumericValue.subtract(a.numeric, b.numeric))
        }
        binary("numeric_mul") { (a, b, _) throws(SQLError) in
            .numeric(try NumericValue.multiply(a.numeric, b.numeric))
        }
        binary("numeric_div") { (a, b, _) throws(SQLError) in
            .numeric(try NumericValue.divide(a.numeric, b.numeric))
        }
        binary("numeric_mod") { (a, b, _) throws(SQLError) in
            .numeric(try NumericValue.remainder(a.numeric, b.numeric))
        }
        binary("numeric_div_trunc") { (a, b, _) throws(SQLError) in
            .numeric(try NumericValue.integerQuotient(a.numeric, b.numeric))
        }
        unary("numeric_uminus") { (a, _) throws(SQLError) in .numeric(a.numeric.negated) }
        unary("numeric_uplus") { (a, _) throws(SQLError) in a }
        unary("numeric_abs") { (a, _) throws(SQLError) in .numeric(a.numeric.magnitude) }
        unary("numeric_sign") { (a, _) throws(SQLError) in
            a.numeric.isNaN ? a : .numeric(NumericValue(Int64(a.numeric.signum)))
        }
        binary("numeric_round") { (a, b, _) throws(SQLError) in
            .numeric(try a.numeric.rounded(to: Int(max(-131_072, min(16_383, b.int)))))
        }
        unary("#1708") { (a, _) throws(SQLError) in .numeric(try a.numeric.rounded(to: 0)) }
        binary("numeric_trunc") { (a, b, _) throws(SQLError) in
            .numeric(
                try a.numeric.rounded(to: Int(max(-131_072, min(16_383, b.int))), truncating: true))
        }
        unary("#1710") { (a, _) throws(SQLError) in
            .numeric(try a.numeric.rounded(to: 0, truncating: true))
        }
        unary("numeric_ceil") { (a, _) throws(SQLError) in .numeric(try a.numeric.ceiling()) }
        unary("numeric_floor") { (a, _) throws(SQLError) in .numeric(try a.numeric.floor()) }
        binary("numeric") { (a, b, _) throws(SQLError) in
            .numeric(try a.numeric.applying(modifier: Int32(truncatingIfNeeded: b.int)))
        }
        unary("numeric_scale") { (a, _) throws(SQLError) in
            a.numeric.isFinite ? .int(Int64(a.numeric.scale)) : .null
        }
        unary("numeric_min_scale") { (a, _) throws(SQLError) in
            a.numeric.isFinite ? .int(Int64(a.numeric.trimmingScale().scale)) : .null
        }
        unary("numeric_trim_scale") { (a, _) throws(SQLError) in
            .numeric(a.numeric.trimmingScale())
        }
        binary("numeric_gcd") { (a, b, _) throws(SQLError) in
            if !a.numeric.isFinite || !b.numeric.isFinite { return .numeric(.nan) }
            var (x, y) = (a.numeric.magnitude, b.numeric.magnitude)
            let scale = max(x.scale, y.scale)
            while !y.isZero { (x, y) = (y, try NumericValue.remainder(x, y)) }
            return .numeric(try x.rounded(to: scale))
        }
        unary("numeric_sqrt") { (a, _) throws(SQLError) in .numeric(try a.numeric.squareRoot()) }
        unary("numeric_exp") { (a, _) throws(SQLError) in .numeric(try a.numeric.exponential()) }
        unary("numeric_ln") { (a, _) throws(SQLError) in
            .numeric(try a.numeric.naturalLogarithm())
        }
        binary("numeric_log") { (a, b, _) throws(SQLError) in
            .numeric(try NumericValue.logarithm(base: a.numeric, of: b.numeric))
        }
        unary("#1481", "#1741") { (a, _) throws(SQLError) in
            .numeric(try NumericValue.logarithm(base: NumericValue(Int64(10)), of: a.numeric))
        }
        binary("numeric_power") { (a, b, _) throws(SQLError) in
            .numeric(try NumericValue.power(a.numeric, b.numeric))
        }
        unary("numeric_fac") { (a, c) throws(SQLError) in
            if a.int < 0 {
                throw SQLError(
                    .numericValueOutOfRange, "factorial of a negative number is undefined")
            }
            if a.int > 32177 {
                throw SQLError(.numericValueOutOfRange, "value overflows numeric format")
            }
            var result = NumericValue.one
            var factor: Int64 = 2
            while factor <= a.int {
                try c.checkInterrupts()
                result = try NumericValue.multiply(result, NumericValue(factor))
                factor += 1
            }
            return .numeric(result)
        }
        many("width_bucket_numeric") { (a, _) throws(SQLError) in
            let (value, low, high) = (a[0].numeric, a[1].numeric, a[2].numeric)
            let count = a[3].int
            if count <= 0 {
                throw SQLError(SQLState("2201G"), "count must be greater than zero")
            }
            if low == high {
                throw SQLError(SQLState("2201G"), "lower bound cannot equal upper bound")
            }
            let ascending = low < high
            if ascending ? value < low : value > low { return .int(0) }
            if ascending ? value >= high : value <= high { return .int(count + 1) }
            let span = try NumericValue.subtract(high, low)
            let offset = try NumericValue.multiply(
                try NumericValue.subtract(value, low), NumericValue(count))
            let bucket = try NumericValue.integerQuotient(offset, span)
            return .int((bucket.exactInt64 ?? 0) + 1)
        }
    }
}
