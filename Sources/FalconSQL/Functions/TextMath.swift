import FalconSchema

/// String operations by code points, over UTF-8.
enum TextMath {
    static func length(_ text: String) -> Int {
        var text = text
        // Bytes that do not continue a character.
        return text.withUTF8 { utf8 in
            var count = 0
            for byte in utf8 where byte & 0xC0 != 0x80 { count += 1 }
            return count
        }
    }

    static func isASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }

    static func lower(_ text: String) -> String {
        if isASCII(text) {
            return String(
                decoding: text.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self
            )
        }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let mapped = scalar.properties.lowercaseMapping.unicodeScalars
            // One for one, as towlower.
            result.append(mapped.count == 1 ? (mapped.first ?? scalar) : scalar)
        }
        return String(result)
    }

    static func upper(_ text: String) -> String {
        if isASCII(text) {
            return String(
                decoding: text.utf8.map { $0 >= 0x61 && $0 <= 0x7A ? $0 & ~0x20 : $0 },
                as: UTF8.self)
        }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let mapped = scalar.properties.uppercaseMapping.unicodeScalars
            result.append(mapped.count == 1 ? (mapped.first ?? scalar) : scalar)
        }
        return String(result)
    }

    static func capitalized(_ text: String) -> String {
        var result = ""
        var inWord = false
        for scalar in text.unicodeScalars {
            let isAlphanumeric =
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            let piece = String(Character(scalar))
            result += inWord ? lower(piece) : upper(piece)
            inWord = isAlphanumeric
        }
        return result
    }

    /// Zero-based half-open bounds of SQL's substring.
    static func bounds(
        _ from: Int64, _ count: Int64?, length: Int
    ) throws(SQLError) -> (Int, Int) {
        let start = from - 1
        var end = Int64(length)
        if let count {
            if count < 0 {
                throw SQLError(SQLState("22011"), "negative substring length not allowed")
            }
            let (sum, overflow) = start.addingReportingOverflow(count)
            if !overflow { end = min(end, sum) }
        }
        let lower = min(max(start, 0), Int64(length))
        return (Int(lower), Int(max(lower, end)))
    }

    static func substring(
        _ text: String, from: Int64, count: Int64?
    ) throws(SQLError) -> String {
        if isASCII(text) {
            let (lower, upper) = try bounds(from, count, length: text.utf8.count)
            let utf8 = text.utf8
            let start = utf8.index(utf8.startIndex, offsetBy: lower)
            let end = utf8.index(start, offsetBy: upper - lower)
            return String(text[start..<end])
        }
        let scalars = text.unicodeScalars
        let (lower, upper) = try bounds(from, count, length: scalars.count)
        let start = scalars.index(scalars.startIndex, offsetBy: lower)
        let end = scalars.index(start, offsetBy: upper - lower)
        return String(scalars[start..<end])
    }

    /// 1-based character position of `needle`, 0 when absent.
    static func position(of needle: String, in text: String) -> Int {
        let index = bytePosition(of: Array(needle.utf8), in: Array(text.utf8))
        guard index > 1, !isASCII(text) else { return index }
        return text.utf8.prefix(index - 1).count { $0 & 0xC0 != 0x80 } + 1
    }

    static func bytePosition(of needle: [UInt8], in text: [UInt8], from: Int = 0) -> Int {
        if needle.isEmpty { return from + 1 }
        guard needle.count <= text.count else { return 0 }
        var index = from
        let last = text.count - needle.count
        while index <= last {
            if text[index] == needle[0] {
                var matched = 1
                while matched < needle.count, text[index + matched] == needle[matched] {
                    matched += 1
                }
                if matched == needle.count { return index + 1 }
            }
            index += 1
        }
        return 0
    }

    static func trim(_ text: String, _ set: String, left: Bool, right: Bool) -> String {
        let characters = Set(set.unicodeScalars)
        let scalars = text.unicodeScalars
        var start = scalars.startIndex
        var end = scalars.endIndex
        if left {
            while start < end, characters.contains(scalars[start]) {
                start = scalars.index(after: start)
            }
        }
        if right {
            while end > start {
                let previous = scalars.index(before: end)
                guard characters.contains(scalars[previous]) else { break }
                end = previous
            }
        }
        return String(scalars[start..<end])
    }

    static func trimmedRight(_ text: String) -> String {
        guard text.utf8.last == 0x20 else { return text }
        return trim(text, " ", left: false, right: true)
    }

    static func replace(_ text: String, _ from: String, with to: String) -> String {
        if from.isEmpty { return text }
        let source = Array(text.utf8)
        let needle = Array(from.utf8)
        var result: [UInt8] = []
        var position = 0
        while true {
            let found = bytePosition(of: needle, in: source, from: position)
            guard found > 0 else { break }
            result.append(contentsOf: source[position..<(found - 1)])
            result.append(contentsOf: to.utf8)
            position = found - 1 + needle.count
        }
        if position == 0 { return text }
        result.append(contentsOf: source[position...])
        return String(decoding: result, as: UTF8.self)
    }

    /// `text` `count` times over; the caller has checked the size.
    static func repeated(_ text: String, _ count: Int) -> String {
        let unit = Array(text.utf8)
        let total = unit.count * count
        guard total > 0 else { return "" }
        return String(unsafeUninitializedCapacity: total) { buffer in
            var filled = min(unit.count, buffer.count)
            for index in 0..<filled { buffer[index] = unit[index] }
            // What is there already is the source of as much again.
            while filled < total {
                let more = min(filled, total - filled)
                for index in 0..<more { buffer[filled + index] = buffer[index] }
                filled += more
            }
            return filled
        }
    }

    static let tooLong = SQLError(SQLState("54000"), "requested length too large")

    static func checkSize(_ bytes: Int64, times count: Int64) throws(SQLError) {
        let (size, overflow) = bytes.multipliedReportingOverflow(by: count)
        if overflow || size > 0x3FFF_FFFF { throw tooLong }
    }

    static func pad(
        _ text: String, to length: Int64, with fill: String, left: Bool
    ) throws(SQLError) -> String {
        let target = max(0, length)
        try checkSize(4, times: target)
        let scalars = Array(text.unicodeScalars)
        let filling = Array(fill.unicodeScalars)
        var result = String.UnicodeScalarView()
        if Int64(scalars.count) >= target || filling.isEmpty {
            result.append(contentsOf: scalars.prefix(Int(min(target, Int64(scalars.count)))))
            return String(result)
        }
        let missing = Int(target) - scalars.count
        var padding = String.UnicodeScalarView()
        for index in 0..<missing { padding.append(filling[index % filling.count]) }
        result.append(contentsOf: left ? Array(padding) : scalars)
        result.append(contentsOf: left ? scalars : Array(padding))
        return String(result)
    }

    static func part(
        _ text: String, _ separator: String, _ number: Int64
    ) throws(SQLError) -> String {
        if number == 0 {
            throw SQLError(.invalidParameterValue, "field position must not be zero")
        }
        if text.isEmpty { return "" }
        if separator.isEmpty { return number == 1 || number == -1 ? text : "" }
        let parts = split(text, separator)
        let index = number > 0 ? number - 1 : Int64(parts.count) + number
        guard index >= 0, index < Int64(parts.count) else { return "" }
        return parts[Int(index)]
    }

    /// The pieces between separators; one piece when the separator is empty.
    static func split(_ text: String, _ separator: String) -> [String] {
        let source = Array(text.utf8)
        let needle = Array(separator.utf8)
        if needle.isEmpty { return [text] }
        var parts: [String] = []
        var position = 0
        while true {
            let found = bytePosition(of: needle, in: source, from: position)
            guard found > 0 else { break }
            parts.append(String(decoding: source[position..<(found - 1)], as: UTF8.self))
            position = found - 1 + needle.count
        }
        parts.append(String(decoding: source[position...], as: UTF8.self))
        return parts
    }

    static func overlay(
        _ text: String, _ with: String, from: Int64, count: Int64
    ) throws(SQLError) -> String {
        if from <= 0 { throw SQLError(SQLState("22011"), "negative substring length not allowed") }
        let (after, overflow) = from.addingReportingOverflow(count)
        if overflow { throw SQLError(.numericValueOutOfRange, "integer out of range") }
        let head = try substring(text, from: 1, count: from - 1)
        let tail = try substring(text, from: after, count: nil)
        return head + with + tail
    }
}

/// SQL quoting of names and literals.
public enum Quoting {
    /// The name as SQL needs it written: quoted when it is not plain lower case or is a keyword.
    public static func identifier(_ name: String) -> String {
        var isPlain = !name.isEmpty
        for (index, byte) in name.utf8.enumerated() {
            let isStart = (byte >= 0x61 && byte <= 0x7A) || byte == 0x5F
            if !(isStart || (index > 0 && byte >= 0x30 && byte <= 0x39)) {
                isPlain = false
                break
            }
        }
        if isPlain, !ReservedWords.needQuotes.contains(name) { return name }
        return "\""
            + name.split(separator: "\"", omittingEmptySubsequences: false).joined(
                separator: "\"\"") + "\""
    }

    /// A string literal; E'' when there is a backslash.
    public static func literal(_ text: String) -> String {
        var result = text.utf8.contains(UInt8(ascii: "\\")) ? "E'" : "'"
        for scalar in text.unicodeScalars {
            if scalar == "'" || scalar == "\\" { result.unicodeScalars.append(scalar) }
            result.unicodeScalars.append(scalar)
        }
        return result + "'"
    }
}
