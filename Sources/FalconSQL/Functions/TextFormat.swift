import FalconSchema

/// format(): `%[position$][-][width]type` with s, I, L and %%.
enum TextFormat {
    static func format(
        _ pattern: String, _ arguments: [Datum], _ types: [OID], settings: DisplaySettings
    ) throws(SQLError) -> String {
        let bytes = Array(pattern.utf8)
        var result: [UInt8] = []
        var index = 0
        var next = 1
        func fail(_ message: String) -> SQLError { SQLError(.invalidParameterValue, message) }
        func number() -> Int? {
            let start = index
            var value = 0
            while index < bytes.count, bytes[index] >= 48, bytes[index] <= 57, value < 1 << 28 {
                value = value * 10 + Int(bytes[index] - 48)
                index += 1
            }
            return index > start ? value : nil
        }
        func argument(_ position: Int) throws(SQLError) -> (Datum, OID) {
            guard position < arguments.count else {
                throw fail("too few arguments for format()")
            }
            return (arguments[position], types[position])
        }
        let unterminated = SQLError(
            .invalidParameterValue, "unterminated format() type specifier",
            hint: "For a single \"%\" use \"%%\".")
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte != UInt8(ascii: "%") {
                result.append(byte)
                continue
            }
            guard index < bytes.count else { throw unterminated }
            if bytes[index] == UInt8(ascii: "%") {
                result.append(byte)
                index += 1
                continue
            }
            var position: Int?
            var leftAligned = false
            var width = 0
            let start = index
            if let value = number() {
                if index < bytes.count, bytes[index] == UInt8(ascii: "$") {
                    if value == 0 {
                        throw fail("format specifies argument 0, but arguments are numbered from 1")
                    }
                    position = value
                    index += 1
                } else {
                    index = start
                }
            }
            while index < bytes.count, bytes[index] == UInt8(ascii: "-") {
                leftAligned = true
                index += 1
            }
            if index < bytes.count, bytes[index] == UInt8(ascii: "*") {
                index += 1
                var place = next
                let mark = index
                if let value = number(), index < bytes.count, bytes[index] == UInt8(ascii: "$") {
                    place = value
                    index += 1
                } else {
                    index = mark
                    next += 1
                }
                let (value, type) = try argument(place)
                if !value.isNull {
                    width = Int(TypeIO.text(value, type: type, settings: settings)) ?? 0
                    if width < 0 {
                        leftAligned = true
                        width = -width
                    }
                }
            } else if let value = number() {
                width = value
            }
            guard index < bytes.count else { throw unterminated }
            let kind = bytes[index]
            index += 1
            guard
                kind == UInt8(ascii: "s") || kind == UInt8(ascii: "I") || kind == UInt8(ascii: "L")
            else {
                let shown = Character(Unicode.Scalar(kind))
                throw SQLError(
                    .invalidParameterValue,
                    "unrecognized format() type specifier \"\(shown)\"",
                    hint: "For a single \"%\" use \"%%\".")
            }
            let place = position ?? next
            next = place + 1
            let (value, type) = try argument(place)
            var text = value.isNull ? "" : TypeIO.text(value, type: type, settings: settings)
            if kind == UInt8(ascii: "I") {
                if value.isNull {
                    throw SQLError(
                        SQLState("22004"),
                        "null values cannot be formatted as an SQL identifier")
                }
                text = Quoting.identifier(text)
            } else if kind == UInt8(ascii: "L") {
                text = value.isNull ? "NULL" : Quoting.literal(text)
            }
            let missing = max(0, min(width, 1 << 20) - TextMath.length(text))
            try ValueLimit.checkGrowth(result.count, by: missing + text.utf8.count)
            if !leftAligned { result.append(contentsOf: repeatElement(0x20, count: missing)) }
            result.append(contentsOf: text.utf8)
            if leftAligned { result.append(contentsOf: repeatElement(0x20, count: missing)) }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
