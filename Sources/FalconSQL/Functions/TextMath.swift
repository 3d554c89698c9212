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

    static func isASCII(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { TextBytes.isASCII(UnsafeRawBufferPointer($0)) }
    }

    /// Keywords and the like: short text.
    static func lower(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { result.append(lowered(scalar)) }
        return String(result)
    }

    static func lower(_ text: String, _ context: FunctionContext) throws(SQLError) -> String {
        try withUTF8Bytes(of: text) { (utf8) throws(SQLError) in
            TextBytes.isASCII(utf8)
                ? try TextBytes.flippingCase(utf8, from: UInt8(ascii: "A"), context)
                : try TextBytes.mapping(text, context, lowered)
        }
    }

    static func upper(_ text: String, _ context: FunctionContext) throws(SQLError) -> String {
        try withUTF8Bytes(of: text) { (utf8) throws(SQLError) in
            TextBytes.isASCII(utf8)
                ? try TextBytes.flippingCase(utf8, from: UInt8(ascii: "a"), context)
                : try TextBytes.mapping(text, context, raised)
        }
    }

    private static func lowered(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        if scalar.isASCII {
            let isUpper = scalar.value &- 0x41 < 26
            return isUpper ? Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value | 0x20)) : scalar
        }
        let mapped = scalar.properties.lowercaseMapping.unicodeScalars
        return mapped.count == 1 ? (mapped.first ?? scalar) : scalar
    }

    private static func raised(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        if scalar.isASCII {
            let isLower = scalar.value &- 0x61 < 26
            return isLower
                ? Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value & ~0x20)) : scalar
        }
        let mapped = scalar.properties.uppercaseMapping.unicodeScalars
        return mapped.count == 1 ? (mapped.first ?? scalar) : scalar
    }

    static func capitalized(
        _ text: String, _ context: FunctionContext
    ) throws(SQLError) -> String {
        var inWord = false
        return try TextBytes.mapping(text, context) { scalar in
            let mapped = inWord ? lowered(scalar) : raised(scalar)
            inWord = isAlphanumeric(scalar)
            return mapped
        }
    }

    private static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return (scalar.value | 0x20) &- 0x61 < 26 || scalar.value &- 0x30 < 10
        }
        return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
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
        try withUTF8Bytes(of: text) { (utf8) throws(SQLError) in
            if TextBytes.isASCII(utf8) {
                let (lower, upper) = try bounds(from, count, length: utf8.count)
                return TextBytes.slice(utf8, lower..<upper)
            }
            // No text has more characters than bytes.
            let (lower, upper) = try bounds(from, count, length: utf8.count)
            let start = TextBytes.offset(ofCharacter: lower, in: utf8)
            let rest = UnsafeRawBufferPointer(rebasing: utf8[start...])
            return TextBytes.slice(
                rest, 0..<TextBytes.offset(ofCharacter: upper - lower, in: rest))
        }
    }

    /// The first `count` characters, or all but the last -`count`.
    static func left(_ text: String, _ count: Int64) throws(SQLError) -> String {
        let kept = count >= 0 ? count : Int64(length(text)) + count
        return try substring(text, from: 1, count: max(0, kept))
    }

    /// The last `count` characters, or all but the first -`count`.
    static func right(_ text: String, _ count: Int64) throws(SQLError) -> String {
        let length = Int64(length(text))
        let skipped = count >= 0 ? max(0, length - count) : (count == .min ? length : -count)
        return try substring(text, from: skipped + 1, count: nil)
    }

    /// 1-based character position of `needle`, 0 when absent.
    static func position(
        of needle: String, in text: String, _ context: FunctionContext
    ) throws(SQLError) -> Int {
        try withUTF8Bytes(of: text) { (utf8) throws(SQLError) in
            try withUTF8Bytes(of: needle) { (wanted) throws(SQLError) in
                guard let found = try TextBytes.find(wanted, in: utf8, from: 0, context) else {
                    return 0
                }
                var position = 1
                for byte in utf8.prefix(found) where byte & 0xC0 != 0x80 { position += 1 }
                return position
            }
        }
    }

    static func bytePosition(
        of needle: [UInt8], in text: [UInt8], _ context: FunctionContext
    ) throws(SQLError) -> Int {
        try text.withUnsafeBytesThrowing { (bytes) throws(SQLError) in
            try needle.withUnsafeBytesThrowing { (wanted) throws(SQLError) in
                try TextBytes.find(wanted, in: bytes, from: 0, context).map { $0 + 1 } ?? 0
            }
        }
    }

    static func trim(_ text: String, _ set: String, left: Bool, right: Bool) -> String {
        var text = text
        if isASCII(set) {
            var isInSet = [Bool](repeating: false, count: 256)
            for byte in set.utf8 { isInSet[Int(byte)] = true }
            return text.withUTF8 { utf8 in
                var start = 0
                var end = utf8.count
                if left { while start < end, isInSet[Int(utf8[start])] { start += 1 } }
                if right { while end > start, isInSet[Int(utf8[end - 1])] { end -= 1 } }
                return TextBytes.slice(UnsafeRawBufferPointer(utf8), start..<end)
            }
        }
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

    static func joined(_ a: String, _ b: String) throws(SQLError) -> String {
        try ValueLimit.checkAllocation(a.utf8.count + b.utf8.count)
        return a + b
    }

    /// Adds a part to a list that is nil while it has none.
    static func append(
        _ part: String, to list: inout String?, after separator: String
    ) throws(SQLError) {
        guard list != nil else {
            list = part
            return
        }
        try ValueLimit.checkGrowth(list?.utf8.count ?? 0, by: separator.utf8.count)
        list?.append(separator)
        try ValueLimit.checkGrowth(list?.utf8.count ?? 0, by: part.utf8.count)
        list?.append(part)
    }

    /// The characters of `from` in `text` replaced by those at the same places of `to`.
    static func translate(
        _ text: String, _ from: String, _ to: String, _ context: FunctionContext
    ) throws(SQLError) -> String {
        let targets = Array(to.unicodeScalars)
        var table: [Unicode.Scalar: Unicode.Scalar?] = [:]
        for (index, scalar) in from.unicodeScalars.enumerated() where table[scalar] == nil {
            table[scalar] = .some(index < targets.count ? targets[index] : nil)
        }
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        for (index, scalar) in text.unicodeScalars.enumerated() {
            if index & 0xF_FFFF == 0xF_FFFF {
                try context.checkInterrupts()
                try ValueLimit.checkAllocation(result.count)
            }
            guard let target = table[scalar] else {
                TextBytes.append(scalar, to: &result)
                continue
            }
            if let target { TextBytes.append(target, to: &result) }
        }
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
        if overflow || size > ValueLimit.maximumBytes - 4 { throw tooLong }
    }

    static func pad(
        _ text: String, to length: Int64, with fill: String, left: Bool
    ) throws(SQLError) -> String {
        let target = max(0, length)
        try checkSize(4, times: target)
        let held = Self.length(text)
        let filling = Self.length(fill)
        if Int64(held) >= target || filling == 0 {
            return try substring(text, from: 1, count: target)
        }
        let missing = Int(target) - held
        let whole = missing / filling
        let size = text.utf8.count + fill.utf8.count * (whole + 1)
        try ValueLimit.checkAllocation(size)
        var result = left ? "" : text
        result.reserveCapacity(size)
        result += repeated(fill, whole)
        result += try substring(fill, from: 1, count: Int64(missing - whole * filling))
        if left { result += text }
        return result
    }

    static func part(
        _ text: String, _ separator: String, _ number: Int64, _ context: FunctionContext
    ) throws(SQLError) -> String {
        if number == 0 {
            throw SQLError(.invalidParameterValue, "field position must not be zero")
        }
        if text.isEmpty { return "" }
        if separator.isEmpty { return number == 1 || number == -1 ? text : "" }
        let bounds = try pieces(text, separator, context)
        let index = number > 0 ? number - 1 : Int64(bounds.count) + number
        guard index >= 0, index < Int64(bounds.count) else { return "" }
        return try withUTF8Bytes(of: text) { (utf8) throws(SQLError) in
            TextBytes.slice(utf8, bounds[Int(index)])
        }
    }

    /// The pieces between separators; one piece when the separator is empty.
    static func split(
        _ text: String, _ separator: String, _ context: FunctionContext
    ) throws(SQLError) -> [String] {
        if separator.isEmpty { return [text] }
        let bounds = try pieces(text, separator, context)
        return try withUTF8Bytes(of: text) { (utf8) throws(SQLError) in
            bounds.map { TextBytes.slice(utf8, $0) }
        }
    }

    /// Where the pieces between separators lie.
    private static func pieces(
        _ text: String, _ separator: String, _ context: FunctionContext
    ) throws(SQLError) -> [Range<Int>] {
        try withUTF8Bytes(of: text) { (utf8) throws(SQLError) in
            try withUTF8Bytes(of: separator) { (wanted) throws(SQLError) in
                var bounds: [Range<Int>] = []
                var position = 0
                while let found = try TextBytes.find(wanted, in: utf8, from: position, context) {
                    bounds.append(position..<found)
                    position = found + wanted.count
                    if bounds.count & 0xF_FFFF == 0 { try context.checkInterrupts() }
                }
                bounds.append(position..<utf8.count)
                return bounds
            }
        }
    }

    static func overlay(
        _ text: String, _ with: String, from: Int64, count: Int64
    ) throws(SQLError) -> String {
        if from <= 0 { throw SQLError(SQLState("22011"), "negative substring length not allowed") }
        let (after, overflow) = from.addingReportingOverflow(count)
        if overflow { throw SQLError(.numericValueOutOfRange, "integer out of range") }
        let head = try substring(text, from: 1, count: from - 1)
        let tail = try substring(text, from: after, count: nil)
        try ValueLimit.checkAllocation(head.utf8.count + with.utf8.count + tail.utf8.count)
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
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count + 3)
        if text.utf8.contains(UInt8(ascii: "\\")) { result.append(UInt8(ascii: "E")) }
        let quote = UInt8(ascii: "'")
        result.append(quote)
        for byte in text.utf8 {
            if byte == quote || byte == UInt8(ascii: "\\") { result.append(byte) }
            result.append(byte)
        }
        result.append(quote)
        return String(decoding: result, as: UTF8.self)
    }
}
