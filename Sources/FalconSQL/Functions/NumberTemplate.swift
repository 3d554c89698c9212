import FalconSchema

/// to_char(number, template): 9 0 . , D G S MI PL SG PR FM L V TH RN EEEE.
struct NumberTemplate {
    private enum Item {
        case digit, zero, point, group, sign(Sign), currency, literal(String), ordinal(upper: Bool)
    }
    private enum Sign { case s, mi, pl, sg }

    private var items: [Item] = []
    private var fills = true
    private var brackets = false
    private var isRoman = false
    private var romanLower = false
    private var isScientific = false
    private var whole = 0
    private var fraction = 0
    private var shift = 0
    private var hasSign = false

    init(_ template: String) throws(SQLError) {
        let bytes = Array(template.utf8)
        var index = 0
        var afterPoint = false
        var afterShift = false
        func matches(_ word: StaticString) -> Bool {
            let count = word.utf8CodeUnitCount
            guard bytes.count - index >= count else { return false }
            for offset in 0..<count {
                let byte = bytes[index + offset]
                let upper = byte >= 0x61 && byte <= 0x7A ? byte & ~0x20 : byte
                if upper != word.utf8Start[offset] { return false }
            }
            return true
        }
        while index < bytes.count {
            if matches("FM") {
                fills = false
                index += 2
            } else if matches("EEEE") {
                isScientific = true
                index += 4
            } else if matches("MI") {
                items.append(.sign(.mi))
                hasSign = true
                index += 2
            } else if matches("PL") {
                items.append(.sign(.pl))
                index += 2
            } else if matches("SG") {
                items.append(.sign(.sg))
                hasSign = true
                index += 2
            } else if matches("PR") {
                brackets = true
                index += 2
            } else if matches("TH") {
                items.append(.ordinal(upper: bytes[index] == UInt8(ascii: "T")))
                index += 2
            } else if matches("RN") {
                isRoman = true
                romanLower = bytes[index] == UInt8(ascii: "r")
                index += 2
            } else if matches("V") {
                afterShift = true
                index += 1
            } else if matches("S") {
                items.append(.sign(.s))
                hasSign = true
                index += 1
            } else if matches("L") {
                items.append(.currency)
                index += 1
            } else if matches("9") || matches("0") {
                items.append(bytes[index] == UInt8(ascii: "0") ? .zero : .digit)
                if afterPoint { fraction += 1 } else { whole += 1 }
                if afterShift { shift += 1 }
                index += 1
            } else if matches(".") || matches("D") {
                if afterPoint {
                    throw SQLError(.syntaxError, "multiple decimal points")
                }
                afterPoint = true
                items.append(.point)
                index += 1
            } else if matches(",") || matches("G") {
                items.append(.group)
                index += 1
            } else if bytes[index] == UInt8(ascii: "\"") {
                index += 1
                var text: [UInt8] = []
                while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                    text.append(bytes[index])
                    index += 1
                }
                index += 1
                items.append(.literal(String(decoding: text, as: UTF8.self)))
            } else {
                items.append(.literal(String(decoding: [bytes[index]], as: UTF8.self)))
                index += 1
            }
        }
    }

    func format(_ value: NumericValue) throws(SQLError) -> String {
        if isRoman { return roman(value) }
        if isScientific { return try scientific(value) }
        let isNegative = value.signum < 0
        var digits: [UInt8]
        var decimals: [UInt8]
        if value.isFinite {
            var scaled = value.magnitude
            for _ in 0..<shift {
                scaled = try NumericValue.multiply(scaled, NumericValue(Int64(10)))
            }
            let text = try scaled.rounded(to: fraction).description
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            digits = Array(parts[0].utf8)
            decimals = parts.count > 1 ? Array(parts[1].utf8) : []
            if digits == [48], !(whole == 0) { digits = [48] }
        } else {
            digits = []
            decimals = []
        }
        let isZero = digits.allSatisfy { $0 == 48 } && decimals.allSatisfy { $0 == 48 }
        let overflows = digits.count > whole
        // What rounds to zero has no sign.
        let showsNegative = isNegative && !(isZero && value.isFinite)
        // Where the leading zeros of the template begin.
        var firstZero = whole
        var position = 0
        for item in items {
            switch item {
            case .zero:
                if position < firstZero { firstZero = position }
                position += 1
            case .digit: position += 1
            case .point: position = Int.max / 2
            default: break
            }
        }
        let hidesLeadingZero = digits == [48] && fraction > 0
        var trailing = decimals.count
        if !fills {
            // FM drops trailing zeros that 9 asked for.
            var zeros = 0
            var place = 0
            var after = false
            for item in items {
                if case .point = item { after = true }
                if after {
                    if case .zero = item { zeros = place + 1 }
                    switch item {
                    case .digit, .zero: place += 1
                    default: break
                    }
                }
            }
            while trailing > zeros, trailing > 0, decimals[trailing - 1] == 48 { trailing -= 1 }
        }
        // 0.1 with 9.9 is ".1"; with FM and nothing after the point it is "0.".
        let showsZero = !hidesLeadingZero || (!fills && trailing == 0)
        let firstDigit = whole - (showsZero ? digits.count : 0)
        let start = min(firstZero, max(0, firstDigit))
        var result = ""
        let signDone = hasSign || brackets
        var place = 0
        var after = false
        var started = false
        func sign() -> String { showsNegative ? "-" : (fills ? " " : "") }
        var output: [String] = []
        var signSlot: Int?
        for item in items {
            switch item {
            case .digit, .zero:
                if signSlot == nil, !signDone || brackets {
                    signSlot = output.count
                    output.append("")
                }
                if after {
                    if overflows {
                        output.append("#")
                    } else if place < trailing {
                        output.append(String(decoding: [decimals[place]], as: UTF8.self))
                    } else if fills, place < decimals.count {
                        output.append(String(decoding: [decimals[place]], as: UTF8.self))
                    }
                    place += 1
                } else {
                    if overflows {
                        output.append("#")
                        started = true
                    } else if place >= start {
                        let index = place - (whole - digits.count)
                        output.append(
                            index >= 0
                                ? String(decoding: [digits[index]], as: UTF8.self) : "0")
                        started = true
                    } else if fills {
                        output.append(" ")
                    }
                    place += 1
                    if place == whole, !started, isZero, fraction == 0 {
                        started = true
                    }
                }
            case .point:
                if signSlot == nil, !signDone || brackets {
                    signSlot = output.count
                    output.append("")
                }
                after = true
                place = 0
                output.append(".")
            case .group:
                if started { output.append(",") } else if fills { output.append(" ") }
            case .sign(let kind):
                switch kind {
                case .s:
                    if output.allSatisfy({ $0 == " " }), place == 0, !after {
                        signSlot = output.count
                        output.append("")
                    } else {
                        output.append(showsNegative ? "-" : "+")
                    }
                case .mi: output.append(showsNegative ? "-" : (fills ? " " : ""))
                case .pl: output.append(showsNegative ? (fills ? " " : "") : "+")
                case .sg: output.append(showsNegative ? "-" : "+")
                }
            case .currency: output.append(fills ? " " : "")
            case .literal(let text): output.append(text)
            case .ordinal(let upper):
                if !showsNegative, !overflows {
                    let suffix = Self.ordinal(digits)
                    output.append(upper ? suffix.uppercased() : suffix)
                }
            }
        }
        if let slot = signSlot {
            // The sign stands right before the first digit; blanks that come before it stay.
            let leadsWithS = hasSign
            let text =
                brackets
                ? (showsNegative ? "<" : (fills ? " " : ""))
                : (leadsWithS ? (showsNegative ? "-" : "+") : sign())
            var at = slot
            while at + 1 < output.count, output[at + 1] == " " { at += 1 }
            output.insert(text, at: at + 1)
            if brackets { output.append(showsNegative ? ">" : (fills ? " " : "")) }
        }
        result = output.joined()
        return result
    }

    static func ordinal(_ digits: [UInt8]) -> String {
        let last = digits.last ?? 48
        let previous = digits.count > 1 ? digits[digits.count - 2] : 48
        if previous == 49 { return "th" }
        switch last {
        case 49: return "st"
        case 50: return "nd"
        case 51: return "rd"
        default: return "th"
        }
    }

    private func roman(_ value: NumericValue) -> String {
        guard let number = value.roundedInt64, number >= 1, number <= 3999 else {
            return String(repeating: "#", count: 15)
        }
        let table: [(Int64, String)] = [
            (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
            (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
        ]
        var rest = number
        var text = ""
        for (weight, letters) in table {
            while rest >= weight {
                text += letters
                rest -= weight
            }
        }
        if romanLower { text = text.lowercased() }
        return fills ? String(repeating: " ", count: max(0, 15 - text.utf8.count)) + text : text
    }

    private func scientific(_ value: NumericValue) throws(SQLError) -> String {
        let magnitude = value.magnitude
        var exponent = 0
        var mantissa = magnitude
        if !magnitude.isZero, value.isFinite {
            let text = magnitude.description
            let digits = text.split(separator: ".", omittingEmptySubsequences: false)
            if digits[0] != "0" {
                exponent = digits[0].utf8.count - 1
            } else if digits.count > 1 {
                exponent = -(digits[1].utf8.prefix { $0 == 48 }.count + 1)
            }
            let power = try NumericValue.power(
                NumericValue(Int64(10)), NumericValue(Int64(abs(exponent))))
            mantissa =
                exponent >= 0
                ? try NumericValue.divide(
                    try magnitude.rounded(to: fraction + exponent + 2), power)
                : try NumericValue.multiply(magnitude, power)
            mantissa = try mantissa.rounded(to: fraction)
            if mantissa >= NumericValue(Int64(10)) {
                exponent += 1
                mantissa = try NumericValue.divide(mantissa, NumericValue(Int64(10)))
                    .rounded(to: fraction)
            }
        } else {
            mantissa = try magnitude.rounded(to: fraction)
        }
        let digits = String(exponent.magnitude)
        return (value.signum < 0 ? "-" : (fills ? " " : "")) + mantissa.description + "e"
            + (exponent < 0 ? "-" : "+") + (digits.utf8.count < 2 ? "0" + digits : digits)
    }

    /// to_number: digits, point and signs of the text under the template.
    static func parse(_ text: String, _ template: String) throws(SQLError) -> NumericValue {
        var kept = ""
        var isNegative = false
        var hasPoint = false
        for byte in text.utf8 {
            switch byte {
            case 48...57: kept.append(Character(Unicode.Scalar(byte)))
            case UInt8(ascii: ".") where !hasPoint:
                hasPoint = true
                kept.append(".")
            case UInt8(ascii: "-"), UInt8(ascii: "<"): isNegative = true
            default: break
            }
        }
        if kept.isEmpty || kept == "." {
            throw SQLError(
                .invalidTextRepresentation, "invalid input syntax for type numeric: \"\(text)\"")
        }
        let value = try NumericValue(parsing: kept)
        return isNegative ? value.negated : value
    }
}
