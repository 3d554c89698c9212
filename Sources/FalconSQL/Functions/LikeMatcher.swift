import FalconSchema

/// LIKE over UTF-8 bytes: `%` any run, `_` one character, `\` takes the next character as it is.
enum LikeMatcher {
    static func matches(
        _ text: String, _ pattern: String, _ context: FunctionContext
    ) throws(SQLError) -> Bool {
        try withUTF8Bytes(of: text) { t throws(SQLError) in
            try withUTF8Bytes(of: pattern) { p throws(SQLError) in try matches(t, p, context) }
        }
    }

    static let endsWithEscape = SQLError(
        SQLState("22025"), "LIKE pattern must not end with escape character")

    /// Throws when the pattern ends in the escape character (and matching got there).
    static func matches(
        _ text: UnsafeRawBufferPointer, _ pattern: UnsafeRawBufferPointer,
        _ context: FunctionContext
    ) throws(SQLError) -> Bool {
        var steps = 0
        var t = 0
        var p = 0
        // Where to go on after the last `%`, one character further each time.
        var starPattern = -1
        var starText = 0
        func width(_ index: Int) -> Int {
            let byte = text[index]
            if byte < 0x80 { return 1 }
            var end = index + 1
            while end < text.count, text[end] & 0xC0 == 0x80 { end += 1 }
            return end - index
        }
        while true {
            steps &+= 1
            if steps & 0xF_FFFF == 0 { try context.checkInterrupts() }
            if p < pattern.count, pattern[p] == UInt8(ascii: "%") {
                while p < pattern.count, pattern[p] == UInt8(ascii: "%") { p += 1 }
                if p == pattern.count { return true }
                starPattern = p
                starText = t
                continue
            }
            var isMatch = false
            if t < text.count, p < pattern.count {
                if pattern[p] == UInt8(ascii: "_") {
                    t += width(t)
                    p += 1
                    isMatch = true
                } else if pattern[p] == UInt8(ascii: "\\") {
                    if p + 1 >= pattern.count { throw endsWithEscape }
                    if pattern[p + 1] == text[t] {
                        t += 1
                        p += 2
                        isMatch = true
                    }
                } else if pattern[p] == text[t] {
                    t += 1
                    p += 1
                    isMatch = true
                }
            } else if t == text.count, p == pattern.count {
                return true
            }
            if isMatch { continue }
            guard starPattern >= 0, starText < text.count else { return false }
            starText += width(starText)
            t = starText
            p = starPattern
        }
    }

    /// A pattern with another escape character, rewritten to use the backslash.
    static func rewrite(_ pattern: String, escape: String) throws(SQLError) -> String {
        let scalars = Array(escape.unicodeScalars)
        guard scalars.count <= 1 else {
            throw SQLError(
                SQLState("22025"), "invalid escape string",
                hint: "Escape string must be empty or one character.")
        }
        if scalars.first == "\\" { return pattern }
        var result = String.UnicodeScalarView()
        var wasEscape = false
        for scalar in pattern.unicodeScalars {
            if !wasEscape, scalar == scalars.first {
                result.append("\\")
                wasEscape = true
            } else {
                if scalar == "\\", !wasEscape { result.append("\\") }
                result.append(scalar)
                wasEscape = false
            }
        }
        return String(result)
    }
}
