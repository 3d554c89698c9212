/// A compiled regular expression: instructions of a backtracking machine over code points.
struct RegexProgram: Sendable {
    enum Assertion: Sendable {
        case textStart, textEnd, lineStart, lineEnd, wordStart, wordEnd, wordEdge, notWordEdge
    }
    enum Instruction: Sendable {
        case character(UInt32)
        case any
        /// Anything but a line feed.
        case anyButNewline
        case set(Int)
        /// Tries the first, then the second.
        case split(Int, Int)
        case jump(Int)
        case save(Int)
        case assert(Assertion)
        case backReference(Int)
        /// A sub-program: lookahead, or lookbehind.
        case look(program: Int, isNegative: Bool, isBehind: Bool)
        /// Remembers where an iteration of a loop began.
        case loopStart(Int)
        /// Fails when the iteration consumed nothing.
        case loopCheck(Int)
        case match
    }

    /// Ranges of code points, negated or not.
    struct CharacterSet: Sendable {
        var ranges: [ClosedRange<UInt32>] = []
        var isNegated = false
        var ignoresCase = false
        /// Line feed never matches a negated set in newline-sensitive mode.
        var excludesNewline = false

        func contains(_ scalar: UInt32) -> Bool {
            if excludesNewline, scalar == 0x0A { return false }
            var found = holds(scalar)
            if !found, ignoresCase {
                found = holds(RegexProgram.lowered(scalar)) || holds(RegexProgram.raised(scalar))
            }
            return found != isNegated
        }
        private func holds(_ scalar: UInt32) -> Bool {
            for range in ranges where range.contains(scalar) { return true }
            return false
        }
    }

    var code: [Instruction] = []
    var sets: [CharacterSet] = []
    var programs: [RegexProgram] = []
    /// Capture groups, the whole match (0) included.
    var groupCount = 1
    var loopCount = 0
    var ignoresCase = false
    /// Back references and lookaround need the backtracking machine.
    var needsBacktracking = false

    static func lowered(_ scalar: UInt32) -> UInt32 {
        if scalar < 0x80 { return scalar >= 0x41 && scalar <= 0x5A ? scalar | 0x20 : scalar }
        guard let value = Unicode.Scalar(scalar) else { return scalar }
        let mapped = value.properties.lowercaseMapping.unicodeScalars
        return mapped.count == 1 ? (mapped.first?.value ?? scalar) : scalar
    }
    static func raised(_ scalar: UInt32) -> UInt32 {
        if scalar < 0x80 { return scalar >= 0x61 && scalar <= 0x7A ? scalar & ~0x20 : scalar }
        guard let value = Unicode.Scalar(scalar) else { return scalar }
        let mapped = value.properties.uppercaseMapping.unicodeScalars
        return mapped.count == 1 ? (mapped.first?.value ?? scalar) : scalar
    }
    static func isWord(_ scalar: UInt32) -> Bool {
        if scalar < 0x80 {
            return (scalar >= 0x30 && scalar <= 0x39) || (scalar >= 0x41 && scalar <= 0x5A)
                || (scalar >= 0x61 && scalar <= 0x7A) || scalar == 0x5F
        }
        guard let value = Unicode.Scalar(scalar) else { return false }
        return value.properties.isAlphabetic || value.properties.numericType != nil
    }
}
