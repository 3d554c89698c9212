import BigInt
import FalconStorage

extension NumericValue: CustomStringConvertible {
    public var description: String {
        var writer = ByteWriter(capacity: 24)
        append(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Appends the text form: as many digits after the point as the scale says.
    public func append(to writer: inout ByteWriter) {
        switch storage {
        case .nan: writer.append(ascii: "NaN")
        case .infinity: writer.append(ascii: "Infinity")
        case .negativeInfinity: writer.append(ascii: "-Infinity")
        case .small(let mantissa, let scale):
            if scale == 0 {
                writer.appendDecimal(mantissa)
                return
            }
            if mantissa < 0 { writer.append(UInt8(ascii: "-")) }
            if scale > 18 {
                Self.append(
                    Array(String(mantissa.magnitude).utf8), scale: Int(scale), to: &writer)
                return
            }
            let power = UInt64(PowerOfTen.int64[Int(scale)])
            let (whole, fraction) = mantissa.magnitude.quotientAndRemainder(dividingBy: power)
            writer.appendDecimal(whole)
            writer.append(UInt8(ascii: "."))
            writer.appendDecimal(fraction, paddedTo: Int(scale))
        case .big(let big):
            if big.mantissa.sign == .minus { writer.append(UInt8(ascii: "-")) }
            Self.append(
                DecimalDigits.text(of: big.mantissa.magnitude), scale: big.scale, to: &writer)
        }
    }

    private static func append(_ digits: [UInt8], scale: Int, to writer: inout ByteWriter) {
        digits.withUnsafeBufferPointer { utf8 in
            if scale == 0 {
                writer.append(contentsOf: UnsafeRawBufferPointer(utf8))
                return
            }
            let whole = utf8.count - scale
            if whole <= 0 {
                writer.append(UInt8(ascii: "0"))
                writer.append(UInt8(ascii: "."))
                for _ in 0..<(-whole) { writer.append(UInt8(ascii: "0")) }
                writer.append(contentsOf: UnsafeRawBufferPointer(utf8))
            } else {
                writer.append(
                    contentsOf: UnsafeRawBufferPointer(
                        UnsafeBufferPointer(rebasing: utf8[..<whole])))
                writer.append(UInt8(ascii: "."))
                writer.append(
                    contentsOf: UnsafeRawBufferPointer(
                        UnsafeBufferPointer(rebasing: utf8[whole...])))
            }
        }
    }

    /// Reads PostgreSQL's numeric input. 22P02 on bad syntax, 22003 beyond the format.
    public init(parsing text: UnsafeRawBufferPointer) throws(SQLError) {
        var cursor = TextCursor(text)
        cursor.skipSpaces()
        let start = cursor.position
        let sign = cursor.take(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") })
        let negative = sign == UInt8(ascii: "-")
        if let first = cursor.peek, !(first >= 48 && first <= 57), first != UInt8(ascii: ".") {
            if cursor.takeWord(ignoringCase: "infinity") || cursor.takeWord(ignoringCase: "inf") {
                cursor.skipSpaces()
                guard cursor.isAtEnd else { throw Self.badSyntax(text) }
                self = negative ? .negativeInfinity : .infinity
                return
            }
            if sign == nil, cursor.takeWord(ignoringCase: "nan") {
                cursor.skipSpaces()
                guard cursor.isAtEnd else { throw Self.badSyntax(text) }
                self = .nan
                return
            }
            throw Self.badSyntax(text)
        }
        _ = start
        // Digits, at most one point.
        let digitsStart = cursor.position
        var point = -1
        var digitCount = 0
        var small: UInt64 = 0
        var fits = true
        while let byte = cursor.peek {
            if byte >= 48, byte <= 57 {
                digitCount += 1
                if fits {
                    let (times, over1) = small.multipliedReportingOverflow(by: 10)
                    let (sum, over2) = times.addingReportingOverflow(UInt64(byte - 48))
                    if over1 || over2 || sum > UInt64(Int64.max) {
                        fits = false
                    } else {
                        small = sum
                    }
                }
            } else if byte == UInt8(ascii: "."), point < 0 {
                point = digitCount
            } else {
                break
            }
            cursor.advance()
        }
        guard digitCount > 0 else { throw Self.badSyntax(text) }
        let digitsEnd = cursor.position
        var scale = point < 0 ? 0 : digitCount - point
        if let byte = cursor.peek, byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            cursor.advance()
            let exponentSign = cursor.take(where: {
                $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-")
            })
            var exponent = 0
            var exponentDigits = 0
            while let digit = cursor.peek, digit >= 48, digit <= 57 {
                exponent = exponent * 10 + Int(digit - 48)
                exponentDigits += 1
                if exponent > Int(Int32.max) / 2 { throw Self.overflow }
                cursor.advance()
            }
            guard exponentDigits > 0 else { throw Self.badSyntax(text) }
            scale -= exponentSign == UInt8(ascii: "-") ? -exponent : exponent
        }
        cursor.skipSpaces()
        guard cursor.isAtEnd else { throw Self.badSyntax(text) }
        if fits, scale >= 0, scale <= Self.maxScale {
            let mantissa = Int64(small)
            self.init(mantissa: negative ? -mantissa : mantissa, scale: scale)
            return
        }
        // Leading zeros do not count against the limit.
        if fits, small == 0 {
            self.init(mantissa: Int64(0), scale: max(0, min(scale, Self.maxScale)))
            return
        }
        var digits: [UInt8] = []
        digits.reserveCapacity(digitCount)
        for index in digitsStart..<digitsEnd where text[index] != UInt8(ascii: ".") {
            if text[index] != 48 || !digits.isEmpty { digits.append(text[index]) }
        }
        if digits.isEmpty {
            self.init(mantissa: Int64(0), scale: max(0, min(scale, Self.maxScale)))
            return
        }
        // Before any large number is made.
        if digits.count - scale > Self.maxIntegerDigits { throw Self.overflow }
        var mantissa = BigInt(DecimalDigits.integer(digits[...]))
        if negative { mantissa.negate() }
        if scale < 0 {
            mantissa = Limbs.product(mantissa, PowerOfTen.big(-scale))
            scale = 0
        } else if scale > Self.maxScale {
            throw Self.overflow
        }
        self = try NumericValue(mantissa: mantissa, scale: scale).checked()
    }

    public init(parsing text: String) throws(SQLError) {
        self = try withUTF8Bytes(of: text) { (bytes) throws(SQLError) in
            try NumericValue(parsing: bytes)
        }
    }

    private static func badSyntax(_ text: UnsafeRawBufferPointer) -> SQLError {
        .invalidInput(text, typeName: "numeric")
    }
}
