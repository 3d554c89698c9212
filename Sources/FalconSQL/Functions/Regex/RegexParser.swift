import FalconSchema

/// Parses PostgreSQL's advanced regular expressions and compiles them as it goes.
struct RegexParser {
    struct Options {
        var ignoresCase = false
        /// `.` and negated sets skip line feeds (n, m, p).
        var dotExcludesNewline = false
        /// `^` and `$` match at line breaks (n, m, w).
        var anchorsMatchLines = false
        var isExpanded = false
        var isLiteral = false
    }

    private indirect enum Node {
        case empty
        case instruction(RegexProgram.Instruction)
        case sequence([Node])
        case alternatives([Node])
        case group(Node, Int)
        case repeated(Node, minimum: Int, maximum: Int?, isGreedy: Bool)
        case look(Node, isNegative: Bool, isBehind: Bool)
    }

    private let pattern: [UInt32]
    private var position = 0
    private var options: Options
    private var program = RegexProgram()
    private var depth = 0

    static func compile(_ text: String, _ options: Options) throws(SQLError) -> RegexProgram {
        var parser = RegexParser(text, options)
        return try parser.run()
    }

    private init(_ text: String, _ options: Options) {
        pattern = text.unicodeScalars.map(\.value)
        self.options = options
    }

    static func invalid(_ why: String) -> SQLError {
        SQLError(SQLState("2201B"), "invalid regular expression: \(why)")
    }

    private mutating func run() throws(SQLError) -> RegexProgram {
        if starts(with: "***=") {
            position = 4
            options.isLiteral = true
        } else if starts(with: "***:") {
            position = 4
        }
        if options.isLiteral {
            var nodes: [Node] = []
            while position < pattern.count {
                nodes.append(literal(pattern[position]))
                position += 1
            }
            return try finish(.sequence(nodes))
        }
        try embeddedOptions()
        let node = try alternatives()
        if position < pattern.count { throw Self.invalid("parentheses () not balanced") }
        return try finish(node)
    }

    private func starts(with text: String) -> Bool {
        let scalars = text.unicodeScalars.map(\.value)
        return pattern.count - position >= scalars.count
            && Array(pattern[position..<(position + scalars.count)]) == scalars
    }

    /// `(?i)` and friends at the very beginning.
    private mutating func embeddedOptions() throws(SQLError) {
        guard starts(with: "(?"), position + 2 < pattern.count,
            let close = pattern[position...].firstIndex(of: 0x29)
        else { return }
        let letters = pattern[(position + 2)..<close]
        guard !letters.isEmpty, letters.allSatisfy({ $0 >= 0x61 && $0 <= 0x7A }) else { return }
        for letter in letters {
            switch Character(Unicode.Scalar(letter) ?? " ") {
            case "i": options.ignoresCase = true
            case "c": options.ignoresCase = false
            case "n", "m":
                options.dotExcludesNewline = true
                options.anchorsMatchLines = true
            case "p": options.dotExcludesNewline = true
            case "w": options.anchorsMatchLines = true
            case "s":
                options.dotExcludesNewline = false
                options.anchorsMatchLines = false
            case "x": options.isExpanded = true
            case "t", "e", "b": break
            case "q": options.isLiteral = true
            default: throw Self.invalid("invalid embedded option")
            }
        }
        position = close + 1
    }

    private var peek: UInt32? { position < pattern.count ? pattern[position] : nil }

    private mutating func skipExpanded() {
        guard options.isExpanded else { return }
        while let scalar = peek {
            if scalar == 0x20 || (scalar >= 0x09 && scalar <= 0x0D) {
                position += 1
            } else if scalar == 0x23 {
                while let next = peek, next != 0x0A {
                    _ = next
                    position += 1
                }
            } else {
                return
            }
        }
    }

    private mutating func alternatives() throws(SQLError) -> Node {
        depth += 1
        defer { depth -= 1 }
        guard depth < 200 else { throw Self.invalid("regular expression is too complex") }
        var branches = [try sequence()]
        while peek == 0x7C {
            position += 1
            branches.append(try sequence())
        }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() throws(SQLError) -> Node {
        var nodes: [Node] = []
        while true {
            skipExpanded()
            guard let scalar = peek, scalar != 0x7C else {
                break
            }
            if scalar == 0x29 { break }
            let node = try atom()
            nodes.append(try quantified(node))
        }
        return nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func quantified(_ node: Node) throws(SQLError) -> Node {
        var result = node
        skipExpanded()
        var isQuantified = false
        while let scalar = peek {
            var minimum = 0
            var maximum: Int?
            switch scalar {
            case 0x2A: position += 1
            case 0x2B:
                minimum = 1
                position += 1
            case 0x3F:
                maximum = 1
                position += 1
            case 0x7B:
                guard let next = position + 1 < pattern.count ? pattern[position + 1] : nil,
                    next >= 0x30, next <= 0x39
                else { return result }
                position += 1
                minimum = try bound()
                maximum = minimum
                if peek == 0x2C {
                    position += 1
                    maximum = peek == 0x7D ? nil : try bound()
                }
                guard peek == 0x7D else { throw Self.invalid("invalid repetition count(s)") }
                position += 1
                if let maximum, maximum < minimum {
                    throw Self.invalid("invalid repetition count(s)")
                }
            default: return result
            }
            if isQuantified { throw Self.invalid("quantifier operand invalid") }
            isQuantified = true
            var isGreedy = true
            if peek == 0x3F {
                isGreedy = false
                position += 1
            }
            result = .repeated(result, minimum: minimum, maximum: maximum, isGreedy: isGreedy)
        }
        return result
    }

    private mutating func bound() throws(SQLError) -> Int {
        var value = 0
        let start = position
        while let digit = peek, digit >= 0x30, digit <= 0x39 {
            value = value * 10 + Int(digit - 0x30)
            if value > 255 { throw Self.invalid("invalid repetition count(s)") }
            position += 1
        }
        if position == start { throw Self.invalid("invalid repetition count(s)") }
        return value
    }

    private func literal(_ scalar: UInt32) -> Node {
        .instruction(
            .character(options.ignoresCase ? RegexProgram.lowered(scalar) : scalar))
    }

    private mutating func set(_ value: RegexProgram.CharacterSet) -> Node {
        var value = value
        value.ignoresCase = options.ignoresCase
        value.excludesNewline = value.isNegated && options.dotExcludesNewline
        program.sets.append(value)
        return .instruction(.set(program.sets.count - 1))
    }

    private mutating func atom() throws(SQLError) -> Node {
        guard let scalar = peek else { return .empty }
        position += 1
        switch scalar {
        case 0x28: return try group()
        case 0x2E:
            return .instruction(options.dotExcludesNewline ? .anyButNewline : .any)
        case 0x5E:
            return .instruction(.assert(options.anchorsMatchLines ? .lineStart : .textStart))
        case 0x24:
            return .instruction(.assert(options.anchorsMatchLines ? .lineEnd : .textEnd))
        case 0x5B:
            if starts(with: "[:<:]]") {
                position += 6
                return .instruction(.assert(.wordStart))
            }
            if starts(with: "[:>:]]") {
                position += 6
                return .instruction(.assert(.wordEnd))
            }
            return set(try bracket())
        case 0x5C: return try escape()
        case 0x2A, 0x2B, 0x3F: throw Self.invalid("quantifier operand invalid")
        default: return literal(scalar)
        }
    }

    private mutating func group() throws(SQLError) -> Node {
        var kind: (isNegative: Bool, isBehind: Bool)?
        var captures = true
        if starts(with: "?:") {
            position += 2
            captures = false
        } else if starts(with: "?=") {
            position += 2
            kind = (false, false)
        } else if starts(with: "?!") {
            position += 2
            kind = (true, false)
        } else if starts(with: "?<=") {
            position += 3
            kind = (false, true)
        } else if starts(with: "?<!") {
            position += 3
            kind = (true, true)
        } else if starts(with: "?#") {
            while let scalar = peek, scalar != 0x29 {
                _ = scalar
                position += 1
            }
            guard peek == 0x29 else { throw Self.invalid("parentheses () not balanced") }
            position += 1
            return .empty
        } else if peek == 0x3F {
            throw Self.invalid("quantifier operand invalid")
        }
        var number = 0
        if kind == nil, captures {
            number = program.groupCount
            program.groupCount += 1
        }
        let inner = try alternatives()
        guard peek == 0x29 else { throw Self.invalid("parentheses () not balanced") }
        position += 1
        if let kind {
            return .look(inner, isNegative: kind.isNegative, isBehind: kind.isBehind)
        }
        return captures ? .group(inner, number) : inner
    }

    private mutating func bracket() throws(SQLError) -> RegexProgram.CharacterSet {
        var result = RegexProgram.CharacterSet()
        if peek == 0x5E {
            result.isNegated = true
            position += 1
        }
        var isFirst = true
        while true {
            guard let scalar = peek else { throw Self.invalid("brackets [] not balanced") }
            if scalar == 0x5D, !isFirst {
                position += 1
                return result
            }
            isFirst = false
            if scalar == 0x5B, position + 1 < pattern.count {
                let kind = pattern[position + 1]
                if kind == 0x3A || kind == 0x2E || kind == 0x3D {
                    position += 2
                    let start = position
                    while position + 1 < pattern.count,
                        !(pattern[position] == kind && pattern[position + 1] == 0x5D)
                    { position += 1 }
                    guard position + 1 < pattern.count else {
                        throw Self.invalid("brackets [] not balanced")
                    }
                    let name = String(
                        String.UnicodeScalarView(
                            pattern[start..<position].compactMap(Unicode.Scalar.init)))
                    position += 2
                    if kind == 0x3A {
                        guard let ranges = Self.classRanges(name) else {
                            throw Self.invalid("invalid character class")
                        }
                        result.ranges += ranges
                    } else {
                        guard let only = name.unicodeScalars.first, name.unicodeScalars.count == 1
                        else { throw Self.invalid("invalid collating element") }
                        result.ranges.append(only.value...only.value)
                    }
                    continue
                }
            }
            var low = scalar
            position += 1
            if scalar == 0x5C {
                guard let escaped = peek else { throw Self.invalid("invalid escape \\ sequence") }
                position += 1
                if let ranges = Self.escapeRanges(escaped) {
                    result.ranges += ranges
                    continue
                }
                low = try characterEscape(escaped)
            }
            var high = low
            if peek == 0x2D, position + 1 < pattern.count, pattern[position + 1] != 0x5D {
                position += 1
                high = pattern[position]
                position += 1
                if high == 0x5C, let escaped = peek {
                    position += 1
                    high = try characterEscape(escaped)
                } else if high == 0x5B, starts(with: ".") {
                    throw Self.invalid("invalid character range")
                }
                guard low <= high else { throw Self.invalid("invalid character range") }
            }
            result.ranges.append(low...high)
        }
    }

    private static func classRanges(_ name: String) -> [ClosedRange<UInt32>]? {
        switch name {
        case "alpha":
            return [
                0x41...0x5A, 0x61...0x7A, 0xAA...0xAA, 0xB5...0xB5, 0xBA...0xBA, 0xC0...0xD6,
                0xD8...0xF6, 0xF8...0x2C1, 0x370...0x373, 0x376...0x377, 0x37B...0x37D,
                0x37F...0x37F, 0x386...0x386, 0x388...0x481, 0x48A...0x556, 0x561...0x587,
                0x5D0...0x5EA, 0x620...0x64A, 0x3040...0x30FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
                0xAC00...0xD7A3,
            ]
        case "upper": return [0x41...0x5A, 0xC0...0xD6, 0xD8...0xDE, 0x391...0x3A9, 0x410...0x42F]
        case "lower": return [0x61...0x7A, 0xDF...0xF6, 0xF8...0xFF, 0x3B1...0x3C9, 0x430...0x44F]
        case "digit": return [0x30...0x39]
        case "alnum": return (classRanges("alpha") ?? []) + [0x30...0x39]
        case "word": return (classRanges("alnum") ?? []) + [0x5F...0x5F]
        case "space": return [0x09...0x0D, 0x20...0x20]
        case "blank": return [0x09...0x09, 0x20...0x20]
        case "punct": return [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]
        case "cntrl": return [0x00...0x1F, 0x7F...0x7F]
        case "graph": return [0x21...0x7E, 0xA1...0x10FFFF]
        case "print": return [0x20...0x7E, 0xA0...0x10FFFF]
        case "xdigit": return [0x30...0x39, 0x41...0x46, 0x61...0x66]
        case "ascii": return [0x00...0x7F]
        default: return nil
        }
    }

    private static func escapeRanges(_ scalar: UInt32) -> [ClosedRange<UInt32>]? {
        switch Unicode.Scalar(scalar) {
        case "d": return classRanges("digit")
        case "w": return classRanges("word")
        case "s": return classRanges("space")
        default: return nil
        }
    }

    private mutating func characterEscape(_ scalar: UInt32) throws(SQLError) -> UInt32 {
        switch Unicode.Scalar(scalar) {
        case "n": return 0x0A
        case "t": return 0x09
        case "r": return 0x0D
        case "f": return 0x0C
        case "v": return 0x0B
        case "a": return 0x07
        case "b": return 0x08
        case "e": return 0x1B
        case "B": return 0x5C
        case "0": return 0
        case "x": return try hex(maximum: 8, minimum: 1)
        case "u": return try hex(maximum: 4, minimum: 4)
        case "U": return try hex(maximum: 8, minimum: 8)
        default:
            if (scalar >= 0x41 && scalar <= 0x5A) || (scalar >= 0x61 && scalar <= 0x7A) {
                throw Self.invalid("invalid escape \\ sequence")
            }
            return scalar
        }
    }

    private mutating func hex(maximum: Int, minimum: Int) throws(SQLError) -> UInt32 {
        var value: UInt32 = 0
        var count = 0
        while count < maximum, let scalar = peek, scalar < 0x80,
            let digit = Character(Unicode.Scalar(UInt8(scalar))).hexDigitValue
        {
            value = value &* 16 &+ UInt32(digit)
            count += 1
            position += 1
        }
        if count < minimum { throw Self.invalid("invalid escape \\ sequence") }
        return value
    }

    private mutating func escape() throws(SQLError) -> Node {
        guard let scalar = peek else { throw Self.invalid("invalid escape \\ sequence") }
        position += 1
        switch Unicode.Scalar(scalar) {
        case "d", "w", "s":
            return set(RegexProgram.CharacterSet(ranges: Self.escapeRanges(scalar) ?? []))
        case "D", "W", "S":
            return set(
                RegexProgram.CharacterSet(
                    ranges: Self.escapeRanges(scalar | 0x20) ?? [], isNegated: true))
        case "m": return .instruction(.assert(.wordStart))
        case "M": return .instruction(.assert(.wordEnd))
        case "y": return .instruction(.assert(.wordEdge))
        case "Y": return .instruction(.assert(.notWordEdge))
        case "A": return .instruction(.assert(.textStart))
        case "Z": return .instruction(.assert(.textEnd))
        default:
            if scalar >= 0x31, scalar <= 0x39 {
                var number = Int(scalar - 0x30)
                while let digit = peek, digit >= 0x30, digit <= 0x39,
                    number * 10 + Int(digit - 0x30) < program.groupCount
                {
                    number = number * 10 + Int(digit - 0x30)
                    position += 1
                }
                guard number < program.groupCount else {
                    throw Self.invalid("invalid backreference number")
                }
                program.needsBacktracking = true
                return .instruction(.backReference(number))
            }
            return literal(try characterEscape(scalar))
        }
    }

    // MARK: Code

    private mutating func finish(_ node: Node) throws(SQLError) -> RegexProgram {
        program.ignoresCase = options.ignoresCase
        program.code = [.save(0)]
        try emit(node)
        program.code.append(.save(1))
        program.code.append(.match)
        return program
    }

    private mutating func emit(_ node: Node) throws(SQLError) {
        guard program.code.count < 100_000 else {
            throw Self.invalid("regular expression is too complex")
        }
        switch node {
        case .empty: break
        case .instruction(let instruction): program.code.append(instruction)
        case .sequence(let nodes): for node in nodes { try emit(node) }
        case .group(let inner, let number):
            program.code.append(.save(number * 2))
            try emit(inner)
            program.code.append(.save(number * 2 + 1))
        case .alternatives(let branches):
            var jumps: [Int] = []
            for (index, branch) in branches.enumerated() {
                if index == branches.count - 1 {
                    try emit(branch)
                    break
                }
                let split = program.code.count
                program.code.append(.match)
                try emit(branch)
                jumps.append(program.code.count)
                program.code.append(.match)
                program.code[split] = .split(split + 1, program.code.count)
            }
            for jump in jumps { program.code[jump] = .jump(program.code.count) }
        case .repeated(let inner, let minimum, let maximum, let isGreedy):
            for _ in 0..<minimum { try emit(inner) }
            func split(_ at: Int, _ other: Int) -> RegexProgram.Instruction {
                isGreedy ? .split(at + 1, other) : .split(other, at + 1)
            }
            if let maximum {
                var splits: [Int] = []
                for _ in minimum..<max(maximum, minimum) {
                    splits.append(program.code.count)
                    program.code.append(.match)
                    try emit(inner)
                }
                for at in splits { program.code[at] = split(at, program.code.count) }
            } else {
                let loop = program.loopCount
                program.loopCount += 1
                let start = program.code.count
                program.code.append(.match)
                program.code.append(.loopStart(loop))
                try emit(inner)
                program.code.append(.loopCheck(loop))
                program.code.append(.jump(start))
                program.code[start] = split(start, program.code.count)
            }
        case .look(let inner, let isNegative, let isBehind):
            program.needsBacktracking = true
            var sub = program
            sub.code = []
            swap(&sub, &program)
            program.programs = []
            try emit(inner)
            program.code.append(.match)
            swap(&sub, &program)
            program.sets = sub.sets
            program.loopCount = max(program.loopCount, sub.loopCount)
            program.programs.append(sub)
            program.code.append(
                .look(
                    program: program.programs.count - 1, isNegative: isNegative,
                    isBehind: isBehind))
        }
    }
}
