import FalconSchema

/// Statement text under standard_conforming_strings = off, as the parser wants it: plain literals
/// with backslashes become E'' literals. Also what backslash_quote forbids and what
/// escape_string_warning warns of.
struct EscapedStrings {
    struct Mode: Equatable {
        /// standard_conforming_strings is off.
        var plainStringsEscape = false
        var warns = true
        /// backslash_quote is off: \' is refused.
        var refusesQuotes = false

        var isDefault: Bool { !plainStringsEscape && !refusesQuotes }
    }

    /// The text for the parser.
    private(set) var text: [UInt8] = []
    private(set) var warnings: [SQLError] = []
    let original: String
    /// Where in `text` something was put in.
    private var insertions: [Int] = []
    private let mode: Mode

    /// What is put before a literal; the blank keeps it apart from a word before it.
    private static let prefix = Array(" E".utf8)

    /// Errors: 22P06 for \' where it is not allowed.
    init(_ sql: String, _ mode: Mode) throws(SQLError) {
        original = sql
        self.mode = mode
        try scan(Array(sql.utf8))
    }

    /// The place in `original` of an offset into `text`.
    func originalOffset(_ offset: Int) -> Int {
        offset
            - insertions.reduce(0) { $0 + min(Self.prefix.count, max(0, offset - $1)) }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x5F || byte >= 0x80
    }

    private mutating func scan(_ bytes: [UInt8]) throws(SQLError) {
        var index = 0
        while index < bytes.count {
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            switch bytes[index] {
            case 0x27: index = try literal(bytes, index)
            case 0x22: index = copy(bytes, index, to: closing(bytes, index))
            case 0x2D where next == 0x2D:
                index = copy(bytes, index, to: bytes[index...].firstIndex(of: 0x0A))
            case 0x2F where next == 0x2A: index = copy(bytes, index, to: commentEnd(bytes, index))
            case 0x24: index = copy(bytes, index, to: dollarEnd(bytes, index))
            case let byte where Self.isWord(byte):
                var end = index
                while end < bytes.count, Self.isWord(bytes[end]) { end += 1 }
                index = copy(bytes, index, to: end)
            default: index = copy(bytes, index, to: index + 1)
            }
        }
    }

    private mutating func copy(_ bytes: [UInt8], _ start: Int, to end: Int?) -> Int {
        let end = min(end ?? bytes.count, bytes.count)
        text += bytes[start..<end]
        return end
    }

    private func closing(_ bytes: [UInt8], _ start: Int) -> Int? {
        bytes[(start + 1)...].firstIndex(of: bytes[start]).map { $0 + 1 }
    }

    private func commentEnd(_ bytes: [UInt8], _ start: Int) -> Int {
        var depth = 0
        var index = start
        while index + 1 < bytes.count {
            if bytes[index] == 0x2F, bytes[index + 1] == 0x2A {
                depth += 1
                index += 2
            } else if bytes[index] == 0x2A, bytes[index + 1] == 0x2F {
                depth -= 1
                index += 2
                if depth == 0 { return index }
            } else {
                index += 1
            }
        }
        return bytes.count
    }

    /// The end of a dollar-quoted literal; of the dollar alone when it begins none.
    private func dollarEnd(_ bytes: [UInt8], _ start: Int) -> Int {
        var tagEnd = start + 1
        while tagEnd < bytes.count, Self.isWord(bytes[tagEnd]) { tagEnd += 1 }
        guard tagEnd < bytes.count, bytes[tagEnd] == 0x24 else { return start + 1 }
        let tag = bytes[start...tagEnd]
        var index = tagEnd + 1
        while index + tag.count <= bytes.count {
            if bytes[index] == 0x24, bytes[index..<index + tag.count].elementsEqual(tag) {
                return index + tag.count
            }
            index += 1
        }
        return bytes.count
    }

    /// Copies the literal whose quote is at `start`.
    private mutating func literal(_ bytes: [UInt8], _ start: Int) throws(SQLError) -> Int {
        let before = start > 0 ? bytes[start - 1] | 0x20 : 0
        let isPrefix = start < 2 || !Self.isWord(bytes[start - 2])
        let isEscape = before == 0x65 && isPrefix
        // B'', X'', N'' and U&''.
        let isOther =
            (isPrefix && [0x62, 0x78, 0x6E].contains(before)) || bytes[..<start].last == 0x26
        let escapes = isEscape || (mode.plainStringsEscape && !isOther)
        var first: UInt8?
        var index = start + 1
        while index < bytes.count {
            if escapes, bytes[index] == 0x5C {
                let escaped = index + 1 < bytes.count ? bytes[index + 1] : 0
                if escaped == 0x27, mode.refusesQuotes {
                    throw unsafeQuote(isEscape ? start - 1 : start)
                }
                if first == nil { first = escaped }
                index += 2
            } else if bytes[index] != 0x27 {
                index += 1
            } else if index + 1 < bytes.count, bytes[index + 1] == 0x27 {
                index += 2
            } else {
                index += 1
                break
            }
        }
        if let first, !isEscape {
            insertions.append(text.count)
            text += Self.prefix
            if mode.warns { warnings.append(Self.warning(first, at: position(start))) }
        }
        return copy(bytes, start, to: index)
    }

    private func position(_ offset: Int) -> Int { Session.position(ofByte: offset, in: original) }

    private func unsafeQuote(_ offset: Int) -> SQLError {
        var error = SQLError(
            SQLState("22P06"), "unsafe use of \\' in a string literal",
            hint: "Use '' to write quotes in strings. \\' is insecure in client-only encodings.")
        error.position = position(offset)
        return error
    }

    private static func warning(_ escaped: UInt8, at position: Int) -> SQLError {
        let what: String
        let hint: String
        switch escaped {
        case 0x27:
            what = "\\'"
            hint =
                "Use '' to write quotes in strings, or use the escape string syntax (E'...')."
        case 0x5C:
            what = "\\\\"
            hint = "Use the escape string syntax for backslashes, e.g., E'\\\\'."
        default:
            what = "escape"
            hint = "Use the escape string syntax for escapes, e.g., E'\\r\\n'."
        }
        var warning = SQLError(
            SQLState("22P06"), "nonstandard use of \(what) in a string literal", hint: hint,
            severity: .warning)
        warning.position = position
        return warning
    }
}

extension Session {
    /// How string literals are read now.
    private var escapeMode: EscapedStrings.Mode {
        if escapes.generation != settings.generation {
            escapes = (
                settings.generation,
                EscapedStrings.Mode(
                    plainStringsEscape: settings.value("standard_conforming_strings") == "off",
                    warns: settings.value("escape_string_warning") != "off",
                    refusesQuotes: settings.value("backslash_quote") == "off")
            )
        }
        return escapes.mode
    }

    /// A request's text as the parser is to read it; its warnings go to the client.
    func parserText(_ sql: String, _ sink: any ResultSink) throws(SQLError) -> String {
        let mode = escapeMode
        if mode.isDefault || !sql.utf8.contains(0x5C) { return sql }
        let escaped = try EscapedStrings(sql, mode)
        for warning in escaped.warnings { send(warning, sink) }
        rewriting = escaped
        currentSQL = String(decoding: escaped.text, as: UTF8.self)
        return currentSQL
    }

    /// Where the request's own text has what the parser's text has at `offset`.
    func requestPosition(ofByte offset: Int) -> Int {
        guard let rewriting else { return Self.position(ofByte: offset, in: currentSQL) }
        return Self.position(ofByte: rewriting.originalOffset(offset), in: rewriting.original)
    }
}
