import FalconStorage

/// float4 and float8 to and from PostgreSQL's text.
enum FloatText {
    /// The shortest decimal that reads back the same, laid out as PostgreSQL does: an exponent from
    /// 1e+15 (float4: 1e+06) up and below 1e-4. With `digits` <= 0, %.(15 + digits)g.
    static func append(_ value: Double, isSingle: Bool, digits: Int32, to writer: inout ByteWriter)
    {
        if value.isNaN { return writer.append(ascii: "NaN") }
        if value.isInfinite {
            return value < 0 ? writer.append(ascii: "-Infinity") : writer.append(ascii: "Infinity")
        }
        if value == 0 {
            if value.sign == .minus { writer.append(UInt8(ascii: "-")) }
            writer.append(UInt8(ascii: "0"))
            return
        }
        if let exact = Int64(exactly: value),
            exact.magnitude < (isSingle ? 1_000_000 : 1_000_000_000_000_000)
        {
            // Whole numbers need no search (and 15 digits of a float8 are exact).
            if digits > 0 || exact.magnitude < 1_000_000 { return writer.appendDecimal(exact) }
        }
        var (mantissa, exponent) = decimalDigits(value, isSingle: isSingle)
        if digits <= 0 {
            let wanted = Int(max(1, (isSingle ? 6 : 15) + digits))
            (mantissa, exponent) = rounded(value, significant: wanted)
        }
        if value < 0 { writer.append(UInt8(ascii: "-")) }
        layOut(
            mantissa, exponent: exponent,
            threshold: digits <= 0
                ? Int(max(1, (isSingle ? 6 : 15) + digits)) : (isSingle ? 6 : 15),
            to: &writer)
    }

    /// Digits d1 d2 … (no trailing zeros) and the exponent of d1.
    private static func decimalDigits(_ value: Double, isSingle: Bool) -> ([UInt8], Int) {
        // The standard library prints shortest round-trip digits.
        let text = isSingle ? Float(value.magnitude).description : value.magnitude.description
        var digits: [UInt8] = []
        var exponent = 0
        var pointSeen = false
        var wholeDigits = 0
        var bytes = text.utf8.makeIterator()
        while let byte = bytes.next() {
            if byte == UInt8(ascii: ".") {
                pointSeen = true
            } else if byte == UInt8(ascii: "e") {
                var sign = 1
                var number = 0
                while let next = bytes.next() {
                    if next == UInt8(ascii: "-") {
                        sign = -1
                    } else if next.isDigit {
                        number = number * 10 + Int(next - 48)
                    }
                }
                exponent = sign * number
            } else {
                digits.append(byte)
                if !pointSeen { wholeDigits += 1 }
            }
        }
        exponent += wholeDigits - 1
        var leading = 0
        while leading < digits.count - 1, digits[leading] == 48 { leading += 1 }
        if leading > 0 {
            digits.removeFirst(leading)
            exponent -= leading
        }
        while digits.count > 1, digits.last == 48 { digits.removeLast() }
        return (digits, exponent)
    }

    /// `significant` correctly rounded digits of the exact value.
    private static func rounded(_ value: Double, significant: Int) -> ([UInt8], Int) {
        let number = NumericValue.rounded(value.magnitude, significantDigits: significant)
        guard let exponent = number.decimalExponent, let decimal = number.decimal else {
            return ([48], 0)
        }
        var digits = Array(decimal.mantissa.magnitude.description.utf8)
        while digits.count > 1, digits.last == 48 { digits.removeLast() }
        return (digits, exponent)
    }

    private static func layOut(
        _ digits: [UInt8], exponent: Int, threshold: Int, to writer: inout ByteWriter
    ) {
        if exponent < -4 || exponent >= threshold {
            writer.append(digits[0])
            if digits.count > 1 {
                writer.append(UInt8(ascii: "."))
                for digit in digits[1...] { writer.append(digit) }
            }
            writer.append(UInt8(ascii: "e"))
            writer.append(exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
            writer.appendDecimal(UInt64(exponent.magnitude), paddedTo: 2)
            return
        }
        if exponent < 0 {
            writer.append(ascii: "0.")
            for _ in 0..<(-exponent - 1) { writer.append(48) }
            for digit in digits { writer.append(digit) }
            return
        }
        for index in 0...max(exponent, digits.count - 1) {
            if index == exponent + 1 { writer.append(UInt8(ascii: ".")) }
            writer.append(index < digits.count ? digits[index] : 48)
        }
    }

    static func parse(
        _ text: UnsafeRawBufferPointer, isSingle: Bool
    ) throws(SQLError) -> Double {
        let typeName = isSingle ? "real" : "double precision"
        var start = 0
        var end = text.count
        while start < end, text[start].isSpace { start += 1 }
        while end > start, text[end - 1].isSpace { end -= 1 }
        guard start < end, end - start < 4096 else {
            throw .invalidInput(text, typeName: typeName)
        }
        let body = String(decoding: text[start..<end], as: UTF8.self)
        var cursor = TextCursor(UnsafeRawBufferPointer(rebasing: text[start..<end]))
        let sign = cursor.take(where: { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") })
        if let first = cursor.peek, first.isLetter {
            if cursor.takeWord(ignoringCase: "nan"), cursor.isAtEnd { return .nan }
            var word = TextCursor(UnsafeRawBufferPointer(rebasing: text[start..<end]))
            if sign != nil { word.advance() }
            if word.takeWord(ignoringCase: "infinity") || word.takeWord(ignoringCase: "inf"),
                word.isAtEnd
            {
                return sign == UInt8(ascii: "-") ? -.infinity : .infinity
            }
            throw .invalidInput(text, typeName: typeName)
        }
        guard let value = Double(body) else {
            throw .invalidInput(text, typeName: typeName)
        }
        if isSingle {
            let single = Float(body) ?? Float(value)
            if single.isInfinite || (single == 0 && value != 0) {
                throw SQLError(.numericValueOutOfRange, "\"\(body)\" is out of range for type real")
            }
            return Double(single)
        }
        if value.isInfinite || (value == 0 && hasNonZeroDigit(text[start..<end])) {
            throw SQLError(
                .numericValueOutOfRange, "\"\(body)\" is out of range for type double precision")
        }
        return value
    }

    private static func hasNonZeroDigit(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        for byte in text {
            if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") { return false }
            if byte >= 49, byte <= 57 { return true }
        }
        return false
    }
}
